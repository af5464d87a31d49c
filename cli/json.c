/* SPDX-License-Identifier: MIT */
/* json.c - One JSON object a line; strings are escaped as RFC 8259 section 7 asks. */
#include "cli/json.h"

#include <inttypes.h>

static void string(FILE *out, const char *s)
{
    fputc('"', out);
    for (; *s != '\0'; s++) {
        const unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (c < 0x20 || c >= 0x7f) /* bytes of unknown encoding: as Latin-1, to stay valid */
            fprintf(out, "\\u%04x", c);
        else
            fputc(c, out);
    }
    fputc('"', out);
}

static void key(struct json *j, const char *name)
{
    if (!j->first)
        fputc(',', j->out);
    j->first = false;
    string(j->out, name);
    fputc(':', j->out);
}

void json_event(struct json *j, FILE *out, const char *event, uint64_t time_ns)
{
    *j = (struct json){ .out = out, .first = true };
    fputc('{', out);
    json_text(j, "event", event);
    json_seconds(j, "time", time_ns);
}

void json_text(struct json *j, const char *name, const char *value)
{
    key(j, name);
    string(j->out, value);
}

void json_number(struct json *j, const char *name, uint64_t value)
{
    key(j, name);
    fprintf(j->out, "%" PRIu64, value);
}

void json_seconds(struct json *j, const char *name, uint64_t ns)
{
    key(j, name);
    fprintf(j->out, "%" PRIu64 ".%09u", ns / 1000000000u, (unsigned)(ns % 1000000000u));
}

void json_bool(struct json *j, const char *name, bool value)
{
    key(j, name);
    fputs(value ? "true" : "false", j->out);
}

void json_object(struct json *j, const char *name)
{
    key(j, name);
    fputc('{', j->out);
    j->first = true;
}

void json_object_end(struct json *j)
{
    fputc('}', j->out);
    j->first = false;
}

void json_end(struct json *j)
{
    fputs("}\n", j->out);
    fflush(j->out);
}
