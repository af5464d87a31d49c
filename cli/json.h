/* SPDX-License-Identifier: MIT */
/*
 * json.h - One JSON object a line: what --json prints.
 *
 * A reader may take each line by itself; keys that are not known should be passed over.
 */
#ifndef CLI_JSON_H
#define CLI_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json {
    FILE *out;
    bool first; /* no comma is due */
};

/* "{" with the members "event" and "time" (seconds, nine decimals). */
void json_event(struct json *j, FILE *out, const char *event, uint64_t time_ns);
void json_text(struct json *j, const char *key, const char *value);
void json_number(struct json *j, const char *key, uint64_t value);
/* Seconds with nine decimals. */
void json_seconds(struct json *j, const char *key, uint64_t ns);
void json_bool(struct json *j, const char *key, bool value);
void json_object(struct json *j, const char *key);
void json_object_end(struct json *j);
/* "}" and the end of the line, flushed. */
void json_end(struct json *j);

#endif
