/* SPDX-License-Identifier: MIT */
/* timeouts.c - Who notices what: keepalive, user timeout and heartbeat in three situations. */
#include "sim/lab/lab.h"

#define LIMIT_S 7000u /* less than the standard keepalive, which nobody has set here */
#define BEAT_S 10u
#define PATIENCE_S 30u
#define FILL_BYTES (1u << 20)

enum situation { IDLE, SENDING, NOT_READING, SITUATIONS };

struct means {
    const char *name;
    bool keepalive, user_timeout, heartbeat;
};

/* Let @s pass; a program with a heartbeat sends one every 10 s, and gives up after 30 s without an answer. */
static uint64_t end_ms(struct lab *l, const struct means *m, struct lab_sock *s)
{
    const uint64_t from_ms = lab_now_ms(l);
    uint64_t answered_ms = from_ms;

    if (!m->heartbeat)
        return lab_run_to(s, LA_CLOSED, sim_s(LIMIT_S)) ? lab_now_ms(l) - from_ms : 0;
    while (lab_now_ms(l) - from_ms < LIMIT_S * 1000u) {
        lab_send(s, "ping");
        lab_run(l, sim_s(BEAT_S));
        if (lab_recv(s) > 0)
            answered_ms = lab_now_ms(l);
        if (lab_now_ms(l) - answered_ms >= PATIENCE_S * 1000u)
            return lab_now_ms(l) - from_ms;
    }
    return 0;
}

/* Milliseconds until the server is rid of the connection; 0: it has it still. */
static uint64_t measure(struct lab *l, const struct means *m, enum situation situation)
{
    struct lab_sock *s;

    lab_begin(l, NULL, NULL);
    lab_quiet(l, true);
    lab_pair(l, &s);
    if (m->keepalive) {
        lab_option(s, LA_OPT_KEEPIDLE, 60);
        lab_option(s, LA_OPT_KEEPINTVL, 10);
        lab_option(s, LA_OPT_KEEPCNT, 3);
        lab_option(s, LA_OPT_KEEPALIVE, 1);
    }
    if (m->user_timeout)
        lab_option(s, LA_OPT_USER_TIMEOUT, 30000);
    if (situation == NOT_READING)
        while (lab_send_bytes(s, FILL_BYTES) > 0)
            lab_run(l, sim_ms(100));
    else
        lab_lose(l, (struct lab_which){ 0 }); /* the peer's power fails */
    if (situation == SENDING)
        lab_send(s, "an answer");
    return end_ms(l, m, s);
}

static const char *after(struct lab *l, uint64_t ms)
{
    return ms == 0 ? "never" : lab_text(l, "%llu s", (unsigned long long)((ms + 500) / 1000));
}

static void run(struct lab *l)
{
    static const struct means all[] = {
        { "nothing", false, false, false },
        { "SO_KEEPALIVE with 60, 10, 3", true, false, false },
        { "TCP_USER_TIMEOUT 30 s", false, true, false },
        { "both of them", true, true, false },
        { "a heartbeat: every 10 s, 30 s of patience", false, false, true },
    };
    enum { MEANS = sizeof all / sizeof all[0] };
    uint64_t ms[MEANS][SITUATIONS];

    for (uint32_t i = 0; i < MEANS; i++)
        for (uint32_t k = 0; k < SITUATIONS; k++)
            ms[i][k] = measure(l, &all[i], (enum situation)k);
    lab_summary(l, NULL);
    lab_table(l, "After how long the server is rid of the connection", 4);
    lab_cell(l, "what the server has set");
    lab_cell(l, "idle, peer dead");
    lab_cell(l, "sending, peer dead");
    lab_cell(l, "peer alive, not reading");
    for (uint32_t i = 0; i < MEANS; i++) {
        lab_cell(l, "%s", all[i].name);
        for (uint32_t k = 0; k < SITUATIONS; k++)
            lab_cell(l, "%s", after(l, ms[i][k]));
    }
    lab_claim(l, ms[0][IDLE] == 0 && ms[0][NOT_READING] == 0 && ms[0][SENDING] / 1000 >= 924,
              "with nothing set only sending ends, after %s", after(l, ms[0][SENDING]));
    lab_claim(
        l,
        (ms[1][IDLE] + 500) / 1000 == 90 && ms[1][SENDING] / 1000 >= 924 && ms[1][NOT_READING] == 0,
        "keepalive ends the idle one after %s, and neither of the others", after(l, ms[1][IDLE]));
    lab_claim(l,
              ms[2][IDLE] == 0 && ms[2][SENDING] / 1000 == 30 && ms[2][NOT_READING] > 0 &&
                  ms[2][NOT_READING] < 61000,
              "the user timeout ends the other two, after %s and %s, and not the idle one",
              after(l, ms[2][SENDING]), after(l, ms[2][NOT_READING]));
    lab_claim(l,
              ms[3][IDLE] > 0 && ms[3][IDLE] <= 90100 && ms[3][SENDING] / 1000 == 30 &&
                  ms[3][NOT_READING] > 0,
              "together they end all three: the idle one after %s", after(l, ms[3][IDLE]));
    lab_claim(l, ms[4][IDLE] == 30000 && ms[4][SENDING] == 30000 && ms[4][NOT_READING] == 30000,
              "a heartbeat ends all three after 30 s");
}

const struct lab_scenario lab_timeouts = {
    .name = "timeouts",
    .title = "keepalive, user timeout, heartbeat: which one notices what",
    .said = "SO_KEEPALIVE finds dead connections. Or: TCP_USER_TIMEOUT does, so keepalive is not "
            "needed.",
    .happens =
        "There are three ways to be stuck, and each setting knows one or two of them. Idle with a "
        "dead peer: nothing is sent, so only a probe can tell; that is keepalive. Sending to a "
        "dead "
        "peer: bytes are not acknowledged; keepalive keeps quiet as long as anything is "
        "outstanding, and the retransmissions go on for a quarter of an hour unless "
        "TCP_USER_TIMEOUT bounds them. A peer that is alive and does not read: its stack answers "
        "every probe, so keepalive is content; the user timeout counts this time too, from the "
        "last "
        "byte that the peer took.\n\n"
        "With both set all three are found; and the user timeout then decides when unanswered "
        "keepalive probes are enough, in place of the count of probes, as on Linux. Neither knows "
        "of a peer whose stack lives and whose program hangs while nothing is to be sent: only a "
        "heartbeat of the application does.",
    .todo = "On a server set both: keepalive for the idle, the user timeout for the rest, and the "
            "user timeout above keepalive's first probe if it is not to cut that short. If the "
            "protocol is yours, have a heartbeat: it is the one that also finds a program that "
            "hangs.",
    .see = "RFC 9293 3.8.3, 3.8.4, RFC 5482; SO_KEEPALIVE, TCP_USER_TIMEOUT; dead-peer-idle, "
           "dead-peer-sending, zero-window",
    .run = run,
};
