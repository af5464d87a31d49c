/* SPDX-License-Identifier: MIT */
/* backlog.c - The two queues of a listener, and what overflow of each looks like. */
#include "sim/lab/lab.h"

#define STEP sim_ms(50)
#define PORT 80u

/* Connections that the server's stack calls established, accepted or not. */
static uint32_t established(const struct sim_host *h)
{
    return lab_count_state(h, LA_ESTABLISHED);
}

static struct lab_sock **connect_all(struct lab *l, uint32_t count)
{
    struct lab_sock **c = lab_take(l, count * sizeof *c);

    for (uint32_t i = 0; i < count; i++)
        c[i] = lab_connect(l, l->client, l->server, PORT);
    return c;
}

/*
 * Two wait to be accepted, and two handshakes are under way at once: the third connection takes the
 * last place, and the ACK of the fourth finds none.
 */
static struct lab_sock *fourth_in_flight(struct lab *l)
{
    lab_listen(l, l->server, PORT, 2);
    lab_quiet(l, true);
    connect_all(l, 2);
    lab_run(l, STEP);
    lab_quiet(l, false);
    lab_note(l, l->server, "2 connections wait for accept()");
    lab_connect(l, l->client, l->server, PORT);
    struct lab_sock *c = lab_connect(l, l->client, l->server, PORT);

    lab_run(l, STEP);
    return c;
}

static void accept_queue_drop(struct lab *l)
{
    lab_begin(l, "the queue is full when the SYN comes", NULL);
    lab_listen(l, l->server, PORT, 2);
    lab_quiet(l, true);
    connect_all(l, 3);
    lab_run(l, STEP);
    lab_quiet(l, false);
    lab_note(l, l->server, "%u connections wait for accept()", established(l->server));
    lab_claim(l, established(l->server) == 3, "listen(2) holds %u connections, not 2",
              established(l->server));
    struct lab_sock *late = lab_connect(l, l->client, l->server, PORT);

    lab_run(l, sim_ms(7500));
    lab_claim(l, lab_state(late) == LA_SYN_SENT, "the fourth client's connect() hangs in %s",
              la_state_name(lab_state(late)));
    lab_claim(l, lab_moved(l, l->server, LA_COUNT_ListenOverflows) == 7,
              "its %llu SYNs were dropped: ListenOverflows, and ListenDrops with it",
              (unsigned long long)lab_moved(l, l->server, LA_COUNT_ListenOverflows));
    lab_accept(l, l->server, PORT);
    lab_run(l, sim_s(5));
    lab_claim(l, lab_state(late) == LA_ESTABLISHED,
              "once the server accepts one, the next SYN, at 11 s, gets through");

    lab_begin(l, "the queue is full when the last ACK comes", NULL);
    struct lab_sock *c = fourth_in_flight(l);

    lab_claim(l, lab_state(c) == LA_ESTABLISHED && established(l->server) == 3,
              "the fourth client believes itself connected; the server has %u",
              established(l->server));
    lab_send(c, "hello");
    lab_run(l, sim_s(8));
    lab_claim(l, lab_moved(l, l->client, LA_COUNT_RetransSegs) > 0,
              "its request is dropped and repeated: it sees a server that does not answer");
    lab_accept(l, l->server, PORT);
    lab_run(l, sim_s(30));
    lab_claim(l, established(l->server) == 4, "once there is room the connection comes about");
}

const struct lab_scenario lab_accept_queue_drop = {
    .name = "accept-queue-drop",
    .title = "a slow accept() looks like a lossy network",
    .said = "When the backlog is full the client gets \"connection refused\". And a client that is "
            "connected has been accepted.",
    .happens =
        "A listener has two queues. The SYN queue holds handshakes that are not complete, the "
        "accept "
        "queue connections that are, until the application calls accept(). Both are bounded by "
        "min(backlog, net.core.somaxconn), and refuse when they are longer, so each holds one "
        "more.\n\n"
        "A SYN that finds the accept queue full is dropped without a word. The client cannot tell "
        "it from a lost packet, and repeats it: at 1, 2, 3, 4 and 5 s, then at 7, 11, 19 s. On "
        "older "
        "Linux (before 6.5) at 1, 3, 7, 15 s: that is the ladder of latencies one sees in "
        "production. "
        "If the queue fills while the handshake is under way, the last ACK is ignored: "
        "the client believes itself connected, sends, and hears nothing but repeated SYN-ACKs.",
    .todo =
        "Look at ListenOverflows (nstat) and at Recv-Q against Send-Q of the listener (ss -lt): "
        "length against limit. Accept faster: a thread that only accepts, no work between "
        "accept() calls. Raise both backlog and somaxconn (4096 on today's Linux); only the "
        "smaller counts. A longer queue absorbs a burst, and only adds latency to an overload.",
    .see = "net.core.somaxconn, tcp_synack_retries, tcp_syn_linear_timeouts; ListenOverflows, "
           "ListenDrops",
    .run = accept_queue_drop,
};

static void accept_queue_reset(struct lab *l)
{
    const struct lab_world_opt abort = {
        .server.sets = { { "net.ipv4.tcp_abort_on_overflow", "1" } },
    };

    lab_begin(l, "net.ipv4.tcp_abort_on_overflow = 1", &abort);
    struct lab_sock *c = fourth_in_flight(l);

    lab_recv(c);
    lab_claim(l, lab_error(c) == LA_ECONNRESET,
              "the fourth client was connected, and then fails with %s", la_err_name(lab_error(c)));
    lab_claim(l,
              lab_moved(l, l->server, LA_COUNT_OutRsts) == 1 &&
                  lab_moved(l, l->server, LA_COUNT_ListenOverflows) == 1,
              "one reset, and ListenOverflows says why");
    struct lab_sock *late = lab_connect(l, l->client, l->server, PORT);

    lab_run(l, sim_s(3));
    lab_claim(l, lab_state(late) == LA_SYN_SENT,
              "a SYN that finds the queue full is still dropped without a word");
}

const struct lab_scenario lab_accept_queue_reset = {
    .name = "accept-queue-reset",
    .title = "\"connection reset by peer\" from a server that never saw you",
    .said = "ECONNRESET means that the server's application crashed or closed.",
    .happens =
        "With tcp_abort_on_overflow the last ACK of a handshake that finds no room in the "
        "accept queue is answered with a reset. The client has had its SYN-ACK, so its "
        "connect() has succeeded; the first recv() or send() then fails with ECONNRESET. The "
        "server's application never heard of it.",
    .todo =
        "Leave it at 0 unless clients have somewhere else to go at once. With 0 a short burst "
        "costs some latency; with 1 it costs errors. If you see ECONNRESET right after connect(), "
        "look at ListenOverflows of the server before you look at its code.",
    .see = "tcp_abort_on_overflow; ListenOverflows, OutRsts",
    .run = accept_queue_reset,
};

#define BURST 40u

static const struct grid_row {
    uint32_t backlog;
    const char *somaxconn, *max_syn, *cookies;
    /* Of BURST SYNs whose SYN-ACKs are lost; then of BURST clients that nobody accepts. */
    uint32_t half, cookie, dropped;
} grid[] = {
    { 5, "4096", "4096", "1", 6, 34, 0 },   { 128, "4096", "4096", "1", 40, 0, 0 },
    { 128, "10", "4096", "1", 11, 29, 0 },  { 5, "4096", "4096", "0", 6, 0, 34 },
    { 128, "4096", "16", "0", 13, 0, 27 },  { 128, "4096", "16", "1", 40, 0, 0 },
    { 128, "4096", "4096", "2", 0, 40, 0 },
};
#define GRID (sizeof grid / sizeof grid[0])

static void grid_run(struct lab *l, const struct grid_row *g, uint16_t port,
                     struct la_listener_info *info)
{
    lab_sysctl(l, l->server, "net.core.somaxconn", g->somaxconn);
    lab_sysctl(l, l->server, "net.ipv4.tcp_max_syn_backlog", g->max_syn);
    lab_sysctl(l, l->server, "net.ipv4.tcp_syncookies", g->cookies);
    lab_listen(l, l->server, port, g->backlog);
    for (uint32_t i = 0; i < BURST; i++)
        lab_connect(l, l->client, l->server, port);
    lab_run(l, STEP);
    const struct sim_listener *at = &l->server->listeners[l->server->listener_count - 1];

    if (la_listener_info(l->server->stack, at->id, info) != LA_OK)
        sim_fail(&l->world, "the listener is gone");
}

static void backlog_grid(struct lab *l)
{
    const struct lab_world_opt opt = { .server.crowd = 512, .client.crowd = 512 };
    static const char *const head[] = {
        "listen()", "somaxconn", "tcp_max_syn_backlog", "tcp_syncookies", "limit L", "in the queue",
        "cookies",  "dropped",
    };
    uint32_t differ = 0, beyond = 0;

    lab_begin(l, NULL, &opt);
    lab_quiet(l, true);
    lab_lose(l, (struct lab_which){ .from = l->server });
    lab_table(l, "40 SYNs at once, whose SYN-ACKs are lost", 8);
    for (uint32_t i = 0; i < 8; i++)
        lab_cell(l, "%s", head[i]);
    for (uint32_t i = 0; i < GRID; i++) {
        const struct grid_row *g = &grid[i];
        struct la_listener_info info = { 0 };

        grid_run(l, g, (uint16_t)(PORT + 1 + i), &info);
        const uint32_t cookies = (uint32_t)info.cookies_sent, drops = (uint32_t)info.drops;

        differ += info.half_len != g->half || cookies != g->cookie || drops != g->dropped;
        beyond += info.half_len > info.limit + 1;
        lab_cell(l, "%u", g->backlog);
        lab_cell(l, "%s", g->somaxconn);
        lab_cell(l, "%s", g->max_syn);
        lab_cell(l, "%s", g->cookies);
        lab_cell(l, "%u", info.limit);
        lab_cell(l, "%u", info.half_len);
        lab_cell(l, "%u", cookies);
        lab_cell(l, "%u", drops);
    }
    lab_claim(l, differ == 0, "%u of %u rows are as Linux's rules have it", (uint32_t)GRID - differ,
              (uint32_t)GRID);
    lab_must(l, beyond == 0, "no queue ever holds more than L + 1");
}

const struct lab_scenario lab_backlog_grid = {
    .name = "backlog-grid",
    .title = "backlog, somaxconn, tcp_max_syn_backlog, tcp_syncookies: which one counts",
    .said =
        "The SYN queue is as long as tcp_max_syn_backlog, the accept queue as long as the backlog.",
    .happens =
        "L = min(backlog, somaxconn) bounds both queues, and each holds L + 1, because it refuses "
        "only when it is longer. What happens to the next SYN is decided by tcp_syncookies: with 1 "
        "it is answered "
        "with a cookie, and nothing is remembered; with 0 it is dropped. tcp_max_syn_backlog (M) "
        "acts only with cookies off: a SYN is dropped once fewer than M/4 places are left of M, so "
        "M = 16 admits 13. With tcp_syncookies = 2 every SYN gets a cookie.",
    .todo =
        "Leave tcp_syncookies at 1. Size backlog and somaxconn together for the burst you expect: "
        "connections a second times the longest pause of your accept loop. Ignore "
        "tcp_max_syn_backlog.",
    .see = "net.core.somaxconn, tcp_max_syn_backlog, tcp_syncookies; TCPReqQFullDoCookies, "
           "TCPReqQFullDrop, ListenDrops",
    .run = backlog_grid,
};
