/* SPDX-License-Identifier: MIT */
/*
 * lab.c - A demonstration's worlds: made, run, measured, taken down.
 *
 * Every world has the same seed, so a scenario has one course.  The two ISNs of its first connection
 * are set by the hosts' clocks (sim_host_aim()), which is how a test moves all sequence numbers.
 * --set comes last, so it wins over what the scenario sets itself.
 */
#include "sim/lab/lab.h"

#include <string.h>

#include "sim/memory.h"

#define SEED 0x1ab
#define CLOCK_NS (UINT64_C(100000) * 1000000000u) /* the hosts have been up for a day */
#define DELAY_US 10000u
#define SERVER_PORT 80u

static void measure(const struct sim_host *h, uint64_t out[LA_COUNTERS + LA_DROPS])
{
    for (uint32_t i = 0; i < LA_COUNTERS; i++)
        out[i] = la_counter(h->stack, (enum la_counter)i);
    for (uint32_t i = 0; i < LA_DROPS; i++)
        out[LA_COUNTERS + i] = la_drops(h->stack, (enum la_drop)i);
}

/* Packets and segments as such always move, and tell little. */
static bool telling(uint32_t i)
{
    if (i < LA_COUNTERS)
        return strcmp(la_counter_group((enum la_counter)i), "Ip") != 0 && i != LA_COUNT_InSegs &&
               i != LA_COUNT_OutSegs;
    return i - LA_COUNTERS != LA_DROP_NONE;
}

void lab_section_end(struct lab *l)
{
    struct sim_host *end[LAB_SIDES] = { l->client, l->server };
    uint64_t after[LAB_SIDES][LA_COUNTERS + LA_DROPS];

    if (!l->open)
        return;
    struct lab_section *s = &l->sections[l->section_count - 1];

    for (uint32_t side = 0; side < LAB_SIDES; side++) {
        (void)lab_why(l, end[side]);
        l->seen[side] = (struct lab_seen){ 0 };
        measure(end[side], after[side]);
    }
    for (uint32_t i = 0; i < LA_COUNTERS + LA_DROPS; i++) {
        struct lab_count c = { .group = "Drop" };

        for (uint32_t side = 0; side < LAB_SIDES; side++)
            c.moved[side] = after[side][i] - l->before[side][i];
        if (!telling(i) || c.moved[0] + c.moved[1] == 0)
            continue;
        if (i < LA_COUNTERS) {
            c.group = la_counter_group((enum la_counter)i);
            c.name = la_counter_name((enum la_counter)i);
            c.text = la_counter_text((enum la_counter)i);
        } else {
            c.name = la_drop_name((enum la_drop)(i - LA_COUNTERS));
            c.text = la_drop_text((enum la_drop)(i - LA_COUNTERS));
        }
        s->counts = sim_resize(s->counts, (s->count_count + 1) * sizeof *s->counts);
        s->counts[s->count_count++] = c;
    }
    if (l->world.failed && l->error[0] == '\0')
        snprintf(l->error, sizeof l->error, "%s", l->world.message);
    lab_rules_end(l);
    lab_watch_end(l);
    sim_world_free(&l->world);
    l->open = false;
    l->on_event = NULL;
}

void lab_sysctl(struct lab *l, struct sim_host *h, const char *name, const char *value)
{
    const enum la_err err = la_sysctl_write(h->stack, name, value);

    if (err != LA_OK)
        sim_fail(&l->world, "%s = %s: %s", name, value, la_err_text(err));
}

const char *lab_set_refused(const struct lab_set *set)
{
    struct la_config config;
    struct la_stack *s;
    void *arena;
    enum la_err err;

    la_config_smallest(&config);
    config.secret[0] = 1;
    uint8_t *mem = sim_take_arena(la_bytes_needed(&config), &arena);

    err = la_init(mem, la_bytes_needed(&config), &config, (la_time){ 0 }, &s);
    if (err == LA_OK)
        err = la_sysctl_write(s, set->name, set->value);
    sim_release(arena);
    return err == LA_OK ? NULL : la_err_text(err);
}

static void settle(struct lab *l, struct sim_host *h, const struct lab_end_opt *opt)
{
    for (uint32_t i = 0; i < sizeof opt->sets / sizeof opt->sets[0] && opt->sets[i].name; i++)
        lab_sysctl(l, h, opt->sets[i].name, opt->sets[i].value);
    for (uint32_t i = 0; i < l->options.set_count; i++)
        lab_sysctl(l, h, l->options.sets[i].name, l->options.sets[i].value);
}

static struct sim_host *make_host(struct lab *l, const struct lab_end_opt *opt)
{
    struct sim_host_opt host;

    sim_host_opt_default(&l->world, &host);
    host.clock_ns = CLOCK_NS;
    host.tick_budget = 64;
    host.twin_permille = host.trim_permille = 0;
    host.config.listeners = SIM_LISTENERS_MAX;
    if (opt->crowd > 0) {
        host.config.connections = host.config.short_v4 = host.config.short_v6 = opt->crowd;
        host.config.half_open_v4 = host.config.half_open_v6 = opt->crowd;
        host.config.port_maps = 4;
        host.config.trace_records = 0;
    }
    return sim_host(&l->world, &host);
}

struct sim_host *lab_host(struct lab *l, const struct lab_end_opt *opt)
{
    static const struct lab_end_opt none = { 0 };
    struct sim_host *h = make_host(l, opt ? opt : &none);

    settle(l, h, opt ? opt : &none);
    return h;
}

struct sim_link *lab_link(struct lab *l, struct sim_host *a, struct sim_host *b, uint32_t delay_us)
{
    return sim_link(&l->world, a, b, &(struct sim_link_opt){ .delay_us = delay_us });
}

void lab_script(struct lab *l, struct sim_host *h, sim_script *script, void *context)
{
    l->world.plain = true;
    h->script = script;
    h->script_context = context;
}

/* The first connection's ISNs: the client's at 0, the server's when the SYN arrives. */
static void aim(struct lab *l, uint32_t delay_us)
{
    const struct la_endpoint client = { sim_host_addr(l->client, l->options.v6), LAB_PORT_FIRST };
    const struct la_endpoint server = { sim_host_addr(l->server, l->options.v6), SERVER_PORT };

    sim_host_aim(l->client, 0, client, server, l->options.origin);
    sim_host_aim(l->server, sim_us(delay_us), server, client, l->options.origin);
}

void lab_summary(struct lab *l, const char *title)
{
    lab_section_end(l);
    l->sections = sim_resize(l->sections, (l->section_count + 1) * sizeof *l->sections);
    l->sections[l->section_count++] =
        (struct lab_section){ .title = title, .end = { "client", "server" } };
}

void lab_begin(struct lab *l, const char *title, const struct lab_world_opt *opt)
{
    static const struct lab_world_opt standard = { 0 };
    const struct lab_world_opt *o = opt ? opt : &standard;
    const uint32_t delay_us = o->delay_us ? o->delay_us : DELAY_US;

    lab_section_end(l);
    l->sections = sim_resize(l->sections, (l->section_count + 1) * sizeof *l->sections);
    l->sections[l->section_count++] = (struct lab_section){
        .title = title,
        .end = { o->client.name ? o->client.name : "client",
                 o->server.name ? o->server.name : "server" },
    };
    sim_world_init(&l->world, SEED, NULL);
    l->open = true;
    l->quiet = false;
    l->sock_count = 0;
    l->world.plain = o->plain || o->client.crowd > 0 || o->server.crowd > 0;
    l->world.check_every = l->world.plain ? UINT32_MAX : 1;
    l->client = make_host(l, &o->client);
    l->server = make_host(l, &o->server);
    aim(l, delay_us);
    settle(l, l->client, &o->client);
    settle(l, l->server, &o->server);
    l->rule_count = 0;
    l->link = NULL;
    if (!o->apart) {
        l->link =
            sim_link(&l->world, l->client, l->server,
                     &(struct sim_link_opt){ .delay_us = delay_us, .rate_kbps = o->rate_kbps });
        lab_rules_begin(l);
    }
    lab_watch_begin(l);
    measure(l->client, l->before[0]);
    measure(l->server, l->before[1]);
}

void lab_run(struct lab *l, uint64_t ns)
{
    sim_run_for(&l->world, ns);
}

void lab_run_until(struct lab *l, uint64_t at_ns)
{
    sim_run_until(&l->world, at_ns);
}

bool lab_run_to(struct lab_sock *s, enum la_state state, uint64_t ns)
{
    struct sim_world *w = &s->l->world;
    const uint64_t until_ns = w->now_ns + ns;

    while (lab_state(s) != state && sim_step(w, until_ns))
        continue;
    return lab_state(s) == state;
}

uint32_t lab_count_state(const struct sim_host *h, enum la_state state)
{
    uint32_t counts[LA_STATES];

    la_state_counts(h->stack, counts);
    return counts[state];
}

uint64_t lab_moved(const struct lab *l, const struct sim_host *h, enum la_counter counter)
{
    return la_counter(h->stack, counter) - l->before[lab_side(l, h)][counter];
}

uint64_t lab_dropped(const struct lab *l, const struct sim_host *h, enum la_drop reason)
{
    return la_drops(h->stack, reason) - l->before[lab_side(l, h)][LA_COUNTERS + reason];
}

void lab_run_scenario(struct lab *l, const struct lab_scenario *scenario,
                      const struct lab_options *options)
{
    *l = (struct lab){ .scenario = scenario, .options = *options };
    scenario->run(l);
    lab_section_end(l);
}

bool lab_held(const struct lab *l)
{
    return l->failed == 0 && l->error[0] == '\0';
}

void lab_free(struct lab *l)
{
    for (uint32_t i = 0; i < l->section_count; i++) {
        struct lab_section *s = &l->sections[i];

        for (uint32_t t = 0; t < s->table_count; t++)
            sim_release(s->tables[t].cell);
        sim_release(s->rows);
        sim_release(s->whys);
        sim_release(s->lines);
        sim_release(s->tables);
        sim_release(s->counts);
    }
    for (uint32_t i = 0; i < l->thing_count; i++)
        sim_release(l->things[i]);
    sim_release(l->things);
    sim_release(l->sections);
    sim_release(l->claims);
    sim_release(l->streams);
    sim_release(l->socks);
}
