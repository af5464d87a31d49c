/* SPDX-License-Identifier: MIT */
/* net.h - Addresses, names and URLs as people write them. */
#ifndef CLI_NET_H
#define CLI_NET_H

#include <lastack/types.h>

/* "192.0.2.1:80", "[2001:db8::1]:80". */
#define NET_ENDPOINT_TEXT_BYTES (LA_ADDR_TEXT_BYTES + 8)
char *net_format(struct la_endpoint e, char text[NET_ENDPOINT_TEXT_BYTES]);
/* "10.0.0.2/24": the length as the family counts it. */
char *net_format_prefix(struct la_prefix p, char text[LA_ADDR_TEXT_BYTES]);

/* 1..65535. */
bool net_parse_port(const char *text, uint16_t *port);

struct net_families {
    bool v4, v6; /* which of them this stack has an address of */
};

/*
 * net_resolve() - An address for a literal or a name, by the host's resolver.
 * @allowed: Addresses of other families are passed over
 * @error:   On failure, a sentence
 */
bool net_resolve(const char *host, struct net_families allowed, struct la_addr *out, char *error,
                 size_t error_bytes);

#define NET_HOST_BYTES 256
#define NET_PATH_BYTES 2048

struct net_url {
    char host[NET_HOST_BYTES]; /* without the brackets of an IPv6 literal */
    char host_header[NET_HOST_BYTES + 16];
    char path[NET_PATH_BYTES]; /* with the query; "/" if the URL has none */
    uint16_t port;
};

/* http://HOST[:PORT][/PATH].  On failure @error is a sentence. */
bool net_parse_url(const char *text, struct net_url *out, char *error, size_t error_bytes);

#endif
