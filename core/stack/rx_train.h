/* SPDX-License-Identifier: MIT */
/* rx_train.h - Segments of one burst that follow each other. */
#ifndef CORE_STACK_RX_TRAIN_H
#define CORE_STACK_RX_TRAIN_H

#include "core/stack/stack.h"
#include "core/wire/tcp_common.h"

/* The segment that was taken last, as it was read and as TCP treated it. */
struct rx_train {
    struct tcp_common p;
    struct tcp_arrival a;
    uint64_t rest_sum; /* of pseudo-header and TCP header but for SEG.SEQ and the checksum */
    bool on;           /* the fast path took it, and it had text: one like it may follow */
};

/* A segment was taken; @train->p and @train->a say how. */
void rx_train_begin(struct rx_train *train);
/*
 * The frame behind @last, which is the last one of @train.  False: it is not one more of them, and
 * nothing was done.
 */
bool rx_train_next(struct la_stack *s, struct rx_train *train, const struct la_frame *last,
                   const struct la_frame *next);

#endif
