/* SPDX-License-Identifier: MIT */
/*
 * ss.c - `lastack ss`: the connections and listeners of a running stack, as ss shows sockets.
 *
 * IPv4 comes before IPv6 and listeners before connections, as ss has them; so each family is
 * asked for by itself.  The process hands rows out in pieces, and they are printed in blocks.
 */
#include "cli/cli.h"
#include "cli/control_client.h"
#include "cli/ss_filter.h"
#include "cli/ss_row.h"
#include "cli/ss_table.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define FILTER_BYTES 2048
#define KILLS_MAX 4096u

struct ss {
    const char *control;
    bool tcp, all, listening, numeric, timers, info, memory, processes, summary, kill, why;
    bool ipv4, ipv6, no_header, oneline, json;
    char filter_text[FILTER_BYTES];
    struct ss_filter filter;
    struct ss_show show;
    char process[96];
    struct control_client client;
    struct ss_table table;
    uint32_t kill_count;
    struct la_endpoint kills[KILLS_MAX][2];
    uint64_t by_family[2], orphans, states[LA_STATES];
    bool failed;
};

static int take_word(void *to, const char *value)
{
    struct ss *s = to;
    const size_t len = strlen(s->filter_text);

    if (len + strlen(value) + 2 > sizeof s->filter_text)
        return args_wrong("ss", "the filter is too long");
    snprintf(s->filter_text + len, sizeof s->filter_text - len, "%s ", value);
    return CLI_OK;
}

static const struct args_option options[] = {
    ARGS_FLAG('t', "tcp", struct ss, tcp, "TCP only, which is all there is: leaves out the column"),
    ARGS_FLAG('a', "all", struct ss, all, "listeners and connections of every state"),
    ARGS_FLAG('l', "listening", struct ss, listening, "listeners only"),
    ARGS_FLAG('n', "numeric", struct ss, numeric, "ports as numbers"),
    ARGS_FLAG('o', "options", struct ss, timers, "show timers"),
    ARGS_FLAG('i', "info", struct ss, info,
              "show what TCP knows of each, and the age of its state"),
    ARGS_FLAG('m', "memory", struct ss, memory, "show how much of its buffers each uses"),
    ARGS_FLAG('p', "processes", struct ss, processes, "show the process"),
    ARGS_FLAG('s', "summary", struct ss, summary, "show only how many there are"),
    ARGS_FLAG('K', "kill", struct ss, kill, "end what is shown; peers are reset"),
    ARGS_FLAG(0, "why", struct ss, why, "show why connections ended, and what was refused lately"),
    ARGS_FLAG('4', "ipv4", struct ss, ipv4, "IPv4 only"),
    ARGS_FLAG('6', "ipv6", struct ss, ipv6, "IPv6 only"),
    ARGS_FLAG('H', "no-header", struct ss, no_header, "no header"),
    ARGS_FLAG('O', "oneline", struct ss, oneline, "one line each, whatever is shown"),
    ARGS_FLAG('j', "json", struct ss, json, "print JSON, one object a line"),
    CONTROL_CLIENT_ARG(struct ss, control),
};

static const struct args_operand operands[] = { { "FILTER", true, 0, take_word } };

static int check(void *to)
{
    struct ss *s = to;
    char error[256];

    if (!ss_filter_parse(s->filter_text, &s->filter, error, sizeof error))
        return args_wrong("ss", "%s", error);
    if (!s->filter.states_given)
        s->filter.states = s->all         ? SS_ALL & ~SS_BIT(CLOSED)
                           : s->listening ? SS_LISTENING
                                          : SS_CONNECTED;
    if (s->why && !s->filter.states_given)
        s->filter.states |= SS_BIT(CLOSED);
    if (s->kill && s->filter_text[0] == '\0')
        return args_wrong("ss", "-K needs a filter: without one it would end everything");
    s->show = (struct ss_show){ .numeric = s->numeric,
                                .timers = s->timers,
                                .info = s->info,
                                .memory = s->memory,
                                .processes = s->processes,
                                .why = s->why,
                                .oneline = s->oneline,
                                .process = s->process };
    return CLI_OK;
}

/* Rows ------------------------------------------------------------------------------ */

static void remember_kill(struct ss *s, const struct ss_row *r)
{
    if (!s->kill || r->listener || s->kill_count == KILLS_MAX)
        return;
    s->kills[s->kill_count][0] = r->local;
    s->kills[s->kill_count++][1] = r->remote;
}

static bool on_row(void *context, const struct control_in *in)
{
    struct ss *s = context;
    char recv_q[24], send_q[24], ext[SS_EXT_BYTES];
    char addr[2][SS_CELL_BYTES], port[2][SS_CELL_BYTES];
    struct ss_row r;

    if (!ss_row_read(in, &r) || !ss_filter_match(&s->filter, r.local, r.remote))
        return true;
    if (s->kill && r.listener)
        return true;
    remember_kill(s, &r);
    if (s->json) {
        ss_row_json(in, &r, stdout);
        return true;
    }
    ss_row_local(&r, s->numeric, addr[0], port[0]);
    ss_row_remote(&r, s->numeric, addr[1], port[1]);
    ss_row_ext(in, &r, &s->show, ext);
    snprintf(recv_q, sizeof recv_q, "%" PRIu64, r.recv_q);
    snprintf(send_q, sizeof send_q, "%" PRIu64, r.send_q);
    const char *const cells[SS_COLUMNS] = {
        [SS_COL_NETID] = "tcp",   [SS_COL_STATE] = ss_state_name(r.state),
        [SS_COL_RECVQ] = recv_q,  [SS_COL_SENDQ] = send_q,
        [SS_COL_LADDR] = addr[0], [SS_COL_LPORT] = port[0],
        [SS_COL_RADDR] = addr[1], [SS_COL_RPORT] = port[1],
        [SS_COL_EXT] = ext,
    };
    s->failed = !ss_table_add(&s->table, cells);
    return !s->failed;
}

static int ask_family(struct ss *s, unsigned family)
{
    char request[96];
    const bool info = s->info || s->memory || s->json || s->why;

    snprintf(request, sizeof request, "rows family=%u states=%u info=%d", family, s->filter.states,
             info);
    return control_client_ask(&s->client, request, on_row, s);
}

static int kill_all(struct ss *s)
{
    char request[256];
    uint32_t gone = 0;

    for (uint32_t i = 0; i < s->kill_count; i++) {
        struct control_out o;
        control_out_begin(&o, request, sizeof request - 1);
        control_word(&o, "kill");
        control_endpoint(&o, "local", s->kills[i][0]);
        control_endpoint(&o, "remote", s->kills[i][1]);
        request[o.len] = '\0';
        const int status = control_client_try(&s->client, request, NULL, NULL);
        if (status != CLI_OK && strcmp(s->client.error, "ENOENT") == 0)
            gone++; /* it ended by itself meanwhile */
        else if (status != CLI_OK)
            return s->client.error[0] != '\0' ? args_failed("ss", "%s", s->client.reason) : status;
    }
    if (s->kill_count == KILLS_MAX)
        return args_failed("ss", "%u connections ended, and there are more", s->kill_count - gone);
    return CLI_OK;
}

/* Why -------------------------------------------------------------------------------- */

static bool on_cause(void *context, const struct control_in *in)
{
    struct ss *s = context;
    struct la_endpoint local, remote;
    const char *from = control_get(in, "local");
    const char *to = control_get(in, "remote");
    const char *const keys[] = { "reason", "what", "state", "clause", "knob", "counter" };
    const char *v[6];
    char age[32];

    for (size_t i = 0; i < 6; i++)
        if ((v[i] = control_get(in, keys[i])) == NULL)
            return true;
    if (from == NULL || to == NULL || !control_parse_endpoint(from, &local) ||
        !control_parse_endpoint(to, &remote) || !ss_filter_match(&s->filter, local, remote))
        return true;
    if (s->json) {
        ss_cause_json(in, stdout);
        return true;
    }
    ss_format_ms(control_client_number(in, "ago") / 1000000, age, sizeof age);
    printf("%s ago: %s %s > %s in %s: %s", age[0] != '\0' ? age : "0ms", v[1], to, from, v[2],
           v[0]);
    if (control_client_number(in, "times") > 1)
        printf(" (%" PRIu64 " times)", control_client_number(in, "times"));
    printf("\n\t clause:%s knob:%s counter:%s", v[3], v[4], v[5]);
    if (control_client_number(in, "limit") > 0)
        printf(" acceptq:%" PRIu64 " synq:%" PRIu64 " limit:%" PRIu64,
               control_client_number(in, "accept_len"), control_client_number(in, "half_len"),
               control_client_number(in, "limit"));
    printf(" sndq:%" PRIu64 " rcvq:%" PRIu64 " retrans:%" PRIu64 "\n",
           control_client_number(in, "snd_queued"), control_client_number(in, "rcv_queued"),
           control_client_number(in, "retransmits"));
    return true;
}

/* What the application did wrong, as far as the stack sees it. */
static bool on_found(void *context, const struct control_in *in)
{
    struct ss *s = context;
    struct la_endpoint local, remote;
    const char *from = control_get(in, "local");
    const char *to = control_get(in, "remote");
    const char *name = control_get(in, "name");
    const char *text = control_get(in, "text");
    const char *advice = control_get(in, "advice");
    char age[32];

    if (from == NULL || to == NULL || name == NULL || text == NULL || advice == NULL ||
        !control_parse_endpoint(from, &local) || !control_parse_endpoint(to, &remote) ||
        !ss_filter_match(&s->filter, local, remote))
        return true;
    if (s->json) {
        struct json j = { .out = stdout, .first = true };

        fputc('{', stdout);
        json_text(&j, "event", "finding");
        json_text(&j, "name", name);
        json_number(&j, "value", control_client_number(in, "value"));
        json_text(&j, "local", from);
        json_text(&j, "remote", to);
        json_text(&j, "text", text);
        json_text(&j, "advice", advice);
        json_end(&j);
        return true;
    }
    ss_format_ms(control_client_number(in, "ago") / 1000000, age, sizeof age);
    printf("%s ago: finding %s %s > %s: %s (%" PRIu64 ")\n\t %s\n", age[0] != '\0' ? age : "0ms",
           name, from, to, text, control_client_number(in, "value"), advice);
    return true;
}

static bool one_bit(uint32_t bits)
{
    return bits != 0 && (bits & (bits - 1)) == 0;
}

static int list(struct ss *s)
{
    int status = CLI_OK;

    ss_table_begin(&s->table, stdout, !s->no_header && !s->json);
    s->table.hidden[SS_COL_NETID] = s->tcp;
    s->table.hidden[SS_COL_STATE] = s->filter.states_given && one_bit(s->filter.states);
    if (!s->ipv6 || s->ipv4)
        status = ask_family(s, 4);
    if (status == CLI_OK && (!s->ipv4 || s->ipv6))
        status = ask_family(s, 6);
    if (!s->json)
        ss_table_end(&s->table);
    if (s->failed)
        return args_failed("ss", "out of memory");
    if (status == CLI_OK && s->why)
        status = control_client_ask(&s->client, "causes", on_cause, s);
    if (status == CLI_OK && s->why)
        status = control_client_ask(&s->client, "found", on_found, s);
    return status == CLI_OK && s->kill ? kill_all(s) : status;
}

/* Summary ----------------------------------------------------------------------------- */

static bool count_row(void *context, const struct control_in *in)
{
    struct ss *s = context;
    struct ss_row r;

    if (!ss_row_read(in, &r))
        return true;
    s->by_family[r.v6]++;
    s->states[r.state]++;
    s->orphans += control_client_number(in, "orphan");
    return true;
}

static int summary(struct ss *s)
{
    const int status = control_client_ask(&s->client, "rows", count_row, s);
    const uint64_t waiting = s->states[LA_TIME_WAIT] + s->states[LA_FIN_WAIT_2];
    uint64_t all = 0;

    if (status != CLI_OK)
        return status;
    for (uint32_t i = 0; i < LA_STATES; i++)
        all += s->states[i];
    printf("Total: %" PRIu64 "\n", all - waiting);
    printf("TCP:   %" PRIu64 " (estab %" PRIu64 ", closed %" PRIu64 ", orphaned %" PRIu64
           ", timewait %" PRIu64 ")\n\n",
           all, s->states[LA_ESTABLISHED], s->states[LA_CLOSED] + waiting, s->orphans, waiting);
    puts("Transport Total     IP        IPv6");
    printf("TCP\t  %-9" PRIu64 " %-9" PRIu64 " %-9" PRIu64 "\n", s->by_family[0] + s->by_family[1],
           s->by_family[0], s->by_family[1]);
    return CLI_OK;
}

/* --------------------------------------------------------------------------------------- */

static bool on_hello(void *context, const struct control_in *in)
{
    struct ss *s = context;
    const char *name = control_get(in, "name");

    snprintf(s->process, sizeof s->process, "users:((\"lastack-%s\",pid=%" PRIu64 "))",
             name != NULL ? name : "", control_client_number(in, "pid"));
    return true;
}

static int ss_main(int argc, char **argv)
{
    static struct ss s;
    int status = args_parse(&cmd_ss, &s, argc, argv);

    if (status >= 0)
        return status;
    status = control_client_open(&s.client, "ss", s.control);
    if (status == CLI_OK && s.processes)
        status = control_client_ask(&s.client, "hello", on_hello, &s);
    if (status == CLI_OK)
        status = s.summary ? summary(&s) : list(&s);
    control_client_close(&s.client);
    if (fflush(stdout) != 0 && status == CLI_OK)
        status = args_failed("ss", "standard output: %s", strerror(errno));
    return status;
}

const struct args_command cmd_ss = {
    .name = "ss",
    .what = "show the connections and listeners of a running stack",
    .usage = { "[OPTION]... [state STATE]... [EXPRESSION]" },
    .about =
        "Shows what ss shows, of a lastack process.  Of a listener, Recv-Q is the length of its\n"
        "accept queue and Send-Q the limit.\n"
        "STATE is established, syn-sent, syn-recv, fin-wait-1, fin-wait-2, time-wait, closed,\n"
        "close-wait, last-ack, listening, closing, all, connected, synchronized, bucket or big;\n"
        "'exclude STATE' leaves one out.  An EXPRESSION joins conditions with and, or, not and\n"
        "parentheses: src or dst ADDR[/LEN][:PORT]; sport or dport, = != < > <= >=, :PORT.\n",
    .options = { ARGS_LIST(options) },
    .operands = { ARGS_LIST(operands) },
    .check = check,
    .examples = "    sudo lastack echo &\n"
                "    sudo lastack ss -tan\n"
                "    sudo lastack ss -to state time-wait '( sport = :7 or dport = :443 )'\n",
    .run = ss_main,
};
