/* SPDX-License-Identifier: MIT */
/*
 * parse_tcp_options.c - TCP options as written, to bytes as on the wire.
 *
 *     <mss 1460,nop,wscale 7,sackOK,sack 1:101 201:301,TS val 1 ecr 2,FO a1b2,kind 253 0102,eol>
 *
 * Values stay in the script's numbers; where timestamps and SACK blocks lie is noted, so that
 * the runner can put the connection's numbers there.  As an option list is compared byte by
 * byte it has to fill its header: its length must be a multiple of 4.
 */
#include "drill/reader.h"

#include <string.h>

static bool put(struct drill_reader *r, struct drill_options *o, uint8_t byte)
{
    if (o->len == sizeof o->bytes)
        return drill_expected(r, "at most 40 bytes of TCP options");
    o->bytes[o->len++] = byte;
    return true;
}

static bool put_number(struct drill_reader *r, struct drill_options *o, uint64_t n, int bytes)
{
    for (int i = bytes - 1; i >= 0; i--)
        if (!put(r, o, (uint8_t)(n >> (8 * i))))
            return false;
    return true;
}

static bool read_timestamps(struct drill_reader *r, struct drill_options *o)
{
    uint64_t val = 0, ecr = 0;
    if (!drill_need(r, "val"))
        return false;
    o->val_any = drill_take(r, "*") || drill_take(r, "...");
    if (!o->val_any && !drill_unsigned(r, "a timestamp", UINT32_MAX, &val))
        return false;
    if (!drill_need(r, "ecr"))
        return false;
    o->ecr_any = drill_take(r, "*") || drill_take(r, "...");
    o->ecr_absolute = !o->ecr_any && drill_take(r, "abs");
    if (!o->ecr_any && !drill_unsigned(r, "a timestamp", UINT32_MAX, &ecr))
        return false;
    o->timestamps_at = o->len + 2;
    return put(r, o, 8) && put(r, o, 10) && put_number(r, o, val, 4) && put_number(r, o, ecr, 4);
}

static bool read_sack(struct drill_reader *r, struct drill_options *o)
{
    const uint8_t at = o->len;
    if (!put(r, o, 5) || !put(r, o, 2))
        return false;
    o->sack_at = o->len;
    while (drill_is_digit(drill_peek(r))) {
        uint64_t left, right;
        if (!drill_unsigned(r, "the left edge of a SACK block", UINT32_MAX, &left) ||
            !drill_need(r, ":") ||
            !drill_unsigned(r, "the right edge of a SACK block", UINT32_MAX, &right) ||
            !put_number(r, o, left, 4) || !put_number(r, o, right, 4))
            return false;
        o->sack_blocks++;
        o->bytes[at + 1] = (uint8_t)(o->bytes[at + 1] + 8);
    }
    return o->sack_blocks > 0 || drill_expected(r, "a SACK block, left:right");
}

static int hex(char c)
{
    if (drill_is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* The bytes behind kind and length, as hexadecimal digits; none is allowed. */
static bool read_bytes(struct drill_reader *r, struct drill_options *o, uint8_t kind,
                       const char *magic)
{
    const uint8_t at = o->len;
    if (!put(r, o, kind) || !put(r, o, 2))
        return false;
    for (size_t i = 0; i < strlen(magic); i++)
        if (!put(r, o, (uint8_t)magic[i]))
            return false;
    size_t len;
    const char *digits = drill_run(r, ",>", &len);
    const size_t skip = len >= 2 && digits[0] == '0' && digits[1] == 'x' ? 2 : 0;
    if ((len - skip) % 2 != 0)
        return drill_expected(r, "whole bytes in hexadecimal");
    for (size_t i = skip; i < len; i += 2) {
        if (hex(digits[i]) < 0 || hex(digits[i + 1]) < 0) {
            r->at = digits;
            return drill_expected(r, "bytes in hexadecimal");
        }
        if (!put(r, o, (uint8_t)(hex(digits[i]) << 4 | hex(digits[i + 1]))))
            return false;
    }
    o->bytes[at + 1] = (uint8_t)(o->len - at);
    return true;
}

static bool read_accurate_ecn(struct drill_reader *r, struct drill_options *o)
{
    uint64_t a, b, c;
    if (!drill_need(r, "e1b") || !drill_unsigned(r, "a byte counter", 0xffffff, &a) ||
        !drill_need(r, "ceb") || !drill_unsigned(r, "a byte counter", 0xffffff, &b) ||
        !drill_need(r, "e0b") || !drill_unsigned(r, "a byte counter", 0xffffff, &c))
        return false;
    return put(r, o, 174) && put(r, o, 11) && put_number(r, o, a, 3) && put_number(r, o, b, 3) &&
           put_number(r, o, c, 3);
}

static bool read_option(struct drill_reader *r, struct drill_options *o)
{
    uint64_t n;
    if (drill_take(r, "nop"))
        return put(r, o, 1);
    if (drill_take(r, "eol"))
        return put(r, o, 0);
    if (drill_take(r, "mss"))
        return drill_unsigned(r, "an MSS", 65535, &n) && put(r, o, 2) && put(r, o, 4) &&
               put_number(r, o, n, 2);
    if (drill_take(r, "wscale"))
        return drill_unsigned(r, "a window scale", 255, &n) && put(r, o, 3) && put(r, o, 3) &&
               put_number(r, o, n, 1);
    if (drill_take(r, "sackOK"))
        return put(r, o, 4) && put(r, o, 2);
    if (drill_take(r, "sack"))
        return read_sack(r, o);
    if (drill_take(r, "TS"))
        return read_timestamps(r, o);
    if (drill_take(r, "FOEXP"))
        return read_bytes(r, o, 254, "\xf9\x89");
    if (drill_take(r, "FO"))
        return read_bytes(r, o, 34, "");
    if (drill_take(r, "ECN"))
        return read_accurate_ecn(r, o);
    if (drill_take(r, "md5"))
        return drill_refused(r, "TCP-MD5");
    if (drill_take(r, "kind"))
        return drill_unsigned(r, "an option's kind", 255, &n) && read_bytes(r, o, (uint8_t)n, "");
    return drill_expected(r, "a TCP option: nop eol mss wscale sackOK sack TS FO FOEXP kind");
}

bool drill_read_tcp_options(struct drill_reader *r, struct drill_options *o)
{
    if (drill_take(r, "...")) {
        o->any = true;
        return drill_need(r, ">");
    }
    if (drill_take(r, ">"))
        return true;
    do {
        if (!read_option(r, o))
            return false;
    } while (drill_take(r, ","));
    if (o->len % 4 != 0)
        return drill_expected(r, "options that fill their header: %u bytes, not a multiple of 4",
                              o->len);
    return drill_need(r, ">");
}
