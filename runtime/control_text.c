/* SPDX-License-Identifier: MIT */
/* control_text.c - Lines of the control protocol, written and read; see control_text.h. */
#include "runtime/control_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void control_out_begin(struct control_out *o, char *bytes, uint32_t room)
{
    *o = (struct control_out){ .bytes = bytes, .room = room };
}

static void put(struct control_out *o, char c)
{
    if (o->len < o->room)
        o->bytes[o->len++] = c;
    else
        o->full = true;
}

static void put_text(struct control_out *o, const char *text)
{
    for (; *text != '\0'; text++)
        put(o, *text);
}

static void put_escaped(struct control_out *o, const char *text)
{
    static const char hex[] = "0123456789ABCDEF";

    for (; *text != '\0'; text++) {
        const unsigned char c = (unsigned char)*text;
        if (c > 0x20 && c < 0x7f && c != '%' && c != '=') {
            put(o, (char)c);
            continue;
        }
        put(o, '%');
        put(o, hex[c >> 4]);
        put(o, hex[c & 15]);
    }
}

void control_word(struct control_out *o, const char *word)
{
    if (o->len > o->line)
        put(o, ' ');
    put_text(o, word);
}

void control_field(struct control_out *o, const char *key, const char *value)
{
    control_word(o, key);
    put(o, '=');
    put_escaped(o, value);
}

void control_number(struct control_out *o, const char *key, uint64_t value)
{
    char text[24];

    snprintf(text, sizeof text, "%" PRIu64, value);
    control_field(o, key, text);
}

void control_endpoint(struct control_out *o, const char *key, struct la_endpoint e)
{
    char addr[LA_ADDR_TEXT_BYTES];
    char text[LA_ADDR_TEXT_BYTES + 16];
    const bool v4 = la_addr_is_v4(e.addr);

    snprintf(text, sizeof text, "%s%s%s:%u", v4 ? "" : "[", la_addr_format(e.addr, addr),
             v4 ? "" : "]", e.port);
    control_field(o, key, text);
}

bool control_line(struct control_out *o)
{
    put(o, '\n');
    if (o->full) {
        o->len = o->line;
        return false;
    }
    o->line = o->len;
    return true;
}

/* Reading ------------------------------------------------------------------------- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool unescape(char *text)
{
    char *to = text;

    for (; *text != '\0'; text++) {
        if (*text != '%') {
            *to++ = *text;
            continue;
        }
        const int high = hex_digit(text[1]);
        const int low = high >= 0 ? hex_digit(text[2]) : -1;
        if (low < 0 || (high == 0 && low == 0))
            return false;
        *to++ = (char)(high * 16 + low);
        text += 2;
    }
    *to = '\0';
    return true;
}

bool control_parse(char *line, struct control_in *out)
{
    char *at = line;

    *out = (struct control_in){ .word = NULL };
    while (*at != '\0') {
        char *end = at + strcspn(at, " ");
        const bool last = *end == '\0';
        *end = '\0';
        if (out->word == NULL) {
            out->word = at;
        } else if (end > at) {
            char *equals = strchr(at, '=');
            if (out->count == CONTROL_FIELDS_MAX)
                return false;
            out->keys[out->count] = equals != NULL ? at : "";
            if (equals != NULL)
                *equals = '\0';
            char *value = equals != NULL ? equals + 1 : at;
            if (!unescape(value))
                return false;
            out->values[out->count++] = value;
        }
        at = last ? end : end + 1;
    }
    return out->word != NULL && out->word[0] != '\0';
}

const char *control_get(const struct control_in *in, const char *key)
{
    for (uint32_t i = 0; i < in->count; i++)
        if (strcmp(in->keys[i], key) == 0)
            return in->values[i];
    return NULL;
}

bool control_parse_number(const char *text, uint64_t *out)
{
    uint64_t v = 0;

    if (text[0] == '\0')
        return false;
    for (; *text != '\0'; text++) {
        const uint64_t digit = (uint64_t)(*text - '0');
        if (*text < '0' || *text > '9' || v > (UINT64_MAX - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    *out = v;
    return true;
}

bool control_get_number(const struct control_in *in, const char *key, uint64_t fallback,
                        uint64_t *out)
{
    const char *text = control_get(in, key);

    *out = fallback;
    return text == NULL || control_parse_number(text, out);
}

bool control_parse_endpoint(const char *text, struct la_endpoint *out)
{
    const char *colon = strrchr(text, ':');
    char addr[LA_ADDR_TEXT_BYTES];
    uint64_t port;

    if (colon == NULL || !control_parse_number(colon + 1, &port) || port > UINT16_MAX)
        return false;
    size_t len = (size_t)(colon - text);
    if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
        text++;
        len -= 2;
    }
    if (len >= sizeof addr)
        return false;
    memcpy(addr, text, len);
    addr[len] = '\0';
    out->port = (uint16_t)port;
    return la_addr_parse(addr, &out->addr);
}
