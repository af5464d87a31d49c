/* SPDX-License-Identifier: MIT */
/*
 * world.h - A world of hosts and links in virtual time, all of it from one seed.
 *
 * Nothing in a world knows the wall clock, an address in memory or the order of a
 * hash table, so equal seeds give equal runs: sim_world.hash folds in every packet,
 * every fate and every event, and tests compare it.
 *
 * A run has two phases.  First the links are as bad as the scenario says.  Then
 * sim_heal() makes them perfect, and everything must finish within a bound of
 * virtual time (sim_finish()) and come to rest without a trace (sim_rest()).
 * The first broken rule ends the run: sim_fail() keeps its sentence.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include <lastack/lastack.h>
#include <stdio.h>

#include "sim/agenda.h"
#include "sim/prng.h"

#define SIM_HOSTS_MAX 8u
#define SIM_LINKS_MAX 16u
#define SIM_MESSAGE_BYTES 1024u
#define SIM_NEVER UINT64_MAX

struct sim_host;
struct sim_link;
struct sim_flow;
struct sim_wire;
struct sim_events;
struct sim_packet;
struct sim_segment;

/* Somebody who looks on: what happens is told, and nothing in the run depends on it.  Each may be NULL. */
struct sim_watch {
    void *context;
    /* A host has handed a packet to the wire; @to: NULL if no link leads there.  @fate: link.h. */
    void (*sent)(void *context, struct sim_host *from, struct sim_host *to, uint64_t number,
                 const uint8_t *bytes, const struct sim_segment *seg, uint32_t fate);
    /* The stack has taken it, and has answered nothing yet. */
    void (*arrived)(void *context, struct sim_host *at, const struct sim_packet *packet);
    /* An event of a host without flows.  Return: false: it is a flow's. */
    bool (*event)(void *context, struct sim_host *at, const struct la_event *event);
};

struct sim_world {
    uint64_t seed;
    struct sim_prng rng;
    uint64_t now_ns; /* since the world began; hosts add clocks of their own */
    struct sim_agenda agenda;
    struct sim_host *hosts[SIM_HOSTS_MAX];
    uint32_t host_count;
    struct sim_link *links[SIM_LINKS_MAX];
    uint32_t link_count;
    struct sim_flow **flows;
    uint32_t flow_count, flow_room;
    uint32_t flows_open;  /* not finished yet */
    uint32_t in_flight;   /* packets on links and in receive queues */
    bool strays;          /* sim_inject() was used: old packets may be answered */
    uint32_t check_every; /* la_check() after every so many turns of a host */
    bool plain; /* no shadow of bursts, no checker of the wire: for crowds and for scripted peers */
    const struct sim_watch *watch; /* NULL: nobody */
    struct sim_wire *wire;
    uint64_t hash;             /* of everything that happened */
    uint64_t packets;          /* handed to links */
    uint64_t turns;            /* of hosts */
    uint64_t still;            /* entries of the agenda since time last moved */
    FILE *trace;               /* NULL: no trace */
    struct sim_events *events; /* NULL: none; of the first flow's opener */
    bool failed;
    uint64_t failed_at_ns;
    char message[SIM_MESSAGE_BYTES];
};

static inline uint64_t sim_us(uint64_t us)
{
    return us * 1000u;
}

static inline uint64_t sim_ms(uint64_t ms)
{
    return ms * 1000000u;
}

static inline uint64_t sim_s(uint64_t s)
{
    return s * 1000000000u;
}

void sim_world_init(struct sim_world *w, uint64_t seed, FILE *trace);
void sim_world_free(struct sim_world *w);

/* Say what broke.  Only the first sentence is kept; the run stops at the next turn. */
__attribute__((format(printf, 2, 3))) void sim_fail(struct sim_world *w, const char *format, ...);

/* Fail unless @condition holds.  For scenarios, which then simply go on to their end. */
#define SIM_REQUIRE(w, condition, ...)                                                             \
    do {                                                                                           \
        if (!(condition))                                                                          \
            sim_fail((w), __VA_ARGS__);                                                            \
    } while (0)

/* Fold a number, or bytes, into the world's hash. */
void sim_note(struct sim_world *w, uint64_t value);
void sim_note_bytes(struct sim_world *w, const uint8_t *bytes, uint32_t len_bytes);

/* Call @what at @at_ns. */
typedef void sim_action(struct sim_world *w, void *context);
void sim_at(struct sim_world *w, uint64_t at_ns, sim_action *what, void *context);

/* What stands in the agenda. */
enum sim_due_kind {
    SIM_DUE_ARRIVE, /* a packet reaches the far end of a link */
    SIM_DUE_FLUSH,  /* a host takes what its receive queue holds */
    SIM_DUE_WAKE,   /* a stack's deadline */
    SIM_DUE_APP,    /* an application ends a pause */
    SIM_DUE_ACTION, /* sim_at() */
};

/* The next thing not after @until_ns.  Return: false if there is none, or the run is over. */
bool sim_step(struct sim_world *w, uint64_t until_ns);

/* Let things happen until @at_ns, and no longer if something breaks. */
void sim_run_until(struct sim_world *w, uint64_t at_ns);
static inline void sim_run_for(struct sim_world *w, uint64_t ns)
{
    sim_run_until(w, w->now_ns + ns);
}

/* From now on no link loses, doubles, reorders, corrupts or is down. */
void sim_heal(struct sim_world *w);

/*
 * sim_finish() - Run until every flow has finished.
 * @within_ns: Virtual time from now; longer is a failure (liveness)
 */
void sim_finish(struct sim_world *w, uint64_t within_ns);

/*
 * sim_rest() - Run until nothing is left to happen, then look for what is left over.
 *
 * Fails if a stack still has a deadline after ten minutes, or keeps a connection, a
 * record or a chunk.  Closes the listeners and looks again.
 */
void sim_rest(struct sim_world *w);

/* sim_heal(), sim_finish(), sim_rest(): how most scenarios end. */
void sim_end(struct sim_world *w, uint64_t within_ns);

#endif
