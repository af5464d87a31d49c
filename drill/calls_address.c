/* SPDX-License-Identifier: MIT */
/*
 * calls_address.c - Socket addresses: {sa_family=AF_INET, sin_port=htons(80), sin_addr=...}, or
 * "..." for the script's own.
 */
#include "drill/calls.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static void put_v4(struct sockaddr_storage *to, socklen_t *len, const uint8_t addr[4],
                   uint16_t port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };
    memcpy(&a.sin_addr, addr, 4);
    memset(to, 0, sizeof *to);
    memcpy(to, &a, sizeof a);
    *len = sizeof a;
}

static void put_v6(struct sockaddr_storage *to, socklen_t *len, const uint8_t addr[16],
                   uint16_t port)
{
    struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
    memcpy(&a.sin6_addr, addr, 16);
    memset(to, 0, sizeof *to);
    memcpy(to, &a, sizeof a);
    *len = sizeof a;
}

uint16_t drill_address_port(const struct sockaddr_storage *a)
{
    if (a->ss_family == AF_INET)
        return ntohs(((const struct sockaddr_in *)a)->sin_port);
    return a->ss_family == AF_INET6 ? ntohs(((const struct sockaddr_in6 *)a)->sin6_port) : 0;
}

/* "...": anywhere of our own to be bound to, the script's side to connect to. */
static void put_default(struct drill_calling *c, struct sockaddr_storage *to, socklen_t *len)
{
    const struct drill_config *config = &c->r->config;
    static const uint8_t any[16];
    const bool binding = c->op.kind == DRILL_OP_BIND;
    const uint16_t port = binding ? config->bind_port : config->connect_port;
    if (config->mode == DRILL_IPV4)
        put_v4(to, len, binding ? any : config->remote.bytes + 12, port);
    else
        put_v6(to, len, binding ? any : config->remote.bytes, port);
}

/* An address from inet_addr("..."), inet_pton(..., "...", ...), a string, or a number. */
static bool address_bytes(struct drill_run *r, const struct drill_expr *e, bool v6, uint8_t to[16])
{
    const struct drill_expr *text = e;
    memset(to, 0, 16);
    for (size_t i = 0; e->kind == DRILL_CALL && i < e->count; i++)
        if (e->items[i]->kind == DRILL_STRING)
            text = e->items[i];
    if (text->kind == DRILL_STRING) {
        if (inet_pton(v6 ? AF_INET6 : AF_INET, text->text, to) != 1)
            return drill_malformed(r, e->line, "an %s address, not \"%s\"", v6 ? "IPv6" : "IPv4",
                                   text->text);
        return true;
    }
    int64_t n;
    if (v6 || !drill_value(r, e, &n))
        return r->result->verdict != DRILL_PASS ? false
                                                : drill_malformed(r, e->line, "an IPv6 address");
    const uint32_t raw = (uint32_t)n;
    memcpy(to, &raw, 4);
    return true;
}

/* The struct's address: a field, or an item inet_pton(...) of its own, as strace prints it. */
static const struct drill_expr *address_of(const struct drill_expr *e, bool v6)
{
    const struct drill_expr *field = drill_field(e, v6 ? "sin6_addr" : "sin_addr");
    for (size_t i = 0; field == NULL && i < e->count; i++)
        if (e->items[i]->kind == DRILL_CALL && strcmp(e->items[i]->text, "inet_pton") == 0)
            return e->items[i];
    return field;
}

static bool put_struct(struct drill_run *r, const struct drill_expr *e, struct sockaddr_storage *to,
                       socklen_t *len)
{
    const struct drill_expr *family = drill_field(e, "sa_family");
    int64_t f, port = 0;
    uint8_t bytes[16] = { 0 };
    if (family == NULL)
        family = drill_field(e, "sin_family") ? drill_field(e, "sin_family")
                                              : drill_field(e, "sin6_family");
    if (family == NULL || e->kind != DRILL_STRUCT)
        return drill_malformed(r, e->line, "an address with sa_family");
    if (!drill_value(r, family, &f))
        return false;
    const bool v6 = f == AF_INET6;
    const struct drill_expr *port_expr = drill_field(e, v6 ? "sin6_port" : "sin_port");
    const struct drill_expr *addr_expr = address_of(e, v6);
    if (port_expr != NULL && !drill_value(r, port_expr, &port))
        return false;
    if (addr_expr != NULL && !address_bytes(r, addr_expr, v6, bytes))
        return false;
    if (v6)
        put_v6(to, len, bytes, ntohs((uint16_t)port));
    else
        put_v4(to, len, bytes, ntohs((uint16_t)port));
    to->ss_family = (sa_family_t)f;
    return true;
}

bool drill_address_in_at(struct drill_calling *c, size_t i, struct sockaddr_storage *to,
                         socklen_t *len)
{
    const struct drill_expr *e = c->call->args[i];
    int64_t n;
    if (e->kind == DRILL_ANY)
        put_default(c, to, len);
    else if (e->kind == DRILL_STRUCT && !put_struct(c->r, e, to, len))
        return false;
    else if (e->kind != DRILL_STRUCT && !drill_value(c->r, e, &n))
        return false;
    c->op.args[i] = e->kind == DRILL_ANY || e->kind == DRILL_STRUCT ? (intptr_t)to : 0;
    c->op.args[i + 1] = c->op.args[i] != 0 ? (intptr_t)*len : 0;
    return c->call->args[i + 1]->kind == DRILL_ANY || drill_arg(c, i + 1);
}

bool drill_address_in(struct drill_calling *c)
{
    return drill_arg_fd(c, 0) && drill_address_in_at(c, 1, &c->addr, &c->addr_len);
}

bool drill_address_out(struct drill_calling *c)
{
    const struct drill_expr *addr = c->call->args[1];
    const struct drill_expr *len = c->call->args[2];
    int64_t n = sizeof c->addr;
    if (!drill_arg_fd(c, 0))
        return false;
    /* [128->16] of strace is not written here: [16] is what comes back. */
    if (addr->kind == DRILL_WORD || addr->kind == DRILL_INTEGER) {
        if (!drill_value(c->r, addr, &n))
            return false;
        c->op.args[1] = (intptr_t)n; /* NULL */
        c->op.args[2] = 0;
        return true;
    }
    c->addr_len = sizeof c->addr;
    c->op.args[1] = (intptr_t)&c->addr;
    c->op.args[2] = (intptr_t)&c->addr_len;
    c->expected = addr->kind == DRILL_ANY ? NULL : addr;
    c->expected_len = len->kind == DRILL_LIST && len->count == 1 ? len->items[0] : NULL;
    return true;
}

static const char *address_text(struct drill_run *r, const struct sockaddr_storage *a)
{
    char text[INET6_ADDRSTRLEN] = "?";
    const void *bytes = a->ss_family == AF_INET6
                            ? (const void *)&((const struct sockaddr_in6 *)a)->sin6_addr
                            : (const void *)&((const struct sockaddr_in *)a)->sin_addr;
    if (a->ss_family != AF_INET && a->ss_family != AF_INET6)
        return drill_format(r->pool, "an address of family %d", a->ss_family);
    inet_ntop(a->ss_family, bytes, text, sizeof text);
    return drill_format(r->pool, "%s port %u", text, drill_address_port(a));
}

bool drill_address_check(struct drill_calling *c)
{
    struct drill_run *r = c->r;
    struct sockaddr_storage expected = { 0 };
    socklen_t len = 0;
    int64_t n;
    if (c->expected != NULL) {
        if (!put_struct(r, c->expected, &expected, &len))
            return false;
        if (len != c->addr_len || memcmp(&expected, &c->addr, len) != 0)
            return drill_failf(
                r,
                drill_format(r->pool, "%s() gives %s", c->call->name, address_text(r, &expected)),
                "%s, %u bytes", address_text(r, &c->addr), c->addr_len);
    }
    if (c->expected_len != NULL && c->expected_len->kind != DRILL_ANY) {
        if (!drill_value(r, c->expected_len, &n))
            return false;
        if (n != (int64_t)c->addr_len)
            return drill_failf(r, drill_format(r->pool, "an address of %lld bytes", (long long)n),
                               "%u", c->addr_len);
    }
    return true;
}
