/* SPDX-License-Identifier: MIT */
/*
 * addr.c - Addresses and prefixes: tests, reading, writing.
 *
 * Reading takes what RFC 4291 2.2 allows and nothing more: dotted quads without leading
 * zeros (which some read as octal), groups of one to four hexadecimal digits, one "::"
 * for one group or more, no zone.  Writing follows RFC 5952: lower case, no leading zeros,
 * the first of the longest runs of two zero groups or more as "::".
 *
 * An IPv4 address is its mapped form (::ffff:a.b.c.d), so both families share all code,
 * and IPv4's /n is /96+n.
 */
#include <lastack/types.h>

#include "core/base/addr.h"
#include "core/base/assert.h"
#include "core/base/bytes.h"
#include "core/base/mem.h"

#define V4_AT 12u /* where the four octets lie */
#define NO_GAP 17u

static const uint8_t mapped[V4_AT] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

struct la_addr la_addr_v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    return (struct la_addr){ { [10] = 0xff, [11] = 0xff, a, b, c, d } };
}

bool la_addr_is_v4(struct la_addr a)
{
    return memcmp(a.bytes, mapped, sizeof mapped) == 0;
}

bool la_addr_equal(struct la_addr a, struct la_addr b)
{
    return memcmp(a.bytes, b.bytes, sizeof a.bytes) == 0;
}

bool la_addr_is_unspecified(struct la_addr a)
{
    return la_addr_equal(a, (struct la_addr){ { 0 } }) || la_addr_equal(a, la_addr_v4(0, 0, 0, 0));
}

struct la_prefix la_prefix_any(void)
{
    return (struct la_prefix){ { { 0 } }, 0 };
}

struct la_prefix la_prefix_any_v4(void)
{
    return (struct la_prefix){ la_addr_v4(0, 0, 0, 0), 96 };
}

struct la_prefix la_prefix_host(struct la_addr a)
{
    return (struct la_prefix){ a, 128 };
}

bool la_prefix_covers(struct la_prefix p, struct la_addr a)
{
    LA_ASSERT(p.len <= 128);
    return addr_covered(&p, &a);
}

/* Reading ---------------------------------------------------------------------- */

/*
 * Each read_ function takes what it can from @text, and returns what follows it, or NULL
 * if there is nothing of the kind.
 */

/* A decimal number of at most three digits without a leading zero. */
static const char *read_decimal(const char *text, uint32_t max, uint32_t *out)
{
    uint32_t digits = 0;
    *out = 0;
    while (digits < 3 && text[digits] >= '0' && text[digits] <= '9')
        *out = *out * 10 + (uint32_t)(text[digits++] - '0');
    if (digits == 0 || (digits > 1 && text[0] == '0') || *out > max)
        return NULL;
    return text + digits;
}

static const char *read_v4(const char *text, uint8_t out[4])
{
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t octet;
        if (i > 0 && *text++ != '.')
            return NULL;
        text = read_decimal(text, 255, &octet);
        if (text == NULL)
            return NULL;
        out[i] = (uint8_t)octet;
    }
    return text;
}

static uint32_t hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return (uint32_t)(c - '0');
    if (c >= 'a' && c <= 'f')
        return (uint32_t)(c - 'a') + 10;
    if (c >= 'A' && c <= 'F')
        return (uint32_t)(c - 'A') + 10;
    return 16;
}

static const char *read_group(const char *text, uint8_t out[2])
{
    uint32_t digits = 0;
    uint32_t value = 0;
    while (digits < 4 && hex_digit(text[digits]) < 16)
        value = value << 4 | hex_digit(text[digits++]);
    store_be16(out, (uint16_t)value);
    return digits == 0 ? NULL : text + digits;
}

static bool ends(const char *text)
{
    return *text == '\0' || *text == '/';
}

/* Put the zeros where "::" stood: @n bytes were read, @gap of them before it. */
static void open_gap(uint8_t bytes[16], uint32_t n, uint32_t gap)
{
    memmove(bytes + 16 - (n - gap), bytes + gap, n - gap);
    memset(bytes + gap, 0, 16 - n);
}

static const char *read_v6(const char *text, uint8_t out[16])
{
    uint32_t n = 0;
    uint32_t gap = NO_GAP;
    bool more = true;
    if (text[0] == ':') {
        if (text[1] != ':')
            return NULL;
        gap = 0;
        text += 2;
        more = !ends(text);
    }
    while (more && n < 16) {
        const char *const quad = n <= V4_AT ? read_v4(text, out + n) : NULL;
        const bool last = quad != NULL && ends(quad);
        text = last ? quad : read_group(text, out + n);
        if (text == NULL)
            return NULL;
        n += last ? 4 : 2;
        if (ends(text))
            more = false;
        else if (*text++ != ':')
            return NULL;
        else if (*text == ':') {
            if (gap != NO_GAP)
                return NULL;
            gap = n;
            text++;
            more = !ends(text);
        }
    }
    /* "::" stands for one group at least; without it there are eight. */
    if (more || (gap == NO_GAP) != (n == 16))
        return NULL;
    if (gap != NO_GAP)
        open_gap(out, n, gap);
    return text;
}

static const char *read_addr(const char *text, struct la_addr *out, bool *dotted)
{
    struct la_addr v4 = la_addr_v4(0, 0, 0, 0);
    const char *rest = read_v4(text, v4.bytes + V4_AT);
    *dotted = rest != NULL && ends(rest);
    if (*dotted)
        *out = v4;
    else
        rest = read_v6(text, out->bytes);
    return rest;
}

bool la_addr_parse(const char *text, struct la_addr *out)
{
    struct la_addr a = { { 0 } };
    bool dotted;
    const char *const rest = read_addr(text, &a, &dotted);
    if (rest == NULL || *rest != '\0')
        return false;
    *out = a;
    return true;
}

static bool host_bits_zero(struct la_prefix p)
{
    uint32_t set = p.len % 8u == 0 ? 0 : p.addr.bytes[p.len / 8u] & 0xffu >> p.len % 8u;
    for (uint32_t i = (p.len + 7u) / 8u; i < 16; i++)
        set |= p.addr.bytes[i];
    return set == 0;
}

bool la_prefix_parse(const char *text, bool lax, struct la_prefix *out)
{
    struct la_prefix p = { { { 0 } }, 128 };
    bool dotted;
    const char *rest = read_addr(text, &p.addr, &dotted);
    if (rest == NULL)
        return false;
    if (*rest == '/') {
        uint32_t len;
        rest = read_decimal(rest + 1, dotted ? 32 : 128, &len);
        if (rest == NULL)
            return false;
        p.len = (uint8_t)(dotted ? 96 + len : len);
    }
    if (*rest != '\0' || (!lax && !host_bits_zero(p)))
        return false;
    *out = p;
    return true;
}

/* Writing ---------------------------------------------------------------------- */

static char *write_octet(char *to, uint32_t octet)
{
    if (octet >= 100)
        *to++ = (char)('0' + octet / 100);
    if (octet >= 10)
        *to++ = (char)('0' + octet / 10 % 10);
    *to++ = (char)('0' + octet % 10);
    return to;
}

static char *write_group(char *to, uint32_t group)
{
    bool leading = true;
    for (uint32_t shift = 16; shift > 0; shift -= 4) {
        const uint32_t digit = group >> (shift - 4) & 15u;
        leading = leading && digit == 0 && shift > 4;
        if (!leading)
            *to++ = "0123456789abcdef"[digit];
    }
    return to;
}

/* The first of the longest runs of zero groups, if it has two or more; else length 0. */
static uint32_t longest_run(struct la_addr a, uint32_t *first)
{
    uint32_t best = 1;
    uint32_t run = 0;
    for (uint32_t i = 0; i < 8; i++) {
        run = load_be16(a.bytes + (size_t)2 * i) == 0 ? run + 1 : 0;
        if (run > best) {
            best = run;
            *first = i + 1 - run;
        }
    }
    return best > 1 ? best : 0;
}

char *la_addr_format(struct la_addr a, char text[LA_ADDR_TEXT_BYTES])
{
    char *to = text;
    if (la_addr_is_v4(a)) {
        for (uint32_t i = V4_AT; i < 16; i++) {
            if (i > V4_AT)
                *to++ = '.';
            to = write_octet(to, a.bytes[i]);
        }
    } else {
        uint32_t first = 8;
        const uint32_t run = longest_run(a, &first);
        for (uint32_t i = 0; i < 8;) {
            if (i == first) {
                *to++ = ':';
                *to++ = ':';
                i += run;
                continue;
            }
            if (i > 0 && i != first + run)
                *to++ = ':';
            to = write_group(to, load_be16(a.bytes + (size_t)2 * i));
            i++;
        }
    }
    *to = '\0';
    LA_ASSERT(to < text + LA_ADDR_TEXT_BYTES);
    return text;
}
