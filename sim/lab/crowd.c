/* SPDX-License-Identifier: MIT */
/* crowd.c - What crowd.h says. */
#include "sim/lab/crowd.h"

#define BACKLOG 1024u
#define HERE 1u /* the user word of the crowd's connections */

static void close_it(struct sim_host *at, const struct la_event *e)
{
    sim_call_close(at, e->conn);
}

static void accept_all(struct lab_crowd *crowd, struct sim_host *at, la_listener_id id)
{
    struct la_accepted got;

    while (sim_call_accept(at, id, HERE, &got) == LA_OK)
        if (crowd->server_first)
            sim_call_close(at, got.conn);
}

static void event(struct lab *l, struct sim_host *at, const struct la_event *e)
{
    struct lab_crowd *crowd = l->user;

    if (e->kind == LA_EVENT_LISTENER) {
        accept_all(crowd, at, e->listener);
    } else if (e->mask & LA_ERROR_SET) {
        close_it(at, e);
    } else if (at == l->client && e->mask & LA_CONNECTED && !crowd->server_first) {
        crowd->opened++;
        close_it(at, e);
    } else if (e->mask & LA_PEER_CLOSED) {
        crowd->opened += at == l->client;
        close_it(at, e);
    }
}

static void attempt(struct sim_world *w, void *context)
{
    struct lab_crowd *crowd = context;
    struct lab *l = crowd->l;
    const bool second = crowd->port[1] && crowd->attempts % 2;
    const struct la_endpoint local = { sim_host_addr(l->client, l->options.v6), 0 };
    const struct la_endpoint remote = { sim_host_addr(l->server, l->options.v6),
                                        crowd->port[second] };
    la_conn_id conn;
    const enum la_err err = sim_call_open(l->client, local, remote, HERE, &conn);
    const uint64_t waiting = lab_count_state(l->client, LA_TIME_WAIT);

    crowd->attempts++;
    crowd->peak = waiting > crowd->peak ? waiting : crowd->peak;
    if (err == LA_EADDRNOTAVAIL) {
        crowd->refused++;
        if (crowd->first_refused_ns == 0)
            crowd->first_refused_ns = w->now_ns;
    } else if (err != LA_OK) {
        crowd->other = err;
    }
    sim_host_turn(l->client);
    if (--crowd->wanted > 0)
        sim_at(w, w->now_ns + crowd->every_ns, attempt, crowd);
}

void lab_crowd_begin(struct lab *l, struct lab_crowd *crowd, uint64_t rate, uint64_t seconds)
{
    crowd->l = l;
    crowd->every_ns = sim_s(1) / rate;
    crowd->wanted = rate * seconds;
    if (crowd->port[0] == 0)
        crowd->port[0] = 80;
    l->user = crowd;
    l->on_event = event;
    lab_quiet(l, true);
    for (uint32_t i = 0; i < 2; i++)
        if (crowd->port[i])
            sim_host_listen(l->server, crowd->port[i], BACKLOG);
    sim_at(&l->world, l->world.now_ns, attempt, crowd);
}
