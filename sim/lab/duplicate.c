/* SPDX-License-Identifier: MIT */
/*
 * duplicate.c - An old duplicate meets a new connection on the same ports.
 *
 * The old connection sends 400 bytes "o".  The segment with bytes 301 to 400 is held up in the network;
 * its repeat gets through, so nobody misses it.  The connection closes, a new one opens on the same
 * ports and sends "n".  Then the segment that was held up arrives.
 *
 * The two rows with TIME-WAIT, ISN clock and acknowledgment check are lastack at both ends.  In the others the client is a TCP of 1981 to which guards are
 * added (sim/lab/old_tcp.h), since lastack's client can not do without them; the server is lastack where
 * acknowledgments are checked, and a TCP of 1981 where they are not.
 */
#include "sim/lab/old_tcp.h"

#include <string.h>

#define STEP sim_ms(50)
#define FIRST 300u
#define SECOND 100u

struct row {
    bool time_wait, stamps, clock, ack;
    const char *expected;
    /* What came of it */
    const char *guard;
    uint32_t wrong;
};

static const char *switch_text(bool on)
{
    return on ? "on" : "off";
}

static uint32_t count_old(const char *bytes, int64_t n)
{
    uint32_t wrong = 0;

    for (int64_t i = 0; i < n; i++)
        wrong += bytes[i] == 'o';
    return wrong;
}

static struct lab_rule *hold_up(struct lab *l)
{
    return lab_keep(l, (struct lab_which){ .from = l->client, .text = true, .skip = 1, .count = 1 },
                    true);
}

/* What refused it at a lastack server, from its counters. */
static const char *guard_of(const struct lab *l)
{
    if (lab_dropped(l, l->server, LA_DROP_PAWS) > 0)
        return "timestamps";
    if (lab_dropped(l, l->server, LA_DROP_ACK_TOO_OLD) +
            lab_dropped(l, l->server, LA_DROP_ACK_UNSENT) >
        0)
        return "acknowledgment check";
    if (lab_dropped(l, l->server, LA_DROP_OUTSIDE_WINDOW) +
            lab_dropped(l, l->server, LA_DROP_OLD_DUPLICATE) >
        0)
        return "ISN clock";
    return "nothing";
}

/* lastack at both ends ------------------------------------------------------------------------- */

static void send_letters(struct lab_sock *s, char letter, uint32_t count)
{
    char text[FIRST + 1];

    memset(text, letter, count);
    text[count] = '\0';
    if (sim_call_send(s->host, s->conn, (const uint8_t *)text, count, 0, false) != (int64_t)count)
        sim_fail(&s->l->world, "no room for %u bytes", count);
    sim_host_turn(s->host);
}

static void both_lastack(struct lab *l, struct row *r)
{
    char bytes[2048] = { 0 };
    const struct lab_end_opt end = { .sets = {
                                         { "net.ipv4.tcp_timestamps", r->stamps ? "1" : "0" } } };

    lab_begin(l, NULL, &(struct lab_world_opt){ .client = end, .server = end, .plain = true });
    lab_quiet(l, true);
    const struct lab_rule *held = hold_up(l);
    struct lab_sock *c = lab_connect(l, l->client, l->server, 80);

    lab_run(l, STEP);
    struct lab_sock *s = lab_accept(l, l->server, 80);

    send_letters(c, 'o', FIRST);
    send_letters(c, 'o', SECOND);
    lab_run(l, sim_s(1));
    lab_recv(s);
    lab_close(c);
    lab_run(l, STEP);
    lab_recv(s);
    lab_close(s);
    lab_run(l, STEP);
    c = lab_connect_from(l, l->client, c->local.port, c->remote.addr, 80);
    if (!c->held) {
        r->guard = c->error == LA_EADDRINUSE || c->error == LA_EADDRNOTAVAIL ? "TIME_WAIT" : "?";
        return;
    }
    lab_run(l, STEP);
    s = lab_accept(l, l->server, 80);
    send_letters(c, 'n', FIRST);
    lab_run(l, STEP);
    lab_inject(l, held, sim_ms(1), "old");
    lab_run(l, STEP);
    send_letters(c, 'n', SECOND);
    lab_run(l, sim_s(1));
    r->guard = guard_of(l);
    r->wrong = count_old(bytes, lab_recv_into(s, bytes, sizeof bytes));
}

/* A client of 1981 ------------------------------------------------------------------------------ */

/* One connection's worth of the client, up to its last byte.  Return: false if it could not open. */
static bool client_sends(struct lab *l, struct lab_old *c, char letter, const struct lab_rule *late)
{
    if (!lab_old_connect(c, LAB_PORT_FIRST, l->server, 80))
        return false;
    lab_run(l, STEP);
    lab_old_send(c, letter, FIRST);
    lab_run(l, STEP);
    if (late) {
        lab_inject(l, late, 0, "ACK  seq 301  len 100  of the old connection, late");
        lab_run(l, STEP);
    }
    lab_old_send(c, letter, SECOND);
    lab_run(l, STEP);
    return true;
}

static void send_again(struct lab *l, struct lab_old *c)
{
    c->snd_nxt -= SECOND;
    lab_old_send(c, 'o', SECOND);
    lab_run(l, STEP);
}

static void old_client(struct lab *l, struct row *r, const char *title)
{
    struct lab_old client = { .timestamps = r->stamps,
                              .isn_clock = r->clock,
                              .time_wait = r->time_wait };
    struct lab_old server = { .timestamps = r->stamps, .isn_clock = r->clock };
    struct lab_sock *s = NULL;
    char bytes[2048] = { 0 };

    lab_begin(l, title, &(struct lab_world_opt){ .plain = true });
    lab_quiet(l, title == NULL);
    lab_old_begin(&client, l, l->client);
    if (r->ack) {
        lab_listen(l, l->server, 80, 16);
    } else {
        lab_old_begin(&server, l, l->server);
        lab_old_listen(&server, 80);
    }
    const struct lab_rule *held = hold_up(l);

    (void)client_sends(l, &client, 'o', NULL);
    send_again(l, &client);
    lab_old_close(&client);
    lab_run(l, STEP);
    if (r->ack) {
        s = lab_accept(l, l->server, 80);
        lab_recv(s);
        lab_close(s);
    }
    lab_run(l, sim_s(1));
    if (!client_sends(l, &client, 'n', held)) {
        r->guard = "TIME_WAIT";
        return;
    }
    if (r->ack) {
        s = lab_accept(l, l->server, 80);
        r->guard = guard_of(l);
        r->wrong = count_old(bytes, lab_recv_into(s, bytes, sizeof bytes));
    } else {
        r->guard = !server.stopped                         ? "nothing"
                   : strcmp(server.stopped, "PAWS") == 0   ? "timestamps"
                   : strcmp(server.stopped, "window") == 0 ? "ISN clock"
                                                           : server.stopped;
        r->wrong = count_old((const char *)server.text, lab_old_read(&server));
        if (r->wrong > 0)
            r->guard = "nothing";
        lab_note(l, l->server, "reads 300 n, then %u o", r->wrong);
    }
}

static void table(struct lab *l, const struct row *rows, uint32_t count)
{
    lab_summary(l, NULL);
    lab_table(l, "Segment SEQ 301, 100 bytes, of the old connection, in the new one", 6);
    lab_cell(l, "TIME_WAIT");
    lab_cell(l, "timestamps");
    lab_cell(l, "ISN clock");
    lab_cell(l, "ACK check");
    lab_cell(l, "stopped by");
    lab_cell(l, "bytes wrong");
    for (uint32_t i = 0; i < count; i++) {
        const struct row *r = &rows[i];

        lab_cell(l, "%s", switch_text(r->time_wait));
        lab_cell(l, "%s", switch_text(r->stamps));
        lab_cell(l, "%s", switch_text(r->clock));
        lab_cell(l, "%s", switch_text(r->ack));
        lab_cell(l, "%s", r->guard);
        lab_cell(l, "%u", r->wrong);
    }
}

void lab_duplicate_fast(struct lab *l);

static void run(struct lab *l)
{
    struct row rows[] = {
        { true, true, true, true, "timestamps", NULL, 0 },
        { true, true, true, false, "TIME_WAIT", NULL, 0 },
        { true, true, false, true, "TIME_WAIT", NULL, 0 },
        { true, true, false, false, "TIME_WAIT", NULL, 0 },
        { true, false, true, true, "TIME_WAIT", NULL, 0 },
        { true, false, true, false, "TIME_WAIT", NULL, 0 },
        { true, false, false, true, "TIME_WAIT", NULL, 0 },
        { true, false, false, false, "TIME_WAIT", NULL, 0 },
        { false, true, true, true, "timestamps", NULL, 0 },
        { false, true, true, false, "timestamps", NULL, 0 },
        { false, true, false, true, "timestamps", NULL, 0 },
        { false, true, false, false, "timestamps", NULL, 0 },
        { false, false, true, true, "ISN clock", NULL, 0 },
        { false, false, true, false, "ISN clock", NULL, 0 },
        { false, false, false, true, "acknowledgment check", NULL, 0 },
        { false, false, false, false, "nothing", NULL, 0 },
    };
    enum { ROWS = sizeof rows / sizeof rows[0] };
    uint32_t wrong = 0;

    for (uint32_t i = 0; i < ROWS; i++) {
        if (rows[i].time_wait && rows[i].clock && rows[i].ack)
            both_lastack(l, &rows[i]);
        else
            old_client(l, &rows[i],
                       i + 1 == ROWS ? "All guards off: two TCPs of 1981 whose ISNs stand still"
                                     : NULL);
        wrong += i + 1 < ROWS ? rows[i].wrong : 0;
    }
    table(l, rows, ROWS);
    for (uint32_t i = 0; i < ROWS; i++)
        lab_claim(l, strcmp(rows[i].guard, rows[i].expected) == 0,
                  "TIME_WAIT %s, timestamps %s, ISN clock %s, ACK check %s: stopped by %s",
                  switch_text(rows[i].time_wait), switch_text(rows[i].stamps),
                  switch_text(rows[i].clock), switch_text(rows[i].ack), rows[i].guard);
    lab_must(l, wrong == 0, "with any guard on no byte is wrong");
    lab_must(l, rows[ROWS - 1].wrong == SECOND,
             "with none, %u bytes of the old connection are read", rows[ROWS - 1].wrong);
    lab_duplicate_fast(l);
}

const struct lab_scenario lab_old_duplicate = {
    .name = "old-duplicate",
    .title = "a segment of the old connection in the new one: four guards",
    .said = "TIME_WAIT is all that keeps old segments out of a new connection; without it data "
            "gets corrupted.",
    .happens = "The classic picture: a segment of the first connection is delayed, the ports are "
               "used again, and "
               "the segment arrives within the second connection's window. Four things stand in "
               "its way, and each "
               "alone is enough here. TIME_WAIT does not let the ports be used again for 2MSL, "
               "unless timestamps, which "
               "stop the segment too, prove the new connection new (the first row). "
               "Timestamps: the "
               "segment is older than what was seen last (PAWS). The ISN clock: a new connection "
               "begins above the "
               "numbers of the old one, so the old segment lies left of its window. The "
               "acknowledgment check of RFC "
               "5961: the segment acknowledges bytes of the old connection. With all four off, as "
               "the textbooks "
               "assume, a hundred old bytes are delivered, and nobody ever learns of it.\n\n"
               "The second picture needs no switch, only settings: a connection that sends more "
               "than the ISN clock's 15.6 MB/s runs ahead of the "
               "clock, so the next one begins amid its numbers. If it sends as fast both ways the "
               "acknowledgments fit as well; and "
               "with timestamps and TIME_WAIT turned off nothing is left. A segment placed as bad "
               "luck would is read.",
    .todo =
        "Leave net.ipv4.tcp_timestamps = 1. It is the guard that works at any speed, and what lets "
        "tcp_tw_reuse be safe. Leave TIME_WAIT alone. Above TCP, let a checksum or a length and a "
        "record number show that a message is whole: TLS does.",
    .see = "RFC 9293 3.4.3, 3.6.1, RFC 6528, RFC 7323 5, RFC 5961 5.2, RFC 1337",
    .run = run,
};
