/* SPDX-License-Identifier: MIT */
/*
 * two_stacks.c - Two stacks in one process, and nothing else: no device, no thread, no clock.
 *
 * This is all a host owes the core: memory, the time, packets in, packets out.  Here time is a
 * number, and a packet takes five milliseconds from one stack to the other.  A client sends a
 * line, the server answers in capitals, both close; then the minute of TIME-WAIT passes at
 * once, and both stacks are as empty as they began.
 *
 *     cc two_stacks.c -o two_stacks $(pkg-config --cflags --libs lastack)
 *     ./two_stacks
 */
#include <lastack/lastack.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PACKETS_MAX 64
#define PACKET_BYTES 1500
#define WIRE_NS 5000000u

struct host {
    struct la_stack *stack;
    void *mem;
    struct la_addr addr;
    const char *name;
};

/* What is on its way to one host.  All of it arrives together, WIRE_NS after it was sent. */
struct wire {
    uint32_t count;
    uint8_t bytes[PACKETS_MAX][PACKET_BYTES];
    struct la_frame frames[PACKETS_MAX];
};

static struct host client = { .name = "client" }, server = { .name = "server" };
static struct wire to_client, to_server;
static la_time now = { 1 };
static la_conn_id client_conn, server_conn;
static la_listener_id listener;

static void must(enum la_err err, const char *what)
{
    if (err == LA_OK)
        return;
    (void)fprintf(stderr, "%s: %s\n", what, la_err_text(err));
    exit(1);
}

static void host_begin(struct host *h, const char *address)
{
    struct la_config config;
    struct la_prefix prefix = { .len = 64 };

    la_config_smallest(&config);
    /* Here nobody forges packets, and every run is to be the same.  Elsewhere: la_rt_random(). */
    memset(config.secret, 1 + (h == &server), sizeof config.secret);
    const uint64_t bytes = (la_bytes_needed(&config) + 63) / 64 * 64;
    h->mem = aligned_alloc(64, bytes);
    if (h->mem == NULL)
        must(LA_ENOMEM, h->name);
    memset(h->mem, 0, bytes);
    must(la_init(h->mem, bytes, &config, now, &h->stack), "la_init");

    if (la_iface_add(h->stack, &(struct la_iface_config){ .mtu_bytes = PACKET_BYTES }) < 0 ||
        !la_addr_parse(address, &prefix.addr))
        must(LA_EINVAL, address);
    must(la_addr_add(h->stack, 0, prefix, 0), address);
    h->addr = prefix.addr;
}

/* Puts what a host has to send on the wire. */
static void collect(struct host *h, struct wire *out)
{
    struct la_tx tx;

    while (out->count < PACKETS_MAX && la_tx(h->stack, now, &tx, 1) == 1) {
        uint8_t *bytes = out->bytes[out->count];
        const uint32_t len = la_tx_copy(&tx, bytes, PACKET_BYTES);

        out->frames[out->count++] = (struct la_frame){ .bytes = bytes, .len_bytes = len };
        printf("%8.3f ms  %s sends %u bytes\n", (double)now.ns / 1e6, h->name, len);
    }
}

static void deliver(struct host *h, struct wire *in)
{
    const uint32_t count = in->count;

    in->count = 0;
    if (count > 0)
        la_rx(h->stack, now, in->frames, count);
    while (la_tick(h->stack, now, 64))
        ;
}

static void serve(void)
{
    struct la_accepted accepted;
    char line[100];

    if (server_conn.bits == 0 && la_accept(server.stack, now, listener, 0, &accepted) == LA_OK)
        server_conn = accepted.conn;
    if (server_conn.bits == 0)
        return;
    const int64_t len = la_recv(server.stack, now, server_conn, line, sizeof line);
    if (len == LA_EAGAIN || len == LA_EBADHANDLE)
        return;
    for (int64_t i = 0; i < len; i++)
        line[i] = (char)toupper((unsigned char)line[i]);
    if (len <= 0 || la_send(server.stack, now, server_conn, line, (uint32_t)len, 0) != len)
        (void)la_close(server.stack, now, server_conn); /* end of file, or an error */
}

static void ask(void)
{
    static const char question[] = "the end of a connection is its hardest part";
    static bool asked;
    char line[100];

    if (!asked && (la_ready(client.stack, client_conn) & LA_CONNECTED)) {
        const int64_t sent =
            la_send(client.stack, now, client_conn, question, sizeof question - 1, 0);
        asked = true;
        if (sent != sizeof question - 1)
            must(LA_EAGAIN, "la_send");
    }
    const int64_t len = la_recv(client.stack, now, client_conn, line, sizeof line);
    if (len <= 0)
        return;
    printf("%8.3f ms  answer: %.*s\n", (double)now.ns / 1e6, (int)len, line);
    (void)la_close(client.stack, now, client_conn);
}

/* Does a host hold anything at all: connections, half-open ones, TIME-WAIT? */
static bool is_empty(const struct host *h)
{
    uint32_t count[LA_STATES], sum = 0;

    la_state_counts(h->stack, count);
    for (int state = 0; state < LA_STATES; state++)
        sum += state == LA_LISTEN ? 0 : count[state];
    return sum == 0;
}

static void turn(void)
{
    collect(&client, &to_server);
    collect(&server, &to_client);
    if (to_server.count + to_client.count > 0) {
        now.ns += WIRE_NS;
    } else { /* nobody says anything: on to the next timer */
        const la_time a = la_deadline(client.stack), b = la_deadline(server.stack);
        now = a.ns < b.ns ? a : b;
    }
    deliver(&server, &to_server);
    deliver(&client, &to_client);
    serve();
    ask();
}

int main(void)
{
    host_begin(&client, "fd00::1");
    host_begin(&server, "fd00::2");
    must(la_listen(server.stack, now,
                   &(struct la_listen_config){ .local = la_prefix_any(), .port = 80, .backlog = 1 },
                   &listener),
         "la_listen");
    must(la_open(client.stack, now, (struct la_endpoint){ 0 },
                 (struct la_endpoint){ server.addr, 80 }, 0, &client_conn),
         "la_open");
    do {
        turn();
    } while (now.ns != LA_TIME_NEVER.ns && !(is_empty(&client) && is_empty(&server)));

    const bool whole = la_check(client.stack) == NULL && la_check(server.stack) == NULL;
    printf("%8.3f s   nothing is left\n", (double)now.ns / 1e9);
    free(client.mem);
    free(server.mem);
    return whole && now.ns != LA_TIME_NEVER.ns && fflush(stdout) == 0 ? 0 : 1;
}
