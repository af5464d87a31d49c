/* SPDX-License-Identifier: MIT */
/*
 * sock.c - Sockets as a scenario uses them: each call is made, drawn, and what it caused is let out.
 */
#include <string.h>

#include "sim/lab/lab.h"
#include "sim/memory.h"

#define BACKLOG 128u
#define READ_BYTES 65536u

static void turn(struct lab *l, struct sim_host *h)
{
    if (!l->in_event)
        sim_host_turn(h);
}

static struct lab_sock *sock(struct lab *l, struct sim_host *h)
{
    struct lab_sock *s = lab_take(l, sizeof *s);

    s->l = l;
    s->host = h;
    l->socks = sim_resize(l->socks, (l->sock_count + 1) * sizeof *l->socks);
    l->socks[l->sock_count++] = s;
    return s;
}

static struct sim_listener *listener_of(struct sim_host *h, uint16_t port)
{
    for (uint32_t i = 0; i < h->listener_count; i++)
        if (h->listeners[i].port == port)
            return &h->listeners[i];
    return NULL;
}

void lab_listen(struct lab *l, struct sim_host *h, uint16_t port, uint32_t backlog)
{
    lab_note(l, h, "listen(%u)", backlog);
    sim_host_listen(h, port, backlog);
    turn(l, h);
}

struct la_addr lab_loopback(const struct lab *l)
{
    const struct la_addr six = { { [15] = 1 } };

    return l->options.v6 ? six : la_addr_v4(127, 0, 0, 1);
}

void lab_loopback_add(struct lab *l, struct sim_host *h)
{
    const struct la_prefix prefix = { lab_loopback(l), 128 };

    if (la_addr_add(h->stack, h->iface, prefix, 0) != LA_OK)
        sim_fail(&l->world, "no room for a loopback address");
}

struct lab_sock *lab_connect_from(struct lab *l, struct sim_host *from, uint16_t local_port,
                                  struct la_addr to, uint16_t port)
{
    struct lab_sock *s = sock(l, from);
    const bool self = la_addr_equal(to, lab_loopback(l));
    const struct la_endpoint local = { self ? to : sim_host_addr(from, l->options.v6), local_port };

    s->local = local;
    s->remote = (struct la_endpoint){ to, port };
    s->error = sim_call_open(from, local, s->remote, 0, &s->conn);
    s->held = s->error == LA_OK;
    if (!s->held) {
        lab_note(l, from, "connect(): %s", la_err_name(s->error));
        return s;
    }
    struct la_conn_info info;

    if (la_conn_info(from->stack, s->conn, &info) == LA_OK)
        s->local = info.local;
    lab_note(l, from, "connect()");
    turn(l, from);
    return s;
}

struct lab_sock *lab_connect(struct lab *l, struct sim_host *from, struct sim_host *to,
                             uint16_t port)
{
    uint32_t mine = 0;

    for (uint32_t i = 0; i < l->sock_count; i++)
        mine += l->socks[i]->host == from;
    if (!to->script && !listener_of(to, port))
        sim_host_listen(to, port, BACKLOG);
    return lab_connect_from(l, from, (uint16_t)(LAB_PORT_FIRST + mine),
                            sim_host_addr(to, l->options.v6), port);
}

struct lab_sock *lab_accept(struct lab *l, struct sim_host *h, uint16_t port)
{
    const struct sim_listener *at = listener_of(h, port);
    struct la_accepted got;

    if (!at || sim_call_accept(h, at->id, 0, &got) != LA_OK)
        return NULL;
    struct lab_sock *s = sock(l, h);

    s->conn = got.conn;
    s->local = got.local;
    s->remote = got.remote;
    s->held = true;
    lab_note(l, h, "accept()");
    turn(l, h);
    return s;
}

struct lab_sock *lab_pair(struct lab *l, struct lab_sock **server)
{
    struct lab_sock *c = lab_connect(l, l->client, l->server, 80);

    lab_run(l, sim_ms(50));
    *server = lab_accept(l, l->server, 80);
    return c;
}

static int64_t told(struct lab_sock *s, const char *call, int64_t result)
{
    if (result < 0) {
        s->error = (enum la_err)result;
        lab_note(s->l, s->host, "%s: %s", call, la_err_name(s->error));
    } else if (result == 0) {
        lab_note(s->l, s->host, "%s = 0: end of file", call);
    } else {
        lab_note(s->l, s->host, "%s = %lld", call, (long long)result);
    }
    turn(s->l, s->host);
    return result;
}

int64_t lab_send(struct lab_sock *s, const char *text)
{
    return told(
        s, lab_text(s->l, "send(\"%s\")", text),
        sim_call_send(s->host, s->conn, (const uint8_t *)text, (uint32_t)strlen(text), 0, false));
}

int64_t lab_send_bytes(struct lab_sock *s, uint64_t bytes)
{
    static const uint8_t zeros[READ_BYTES];
    uint64_t done = 0;
    int64_t n = 0;

    while (done < bytes) {
        const uint64_t left = bytes - done;

        n = sim_call_send(s->host, s->conn, zeros,
                          (uint32_t)(left < sizeof zeros ? left : sizeof zeros), 0, false);
        if (n <= 0)
            break;
        done += (uint64_t)n;
    }
    return told(s, lab_text(s->l, "send(%llu bytes)", (unsigned long long)bytes),
                done > 0 ? (int64_t)done : n);
}

int64_t lab_recv_into(struct lab_sock *s, char *to, uint32_t room)
{
    return told(s, "recv()", sim_call_recv(s->host, s->conn, (uint8_t *)to, room, false));
}

int64_t lab_recv(struct lab_sock *s)
{
    char bytes[READ_BYTES];

    return lab_recv_into(s, bytes, sizeof bytes);
}

uint64_t lab_recv_all(struct lab_sock *s, enum la_err *error)
{
    uint64_t bytes = 0;

    for (uint32_t turns = 0; turns < 100; turns++) {
        int64_t n;

        while ((n = lab_recv(s)) > 0)
            bytes += (uint64_t)n;
        *error = (enum la_err)n;
        if (n != LA_EAGAIN)
            break;
        lab_run(s->l, sim_ms(50));
    }
    return bytes;
}

void lab_shutdown(struct lab_sock *s, uint32_t how)
{
    lab_note(s->l, s->host, "shutdown(%s)",
             how == LA_SHUT_WR   ? "SHUT_WR"
             : how == LA_SHUT_RD ? "SHUT_RD"
                                 : "SHUT_RDWR");
    s->error = sim_call_shutdown(s->host, s->conn, how);
    turn(s->l, s->host);
}

void lab_option(struct lab_sock *s, enum la_option option, uint64_t value)
{
    s->error = sim_call_set_option(s->host, s->conn, option, value);
    if (s->error != LA_OK)
        sim_fail(&s->l->world, "an option was refused: %s", la_err_text(s->error));
    turn(s->l, s->host);
}

void lab_close(struct lab_sock *s)
{
    lab_note(s->l, s->host, "close()");
    s->error = sim_call_close(s->host, s->conn);
    s->held = false;
    turn(s->l, s->host);
}

void lab_abort(struct lab_sock *s)
{
    lab_note(s->l, s->host, "close() with SO_LINGER 0");
    s->error = sim_call_abort(s->host, s->conn);
    s->held = false;
    turn(s->l, s->host);
}

enum la_state lab_state(const struct lab_sock *s)
{
    const char *name = lab_state_name(s->host, &s->local, &s->remote);

    for (uint32_t i = 0; name && i < LA_STATES; i++)
        if (strcmp(name, la_state_name((enum la_state)i)) == 0)
            return (enum la_state)i;
    return LA_CLOSED;
}

enum la_err lab_error(const struct lab_sock *s)
{
    enum la_drop reason;

    return s->held ? la_conn_error(s->host->stack, s->conn, &reason) : LA_OK;
}
