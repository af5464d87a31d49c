/* SPDX-License-Identifier: MIT */
/*
 * types.h - The words every other header uses: time, addresses, names, errors.
 *
 * Everything here is plain data.  Nothing points into a stack: a connection and
 * a listener are named by 64-bit handles, which stay safe to use after the thing
 * they name is gone (the call answers LA_EBADHANDLE).
 */
#ifndef LASTACK_TYPES_H
#define LASTACK_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define LA_MUST_CHECK __attribute__((warn_unused_result))
#else
#define LA_MUST_CHECK
#endif

/*
 * Nanoseconds on the caller's clock.  Any origin will do; it must never go
 * backwards between two calls on one stack (asserted).  Wraps after 584 years.
 */
typedef struct {
    uint64_t ns;
} la_time;

/* Later than every real time: "no deadline". */
#ifdef __cplusplus
#define LA_TIME_NEVER (la_time{ UINT64_MAX })
#else
#define LA_TIME_NEVER ((la_time){ UINT64_MAX })
#endif

/* Name of a connection: slot and generation, never a pointer.  Zero names nothing. */
typedef struct {
    uint64_t bits; /* 32 generation (odd while live), 32 index */
} la_conn_id;

/* Name of a listener; the same shape, a different type. */
typedef struct {
    uint64_t bits;
} la_listener_id;

/*
 * An IPv6 address in network order, or an IPv4 one in its mapped form
 * ::ffff:a.b.c.d (RFC 4291 2.5.5.2).  On the wire a mapped address is never an
 * IPv6 address: packets that carry one there are dropped.
 */
struct la_addr {
    uint8_t bytes[16];
};

/* One end of a connection.  @port is in host order. */
struct la_endpoint {
    struct la_addr addr;
    uint16_t port;
};

/* Every address whose first @len bits are those of @addr.  IPv4 /n is len 96 + n. */
struct la_prefix {
    struct la_addr addr;
    uint8_t len; /* bits, 0..128 */
};

/* A writable or readable piece of memory, as struct iovec has it. */
struct la_span {
    uint8_t *bytes;
    uint32_t len_bytes;
};
struct la_cspan {
    const uint8_t *bytes;
    uint32_t len_bytes;
};

/* The states of RFC 9293 3.3.2.  Fixed values: they are printed, saved and hashed. */
enum la_state {
    LA_CLOSED = 0,
    LA_LISTEN = 1,
    LA_SYN_SENT = 2,
    LA_SYN_RECEIVED = 3,
    LA_ESTABLISHED = 4,
    LA_FIN_WAIT_1 = 5,
    LA_FIN_WAIT_2 = 6,
    LA_CLOSE_WAIT = 7,
    LA_CLOSING = 8,
    LA_LAST_ACK = 9,
    LA_TIME_WAIT = 10,
};
#define LA_STATES 11

/* What calls return: zero, or a negative value from errors.def. */
enum la_err {
    LA_OK = 0,
#define LA_ERROR(name, value, text) LA_##name = value,
#include <lastack/errors.def>
#undef LA_ERROR
};

/* Why a packet was dropped, a connection ended or a call refused: drops.def. */
enum la_drop {
#define LA_DROP(name, severity, text) LA_DROP_##name,
#include <lastack/drops.def>
#undef LA_DROP
    LA_DROPS
};

/* "ECONNRESET", "Connection reset by peer"; "TIME-WAIT"; "RST_CHALLENGED" and its sentence. */
const char *la_err_name(enum la_err err);
const char *la_err_text(enum la_err err);
const char *la_state_name(enum la_state state);
const char *la_drop_name(enum la_drop drop);
const char *la_drop_text(enum la_drop drop);

/* 192.0.2.1 from four octets, in the mapped form. */
struct la_addr la_addr_v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d);
bool la_addr_is_v4(struct la_addr a);
bool la_addr_equal(struct la_addr a, struct la_addr b);
/* True of 0.0.0.0 and of ::. */
bool la_addr_is_unspecified(struct la_addr a);
/* Every address (both families) / every IPv4 address. */
struct la_prefix la_prefix_any(void);
struct la_prefix la_prefix_any_v4(void);
struct la_prefix la_prefix_host(struct la_addr a);
bool la_prefix_covers(struct la_prefix p, struct la_addr a);

/*
 * la_addr_parse() - Read "192.0.2.1", "2001:db8::1" or "::ffff:192.0.2.1".
 * @text: NUL-terminated
 * @out:  Written only on success
 *
 * Return: true if the whole of @text is one address.
 * RFC:    4291 2.2, dotted quads without leading zeros.
 */
bool la_addr_parse(const char *text, struct la_addr *out);
/* The same with "/len"; a bare address is a host prefix.  Host bits must be zero unless @lax. */
bool la_prefix_parse(const char *text, bool lax, struct la_prefix *out);

/* Room for any address or prefix in text, with its NUL. */
#define LA_ADDR_TEXT_BYTES 64
/* RFC 5952 form; IPv4 dotted.  Return: @text. */
char *la_addr_format(struct la_addr a, char text[LA_ADDR_TEXT_BYTES]);

#ifdef __cplusplus
}
#endif
#endif
