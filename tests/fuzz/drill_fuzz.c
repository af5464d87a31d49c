/* SPDX-License-Identifier: MIT */
/*
 * drill_fuzz.c - Any text as a packet script: it is read, or the problem is named with its line.
 *
 * What is read is taken apart again: every packet that can be is built and must be read back
 * as a whole one.
 */
#include "tests/fuzz/input.h"

#include "drill/flow.h"
#include "drill/script.h"

#include <string.h>

static void build(const struct drill_packet *p)
{
    static uint8_t bytes[DRILL_PACKET_MAX + 256];
    struct drill_flow flow = { .local_port = 1, .remote_port = 2, .local_offset = 0xffffff00 };
    const struct drill_ends ends = { la_addr_v4(192, 168, 0, 1), la_addr_v4(192, 0, 2, 1), 4 };
    struct drill_segment s;
    uint32_t len;
    char text[512];
    if (p->protocol == DRILL_UDP || drill_flow_build(&flow, &ends, p, bytes, &len) != NULL)
        return;
    must(len <= DRILL_PACKET_MAX);
    must(drill_wire_parse(bytes, len, &s) == NULL);
    must(p->protocol != DRILL_TCP || (s.flags == p->flags && s.text_len == p->seq.len));
    drill_flow_text(&flow, &s, true, text, sizeof text);
    must(strlen(text) < sizeof text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes)
{
    static const struct drill_define defines[] = { { "NAME", "1:1(0)" } };
    struct drill_script script = { 0 };
    struct drill_problem problem;
    uint32_t lines = 1, events = 0;
    if (len_bytes > 8192)
        return 0;
    for (size_t i = 0; i < len_bytes; i++)
        lines += bytes[i] == '\n';
    if (drill_parse("fuzz", (const char *)bytes, len_bytes, defines, 1, &script, &problem)) {
        for (const struct drill_event *e = script.events; e != NULL; e = e->next, events++) {
            must(e->line >= 1 && e->line <= lines && e->source != NULL);
            if (e->kind == DRILL_PACKET)
                build(e->packet);
        }
        must(events == script.event_count && events > 0);
    } else {
        must(problem.line >= 1 && problem.line <= lines);
        must(problem.unsupported[0] != '\0' ||
             (problem.expected[0] != '\0' && problem.came[0] != '\0'));
    }
    drill_script_free(&script);
    return 0;
}
