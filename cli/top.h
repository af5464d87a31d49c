/* SPDX-License-Identifier: MIT */
/*
 * top.h - What `lastack top` knows of a process at one moment, and the page it makes of two.
 *
 * Gathering asks and keeps numbers; rendering is a function of two samples, so that the page can
 * be compared with text.  The terminal knows nothing of either.
 */
#ifndef CLI_TOP_H
#define CLI_TOP_H

#include "cli/nstat.h"

#define TOP_LINES 64
#define TOP_COLUMNS 160
#define TOP_LISTENERS 32 /* the worst of them */

struct top_listener {
    uint64_t id;
    struct la_endpoint local;
    uint64_t accept_len, accept_max, limit, half_len, accepted, overflows, drops, oldest_wait_ns;
    uint64_t waits[LA_ACCEPT_WAITS];
};

/* The newest of a kind of finding. */
struct top_found {
    bool told;
    uint64_t ago_ns;
    struct la_endpoint local, remote;
};

struct top_sample {
    struct nstat n;
    char name[40];
    uint64_t pid;
    uint64_t now_ns; /* the stack's */
    uint64_t packets_in, packets_out, bytes_in, bytes_out;
    uint64_t time_wait_max; /* net.ipv4.tcp_max_tw_buckets */
    struct la_ports_info ports;
    bool close_wait; /* there is one, and this is the oldest */
    uint64_t close_wait_age_ns;
    struct la_endpoint close_wait_local, close_wait_remote;
    struct top_listener listeners[TOP_LISTENERS]; /* the worst first */
    uint32_t listener_count;
    struct top_found found[LA_FINDINGS]; /* how many there were: n's group "Finding" */
};

struct top_view {
    const struct top_sample *now;
    const struct top_sample *before; /* all zero: the process's beginning */
    uint64_t elapsed_ns, uptime_ns;
};

struct top_page {
    char lines[TOP_LINES][TOP_COLUMNS + 1];
    uint32_t count;
};

/*
 * top_gather() - Ask for everything.
 *
 * While a connection is in CLOSE-WAIT the connections are walked for the oldest, in the pieces
 * the process gives; listeners come first in that order and cost no walk.
 *
 * Return: CLI_OK, or CLI_FAILED after a message.
 */
int top_gather(struct top_sample *s, struct control_client *k);
/* One more listener; when there is no room the least bad one is forgotten. */
void top_add_listener(struct top_sample *s, const struct top_listener *l);

void top_render(const struct top_view *v, struct top_page *page);
/* One object for the process, one for the last finding of each kind, one for each listener. */
void top_json(const struct top_view *v, FILE *out);

/* How often a second, of a number that was @before; 0 if it went back. */
double top_rate(const struct top_view *v, uint64_t now, uint64_t before);
/* Connections that were established and are so no longer: see top_view.c. */
uint64_t top_closed(const struct top_view *v);
/* Refused, dropped and reset: la_cause_kind() of the reasons.  Return: their sum. */
uint64_t top_drops(const struct top_sample *s);

#endif
