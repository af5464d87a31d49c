/* SPDX-License-Identifier: MIT */
/* rfc793.c - Three segments that a stack of 1981 and RFC 9293 treat differently. */
#include "sim/lab/old_tcp.h"

#define STEP sim_ms(50)
#define FAR_BACK 100000u

enum strange { A_RESET, A_SYN, AN_OLD_ACK, STRANGE };

static const char *const titles[2][STRANGE] = {
    { "1981, RST 100 bytes beyond RCV.NXT", "1981, SYN in the window",
      "1981, text with an acknowledgment 100,000 bytes old" },
    { "RFC 9293, RST 100 bytes beyond RCV.NXT", "RFC 9293, SYN in the window",
      "RFC 9293, text with an acknowledgment 100,000 bytes old" },
};

static void send_strange(struct lab_old *c, enum strange which)
{
    switch (which) {
    case A_RESET:
        lab_old_emit(c, SIM_RST, c->snd_nxt + 100, 0, NULL, 0);
        break;
    case A_SYN:
        lab_old_emit(c, SIM_SYN, c->snd_nxt + 100, 0, NULL, 0);
        break;
    case AN_OLD_ACK:
        lab_old_emit(c, SIM_ACK, c->snd_nxt, c->rcv_nxt - FAR_BACK, (const uint8_t *)"forged", 6);
        c->snd_nxt += 6;
        break;
    case STRANGE:
        break;
    }
}

/* Return: is the server's connection alive?  @bytes: that it read. */
static bool meet(struct lab *l, bool modern, enum strange which, uint32_t *bytes)
{
    struct lab_old client = { 0 }, server = { 0 };
    struct lab_sock *s = NULL;
    bool alive;

    lab_begin(l, titles[modern][which],
              &(struct lab_world_opt){ .plain = true,
                                       .server = { .name = modern ? "RFC 9293" : "RFC 793" } });
    lab_old_begin(&client, l, l->client);
    if (modern) {
        lab_listen(l, l->server, 80, 16);
    } else {
        lab_old_begin(&server, l, l->server);
        lab_old_listen(&server, 80);
    }
    (void)lab_old_connect(&client, LAB_PORT_FIRST, l->server, 80);
    lab_run(l, STEP);
    if (modern)
        s = lab_accept(l, l->server, 80);
    send_strange(&client, which);
    lab_run(l, STEP);
    if (modern) {
        const int64_t got = lab_recv(s);

        *bytes = got > 0 ? (uint32_t)got : 0;
        alive = lab_state(s) == LA_ESTABLISHED;
        const enum la_drop reason = which == A_RESET ? LA_DROP_RST_CHALLENGED
                                    : which == A_SYN ? LA_DROP_SYN_CHALLENGED
                                                     : LA_DROP_ACK_TOO_OLD;

        lab_must(l, lab_dropped(l, l->server, reason) == 1, "RFC 9293 refuses it: %s",
                 la_drop_name(reason));
    } else {
        *bytes = lab_old_read(&server);
        alive = server.state == LA_ESTABLISHED;
    }
    return alive;
}

static void run(struct lab *l)
{
    bool alive[2][STRANGE];
    uint32_t bytes[2][STRANGE];

    for (uint32_t which = 0; which < STRANGE; which++)
        for (uint32_t modern = 0; modern < 2; modern++)
            alive[modern][which] = meet(l, modern, (enum strange)which, &bytes[modern][which]);
    lab_must(l, !alive[0][A_RESET] && alive[1][A_RESET],
             "the RST ends the connection of 1981 and not that of today");
    lab_must(l, !alive[0][A_SYN] && alive[1][A_SYN], "so does the SYN");
    lab_must(l, bytes[0][AN_OLD_ACK] == 6 && bytes[1][AN_OLD_ACK] == 0,
             "the text with the old acknowledgment is read in 1981 (%u bytes) and not today (%u)",
             bytes[0][AN_OLD_ACK], bytes[1][AN_OLD_ACK]);
}

const struct lab_scenario lab_rfc793 = {
    .name = "rfc793",
    .title = "three segments that 1981 and RFC 9293 treat differently",
    .said = "TCP has not changed since RFC 793; what is new are congestion control and options.",
    .happens = "RFC 793 trusts whatever falls into the window. Somebody who knows or guesses the "
               "four numbers of "
               "a connection needs one hit in a window of, say, 64 KB: 65,536 packets try all of "
               "the sequence space. RFC 5961, "
               "now part of RFC 9293, asks for more. A RST ends the connection only at exactly "
               "RCV.NXT. A SYN never "
               "does. And an acknowledgment may be at most one window old. Everything else "
               "draws a challenge ACK: if the peer really has restarted, it answers that with a "
               "RST at the "
               "exact number, and so both are right.\n\n"
               "The same three rules stop old duplicates, not only attackers.",
    .todo =
        "Nothing; but know a challenge ACK when you see one in a capture: an ACK without apparent "
        "reason, answering a RST or SYN. If TCPChallengeACK grows fast, somebody sends you "
        "segments of "
        "connections they do not have: a NAT or firewall that lost its state, a peer that "
        "rebooted, "
        "or a scan.",
    .see = "RFC 793 3.9, RFC 9293 3.10.7.4, RFC 5961; TCPChallengeACK, TCPSYNChallenge",
    .run = run,
};
