/* SPDX-License-Identifier: MIT */
/*
 * http_condition.h - Which version of a file this is, and what a request makes depend on it
 * (RFC 9110 sections 8.8 and 13).
 */
#ifndef CLI_HTTP_CONDITION_H
#define CLI_HTTP_CONDITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stat;

#define HTTP_CONDITION_MAX 256 /* bytes kept of a header with entity tags */
#define HTTP_DATE_BYTES 32

/* The headers as they came; empty: absent. */
struct http_conditions {
    char if_match[HTTP_CONDITION_MAX];
    char if_none_match[HTTP_CONDITION_MAX];
    char if_unmodified_since[HTTP_DATE_BYTES + 8];
    char if_modified_since[HTTP_DATE_BYTES + 8];
    char if_range[HTTP_CONDITION_MAX];
    char range[HTTP_CONDITION_MAX];
};

/* Where the header of this lower-case name is kept, and how much of it; NULL: not one of these. */
char *http_condition_field(struct http_conditions *c, const char *name, size_t *room);

/* A file's version: what ETag and Last-Modified say. */
struct http_version {
    char etag[64];
    int64_t modified_s;
    bool settled; /* it is old enough that a second change would have shown */
};

void http_version_of(const struct stat *st, uint64_t now_ns, struct http_version *out);

/* "Sun, 06 Nov 1994 08:49:37 GMT". */
void http_date_format(int64_t seconds, char text[HTTP_DATE_BYTES]);
/* That, and the two obsolete forms (RFC 9110 5.6.7).  False for anything else. */
bool http_date_parse(const char *text, int64_t *seconds);

/*
 * http_condition_judge() - The steps of RFC 9110 13.2.2, but for the last.
 * @version: NULL if there is no such file
 * @reads:   GET or HEAD
 *
 * Return: 0 to go on, 304 or 412.
 */
unsigned http_condition_judge(const struct http_conditions *c, const struct http_version *version,
                              bool reads);

/* The last step: is If-Range absent, or true? */
bool http_condition_range(const struct http_conditions *c, const struct http_version *version);

#endif
