/* SPDX-License-Identifier: MIT */
/*
 * nstat.h - The counters of a running stack, gathered once, and the forms they are shown in.
 */
#ifndef CLI_NSTAT_H
#define CLI_NSTAT_H

#include "cli/control_client.h"

#include <stdio.h>

#define NSTAT_MAX 512
#define NSTAT_NAME_BYTES 64

/* One number: "TcpExtListenDrops", "DropNO_SOCKET". */
struct nstat_item {
    char group[16]; /* "TcpExt", "Drop" */
    char name[NSTAT_NAME_BYTES - 16];
    uint64_t value;
    uint64_t before; /* what the history says */
};

/* All that is asked of the process, as numbers. */
struct nstat {
    struct nstat_item items[NSTAT_MAX];
    uint32_t count;
    uint64_t begun; /* wall clock: which process this is */
    uint64_t states[LA_STATES];
    uint64_t orphans; /* only after nstat_gather_orphans() */
    uint64_t conns, listeners, shorts, chunk_pages;
    uint64_t ttl, rto_min_us, rto_max_ms;
    struct {
        char name[24];
        uint64_t used, max, limit, item_bytes;
    } tables[LA_TABLES];
    uint32_t table_count;
};

/* Return: CLI_OK, or CLI_FAILED after a message. */
int nstat_gather(struct nstat *n, struct control_client *k);
/* A walk over what is closing, in pieces. */
int nstat_gather_orphans(struct nstat *n, struct control_client *k);

/* The counter of Linux's name in this group, 0 if it is not counted. */
uint64_t nstat_value(const struct nstat *n, const char *group, const char *name);

/* nstat_text.c: /proc/net/snmp, /proc/net/netstat, /proc/net/sockstat, and Prometheus's text. */
void nstat_snmp(const struct nstat *n, FILE *out);
void nstat_netstat(const struct nstat *n, FILE *out);
void nstat_sockstat(const struct nstat *n, FILE *out);
void nstat_prometheus(const struct nstat *n, FILE *out);

#endif
