/* SPDX-License-Identifier: MIT */
/*
 * http_conn.h - One connection of the file server, as http_server.c, http_request.c and
 * http_reply.c see it.
 */
#ifndef CLI_HTTP_CONN_H
#define CLI_HTTP_CONN_H

#include "cli/http_condition.h"
#include "cli/http_path.h"
#include "cli/http_range.h"
#include "cli/http_server.h"

#include <http_parser.h>

#define HTTP_HEAD_MAX 16384 /* bytes of a request's head: beyond it, 431 */
#define HTTP_REPLY_HEAD_MAX 2048
#define HTTP_SPANS 16

enum http_phase {
    HTTP_READ,   /* a request, or the silence before one */
    HTTP_REPLY,  /* its answer */
    HTTP_LINGER, /* our FIN is out; what still comes is read and dropped until theirs */
};

/* What the parser has told so far. */
struct http_request {
    bool begun, head_done, complete;
    bool keep_alive, expects_continue;
    unsigned status; /* an error that ends the request; 0 if none */
    const char *why; /* one sentence for it */
    unsigned hosts;
    uint32_t target_len, name_len, value_len;
    bool in_value;
    char name[24]; /* of the header being read, lower case; cut if longer */
    char value[HTTP_CONDITION_MAX + 1];
    struct http_conditions conditions;
    char target[HTTP_TARGET_MAX + 1];
};

struct http_upload {
    int dir, file; /* -1 if none */
    uint64_t bytes;
    char temp[64];
    char name[HTTP_NAME_MAX + 1];
};

struct http_reply {
    unsigned status;
    uint32_t head_len, head_sent;
    int file; /* -1 if none */
    uint64_t at, left, sent_bytes;
    bool last; /* no further request is read */
    /* Of an answer in several parts (RFC 9110 14.6): what goes before each, and what is left. */
    unsigned part, parts; /* parts == 0: not one of those */
    uint64_t size, boundary;
    const char *type;
    struct http_range ranges[HTTP_RANGES_MAX];
    char head[HTTP_REPLY_HEAD_MAX];
};

struct http_conn {
    la_conn_id id;
    struct la_endpoint remote;
    struct http_server *server;
    const struct http_server_config *config; /* the server's */
    struct http_conn *older, *newer;         /* by the time of the last progress */
    la_time active;
    enum http_phase phase;
    http_parser parser;
    struct http_request request;
    struct http_upload upload;
    struct http_reply reply;
};

/* http_request.c: reading -------------------------------------------------------- */

void http_request_begin(struct http_conn *c);

/*
 * Feed bytes of the connection.  Return: how many were used.  Then either all were, or
 * c->request says complete or a status.
 */
uint32_t http_request_feed(struct http_conn *c, const uint8_t *bytes, uint32_t len_bytes);

/* Fail the request.  The first reason stands. */
void http_request_fail(struct http_conn *c, unsigned status, const char *why);

/* http_upload.c: bodies of PUT ------------------------------------------------------ */

void http_upload_begin(struct http_conn *c);
void http_upload_write(struct http_conn *c, const char *bytes, size_t len_bytes);
/* Give the file its name.  Return: 201, 204, or an error with c->request failed. */
unsigned http_upload_finish(struct http_conn *c);
/* Remove what is unfinished; nothing to do after http_upload_finish(). */
void http_upload_drop(struct http_conn *c);

/* http_reply.c: answering --------------------------------------------------------- */

/* Decide the answer to c->request and write its head. */
void http_reply_begin(struct http_conn *c);
/* "HTTP/1.1 100 Continue", to be sent like a head. */
void http_reply_continue(struct http_conn *c);
/*
 * What was begun has been sent as far as it goes: go on with the next part of several.
 *
 * Return: false if there is none.
 */
bool http_reply_next(struct http_conn *c);
void http_reply_drop(struct http_conn *c);

#endif
