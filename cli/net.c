/* SPDX-License-Identifier: MIT */
/*
 * net.c - Addresses, names and URLs as people write them.
 *
 * Names go to getaddrinfo(): the host's resolver, hosts file and all, over the host's
 * network.  Only what is then done with the address is lastack's.  URLs are taken apart by
 * http_parser, which the server uses too.
 */
#include "cli/net.h"

#include "cli/args.h"

#include <errno.h>
#include <http_parser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

char *net_format(struct la_endpoint e, char text[NET_ENDPOINT_TEXT_BYTES])
{
    char addr[LA_ADDR_TEXT_BYTES];

    la_addr_format(e.addr, addr);
    snprintf(text, NET_ENDPOINT_TEXT_BYTES, la_addr_is_v4(e.addr) ? "%s:%u" : "[%s]:%u", addr,
             e.port);
    return text;
}

char *net_format_prefix(struct la_prefix p, char text[LA_ADDR_TEXT_BYTES])
{
    char addr[LA_ADDR_TEXT_BYTES];
    const unsigned len = la_addr_is_v4(p.addr) ? p.len - 96u : p.len;

    la_addr_format(p.addr, addr);
    snprintf(text, LA_ADDR_TEXT_BYTES, "%.48s/%u", addr, len);
    return text;
}

bool net_parse_port(const char *text, uint16_t *port)
{
    uint64_t v;

    if (!args_number(text, 1, 65535, &v))
        return false;
    *port = (uint16_t)v;
    return true;
}

static bool take(const struct sockaddr *sa, struct net_families allowed, struct la_addr *out)
{
    if (sa->sa_family == AF_INET && allowed.v4) {
        struct sockaddr_in sin;
        uint8_t b[4];
        memcpy(&sin, sa, sizeof sin);
        memcpy(b, &sin.sin_addr, 4);
        *out = la_addr_v4(b[0], b[1], b[2], b[3]);
        return true;
    }
    if (sa->sa_family == AF_INET6 && allowed.v6) {
        struct sockaddr_in6 sin6;
        memcpy(&sin6, sa, sizeof sin6);
        memcpy(out->bytes, &sin6.sin6_addr, sizeof out->bytes);
        return true;
    }
    return false;
}

bool net_resolve(const char *host, struct net_families allowed, struct la_addr *out, char *error,
                 size_t error_bytes)
{
    if (la_addr_parse(host, out)) {
        const bool ok = la_addr_is_v4(*out) ? allowed.v4 : allowed.v6;
        if (!ok)
            snprintf(error, error_bytes, "%s: this stack has no %s address", host,
                     la_addr_is_v4(*out) ? "IPv4" : "IPv6");
        return ok;
    }

    const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
    struct addrinfo *list = NULL;
    const int code = getaddrinfo(host, NULL, &hints, &list);
    if (code != 0) {
        snprintf(error, error_bytes, "%s: %s", host,
                 code == EAI_SYSTEM ? strerror(errno) : gai_strerror(code));
        return false;
    }
    bool found = false;
    for (const struct addrinfo *a = list; a != NULL && !found; a = a->ai_next)
        found = take(a->ai_addr, allowed, out);
    freeaddrinfo(list);
    if (!found)
        snprintf(error, error_bytes, "%s: no address of a family this stack has", host);
    return found;
}

static bool field(const char *text, const struct http_parser_url *u, enum http_parser_url_fields f,
                  char *out, size_t out_bytes)
{
    const size_t len = u->field_data[f].len;

    if (!(u->field_set & (1u << f)))
        return false;
    if (len >= out_bytes)
        return false;
    memcpy(out, text + u->field_data[f].off, len);
    out[len] = '\0';
    return true;
}

bool net_parse_url(const char *text, struct net_url *out, char *error, size_t error_bytes)
{
    struct http_parser_url u;
    char scheme[16] = "";
    char query[NET_PATH_BYTES] = "";
    const size_t len = strlen(text);

    http_parser_url_init(&u);
    if (len > UINT16_MAX || http_parser_parse_url(text, len, 0, &u) != 0 ||
        !field(text, &u, UF_SCHEMA, scheme, sizeof scheme)) {
        snprintf(error, error_bytes, "not a URL: %s (as in http://192.0.2.1/file)", text);
        return false;
    }
    if (strcasecmp(scheme, "http") != 0) {
        snprintf(error, error_bytes, "%s: only http is spoken here, not %s", text, scheme);
        return false;
    }
    if (u.field_set & (1u << UF_USERINFO)) {
        snprintf(error, error_bytes, "%s: names and passwords in a URL are not supported", text);
        return false;
    }
    out->port = u.field_set & (1u << UF_PORT) ? u.port : 80;
    if (!field(text, &u, UF_HOST, out->host, sizeof out->host) || out->host[0] == '\0' ||
        out->port == 0) {
        snprintf(error, error_bytes, "%s: no host, or a host or port out of range", text);
        return false;
    }
    if (!field(text, &u, UF_PATH, out->path, sizeof out->path))
        snprintf(out->path, sizeof out->path, "/");
    const bool has_query = field(text, &u, UF_QUERY, query, sizeof query);
    const size_t path_len = strlen(out->path);
    if ((u.field_set & (1u << UF_PATH) && u.field_data[UF_PATH].len >= sizeof out->path) ||
        (u.field_set & (1u << UF_QUERY) && !has_query) ||
        path_len + (has_query ? 1 + strlen(query) : 0) >= sizeof out->path) {
        snprintf(error, error_bytes, "URL too long: more than %d bytes of path", NET_PATH_BYTES);
        return false;
    }
    if (has_query) {
        out->path[path_len] = '?';
        memcpy(out->path + path_len + 1, query, strlen(query) + 1);
    }

    const char *shape = strchr(out->host, ':') != NULL ? "[%s]" : "%s";
    int n = snprintf(out->host_header, sizeof out->host_header, shape, out->host);
    if (out->port != 80)
        snprintf(out->host_header + n, sizeof out->host_header - (size_t)n, ":%u", out->port);
    return true;
}
