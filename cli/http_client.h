/* SPDX-License-Identifier: MIT */
/* http_client.h - One HTTP request on a stack, and its answer. */
#ifndef CLI_HTTP_CLIENT_H
#define CLI_HTTP_CLIENT_H

#include "cli/net.h"
#include "cli/sink.h"

#include <http_parser.h>

struct http_fetch_config {
    struct la_stack *stack;
    struct la_rt_loop *loop;
    const struct net_url *url;
    struct la_endpoint remote;
    int output; /* the body goes there */
    int upload; /* a regular file to PUT, or -1: GET */
    uint64_t upload_bytes;
    bool keep_alive; /* do not ask the server to close: then this side closes first */
    void *context;
    void (*on_done)(void *context, la_time now);
};

struct http_fetch {
    struct http_fetch_config config;
    la_conn_id conn;
    bool done;       /* nothing more will happen */
    unsigned status; /* of the answer; 0 if none came */
    char error[160]; /* why it failed; "" if an answer came whole */
    uint64_t received_bytes, sent_bytes;
    uint64_t expected_bytes; /* UINT64_MAX if the server did not say */

    char head[NET_PATH_BYTES + NET_HOST_BYTES + 512];
    uint32_t head_len, head_sent;
    bool complete;
    la_time close_by; /* when this side closes, if the server does not */
    http_parser parser;
    struct sink sink;
};

/* Open the connection.  Return: false with fetch->error set if that fails at once. */
bool http_fetch_begin(struct http_fetch *f, la_time now, const struct http_fetch_config *config);
/* For struct la_rt_host: @context is the fetch. */
void http_fetch_event(void *context, la_time now, const struct la_event *event);
void http_fetch_turn(void *context, la_time now);
void http_fetch_free(struct http_fetch *f);

#endif
