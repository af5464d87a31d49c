/* SPDX-License-Identifier: MIT */
/* sink.h - Writing to a descriptor without waiting for its reader. */
#ifndef CLI_SINK_H
#define CLI_SINK_H

#include <lastack/runtime.h>

struct sink {
    struct la_rt_loop *loop;
    int fd;
    bool regular; /* a file: never full */
    bool watched;
    uint8_t *buffer; /* what the reader did not take yet */
    size_t cap, len, at;
    int error; /* errno of the first failure; then everything is discarded */
    void *context;
    void (*on_drained)(void *context, la_time now); /* the buffer is empty again, or failed */
};

void sink_open(struct sink *s, struct la_rt_loop *loop, int fd, void *context,
               void (*on_drained)(void *context, la_time now));
/* Write what can be written and keep the rest; while sink_full(), give it no more. */
void sink_put(struct sink *s, const uint8_t *bytes, size_t len_bytes);
bool sink_full(const struct sink *s);
void sink_close(struct sink *s);

#endif
