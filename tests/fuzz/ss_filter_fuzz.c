/* SPDX-License-Identifier: MIT */
/*
 * ss_filter_fuzz.c - Any words as a filter of `lastack ss`: refused with a sentence, or a tree that
 * ends, and whose negation holds exactly where it does not.
 */
#include "cli/ss_filter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static bool parse(const char *text, struct ss_filter *f)
{
    char error[256] = "";
    const bool good = ss_filter_parse(text, f, error, sizeof error);

    require(good || (error[0] != '\0' && memchr(error, '\0', sizeof error) != NULL));
    if (!good)
        return false;
    require(f->count <= SS_NODES_MAX && (!f->has_expression || f->root < f->count));
    for (uint32_t i = 0; i < f->count; i++) {
        const struct ss_node *n = &f->nodes[i];
        require(n->kind == SS_HOST || n->kind == SS_PORT ||
                (n->left < f->count && (n->kind == SS_NOT || n->right < f->count)));
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes)
{
    static const uint16_t ports[] = { 0, 22, 80, 443, 8080, 65535 };
    static struct ss_filter f, inverse;
    char text[2048], negated[sizeof text + 16];

    if (len_bytes >= sizeof text)
        return 0;
    if (len_bytes > 0)
        memcpy(text, bytes, len_bytes);
    text[len_bytes] = '\0';
    if (!parse(text, &f))
        return 0;
    snprintf(negated, sizeof negated, "not ( %s )", text);
    if (!f.has_expression || f.states_given || !parse(negated, &inverse) || inverse.states_given)
        return 0;
    for (uint32_t i = 0; i < 36; i++) {
        const struct la_endpoint local = { la_addr_v4(10, 0, 0, (uint8_t)i), ports[i % 6] };
        struct la_endpoint remote = { la_addr_v4(127, 0, 0, 1), ports[i / 6] };
        if (i % 5 == 0)
            remote.addr.bytes[0] = 0xfd;
        require(ss_filter_match(&f, local, remote) != ss_filter_match(&inverse, local, remote));
    }
    return 0;
}
