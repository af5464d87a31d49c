/* SPDX-License-Identifier: MIT */
/*
 * files.h - A program at the server with descriptors and an epoll, for scenarios about programs.
 *
 * One pass of its loop is one epoll_wait() and what the scenario's function does with what that
 * tells.  A pass takes LAB_PASS_US of the processor, so a program that has always something to do
 * makes 10,000 a second, and that is what a processor at 100 % looks like here.
 */
#ifndef SIM_LAB_FILES_H
#define SIM_LAB_FILES_H

#include <lastack/socket.h>

#include "sim/lab/lab.h"

#define LAB_PASS_US 100u

struct lab_files {
    struct lab *l;
    struct sim_host *host;
    struct la_sockets *sockets;
    int listener, epoll;
    /* What the program does with a descriptor that is ready. */
    void (*ready)(struct lab_files *f, int fd, uint32_t events);
    bool reuse; /* SO_REUSEADDR on the listener */
    bool planned;
    bool listening;  /* the listener stands in the epoll */
    uint64_t passes; /* of the loop, that had something ready */
    uint64_t accepted, failed, ends;
};

/* A listener on @port, and @nofile descriptors in all, the listener and the epoll among them. */
void lab_files_begin(struct lab *l, struct lab_files *f, struct sim_host *host, uint16_t port,
                     uint32_t nofile);
void lab_files_end(struct lab_files *f);
/* Ask for the listener, or do not. */
void lab_files_listen(struct lab_files *f, bool on);
/* accept() once, and ask for what comes.  Return: the descriptor, or a negative errno. */
int lab_files_accept(struct lab_files *f);

#endif
