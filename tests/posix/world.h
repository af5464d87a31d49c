/* SPDX-License-Identifier: MIT */
/*
 * world.h - The same calls on two hosts of lastack and on the kernel's loopback.
 *
 * A world has two sides, 0 and 1, with numbered slots for sockets. Calls return what the
 * system call returns, errors as a negative errno. Both of the kernel's sides are 127.0.0.1
 * or ::1, and nothing else is ever spoken to. Ports are named by number, 1 to WORLD_PORTS;
 * each side has its own, so that two sides on one kernel do not meet.
 */
#ifndef TESTS_POSIX_WORLD_H
#define TESTS_POSIX_WORLD_H

#include "tests/posix/net.h"

#define WORLD_SLOTS 8
#define WORLD_PORTS 3
#define WORLD_EPOLL WORLD_SLOTS /* the slot of a side's epoll */

enum world_family { WORLD_V4, WORLD_V6, WORLD_MAPPED };
enum world_where { WORLD_OWN, WORLD_ANY, WORLD_STRANGE };

struct world {
    bool kernel;
    enum world_family family;
    struct net *net;
    uint16_t port_base; /* of the kernel's */
    int fd[2][WORLD_SLOTS + 1];
};

/* The number before ports of the kernel that nobody uses, TIME-WAIT included. */
uint16_t world_free_ports(uint32_t start);
struct world *world_new(bool kernel, enum world_family family, uint16_t port_base);
void world_free(struct world *w);
/* Let what was sent arrive. */
void world_settle(struct world *w);

int64_t world_socket(struct world *w, int side, int slot);
int64_t world_bind(struct world *w, int side, int slot, enum world_where where, int port);
int64_t world_listen(struct world *w, int side, int slot, int backlog);
/* Into @to. */
int64_t world_accept(struct world *w, int side, int slot, int to);
/* To @port of the other side; to nowhere (AF_UNSPEC) if it is negative. */
int64_t world_connect(struct world *w, int side, int slot, int port);
int64_t world_send(struct world *w, int side, int slot, const void *bytes, size_t len, int flags);
int64_t world_recv(struct world *w, int side, int slot, void *bytes, size_t len, int flags);
int64_t world_shutdown(struct world *w, int side, int slot, int how);
int64_t world_close(struct world *w, int side, int slot);
int64_t world_set(struct world *w, int side, int slot, int level, int name, const void *value,
                  uint32_t len);
/* An int option, or a negative errno less 1000. */
int64_t world_get(struct world *w, int side, int slot, int level, int name);
/* The number of the port, 0 for none, 99 for an ephemeral one; or a negative errno. */
int64_t world_name(struct world *w, int side, int slot, bool peer);
int64_t world_inq(struct world *w, int side, int slot);
/* Linux's number of the TCP state. */
uint8_t world_state(struct world *w, int side, int slot);
int64_t world_poll(struct world *w, int side, int slot);
int64_t world_epoll_ctl(struct world *w, int side, int op, int slot, uint32_t events);
/* What each slot was told: events[slot]. Return: how many. */
int64_t world_epoll_wait(struct world *w, int side, uint32_t events[WORLD_SLOTS]);

#endif
