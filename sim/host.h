/* SPDX-License-Identifier: MIT */
/*
 * host.h - A host: one stack in memory of its own, driven as its header says.
 *
 * A turn is: packets in, time, then packets out and events until neither is left.
 * The host's choices (batch sizes, budgets, which of packets and events comes first)
 * come from the seed, because a caller may make any of them; they are drawn from the
 * seed and the time, not from the stream of chance, so that a turn more or less changes
 * nothing else.
 *
 * A twin is a clone of the stack that gets the same calls and must give the same
 * answers, byte for byte, and the same la_hash() in the end.  Half of the twins then
 * take the stack's place while the old arena is overwritten, which shows a pointer
 * that still leads there.
 */
#ifndef SIM_HOST_H
#define SIM_HOST_H

#include "sim/link.h"
#include "sim/world.h"

#define SIM_SYSCTLS_MAX 12u
#define SIM_LISTENERS_MAX 8u
#define SIM_MTU_MAX 9216u

struct sim_sysctl {
    const char *name;
    uint64_t value;
};

struct sim_host_opt {
    struct la_config config;
    uint32_t mtu_bytes;
    bool checksum_offload; /* the card completes checksums */
    uint32_t gso_max_bytes;
    uint64_t clock_ns; /* what the host's clock shows when the world begins */
    uint32_t tick_budget;
    uint32_t twin_permille; /* of turns that start a twin */
    uint32_t trim_permille; /* of turns that trim the arena */
    struct sim_sysctl sysctls[SIM_SYSCTLS_MAX];
    uint32_t sysctl_count;
};

struct sim_listener {
    la_listener_id id;
    uint16_t port;
    uint32_t backlog;
};

struct sim_twin {
    struct la_stack *stack; /* NULL: none now */
    void *arena;
    uint32_t turns_left;
    struct la_tx *tx;
    uint8_t *bytes;
    uint32_t made;
};

/* A host without a stack: packets go to a script, which answers with sim_send() or not at all. */
typedef void sim_script(struct sim_host *h, void *context, const struct sim_packet *packet);

struct sim_host {
    struct sim_world *w;
    uint32_t index;
    char name[4];
    struct sim_host_opt opt;
    struct la_stack *stack;
    void *arena;
    uint64_t arena_bytes;
    int iface;
    struct la_addr addr4, addr6;
    struct sim_host *gateway; /* where packets go that no link of its own leads to; NULL: nowhere */
    sim_script *script;       /* NULL: the stack takes them */
    void *script_context;
    bool script_owned; /* the context goes with the host */
    struct sim_packet *rx[LA_RX_BURST_MAX];
    uint32_t rx_count;
    uint64_t flush_at_ns, wake_at_ns; /* SIM_NEVER: not planned */
    uint64_t drain;                   /* number of the present batch of events */
    uint64_t choice;                  /* of this turn: a number of the host's own */
    uint64_t bursts;                  /* taken so far, mixed: which of them are shadowed */
    uint32_t spins;                   /* turns at one instant that the stack itself asked for */
    struct sim_listener listeners[SIM_LISTENERS_MAX];
    uint32_t listener_count;
    struct sim_twin twin;
    struct la_tx *tx;
    struct la_table_use baseline[LA_TABLES];
};

/* A small stack, a random secret, an Ethernet MTU; chances drawn from the world. */
void sim_host_opt_default(struct sim_world *w, struct sim_host_opt *opt);
void sim_host_sysctl(struct sim_host_opt *opt, const char *name, uint64_t value);
/* @opt: NULL for the default.  Its addresses are 10.0.0.N and 2001:db8::N, N from 1. */
struct sim_host *sim_host(struct sim_world *w, const struct sim_host_opt *opt);
void sim_host_free(struct sim_host *h);

la_time sim_host_now(const struct sim_host *h);
struct la_addr sim_host_addr(const struct sim_host *h, bool v6);
/* Listen on every address, once a port. */
void sim_host_listen(struct sim_host *h, uint16_t port, uint32_t backlog);
void sim_host_unlisten(struct sim_host *h);

/* Lose all that the host's stack knows and begin anew, listeners included: a crash. */
void sim_host_restart(struct sim_host *h);
/* The host's clock jumps ahead, as a machine's does that was asleep. */
void sim_host_jump(struct sim_host *h, uint64_t by_ns);

/*
 * sim_host_aim() - Have the host choose a given ISN.
 * @at_ns:  When it will choose, world's time
 * @local, @remote: Of the connection, ports included
 *
 * The ISN of RFC 6528 is a clock plus a keyed function, so the host's clock is set for
 * it.  Only for a host that has done nothing yet.
 */
void sim_host_aim(struct sim_host *h, uint64_t at_ns, struct la_endpoint local,
                  struct la_endpoint remote, uint32_t isn);

/* A packet is here: take it when the burst is full or has waited long enough. */
void sim_host_arrive(struct sim_host *h, struct sim_packet *packet);
void sim_host_flush(struct sim_host *h);
void sim_host_wake(struct sim_host *h);
/* After calls on the stack: let out what they caused. */
void sim_host_turn(struct sim_host *h);

/* The stack's calls (host_calls.c), each made on the twin too if there is one. */
void sim_call_rx(struct sim_host *h, const struct la_frame *frames, uint32_t count);
uint32_t sim_call_tx(struct sim_host *h, uint32_t max); /* into h->tx */
bool sim_call_tick(struct sim_host *h, uint32_t budget);
la_time sim_call_deadline(struct sim_host *h);
uint32_t sim_call_events(struct sim_host *h, struct la_event *out, uint32_t max);
enum la_err sim_call_open(struct sim_host *h, struct la_endpoint local, struct la_endpoint remote,
                          uint64_t user, la_conn_id *out);
enum la_err sim_call_listen(struct sim_host *h, const struct la_listen_config *config,
                            la_listener_id *out);
enum la_err sim_call_unlisten(struct sim_host *h, la_listener_id id);
enum la_err sim_call_accept(struct sim_host *h, la_listener_id id, uint64_t user,
                            struct la_accepted *out);
void sim_call_set_user(struct sim_host *h, la_conn_id id, uint64_t user);
/* @primitives: by reserve and commit, by peek and consume, instead of the copying calls. */
int64_t sim_call_send(struct sim_host *h, la_conn_id id, const uint8_t *bytes, uint32_t len_bytes,
                      uint32_t flags, bool primitives);
int64_t sim_call_recv(struct sim_host *h, la_conn_id id, uint8_t *bytes, uint32_t len_bytes,
                      bool primitives);
enum la_err sim_call_shutdown(struct sim_host *h, la_conn_id id, uint32_t how);
enum la_err sim_call_close(struct sim_host *h, la_conn_id id);
enum la_err sim_call_abort(struct sim_host *h, la_conn_id id);
enum la_err sim_call_set_option(struct sim_host *h, la_conn_id id, enum la_option option,
                                uint64_t value);
enum la_err sim_call_sysctl_set(struct sim_host *h, const char *name, uint64_t value);
uint32_t sim_call_trace(struct sim_host *h, struct la_trace *out, uint32_t max, uint64_t *lost);

/* twin.c */
void sim_twin_turn(struct sim_host *h);
void sim_twin_end(struct sim_host *h);
void sim_twin_drop(struct sim_host *h);

#endif
