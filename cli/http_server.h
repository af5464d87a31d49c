/* SPDX-License-Identifier: MIT */
/* http_server.h - A static file server on a stack: GET, HEAD and PUT below one directory. */
#ifndef CLI_HTTP_SERVER_H
#define CLI_HTTP_SERVER_H

#include <lastack/runtime.h>

struct http_server;

/* One request that has been answered, or given up. */
struct http_log {
    struct la_endpoint remote;
    const char *method, *target;
    unsigned status;                     /* 0: there was no answer */
    uint64_t sent_bytes, received_bytes; /* of bodies */
    enum la_err error;                   /* what ended the connection, LA_OK if nothing did */
};

struct http_server_config {
    struct la_stack *stack;
    struct la_rt_loop *loop;
    int root; /* descriptor of the directory; stays the caller's */
    bool read_only;
    bool unlisted;    /* a directory without an index.html is not there */
    bool close_first; /* close after each response */
    uint64_t upload_max_bytes;
    uint64_t idle_ns; /* a connection without progress for so long is dropped */
    void *context;
    void (*on_log)(void *context, const struct http_log *entry); /* may be NULL */
};

struct http_server_stats {
    uint64_t connections, requests;
    uint32_t open, open_max;
};

/* Return: NULL if out of memory. */
struct http_server *http_server_new(const struct http_server_config *config);
/* Connections still open are reset, unfinished uploads removed. */
void http_server_free(struct http_server *server);

enum la_err http_server_listen(struct http_server *server, struct la_prefix local, uint16_t port);

/* For struct la_rt_host: @context is the server. */
void http_server_event(void *context, la_time now, const struct la_event *event);
void http_server_turn(void *context, la_time now);

void http_server_stats(const struct http_server *server, struct http_server_stats *out);

#endif
