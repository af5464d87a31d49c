/* SPDX-License-Identifier: MIT */
/* http_range.c - Byte ranges of a request (RFC 9110 section 14.1); see http_range.h. */
#include "cli/http_range.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static void skip_blanks(const char **at)
{
    *at += strspn(*at, " \t");
}

/* Digits; a number too large for its type is larger than any file.  False if there are none. */
static bool number(const char **at, uint64_t *out)
{
    uint64_t v = 0;
    const char *from = *at;

    for (; **at >= '0' && **at <= '9'; (*at)++) {
        const uint64_t digit = (uint64_t)(**at - '0');
        v = v > (UINT64_MAX - digit) / 10 ? UINT64_MAX : v * 10 + digit;
    }
    *out = v;
    return *at != from;
}

/* "5-9", "5-" or "-4".  Return: false if it is none of them; an empty range is not in the file. */
static bool one_range(const char **at, uint64_t size, struct http_range *out)
{
    uint64_t first = 0, last = UINT64_MAX;
    const bool has_first = number(at, &first);

    if (*(*at)++ != '-')
        return false;
    const bool has_last = number(at, &last);
    if (!has_first && !has_last)
        return false;
    if (!has_first) { /* the last so many bytes */
        out->len_bytes = last < size ? last : size;
        out->first = size - out->len_bytes;
        return true;
    }
    if (has_last && last < first)
        return false;
    if (!has_last || last >= size)
        last = size - 1; /* meaningless for an empty file, which holds no first byte either */
    out->first = first;
    out->len_bytes = first < size ? last - first + 1 : 0;
    return true;
}

enum http_ranges http_range_parse(const char *value, uint64_t size,
                                  struct http_range out[HTTP_RANGES_MAX], unsigned *count)
{
    static const char unit[] = "bytes=";
    const char *at = value + sizeof unit - 1;
    unsigned asked = 0;
    uint64_t total = 0;

    *count = 0;
    if (strncasecmp(value, unit, sizeof unit - 1) != 0)
        return HTTP_RANGES_IGNORED;
    for (;;) {
        skip_blanks(&at);
        if (*at == ',') { /* an empty element of a list is none: RFC 9110 5.6.1.2 */
            at++;
            continue;
        }
        if (*at == '\0')
            break;
        struct http_range range;
        if (++asked > HTTP_RANGES_MAX || !one_range(&at, size, &range))
            return HTTP_RANGES_IGNORED;
        skip_blanks(&at);
        if (*at != ',' && *at != '\0')
            return HTTP_RANGES_IGNORED;
        if (range.len_bytes == 0)
            continue;
        total += range.len_bytes;
        out[(*count)++] = range;
        if (total > size)
            return HTTP_RANGES_IGNORED;
    }
    if (asked == 0)
        return HTTP_RANGES_IGNORED;
    return *count > 0 ? HTTP_RANGES_GIVEN : HTTP_RANGES_UNSATISFIED;
}
