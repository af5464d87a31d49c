/* SPDX-License-Identifier: MIT */
/*
 * net.h - Two hosts with sockets, joined by a wire in memory, in virtual time.
 *
 * Host 0 has the client, host 1 the server.  Nothing moves until net_turn().
 */
#ifndef TESTS_POSIX_NET_H
#define TESTS_POSIX_NET_H

#include <lastack/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "tests/unit/wire2.h"

struct net {
    struct w2 *w;
    struct la_sockets *x[2];
};

struct net_opt {
    bool v6;
    uint32_t nofile;
    const struct la_config *config[2];
};

/* An address of one host, as a call takes it. */
struct net_addr {
    struct sockaddr_storage sa;
    uint32_t len;
};

struct net *net_new(const struct net_opt *opt);
void net_free(struct net *n);
/* Packets and events until nothing moves. */
void net_turn(struct net *n);
void net_run(struct net *n, uint64_t ns);

#define NET(n) ((const struct sockaddr *)&(n).sa), ((n).len)

/* Of host @side, in the net's family, unless told otherwise. */
struct net_addr net_addr(const struct net *n, int side, uint16_t port);
struct net_addr net_any(bool v6, uint16_t port);
struct net_addr net_text(const char *addr, uint16_t port);
/* "::ffff:10.0.0.2" of an IPv4 net. */
struct net_addr net_mapped(const struct net *n, int side, uint16_t port);
/* The port a socket is bound to. */
uint16_t net_port(struct net *n, int side, int fd);

/* A listener on host 1, and a connection to it: fd[0] and fd[1]. */
int net_listen(struct net *n, uint16_t port, int backlog);
void net_pair(struct net *n, int listener, uint16_t port, int fd[2]);
/* poll() of one descriptor for everything. */
int net_poll(struct net *n, int side, int fd);
int net_option(struct net *n, int side, int fd, int level, int name);

#endif
