/* SPDX-License-Identifier: MIT */
/* options.h - How an option is read and set, and the table of them all. */
#ifndef POSIX_OPTIONS_H
#define POSIX_OPTIONS_H

#include "posix/sockets.h"

#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51 /* since Linux 6.3 */
#endif

/* What setsockopt() was given, or where getsockopt() puts it. */
struct optbuf {
    const void *in;
    void *out;
    uint32_t len; /* of what is there; of room */
};

typedef int opt_get_fn(struct la_sockets *x, struct sock *s, struct optbuf *b);
typedef int opt_set_fn(struct la_sockets *x, struct sock *s, const struct optbuf *b);

enum option_state { OPTION_IMPLEMENTED, OPTION_FIXED, OPTION_REFUSED };

struct option {
    int level, name;
    enum option_state state;
    opt_get_fn *get; /* NULL: ENOPROTOOPT */
    opt_set_fn *set;
    int value; /* of a fixed one */
    int error; /* for what is refused */
    const char *level_name, *option_name, *text;
};

/* The table, for the test that holds the documentation to it. */
const struct option *option_table(size_t *count);

/* An int out: cut to the room there is, as Linux does. */
int opt_put(struct optbuf *b, const void *value, uint32_t len);
int opt_put_int(struct optbuf *b, int value);
/* An int in.  Return: 0 or -EINVAL. */
int opt_int(const struct optbuf *b, int *value);
/* A value of IP_TTL and its like was changed. */
int opt_ip_changed(struct la_sockets *x, struct sock *s);
/* At the IP levels a single byte will do, and nothing is 0. */
int opt_int_or_byte(const struct optbuf *b, int *value);

#define OPT(level, name, get, set, text)                                                           \
    opt_get_fn opt_get_##get;                                                                      \
    opt_set_fn opt_set_##set;
#define FIXED(level, name, value, error, text)
#define REFUSED(level, name, error, text)
#include "posix/options.def"
#undef OPT
#undef FIXED
#undef REFUSED

#endif
