/* SPDX-License-Identifier: MIT */
/* ladder_text.c - Numbers, times and endpoints for people. */
#include "cli/ladder_lines.h"

#include <inttypes.h>
#include <string.h>

#define NS_PER_S UINT64_C(1000000000)
#define NS_PER_US UINT64_C(1000)

const char *text_grouped(uint64_t n, char to[NUMBER_TEXT_BYTES])
{
    char digits[24];
    const int count = snprintf(digits, sizeof digits, "%" PRIu64, n);
    uint32_t at = 0;
    for (int i = 0; i < count; i++) {
        if (i > 0 && (count - i) % 3 == 0)
            to[at++] = ',';
        to[at++] = digits[i];
    }
    to[at] = '\0';
    return to;
}

/* @n in the largest unit that leaves at least 1, with one digit behind the point. */
static const char *in_units(uint64_t n, const char *const units[5], char to[NUMBER_TEXT_BYTES])
{
    uint64_t divisor = 1;
    uint32_t unit = 0;
    while (unit < 4 && n / divisor >= 1000) {
        divisor *= 1000;
        unit++;
    }
    if (unit == 0) {
        snprintf(to, NUMBER_TEXT_BYTES, "%" PRIu64 " %s", n, units[0]);
        return to;
    }
    const uint64_t tenths = n / (divisor / 10);
    snprintf(to, NUMBER_TEXT_BYTES, "%" PRIu64 ".%" PRIu64 " %s", tenths / 10, tenths % 10,
             units[unit]);
    return to;
}

const char *text_bytes(uint64_t n, char to[NUMBER_TEXT_BYTES])
{
    static const char *const units[] = { "B", "kB", "MB", "GB", "TB" };
    if (n == 1)
        return "1 byte";
    return in_units(n, units, to);
}

const char *text_rate(uint64_t bytes, uint64_t ns, char to[NUMBER_TEXT_BYTES])
{
    static const char *const units[] = { "bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s" };
    const double bits = ns == 0 ? 0 : (double)bytes * 8.0 * 1e9 / (double)ns;
    return in_units((uint64_t)bits, units, to);
}

const char *text_seconds(uint64_t ns, char to[NUMBER_TEXT_BYTES])
{
    snprintf(to, NUMBER_TEXT_BYTES, "%" PRIu64 ".%06" PRIu64, ns / NS_PER_S,
             ns % NS_PER_S / NS_PER_US);
    return to;
}

const char *text_span(uint64_t ms, char to[NUMBER_TEXT_BYTES])
{
    if (ms % 1000 == 0)
        snprintf(to, NUMBER_TEXT_BYTES, "%" PRIu64 " s", ms / 1000);
    else if (ms > 1000)
        snprintf(to, NUMBER_TEXT_BYTES, "%" PRIu64 ".%" PRIu64 " s", ms / 1000, ms % 1000 / 100);
    else
        snprintf(to, NUMBER_TEXT_BYTES, "%" PRIu64 " ms", ms);
    return to;
}

const char *text_endpoint(struct la_endpoint e, char to[ENDPOINT_TEXT_BYTES])
{
    char addr[LA_ADDR_TEXT_BYTES];
    const bool v4 = la_addr_is_v4(e.addr);
    snprintf(to, ENDPOINT_TEXT_BYTES, v4 ? "%s:%u" : "[%s]:%u", la_addr_format(e.addr, addr),
             e.port);
    return to;
}

const char *text_flags(uint8_t flags, char to[FLAGS_TEXT_BYTES])
{
    static const struct {
        uint8_t flag;
        const char *name;
    } names[] = { { FLAG_SYN, "SYN" }, { FLAG_FIN, "FIN" }, { FLAG_RST, "RST" },
                  { FLAG_PSH, "PSH" }, { FLAG_URG, "URG" }, { FLAG_ACK, "ACK" } };
    size_t at = 0;
    to[0] = '\0';
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if ((flags & names[i].flag) == 0)
            continue;
        if (at > 0)
            to[at++] = ' ';
        memcpy(to + at, names[i].name, 4);
        at += 3;
    }
    return at > 0 ? to : "none";
}

uint64_t line_window(const struct ladder *l, enum ladder_side from, uint8_t flags, uint32_t wnd)
{
    const struct side *s = &l->side[from];
    if ((flags & FLAG_SYN) != 0 || !s->scaled) /* RFC 7323 2.2: never on a SYN */
        return wnd;
    return (uint64_t)wnd << (s->scale < 14 ? s->scale : 14);
}
