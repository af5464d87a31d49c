/* SPDX-License-Identifier: MIT */
/* pairs.h - Two stacks in every pair of states a loss or a close can leave them in. */
#ifndef TESTS_CAMPAIGN_PAIRS_H
#define TESTS_CAMPAIGN_PAIRS_H

#include "tests/fuzz/duo.h"

enum pair {
    PAIR_ESTABLISHED,
    PAIR_FIN_WAIT_2_CLOSE_WAIT,
    PAIR_FIN_WAIT_1_ESTABLISHED, /* the FIN was lost */
    PAIR_FIN_WAIT_1_BOTH,        /* both were */
    PAIR_CLOSING_BOTH,           /* they crossed, and their ACKs were lost */
    PAIR_FIN_WAIT_2_LAST_ACK,    /* the second FIN was lost */
    PAIR_TIME_WAIT_LAST_ACK,     /* the last ACK was */
    PAIR_TIME_WAIT_CLOSED,
    PAIR_SYN_SENT_LISTEN,
    PAIR_SYN_SENT_SYN_RECEIVED,
    PAIR_ESTABLISHED_SYN_RECEIVED,
    PAIR_SYN_SENT_BOTH,
    PAIR_SIMULTANEOUS_BOTH, /* SYN-RECEIVED, both by simultaneous open */
    PAIR_ESTABLISHED_CLOSED,
    PAIR_ZERO_WINDOWS, /* both are full */
    PAIRS,
};

extern const char *const pair_names[PAIRS];

#define PAIR_PORT 80
#define PAIR_CLIENT_PORT 5000

/* Numbers a segment to @side would have if it were right. */
struct pair_numbers {
    tcp_seq seq, ack;
    uint32_t wnd;
};

/* Side 1 is the client. */
struct duo *pair_bring(enum pair pair, uint32_t flags, struct pair_numbers numbers[2]);

#endif
