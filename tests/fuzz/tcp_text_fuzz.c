/* SPDX-License-Identifier: MIT */
/* tcp_text_fuzz.c - Any line as a segment: what is understood can be written and read back. */
#include "core/wire/tcp.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes);

static void require(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes)
{
    if (len_bytes > 4096)
        return 0;
    char *line = malloc(len_bytes + 1);
    if (line == NULL)
        return 0;
    if (len_bytes > 0)
        memcpy(line, bytes, len_bytes);
    line[len_bytes] = '\0';

    for (int outbound = 0; outbound < 2; outbound++) {
        const struct tcp_text_bases bases = { seq_of(0xffffff00), seq_of(0x7fffff00),
                                              outbound != 0 };
        struct tcp_seg seg, back;
        char text[512], again[512];
        if (tcp_text_parse(line, &bases, &seg) != NULL)
            continue;
        const uint32_t len = tcp_text_format(&seg, &bases, text, sizeof text);
        require(len == strlen(text) && len < sizeof text - 1);
        require(tcp_text_parse(text, &bases, &back) == NULL);
        tcp_text_format(&back, &bases, again, sizeof again);
        require(strcmp(text, again) == 0);
        require(seq_raw(seg.seq) == seq_raw(back.seq) && seq_raw(seg.ack) == seq_raw(back.ack) &&
                seg.flags == back.flags && seg.len == back.len && seg.wnd == back.wnd);
    }
    free(line);
    return 0;
}
