/* SPDX-License-Identifier: MIT */
/* http_range.h - Byte ranges of a request (RFC 9110 section 14.1). */
#ifndef CLI_HTTP_RANGE_H
#define CLI_HTTP_RANGE_H

#include <stdint.h>

#define HTTP_RANGES_MAX 16 /* in one request; one that asks for more gets the whole file */

struct http_range {
    uint64_t first, len_bytes;
};

enum http_ranges {
    HTTP_RANGES_IGNORED,     /* answer with the whole file, 200 */
    HTTP_RANGES_GIVEN,       /* answer with these parts, 206 */
    HTTP_RANGES_UNSATISFIED, /* none of them is in the file: 416 */
};

/*
 * http_range_parse() - Which parts of a file of @size bytes a Range header asks for.
 * @out: Those that are in the file, cut at its end, in the order asked for
 *
 * What RFC 9110 14.2 lets a server ignore, this one ignores: another unit, a list that is none,
 * more ranges than HTTP_RANGES_MAX, ranges that together are longer than the file.  So an answer
 * is never much longer than the file, whatever is asked.
 */
enum http_ranges http_range_parse(const char *value, uint64_t size,
                                  struct http_range out[HTTP_RANGES_MAX], unsigned *count);

#endif
