/* SPDX-License-Identifier: MIT */
/* icmp_names.c - ICMP types and codes by the names scripts use (RFC 792, 1122, 1812, 4443). */
#include "drill/wire.h"

#include <stdlib.h>
#include <string.h>

struct name {
    uint8_t type, code;
    const char *text;
};

#define COUNT(x) (sizeof(x) / sizeof((x)[0]))

static const struct name types4[] = {
    { 0, 0, "echo_reply" },         { 3, 0, "unreachable" },  { 4, 0, "source_quench" },
    { 5, 0, "redirect" },           { 8, 0, "echo_request" }, { 11, 0, "time_exceeded" },
    { 12, 0, "parameter_problem" },
};
static const struct name types6[] = {
    { 1, 0, "unreachable" },       { 2, 0, "packet_too_big" }, { 3, 0, "time_exceeded" },
    { 4, 0, "parameter_problem" }, { 128, 0, "echo_request" }, { 129, 0, "echo_reply" },
};
static const struct name codes4[] = {
    { 3, 0, "net_unreachable" },
    { 3, 1, "host_unreachable" },
    { 3, 2, "protocol_unreachable" },
    { 3, 3, "port_unreachable" },
    { 3, 4, "frag_needed" },
    { 3, 5, "source_route_failed" },
    { 3, 6, "net_unknown" },
    { 3, 7, "host_unknown" },
    { 3, 8, "source_host_isolated" },
    { 3, 9, "net_prohibited" },
    { 3, 10, "host_prohibited" },
    { 3, 11, "net_unreachable_for_tos" },
    { 3, 12, "host_unreachable_for_tos" },
    { 3, 13, "packet_filtered" },
    { 3, 14, "precedence_violation" },
    { 3, 15, "precedence_cutoff" },
    { 11, 0, "ttl_exceeded" },
    { 11, 1, "reassembly_time_exceeded" },
};
static const struct name codes6[] = {
    { 1, 0, "no_route" },
    { 1, 1, "admin_prohibited" },
    { 1, 2, "not_neighbour" },
    { 1, 3, "address_unreachable" },
    { 1, 4, "port_unreachable" },
    { 3, 0, "hop_limit_exceeded" },
    { 3, 1, "reassembly_time_exceeded" },
    { 4, 0, "erroneous_header_field" },
    { 4, 1, "unrecognized_next_header" },
    { 4, 2, "unrecognized_option" },
    /* IPv4's words, where IPv6 has the same thing. */
    { 1, 0, "net_unreachable" },
    { 1, 3, "host_unreachable" },
    { 1, 1, "packet_filtered" },
};

static const struct name *find(const struct name *names, size_t count, const char *text, int type)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i].text, text) == 0 && (type < 0 || names[i].type == type))
            return &names[i];
    return NULL;
}

/* "type_3", "code_4": any number. */
static bool numbered(const char *text, const char *prefix, uint8_t *out)
{
    const size_t len = strlen(prefix);
    if (strncmp(text, prefix, len) != 0 || text[len] < '0' || text[len] > '9')
        return false;
    char *end;
    const long n = strtol(text + len, &end, 10);
    if (*end != '\0' || n < 0 || n > 255)
        return false;
    *out = (uint8_t)n;
    return true;
}

bool drill_icmp_numbers(bool v6, const char *type, const char *code, uint8_t *type_out,
                        uint8_t *code_out)
{
    *code_out = 0;
    const struct name *t =
        v6 ? find(types6, COUNT(types6), type, -1) : find(types4, COUNT(types4), type, -1);
    if (t != NULL)
        *type_out = t->type;
    else if (!numbered(type, "type_", type_out))
        return false;
    if (code == NULL)
        return true;
    const struct name *c = v6 ? find(codes6, COUNT(codes6), code, *type_out)
                              : find(codes4, COUNT(codes4), code, *type_out);
    if (c != NULL)
        *code_out = c->code;
    else if (!numbered(code, "code_", code_out))
        return false;
    return true;
}

const char *drill_icmp_type_name(bool v6, uint8_t type)
{
    const struct name *names = v6 ? types6 : types4;
    const size_t count = v6 ? COUNT(types6) : COUNT(types4);
    for (size_t i = 0; i < count; i++)
        if (names[i].type == type)
            return names[i].text;
    return NULL;
}

const char *drill_icmp_code_name(bool v6, uint8_t type, uint8_t code)
{
    const struct name *names = v6 ? codes6 : codes4;
    const size_t count = v6 ? COUNT(codes6) : COUNT(codes4);
    for (size_t i = 0; i < count; i++)
        if (names[i].type == type && names[i].code == code)
            return names[i].text;
    return NULL;
}
