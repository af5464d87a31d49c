/* SPDX-License-Identifier: MIT */
/*
 * session.c - A stack with a device under it and a loop around it, for one command.
 *
 * Order matters in session_open(): the device first, as it may need privileges; then they
 * are dropped; only then are files opened and packets read.
 *
 * Without --tun a device is made.  Then the addresses default to a small network of our
 * own, so that one command without options is reachable: the host is .1, lastack is .2.
 */
#include "cli/session.h"

#include "cli/observe.h"
#include "cli/privileges.h"

#include <errno.h>
#include <net/if.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHUNKS 65536u /* 256 MiB of buffers at most; committed as they are used */
#define TRACE_RECORDS 65536u
#define WIRE_SLOTS 512u

static int add_prefix(const struct session_options *o, const char *what, struct la_prefix *list,
                      uint32_t *count, const char *value)
{
    if (*count == SESSION_ADDRS_MAX)
        return args_wrong(o->command, "more than %d times --%s", SESSION_ADDRS_MAX, what);
    if (!la_prefix_parse(value, true, &list[*count]))
        return args_wrong(o->command, "--%s: not an address with a prefix: %s (as in 10.0.0.2/24)",
                          what, value);
    (*count)++;
    return CLI_OK;
}

static int add_sysctl(void *to, const struct args_option *option, const char *value)
{
    struct session_options *o = to;
    const char *equals = strchr(value, '=');
    struct session_sysctl *sysctl = &o->sysctls[o->sysctl_count];

    (void)option;
    if (o->sysctl_count == SESSION_SYSCTLS_MAX)
        return args_wrong(o->command, "more than %d times --sysctl", SESSION_SYSCTLS_MAX);
    if (equals == NULL || equals == value || (size_t)(equals - value) >= sizeof sysctl->name)
        return args_wrong(o->command, "--sysctl: not NAME=VALUE: %s", value);
    snprintf(sysctl->name, sizeof sysctl->name, "%.*s", (int)(equals - value), value);
    sysctl->value = equals + 1;
    bool known = false;
    uint64_t number;
    for (uint32_t i = 0; la_sysctl_list_name(i) != NULL && !known; i++)
        known = strcmp(la_sysctl_list_name(i), sysctl->name) == 0;
    const bool list = known;
    for (uint32_t i = 0; la_sysctl_name(i) != NULL && !known; i++)
        known = strcmp(la_sysctl_name(i), sysctl->name) == 0;
    if (!known)
        return args_wrong(o->command, "--sysctl: no such sysctl: %s", sysctl->name);
    if (!list && !args_number(sysctl->value, 0, UINT64_MAX, &number))
        return args_wrong(o->command, "--sysctl: not NAME=NUMBER: %s", value);
    o->sysctl_count++;
    return CLI_OK;
}

static int take_addr(void *to, const struct args_option *option, const char *value)
{
    struct session_options *o = to;
    (void)option;
    return add_prefix(o, "addr", o->addrs, &o->addr_count, value);
}

static int take_host_addr(void *to, const struct args_option *option, const char *value)
{
    struct session_options *o = to;
    (void)option;
    return add_prefix(o, "host-addr", o->host_addrs, &o->host_addr_count, value);
}

static int take_offload(void *to, const struct args_option *option, const char *value)
{
    static const char *const names[] = {
        [LA_RT_OFFLOAD_ON] = "on", [LA_RT_OFFLOAD_MERGE] = "merge", [LA_RT_OFFLOAD_OFF] = "off"
    };
    struct session_options *o = to;
    (void)option;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(value, names[i]) != 0)
            continue;
        o->offload = (enum la_rt_offload)i;
        return CLI_OK;
    }
    return args_wrong(o->command, "--offload: not on, merge or off: %s", value);
}

const struct args_option session_args[SESSION_ARGS] = {
    ARGS_TEXT(0, "tun", "NAME", NULL, struct session_options, tun,
              "use this TUN device; without it one is made"),
    ARGS_OWN(0, "addr", "CIDR", NULL, take_addr,
             "lastack's own address, with its prefix; repeatable"),
    ARGS_OWN(0, "host-addr", "CIDR", NULL, take_host_addr,
             "the host's address on a device made; repeatable"),
    ARGS_OWN(0, "offload", "HOW", "on", take_offload,
             "on: up to 64 KB at once, both ways; merge: only what is received; or off"),
    ARGS_NUMBER(0, "queues", "N", "1", 1, LA_RT_TUN_QUEUES_MAX, struct session_options, queues,
                "open this many queues of the device"),
    ARGS_TEXT(0, "pcap", "FILE", NULL, struct session_options, pcap,
              "capture every packet, with the stack's verdict; pcapng"),
    ARGS_SIZE(0, "snap", "BYTES", NULL, 60, 65535, struct session_options, snap_bytes,
              "keep only so much of each packet captured"),
    ARGS_TEXT(0, "trace", "FILE", NULL, struct session_options, trace,
              "write what connections do, for lastack plot; JSON lines"),
    ARGS_FLAG(0, "ladder", struct session_options, ladder,
              "at the end, draw the life of the connections"),
    ARGS_FLAG(0, "json", struct session_options, json,
              "print what happens as JSON, one object a line"),
    ARGS_TEXT(0, "user", "NAME", NULL, struct session_options, user,
              "run as this user once the device is open"),
    ARGS_OWN(0, "sysctl", "NAME=VALUE", NULL, add_sysctl, "set a sysctl of the stack; repeatable"),
    ARGS_TEXT(0, "control", "PATH", NULL, struct session_options, control,
              "control socket, for ss, nstat, sysctl and top; \"none\" for none"),
    ARGS_FLAG(0, "control-write", struct session_options, control_write,
              "let them set sysctls and end connections"),
    ARGS_FLAG('q', "quiet", struct session_options, quiet, "no messages but errors"),
};

void session_say(const struct session *s, const char *format, ...)
{
    va_list list;

    if (s->options.quiet)
        return;
    fprintf(stderr, "lastack %s: ", s->options.command);
    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
    fputc('\n', stderr);
}

struct la_addr session_any(struct la_addr like)
{
    return la_addr_is_v4(like) ? la_addr_v4(0, 0, 0, 0) : (struct la_addr){ { 0 } };
}

/* Stack ------------------------------------------------------------------------- */

static int failed(const struct session *s, const char *what, enum la_err err)
{
    return args_failed(s->options.command, "%s: %s", what, la_err_text(err));
}

static int set_sysctls(const struct session *s, struct la_stack *stack)
{
    for (uint32_t i = 0; i < s->options.sysctl_count; i++) {
        const struct session_sysctl *c = &s->options.sysctls[i];
        const enum la_err err = la_sysctl_write(stack, c->name, c->value);
        if (err != LA_OK)
            return args_wrong(s->options.command, "--sysctl %s: %s", c->name, la_err_text(err));
    }
    return CLI_OK;
}

static int set_addresses(const struct session *s, struct station *st)
{
    for (uint32_t i = 0; i < st->addr_count; i++) {
        char text[LA_ADDR_TEXT_BYTES];
        const enum la_err err = la_addr_add(st->stack, st->iface, st->addrs[i], 0);
        if (err != LA_OK)
            return args_wrong(s->options.command, "--addr %s: %s",
                              net_format_prefix(st->addrs[i], text), la_err_text(err));
        if (la_addr_is_v4(st->addrs[i].addr))
            st->families.v4 = true;
        else
            st->families.v6 = true;
    }
    const enum la_err err = la_route_add(st->stack, la_prefix_any(), st->iface);
    return err == LA_OK ? CLI_OK : failed(s, "default route", err);
}

static int make_stack(struct session *s, struct station *st, la_time now)
{
    struct la_config config;
    const struct session_options *o = &s->options;

    la_config_default(&config);
    la_rt_random(config.secret, sizeof config.secret);
    config.cpu_features = la_rt_cpu_features();
    config.chunks = CHUNKS;
    config.trace_records =
        o->ladder || o->json || o->pcap != NULL || o->trace != NULL ? TRACE_RECORDS : 0;
    st->arena_bytes = la_bytes_needed(&config);
    st->arena = la_rt_arena_map(st->arena_bytes);
    if (st->arena == NULL)
        return args_failed(o->command, "cannot reserve memory: %s", strerror(errno));
    enum la_err err = la_init(st->arena, st->arena_bytes, &config, now, &st->stack);
    explicit_bzero(config.secret, sizeof config.secret);
    if (err != LA_OK)
        return failed(s, "cannot make a stack", err);
    const struct la_iface_config iface = { .mtu_bytes = st->driver->mtu_bytes,
                                           .flags = st->driver->iface_flags,
                                           .gso_max_bytes = st->driver->gso_max_bytes };
    st->iface = la_iface_add(st->stack, &iface);
    if (st->iface < 0)
        return failed(s, "cannot use the device", (enum la_err)st->iface);
    const int status = set_sysctls(s, st->stack);
    return status != CLI_OK ? status : set_addresses(s, st);
}

/* Device ------------------------------------------------------------------------- */

static void must_parse(const char *text, struct la_prefix *out)
{
    if (!la_prefix_parse(text, true, out))
        la_panic(__FILE__, __LINE__, text);
}

static int choose_addresses(struct session *s, struct station *st)
{
    struct session_options *o = &s->options;

    if (o->tun != NULL && o->addr_count == 0)
        return args_wrong(o->command,
                          "--tun %s needs --addr too: an address of its network that "
                          "is not the host's",
                          o->tun);
    if (o->tun != NULL && o->host_addr_count > 0)
        return args_wrong(o->command, "--host-addr is for a device made here; %s is there already",
                          o->tun);
    if (o->addr_count == 0 && o->host_addr_count > 0)
        return args_wrong(o->command, "--host-addr needs --addr too");
    if (o->addr_count == 0) {
        must_parse("10.108.97.1/24", &o->host_addrs[0]);
        must_parse("fd6c:6173:7461:636b::1/64", &o->host_addrs[1]);
        must_parse("10.108.97.2/24", &o->addrs[0]);
        must_parse("fd6c:6173:7461:636b::2/64", &o->addrs[1]);
        o->host_addr_count = o->addr_count = 2;
    }
    memcpy(st->addrs, o->addrs, sizeof st->addrs);
    st->addr_count = o->addr_count;
    return CLI_OK;
}

static bool device_is_up(const char *name)
{
    struct ifreq ifr = { 0 };
    const int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (sock < 0)
        return true;
    snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "%s", name);
    const bool up = ioctl(sock, SIOCGIFFLAGS, &ifr) != 0 || (ifr.ifr_flags & IFF_UP);
    close(sock);
    return up;
}

static void tell_device(const struct session *s, const struct station *st)
{
    const char *name = st->driver->name;
    const bool made = s->options.tun == NULL;
    char text[LA_ADDR_TEXT_BYTES];

    session_say(s, "device %s%s, MTU %u%s", name, made ? " (made)" : "", st->driver->mtu_bytes,
                st->driver->gso_max_bytes > 0 ? ", with offload" : "");
    for (uint32_t i = 0; i < st->addr_count; i++)
        session_say(s, "lastack is %s", net_format_prefix(st->addrs[i], text));
    for (uint32_t i = 0; i < s->options.host_addr_count; i++)
        session_say(s, "the host is %s", net_format_prefix(s->options.host_addrs[i], text));
    if (!made && !device_is_up(name))
        session_say(s, "device %s is down, so nothing will come: ip link set %s up", name, name);
    if (!made || s->options.host_addr_count > 0)
        return;
    session_say(s, "the host still has to be told: ip link set %s up", name);
    for (uint32_t i = 0; i < st->addr_count; i++)
        session_say(s, "    ip route add %s dev %s", la_addr_format(st->addrs[i].addr, text), name);
}

static int open_capture(struct session *s)
{
    signal(SIGPIPE, SIG_IGN);
    s->loop = la_rt_loop_new(LA_RT_SIGNALS | (s->options.virtual_time ? LA_RT_VIRTUAL_TIME : 0u));
    if (s->loop == NULL)
        return args_failed(s->options.command, "cannot make a loop: %s", strerror(errno));
    s->begun = la_rt_loop_now(s->loop);
    return observe_open(s);
}

/* What was not asked for and can not be had is no failure: it is said. */
static int open_control(struct session *s)
{
    const struct session_options *o = &s->options;
    char error[256];

    if (o->control != NULL && strcmp(o->control, "none") == 0)
        return CLI_OK;
    const struct la_rt_control_config config = {
        .stack = s->stations[0].stack,
        .name = o->command,
        .path = o->control,
        .writable = o->control_write,
    };
    s->control = la_rt_control_open(s->loop, &config, error, sizeof error);
    if (s->control != NULL)
        return CLI_OK;
    if (o->control != NULL)
        return args_failed(o->command, "%s", error);
    session_say(s, "nobody can look inside with lastack ss: %s", error);
    return CLI_OK;
}

int session_open(struct session *s, const struct session_options *o)
{
    char error[256];
    char user[64];

    *s = (struct session){ .options = *o, .station_count = 1, .linger_until = LA_TIME_NEVER };
    struct station *st = &s->stations[0];
    const int status = choose_addresses(s, st);
    if (status != CLI_OK)
        return status;

    const struct la_rt_tun_config config = {
        .name = s->options.tun,
        .host_addrs = s->options.host_addrs,
        .host_addr_count = s->options.host_addr_count,
        .offload = s->options.offload,
        .queues = (uint32_t)s->options.queues,
    };
    st->driver = la_rt_tun_open(&config, error, sizeof error);
    if (st->driver == NULL)
        return args_failed(o->command, "%s", error);
    if (!privileges_drop(o->user, error, sizeof error, user, sizeof user))
        return args_failed(o->command, "%s", error);
    const int opened = open_capture(s);
    if (opened != CLI_OK)
        return opened;
    const int made = make_stack(s, st, s->begun);
    if (made != CLI_OK)
        return made;
    tell_device(s, st);
    if (user[0] != '\0')
        session_say(s, "running as user %s", user);
    return open_control(s);
}

int session_open_wire(struct session *s, const struct session_options *o, uint32_t mtu_bytes)
{
    static const char *const addrs[2][2] = { { "10.0.0.1/24", "fd00::1/64" },
                                             { "10.0.0.2/24", "fd00::2/64" } };
    struct la_rt_driver *ends[2];

    *s = (struct session){ .options = *o, .linger_until = LA_TIME_NEVER };
    if (la_rt_memory_pair(mtu_bytes, WIRE_SLOTS, ends) != 0)
        return args_failed(o->command, "out of memory");
    s->station_count = 2;
    s->stations[0].driver = ends[0];
    s->stations[1].driver = ends[1];
    int status = open_capture(s);
    for (uint32_t i = 0; i < 2 && status == CLI_OK; i++) {
        struct station *st = &s->stations[i];
        must_parse(addrs[i][0], &st->addrs[0]);
        must_parse(addrs[i][1], &st->addrs[1]);
        st->addr_count = 2;
        status = make_stack(s, st, s->begun);
    }
    return status == CLI_OK && o->control != NULL ? open_control(s) : status;
}

/* Running ------------------------------------------------------------------------ */

static void on_event(void *context, la_time now, const struct la_event *event)
{
    const struct session_app *app = context;

    if (app->handlers.on_event != NULL)
        app->handlers.on_event(app->handlers.context, now, event);
}

/* Is anything left that still needs this process? */
static bool quiet(const struct session *s)
{
    for (uint32_t i = 0; i < s->station_count; i++) {
        uint32_t counts[LA_STATES];
        la_state_counts(s->stations[i].stack, counts);
        for (uint32_t state = LA_SYN_SENT; state < LA_STATES; state++)
            if (counts[state] > 0 && (state != LA_TIME_WAIT || s->options.ladder))
                return false;
    }
    return true;
}

static void on_turn(void *context, la_time now)
{
    const struct session_app *app = context;
    struct session *s = app->session;

    if (app->handlers.on_turn != NULL)
        app->handlers.on_turn(app->handlers.context, now);
    if (s->linger_until.ns == LA_TIME_NEVER.ns)
        return;
    if (now.ns >= s->linger_until.ns || quiet(s))
        la_rt_stop(s->loop);
    else
        la_rt_wake_at(s->loop, s->linger_until);
}

void session_linger(struct session *s)
{
    uint64_t msl_ms = 0;

    if (s->ended_by != 0)
        return; /* by a signal: the user has waited enough */
    const uint64_t wait_ms =
        s->options.ladder &&
                la_sysctl_get(s->stations[0].stack, "net.lastack.tcp_msl_ms", &msl_ms) == LA_OK
            ? 2 * msl_ms
            : 0;
    s->linger_until.ns =
        la_rt_loop_now(s->loop).ns + SESSION_LINGER_S * UINT64_C(1000000000) + wait_ms * 1000000u;
    s->ended_by = la_rt_run(s->loop);
}

int session_host(struct session *s, uint32_t station, const struct session_handlers *handlers)
{
    const struct station *st = &s->stations[station];

    s->apps[station] = (struct session_app){ s, *handlers };
    struct la_rt_host host = {
        .stack = st->stack,
        .driver = st->driver,
        .iface = st->iface,
        .context = &s->apps[station],
        .on_event = on_event,
        .on_turn = on_turn,
    };

    const int watched = station == 0 ? observe_attach(s, &host) : CLI_OK;
    if (watched != CLI_OK)
        return watched;
    const int err = la_rt_loop_add(s->loop, &host);
    return err == 0 ? CLI_OK
                    : args_failed(s->options.command, "cannot use the device: %s", strerror(-err));
}

int session_run(struct session *s)
{
    s->ended_by = la_rt_run(s->loop);
    if (s->ended_by >= 0 || s->ended_by == -EDEADLK)
        return CLI_OK;
    return args_failed(s->options.command, "device %s: %s", s->stations[0].driver->name,
                       strerror(-s->ended_by));
}

void session_close(struct session *s)
{
    if (s->loop != NULL && s->ended_by >= 0)
        la_rt_flush(s->loop);
    observe_close(s);
    la_rt_control_close(s->control);
    s->control = NULL;
    la_rt_loop_free(s->loop);
    for (uint32_t i = 0; i < s->station_count; i++) {
        la_rt_driver_close(s->stations[i].driver);
        la_rt_arena_unmap(s->stations[i].arena, s->stations[i].arena_bytes);
    }
    s->station_count = 0;
    s->loop = NULL;
}
