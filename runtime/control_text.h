/* SPDX-License-Identifier: MIT */
/*
 * control_text.h - The text of the control protocol: lines of a word and key=value fields.
 *
 * Both ends use it.  A line is "word key=value key=value"; in a value, bytes that are not
 * printable ASCII, blanks, '%' and '=' are written as %XX.  So a line splits at blanks and a
 * field at its first '='.
 */
#ifndef RUNTIME_CONTROL_TEXT_H
#define RUNTIME_CONTROL_TEXT_H

#include <lastack/types.h>

/* First word of every request and every answer: the version of the protocol. */
#define CONTROL_VERSION "lastack/1"

#define CONTROL_REQUEST_MAX 2048u
#define CONTROL_ANSWER_MAX 32768u
#define CONTROL_FIELDS_MAX 80u

/* Writing: what does not fit is left out whole, and @full is set. ------------------ */

struct control_out {
    char *bytes;
    uint32_t len, room;
    uint32_t line; /* where the line in progress begins */
    bool full;
};

void control_out_begin(struct control_out *o, char *bytes, uint32_t room);
void control_word(struct control_out *o, const char *word);
void control_field(struct control_out *o, const char *key, const char *value);
void control_number(struct control_out *o, const char *key, uint64_t value);
/* "10.0.0.1:80", "[fd00::1]:80" */
void control_endpoint(struct control_out *o, const char *key, struct la_endpoint e);
/* End the line.  Return: false, with nothing of the line kept, if it did not fit. */
bool control_line(struct control_out *o);

/* Reading ------------------------------------------------------------------------- */

struct control_in {
    const char *word; /* the first word of the line */
    const char *keys[CONTROL_FIELDS_MAX];
    const char *values[CONTROL_FIELDS_MAX];
    uint32_t count;
};

/*
 * control_parse() - Take a line apart, in place.
 * @line: NUL-terminated, without its end of line; changed, and borrowed by @out
 *
 * A word without '=' after the first becomes a value without a key ("").
 * Return: false if it is empty, has too many fields or a wrong %XX.
 */
bool control_parse(char *line, struct control_in *out);
/* NULL if there is no such key. */
const char *control_get(const struct control_in *in, const char *key);
/* @fallback if there is no such key.  Return: false if it is there and no number. */
bool control_get_number(const struct control_in *in, const char *key, uint64_t fallback,
                        uint64_t *out);
bool control_parse_number(const char *text, uint64_t *out);
bool control_parse_endpoint(const char *text, struct la_endpoint *out);

#endif
