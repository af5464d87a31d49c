/* SPDX-License-Identifier: MIT */
/*
 * host.c - Making a host, and its turns.
 *
 * Packets wait in the receive queue until a burst is full or has waited long enough;
 * then the stack gets them in one la_rx().  A turn ends when the stack has neither a
 * packet nor an event to give.  After it the checkers look, and the next wake-up is
 * planned from la_deadline().  Wake-ups already planned for a later time stay in the
 * agenda and are found stale.
 */
#include "sim/host.h"

#include <string.h>

#include "sim/check/check.h"
#include "sim/flow.h"
#include "sim/memory.h"
#include "sim/trace.h"

#define SPINS_MAX 64u
#define TURN_ROUNDS_MAX 100000u
#define TRIM_PAGE_BYTES 4096u

void sim_host_opt_default(struct sim_world *w, struct sim_host_opt *opt)
{
    static const uint64_t clocks_ns[] = {
        0,
        1,
        UINT64_C(1000000000),
        UINT64_C(2147478648) * 1000000u, /* milliseconds pass 2^31 five seconds later */
        UINT64_C(4294962296) * 1000000u, /* and 2^32 */
        UINT64_C(9223372031854775807),   /* nanoseconds pass 2^63 */
    };
    struct sim_prng *rng = &w->rng;

    *opt = (struct sim_host_opt){ .mtu_bytes = 1500 };
    opt->clock_ns = clocks_ns[sim_prng_below(rng, sizeof clocks_ns / sizeof clocks_ns[0])];
    opt->tick_budget = (uint32_t)sim_prng_between(rng, 1, 64);
    opt->twin_permille = sim_prng_permille(rng, 125) ? 10 : 0;
    opt->trim_permille = sim_prng_permille(rng, 125) ? 10 : 0;
    la_config_default(&opt->config);
    for (unsigned i = 0; i < sizeof opt->config.secret; i++)
        opt->config.secret[i] = (uint8_t)sim_prng_next(rng);
    opt->config.secret[0] |= 1; /* not all zero */
    opt->config.connections = 64;
    opt->config.listeners = 4;
    opt->config.half_open_v4 = opt->config.half_open_v6 = 64;
    opt->config.short_v4 = opt->config.short_v6 = 64;
    opt->config.chunk_bytes = 2048;
    opt->config.chunks = 2048;
    opt->config.reserve_chunks = 128;
    opt->config.reply_slots = 128;
    opt->config.trace_records = 1024;
}

void sim_host_sysctl(struct sim_host_opt *opt, const char *name, uint64_t value)
{
    if (opt->sysctl_count < SIM_SYSCTLS_MAX)
        opt->sysctls[opt->sysctl_count++] = (struct sim_sysctl){ name, value };
}

la_time sim_host_now(const struct sim_host *h)
{
    return (la_time){ h->opt.clock_ns + h->w->now_ns };
}

struct la_addr sim_host_addr(const struct sim_host *h, bool v6)
{
    return v6 ? h->addr6 : h->addr4;
}

/* Interface, addresses, sysctls.  Return: what went wrong, NULL if nothing did. */
static const char *configure(struct sim_host *h)
{
    const struct la_iface_config iface = {
        .mtu_bytes = h->opt.mtu_bytes,
        .flags = h->opt.checksum_offload ? LA_IFACE_CSUM_TX : 0,
        .gso_max_bytes = h->opt.gso_max_bytes,
    };

    h->iface = la_iface_add(h->stack, &iface);
    if (h->iface < 0)
        return "la_iface_add() refused";
    if (la_addr_add(h->stack, h->iface, (struct la_prefix){ h->addr4, 96 + 24 }, 0) != LA_OK)
        return "la_addr_add() refused an IPv4 address";
    if (h->opt.mtu_bytes >= 1280 &&
        la_addr_add(h->stack, h->iface, (struct la_prefix){ h->addr6, 64 }, 0) != LA_OK)
        return "la_addr_add() refused an IPv6 address";
    for (uint32_t i = 0; i < h->opt.sysctl_count; i++)
        if (la_sysctl_set(h->stack, h->opt.sysctls[i].name, h->opt.sysctls[i].value) != LA_OK)
            return "la_sysctl_set() refused";
    return NULL;
}

/* A stack in fresh memory. */
static void boot(struct sim_host *h)
{
    uint8_t *mem = sim_take_arena(h->arena_bytes, &h->arena);
    const enum la_err err =
        la_init(mem, h->arena_bytes, &h->opt.config, sim_host_now(h), &h->stack);

    if (h->arena_bytes == 0 || err != LA_OK) {
        sim_fail(h->w, "host %s: la_init() gave %s", h->name, la_err_name(err));
        return;
    }
    const char *wrong = configure(h);

    if (wrong)
        sim_fail(h->w, "host %s: %s", h->name, wrong);
    for (unsigned t = 0; t < LA_TABLES; t++)
        h->baseline[t] = la_table_use(h->stack, (enum la_table)t);
}

struct sim_host *sim_host(struct sim_world *w, const struct sim_host_opt *opt)
{
    struct sim_host *h = sim_take(sizeof *h);

    h->w = w;
    h->index = w->host_count;
    if (opt)
        h->opt = *opt;
    else
        sim_host_opt_default(w, &h->opt);
    h->name[0] = (char)('A' + h->index);
    h->addr4 = la_addr_v4(10, 0, 0, (uint8_t)(h->index + 1));
    h->addr6 = (struct la_addr){ { 0x20, 0x01, 0x0d, 0xb8 } };
    h->addr6.bytes[15] = (uint8_t)(h->index + 1);
    h->flush_at_ns = h->wake_at_ns = SIM_NEVER;
    h->tx = sim_take(LA_RX_BURST_MAX * sizeof *h->tx);
    h->arena_bytes = la_bytes_needed(&h->opt.config);
    w->hosts[w->host_count++] = h;
    boot(h);
    return h;
}

void sim_host_aim(struct sim_host *h, uint64_t at_ns, struct la_endpoint local,
                  struct la_endpoint remote, uint32_t isn)
{
    /*
     * The ISN's clock ticks every 64 ns.  Only whole milliseconds are added, 15,625 ticks each, so
     * that time stamps keep their phase: as many as bring the ticks to the wanted number, modulo 2^32.
     */
    const uint32_t inverse_of_15625 = 1757569337u;
    struct la_conn_info info = { 0 };
    la_conn_id conn;

    if (h->w->failed ||
        la_open(h->stack, (la_time){ h->opt.clock_ns + at_ns }, local, remote, 0, &conn) != LA_OK ||
        la_conn_info(h->stack, conn, &info) != LA_OK) {
        sim_fail(h->w, "host %s: no ISN to aim with", h->name);
        return;
    }
    h->opt.clock_ns += sim_ms((uint32_t)((isn - info.iss) * inverse_of_15625));
    sim_release(h->arena);
    boot(h);
}

void sim_host_restart(struct sim_host *h)
{
    const uint32_t listeners = h->listener_count;

    sim_twin_drop(h);
    for (uint32_t i = 0; i < h->rx_count; i++)
        sim_release(h->rx[i]);
    h->w->in_flight -= h->rx_count;
    h->rx_count = 0;
    sim_release(h->arena);
    sim_flow_forget(h);
    for (unsigned i = 0; i < sizeof h->opt.config.secret; i++)
        h->opt.config.secret[i] = (uint8_t)(sim_prng_next(&h->w->rng) | 1u);
    boot(h);
    h->listener_count = 0;
    for (uint32_t i = 0; i < listeners; i++)
        sim_host_listen(h, h->listeners[i].port, h->listeners[i].backlog);
}

void sim_host_jump(struct sim_host *h, uint64_t by_ns)
{
    h->opt.clock_ns += by_ns;
    h->wake_at_ns = SIM_NEVER;
    sim_host_turn(h);
}

void sim_host_free(struct sim_host *h)
{
    for (uint32_t i = 0; i < h->rx_count; i++)
        sim_release(h->rx[i]);
    sim_release(h->twin.stack ? h->twin.arena : NULL);
    sim_release(h->twin.tx);
    sim_release(h->twin.bytes);
    sim_release(h->arena);
    sim_release(h->tx);
    sim_release(h->script_owned ? h->script_context : NULL);
    sim_release(h);
}

void sim_host_listen(struct sim_host *h, uint16_t port, uint32_t backlog)
{
    for (uint32_t i = 0; i < h->listener_count; i++)
        if (h->listeners[i].port == port)
            return;
    if (h->listener_count == SIM_LISTENERS_MAX || h->w->failed)
        return;
    struct sim_listener *l = &h->listeners[h->listener_count];
    const struct la_listen_config config = {
        .local = la_prefix_any(), .port = port, .backlog = backlog, .user = port
    };
    const enum la_err err = sim_call_listen(h, &config, &l->id);

    if (err != LA_OK) {
        sim_fail(h->w, "host %s: la_listen() gave %s", h->name, la_err_name(err));
        return;
    }
    l->port = port;
    l->backlog = backlog;
    h->listener_count++;
}

void sim_host_unlisten(struct sim_host *h)
{
    for (uint32_t i = 0; i < h->listener_count; i++)
        if (sim_call_unlisten(h, h->listeners[i].id) != LA_OK)
            sim_fail(h->w, "host %s: la_listener_close() refused a live listener", h->name);
    h->listener_count = 0;
}

/* One descriptor to the wire, with what a network card would do to it. */
static void put_out(struct sim_host *h, const struct la_tx *tx)
{
    static const uint32_t room = UINT16_MAX + 1u + LA_TX_HEADER_MAX;
    uint8_t *bytes = sim_take(room);

    if (tx->len_bytes > UINT16_MAX) {
        sim_fail(h->w, "host %s: a descriptor of %u bytes", h->name, tx->len_bytes);
    } else if (la_tx_copy(tx, bytes, room) != tx->len_bytes) {
        sim_fail(h->w, "host %s: la_tx_copy() copied another length", h->name);
    } else if (tx->gso_size_bytes) {
        uint8_t piece[SIM_MTU_MAX];

        for (uint32_t nth = 0; !h->w->failed; nth++) {
            const uint32_t len_bytes =
                sim_segment_cut(bytes, tx->len_bytes, tx->gso_size_bytes, nth, piece);

            if (len_bytes == 0)
                break;
            sim_send(h, piece, len_bytes);
        }
    } else {
        if (tx->flags & LA_TX_CSUM_PARTIAL)
            sim_checksum_complete(bytes, tx->len_bytes, tx->csum_start, tx->csum_offset);
        sim_send(h, bytes, tx->len_bytes);
    }
    sim_release(bytes);
}

/* 1 .. LA_RX_BURST_MAX. */
static uint32_t choose_batch(struct sim_host *h)
{
    h->choice = sim_mix(h->choice + 1);
    return (uint32_t)(h->choice >> 32) % LA_RX_BURST_MAX + 1;
}

static bool drain_tx(struct sim_host *h)
{
    bool any = false;

    while (!h->w->failed) {
        const uint32_t max = choose_batch(h);
        const uint32_t count = sim_call_tx(h, max);

        for (uint32_t i = 0; i < count; i++)
            put_out(h, &h->tx[i]);
        if (count == 0)
            return any;
        any = true;
    }
    return any;
}

static bool drain_events(struct sim_host *h)
{
    struct la_event events[LA_RX_BURST_MAX];
    const uint32_t count = sim_call_events(h, events, choose_batch(h));

    h->drain++;
    for (uint32_t i = 0; i < count && !h->w->failed; i++)
        sim_flow_event(h, &events[i]);
    return count > 0;
}

static void discard(void *context, struct la_extent extent)
{
    struct sim_host *h = context;

    if (extent.offset_bytes + extent.len_bytes > h->arena_bytes)
        sim_fail(h->w, "host %s: la_trim() names memory outside the arena", h->name);
    else
        memset((uint8_t *)h->stack + extent.offset_bytes, 0, (size_t)extent.len_bytes);
}

static void plan_wake(struct sim_host *h)
{
    const la_time deadline = sim_call_deadline(h);

    if (deadline.ns == LA_TIME_NEVER.ns)
        return;
    const uint64_t now_ns = sim_host_now(h).ns;
    const uint64_t in_ns = deadline.ns > now_ns ? deadline.ns - now_ns : 0;
    const uint64_t at_ns = h->w->now_ns + in_ns;

    if (at_ns >= h->wake_at_ns)
        return;
    h->wake_at_ns = at_ns;
    sim_agenda_add(&h->w->agenda, at_ns, SIM_DUE_WAKE, h->index, NULL);
}

void sim_host_turn(struct sim_host *h)
{
    uint32_t rounds = 0;

    h->choice = sim_mix(h->w->seed ^ sim_mix(h->w->now_ns * SIM_HOSTS_MAX + h->index));
    const bool events_first = h->w->watch || h->choice & 1u; /* as most loops do */

    for (bool busy = true; busy && !h->w->failed;) {
        busy = events_first ? drain_events(h) : false;
        busy = drain_tx(h) || busy;
        busy = drain_events(h) || busy;
        if (++rounds > TURN_ROUNDS_MAX)
            sim_fail(h->w, "host %s: packets and events without end at one instant", h->name);
    }
    h->w->turns++;
    if (h->w->failed)
        return;
    sim_check_turn(h);
    sim_twin_turn(h);
    if (!h->twin.stack && sim_prng_permille(&h->w->rng, h->opt.trim_permille))
        la_trim(h->stack, TRIM_PAGE_BYTES, discard, h);
    plan_wake(h);
}

/* Hand over the first @count packets of the receive queue. */
static void take(struct sim_host *h, uint32_t count)
{
    struct la_frame frames[LA_RX_BURST_MAX];
    struct sim_packet *packets[LA_RX_BURST_MAX];

    for (uint32_t i = 0; i < count; i++) {
        const struct sim_packet *p = packets[i] = h->rx[i];
        const bool vouch = h->opt.checksum_offload && !p->corrupt;

        frames[i] = (struct la_frame){
            .bytes = p->bytes,
            .len_bytes = p->len_bytes,
            .iface = (uint16_t)h->iface,
            .flags = vouch ? LA_FRAME_CSUM_OK : 0,
        };
        if (!h->w->plain)
            sim_wire_arrived(h->w, p);
    }
    h->rx_count -= count;
    memmove(h->rx, h->rx + count, h->rx_count * sizeof h->rx[0]);
    h->w->in_flight -= count;
    sim_call_rx(h, frames, count);
    for (uint32_t i = 0; i < count; i++) {
        if (h->w->watch && h->w->watch->arrived)
            h->w->watch->arrived(h->w->watch->context, h, packets[i]);
        sim_release(packets[i]);
    }
    sim_host_turn(h);
}

static uint32_t within_burst(uint32_t count)
{
    return count == 0 ? 1 : count > LA_RX_BURST_MAX ? LA_RX_BURST_MAX : count;
}

void sim_host_flush(struct sim_host *h)
{
    h->flush_at_ns = SIM_NEVER;
    while (h->rx_count > 0 && !h->w->failed) {
        const uint32_t burst = within_burst(h->rx[0]->link->opt.burst);

        take(h, h->rx_count < burst ? h->rx_count : burst);
    }
}

void sim_host_arrive(struct sim_host *h, struct sim_packet *packet)
{
    const struct sim_link_opt *opt = &packet->link->opt;

    if (h->script) {
        h->w->in_flight--;
        h->script(h, h->script_context, packet);
        if (h->w->watch && h->w->watch->arrived)
            h->w->watch->arrived(h->w->watch->context, h, packet);
        sim_release(packet);
        return;
    }
    h->rx[h->rx_count++] = packet;
    if (h->rx_count >= within_burst(opt->gather ? opt->gather : opt->burst)) {
        sim_host_flush(h);
    } else if (h->flush_at_ns == SIM_NEVER) {
        h->flush_at_ns = h->w->now_ns + sim_us(opt->hold_us);
        sim_agenda_add(&h->w->agenda, h->flush_at_ns, SIM_DUE_FLUSH, h->index, NULL);
    }
}

void sim_host_wake(struct sim_host *h)
{
    uint32_t calls = 0;

    h->wake_at_ns = SIM_NEVER;
    h->spins = h->w->still == 0 ? 0 : h->spins + 1;
    while (sim_call_tick(h, h->opt.tick_budget) && !h->w->failed)
        if (++calls > TURN_ROUNDS_MAX)
            sim_fail(h->w, "host %s: la_tick() always says that more is due", h->name);
    sim_host_turn(h);
    if (h->spins > SPINS_MAX)
        sim_fail(h->w, "host %s: its deadline stays in the past", h->name);
}
