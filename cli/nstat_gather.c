/* SPDX-License-Identifier: MIT */
/* nstat_gather.c - Asking for every number there is; see nstat.h. */
#include "cli/nstat.h"

#include <string.h>

static bool same(const char *a, const char *b)
{
    return a != NULL && strcmp(a, b) == 0;
}

static void add_item(struct nstat *n, const char *group, const char *name, uint64_t value)
{
    struct nstat_item *item = &n->items[n->count];

    if (n->count == NSTAT_MAX || name == NULL || group == NULL)
        return;
    *item = (struct nstat_item){ .value = value };
    snprintf(item->group, sizeof item->group, "%s", group);
    snprintf(item->name, sizeof item->name, "%s", name);
    n->count++;
}

static bool on_counter(void *context, const struct control_in *in)
{
    add_item(context, control_get(in, "group"), control_get(in, "name"),
             control_client_number(in, "value"));
    return true;
}

static bool on_drop(void *context, const struct control_in *in)
{
    const char *name = control_get(in, "name");

    if (!same(name, "NONE")) /* what was accepted */
        add_item(context, "Drop", name, control_client_number(in, "value"));
    return true;
}

static bool on_finding(void *context, const struct control_in *in)
{
    add_item(context, "Finding", control_get(in, "name"), control_client_number(in, "value"));
    return true;
}

static bool on_state(void *context, const struct control_in *in)
{
    struct nstat *n = context;
    const char *name = control_get(in, "name");

    for (uint32_t i = 0; i < LA_STATES; i++)
        if (same(name, la_state_name((enum la_state)i)))
            n->states[i] = control_client_number(in, "count");
    return true;
}

static bool on_table(void *context, const struct control_in *in)
{
    struct nstat *n = context;
    const char *name = control_get(in, "name");
    const uint64_t used = control_client_number(in, "used");
    const uint64_t bytes = control_client_number(in, "item_bytes");

    if (name == NULL || n->table_count == LA_TABLES)
        return true;
    snprintf(n->tables[n->table_count].name, sizeof n->tables[0].name, "%s", name);
    n->tables[n->table_count].used = used;
    n->tables[n->table_count].max = control_client_number(in, "max");
    n->tables[n->table_count].limit = control_client_number(in, "limit");
    n->tables[n->table_count++].item_bytes = bytes;
    if (same(name, "connections"))
        n->conns = used;
    else if (same(name, "listeners"))
        n->listeners = used;
    else if (same(name, "short_v4") || same(name, "short_v6"))
        n->shorts += used;
    else if (same(name, "chunks"))
        n->chunk_pages = (used * bytes + 4095) / 4096;
    return true;
}

static bool on_sysctl(void *context, const struct control_in *in)
{
    struct nstat *n = context;
    const char *name = control_get(in, "name");
    const uint64_t value = control_client_number(in, "value");

    if (same(name, "net.ipv4.ip_default_ttl"))
        n->ttl = value;
    else if (same(name, "net.ipv4.tcp_rto_min_us"))
        n->rto_min_us = value;
    else if (same(name, "net.ipv4.tcp_rto_max_ms"))
        n->rto_max_ms = value;
    return true;
}

static bool on_hello(void *context, const struct control_in *in)
{
    struct nstat *n = context;

    n->begun = control_client_number(in, "begun");
    return true;
}

int nstat_gather(struct nstat *n, struct control_client *k)
{
    static const struct {
        const char *request;
        control_line_fn *each;
    } asked[] = {
        { "hello", on_hello },      { "counters", on_counter }, { "drops", on_drop },
        { "findings", on_finding }, { "states", on_state },     { "tables", on_table },
        { "sysctl", on_sysctl },
    };

    *n = (struct nstat){ .count = 0 };
    for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
        const int status = control_client_ask(k, asked[i].request, asked[i].each, n);
        if (status != CLI_OK)
            return status;
    }
    return CLI_OK;
}

static bool on_row(void *context, const struct control_in *in)
{
    struct nstat *n = context;

    n->orphans += control_client_number(in, "orphan");
    return true;
}

int nstat_gather_orphans(struct nstat *n, struct control_client *k)
{
    char request[64];
    const unsigned states =
        1u << LA_FIN_WAIT_1 | 1u << LA_FIN_WAIT_2 | 1u << LA_CLOSING | 1u << LA_LAST_ACK;

    snprintf(request, sizeof request, "rows states=%u", states);
    return control_client_ask(k, request, on_row, n);
}

uint64_t nstat_value(const struct nstat *n, const char *group, const char *name)
{
    for (uint32_t i = 0; i < n->count; i++)
        if (strcmp(n->items[i].group, group) == 0 && strcmp(n->items[i].name, name) == 0)
            return n->items[i].value;
    return 0;
}
