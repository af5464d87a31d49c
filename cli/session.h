/* SPDX-License-Identifier: MIT */
/*
 * session.h - What every command on the stack has in common: its options, its stack with a
 * device under it, the loop, and what is shown of it (capture, ladder, JSON).
 *
 *     struct session_options o = { .command = "echo" };
 *     ... args_parse() with SESSION_COMMON() ...
 *     session_open(&s, &o)   or   session_open_wire(&s, &o)
 *     session_host(&s, 0, &handlers)
 *     ... la_listen(), la_open() ...
 *     status = session_run(&s);
 *     session_close(&s);
 */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include "cli/args.h"
#include "cli/net.h"

#include <lastack/control.h>

#define SESSION_ADDRS_MAX 8
#define SESSION_SYSCTLS_MAX 32

struct session_sysctl {
    char name[64];
    const char *value; /* of the command line: a number, or text */
};

struct session_options {
    const char *command;
    const char *tun;
    const char *pcap;
    const char *trace; /* file for --trace, or NULL */
    const char *user;
    const char *control; /* path of the control socket; "none"; NULL: the usual place */
    struct la_prefix addrs[SESSION_ADDRS_MAX];
    uint32_t addr_count;
    struct la_prefix host_addrs[SESSION_ADDRS_MAX];
    uint32_t host_addr_count;
    struct session_sysctl sysctls[SESSION_SYSCTLS_MAX];
    uint32_t sysctl_count;
    uint64_t snap_bytes; /* of each packet in the capture; 0 = all */
    enum la_rt_offload offload;
    uint64_t queues;
    bool ladder, json, quiet, virtual_time, control_write;
};

/* What every command on the stack takes: .common = SESSION_COMMON, .common_at = ... */
#define SESSION_ARGS 15
extern const struct args_option session_args[SESSION_ARGS];
#define SESSION_COMMON                                                                             \
    {                                                                                              \
        session_args, SESSION_ARGS                                                                 \
    }

/* A stack, its memory and its device. */
struct station {
    void *arena;
    uint64_t arena_bytes;
    struct la_stack *stack;
    struct la_rt_driver *driver;
    int iface;
    struct net_families families;
    struct la_prefix addrs[SESSION_ADDRS_MAX];
    uint32_t addr_count;
};

struct pcapng;
struct ladders;
struct session;

struct session_handlers {
    void *context;
    void (*on_event)(void *context, la_time now, const struct la_event *event);
    void (*on_turn)(void *context, la_time now);
};

/* What the loop calls for a station. */
struct session_app {
    struct session *session;
    struct session_handlers handlers;
};

struct session {
    struct session_options options;
    struct la_rt_loop *loop;
    struct station stations[2];
    struct session_app apps[2];
    uint32_t station_count;
    struct pcapng *pcap;
    struct trace_file *trace;
    struct ladders *ladders;
    struct la_rt_control *control;
    la_time begun;
    la_time linger_until; /* LA_TIME_NEVER: not lingering */
    uint64_t trace_lost;
    uint64_t causes_seen; /* see cause_of() */
    int ended_by;         /* what la_rt_run() returned */
};

/* One stack on a TUN device; privileges are dropped.  Return: CLI_OK or another status. */
int session_open(struct session *s, const struct session_options *o);

/* Two stacks on a wire in memory; 10.0.0.1 and fd00::1 on station 0, ...2 on station 1. */
int session_open_wire(struct session *s, const struct session_options *o, uint32_t mtu_bytes);

/*
 * Put a station and its application on the loop; @handlers is copied.  The capture and the
 * ladder show station 0.
 */
int session_host(struct session *s, uint32_t station, const struct session_handlers *handlers);

/* Run until stopped.  Return: CLI_OK also after SIGINT and SIGTERM. */
int session_run(struct session *s);

/*
 * Go on after the last la_close() until no connection is left, or for LINGER seconds: bytes
 * taken from the application are still on their way.  TIME-WAIT is waited for only with
 * --ladder, to draw it.
 */
#define SESSION_LINGER_S 20
void session_linger(struct session *s);

/* Send what is left, print the ladder and the summary, give everything back. */
void session_close(struct session *s);

/* A line on stderr, unless --quiet. */
void session_say(const struct session *s, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The unspecified address of the other end's family. */
struct la_addr session_any(struct la_addr like);

#endif
