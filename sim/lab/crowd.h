/* SPDX-License-Identifier: MIT */
/*
 * crowd.h - Many short connections at a steady rate, for scenarios about what they leave behind.
 *
 * The client opens one after the other; a connection that is open is closed at once by the side that
 * is to close first, and by the other when it reads end of file.  Nothing is drawn.
 */
#ifndef SIM_LAB_CROWD_H
#define SIM_LAB_CROWD_H

#include "sim/lab/lab.h"

struct lab_crowd {
    struct lab *l;
    bool server_first; /* who closes first */
    uint16_t port[2];  /* destinations, in turn; the second 0: one */
    uint64_t every_ns;
    uint64_t wanted; /* attempts still to be made */
    /* What came of it */
    uint64_t attempts, opened, refused; /* refused: EADDRNOTAVAIL */
    uint64_t first_refused_ns;          /* 0: none */
    uint64_t peak;                      /* TIME_WAITs at the client, at most */
    enum la_err other;                  /* an error nobody expected */
};

/* Begin: @rate attempts a second, @seconds long, from now on.  lab_run() lets it happen. */
void lab_crowd_begin(struct lab *l, struct lab_crowd *crowd, uint64_t rate, uint64_t seconds);

#endif
