/* SPDX-License-Identifier: MIT */
/*
 * tcp.h - The calls of RFC 9293 3.10.1 to 3.10.6 on one stack.
 *
 * Every call takes the time; it must not go backwards (asserted).  No call blocks:
 * LA_EAGAIN means "wait for an event".  Calls never send by themselves: what they
 * cause is taken with la_tx().
 */
#ifndef LASTACK_TCP_H
#define LASTACK_TCP_H

#include <lastack/stack.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * la_open() - Active OPEN: begin a connection.
 * @local:  Address or unspecified (IP chooses one); port or 0 (RFC 6056 chooses one)
 * @remote: A host's address and a port
 * @user:   A word the events of this connection will carry
 * @out:    The connection, in SYN-SENT; LA_CONNECTED or LA_ERROR_SET follows
 *
 * Return: LA_OK; LA_EINVAL (port 0, mixed families); LA_EACCES (remote is multicast,
 *         broadcast or unspecified: MUST-46); LA_EADDRNOTAVAIL (local address not ours,
 *         or no port left); LA_EADDRINUSE (this 4-tuple is taken, and not by a TIME-WAIT that
 *         time stamps make it safe to take over: net.ipv4.tcp_tw_reuse); LA_ENETUNREACH;
 *         LA_ENOBUFS.
 * RFC:    9293 3.10.1; MUST-43, MUST-44, MUST-45.
 */
LA_MUST_CHECK enum la_err la_open(struct la_stack *s, la_time now, struct la_endpoint local,
                                  struct la_endpoint remote, uint64_t user, la_conn_id *out);

struct la_listen_config {
    struct la_prefix local; /* one address, a prefix, or la_prefix_any(): AnyIP */
    uint16_t port;          /* 1..65535 */
    bool v6_only;           /* with la_prefix_any(): no IPv4 */
    bool reuse_port;        /* SO_REUSEPORT: beside others that say so too */
    uint32_t backlog;       /* connections that may wait, each queue; cut to net.core.somaxconn */
    uint64_t user;
};

/*
 * la_listen() - Passive OPEN.
 *
 * The most specific prefix that covers a SYN's destination gets it.  Listeners of the same prefix
 * and port, all with @reuse_port, are a group: the 4-tuple decides which of them gets a SYN, and a
 * member that comes or goes moves only its own share.
 *
 * Return: LA_OK; LA_EINVAL; LA_EADDRINUSE (same port and same prefix, and not both with
 *         reuse_port); LA_ENOBUFS.
 * RFC:    9293 3.10.1; MUST-41, MUST-42.
 */
LA_MUST_CHECK enum la_err la_listen(struct la_stack *s, la_time now,
                                    const struct la_listen_config *config, la_listener_id *out);

/* A second listen(): the queues keep what they hold, the limit counts from now on.  LA_EBADHANDLE. */
LA_MUST_CHECK enum la_err la_listener_set_backlog(struct la_stack *s, la_listener_id id,
                                                  uint32_t backlog);

/*
 * la_port_choose() - The port la_open() would choose, for those who keep a list of ports of
 * their own and may have to ask again.
 * @local:  Address or unspecified
 * @remote: Where to; all zero for a port that is only to be bound
 *
 * Two calls in a row give two ports.  Nothing is reserved.
 *
 * Return: LA_OK; as la_open(); LA_EADDRNOTAVAIL if no port is free.
 * RFC:    6056 3.3.4.
 */
LA_MUST_CHECK enum la_err la_port_choose(struct la_stack *s, la_time now, struct la_addr local,
                                         struct la_endpoint remote, uint16_t *port);

struct la_port_wish {
    uint16_t min, max;     /* each counts if it lies in net.ipv4.ip_local_port_range */
    const uint64_t *avoid; /* 1024 words, a bit for each port that is not wanted; or NULL */
};
/* The same among certain ports.  Everything in @wish is borrowed for this call. */
LA_MUST_CHECK enum la_err la_port_choose_between(struct la_stack *s, la_time now,
                                                 struct la_addr local, struct la_endpoint remote,
                                                 const struct la_port_wish *wish, uint16_t *port);

/* Connections not yet accepted are reset.  LA_EBADHANDLE. */
LA_MUST_CHECK enum la_err la_listener_close(struct la_stack *s, la_time now, la_listener_id id);

struct la_accepted {
    la_conn_id conn;
    struct la_endpoint local; /* the original destination: what the client asked for */
    struct la_endpoint remote;
};

/*
 * la_accept() - Take the oldest established connection of a listener.
 * @user: A word the events of this connection will carry
 *
 * Return: LA_OK; LA_EAGAIN (none waits); LA_EBADHANDLE.
 */
LA_MUST_CHECK enum la_err la_accept(struct la_stack *s, la_time now, la_listener_id id,
                                    uint64_t user, struct la_accepted *out);

void la_conn_set_user(struct la_stack *s, la_conn_id id, uint64_t user);

/*
 * la_conn_prefetch() - Say that calls on this connection come soon.
 *
 * A hint that changes nothing: the connection's record is fetched into the cache.  Worth it for
 * a batch of connections that were not used for a while: hint for all, then call for each.
 */
void la_conn_prefetch(const struct la_stack *s, la_conn_id id);

/*
 * la_send_reserve() - Room at the end of what is to be sent, to write into directly.
 * @want_bytes: How much the caller would like
 * @spans:      Filled with writable memory in the arena
 * @max:        Room in @spans
 * @count:      How many were filled
 *
 * Nothing is sent until la_send_commit(); a second reserve replaces the first.  Spans
 * are valid until the next call on this stack other than the commit.
 *
 * Return: bytes in the spans (> 0, perhaps fewer than wanted), or LA_EAGAIN (buffer or
 *         pool full: LA_WRITABLE follows), LA_ENOTCONN (SYN-SENT and SYN-RECEIVED take
 *         data: they queue it), LA_EPIPE (closed for sending), the connection's error,
 *         LA_EBADHANDLE.
 * RFC:    9293 3.10.2.
 */
LA_MUST_CHECK int64_t la_send_reserve(struct la_stack *s, la_time now, la_conn_id id,
                                      uint32_t want_bytes, struct la_span *spans, uint32_t max,
                                      uint32_t *count);

#define LA_SEND_MORE 1u /* more follows at once: hold back a partial segment (MSG_MORE) */

/* Send the first @bytes of what was reserved.  LA_EINVAL if more than that; LA_EBADHANDLE. */
LA_MUST_CHECK enum la_err la_send_commit(struct la_stack *s, la_time now, la_conn_id id,
                                         uint32_t bytes, uint32_t flags);

/* Copying form.  Return: bytes taken (> 0; 0 only for len 0), or as la_send_reserve(). */
LA_MUST_CHECK int64_t la_send(struct la_stack *s, la_time now, la_conn_id id, const void *bytes,
                              uint32_t len_bytes, uint32_t flags);

/*
 * la_recv_peek() - Look at received bytes where they lie.
 * @spans: Filled with readable memory in the arena, valid until the next call on this stack
 *
 * Return: bytes in the spans (> 0); 0 = EOF: the peer has closed and all was consumed;
 *         LA_EAGAIN; LA_ENOTCONN; the connection's error; LA_EBADHANDLE.
 * RFC:    9293 3.10.3.
 */
LA_MUST_CHECK int64_t la_recv_peek(struct la_stack *s, la_time now, la_conn_id id,
                                   struct la_cspan *spans, uint32_t max, uint32_t *count);

/* Drop the first @bytes of what la_recv_peek() can show; opens the window.  LA_EINVAL, LA_EBADHANDLE. */
LA_MUST_CHECK enum la_err la_recv_consume(struct la_stack *s, la_time now, la_conn_id id,
                                          uint32_t bytes);

/* Copying form.  Return: as la_recv_peek(). */
LA_MUST_CHECK int64_t la_recv(struct la_stack *s, la_time now, la_conn_id id, void *bytes,
                              uint32_t len_bytes);

#define LA_SHUT_RD 1u
#define LA_SHUT_WR 2u
#define LA_SHUT_TEXT 4u

/*
 * la_shutdown() - End one direction or both, keeping the handle.
 * @how: LA_SHUT_RD (what arrives is acknowledged and discarded), LA_SHUT_WR (a FIN
 *       follows the bytes already taken), or both; LA_SHUT_TEXT (once the FIN is
 *       queued, text that arrives draws a reset, as it does after la_close(); what has
 *       come can still be read)
 *
 * Return: LA_OK (also when already done); LA_ENOTCONN; LA_EBADHANDLE.
 * RFC:    9293 3.10.4 for LA_SHUT_WR.
 */
LA_MUST_CHECK enum la_err la_shutdown(struct la_stack *s, la_time now, la_conn_id id, uint32_t how);

/*
 * la_close() - Release the handle; the connection ends in order behind it.
 *
 * Bytes taken are still sent, then FIN.  With received bytes unread the peer gets a
 * reset instead (SHLD-3), as it does for text that arrives later.  The handle is gone
 * at once, whatever this returns.
 *
 * Return: LA_OK; LA_EBADHANDLE.
 * RFC:    9293 3.10.4, 3.6.1.
 */
enum la_err la_close(struct la_stack *s, la_time now, la_conn_id id);

/* ABORT: reset the peer, drop everything, release the handle.  RFC 9293 3.10.5.  LA_EBADHANDLE. */
enum la_err la_abort(struct la_stack *s, la_time now, la_conn_id id);

/* Readiness now, and the word: what la_events() would say.  0 for a handle that names nothing. */
uint32_t la_ready(const struct la_stack *s, la_conn_id id);

/* The error that ended the connection, LA_OK if none; reading does not clear it.  LA_EBADHANDLE. */
enum la_err la_conn_error(const struct la_stack *s, la_conn_id id, enum la_drop *reason);
/* The last soft error (ICMP), cleared by reading.  MUST-47, SHLD-25.  LA_EBADHANDLE. */
enum la_err la_conn_soft_error(struct la_stack *s, la_conn_id id);

/* Options ---------------------------------------------------------------------- */

enum la_option {
#define LA_OPTION(name, unit, min, max, text) LA_OPT_##name,
#include <lastack/options.def>
#undef LA_OPTION
    LA_OPTIONS
};

/* Of LA_OPT_MAX_PACING_RATE: the least, and no limit. */
#define LA_PACING_RATE_MIN 1000u
#define LA_PACING_RATE_NONE UINT32_MAX

/* Congestion control; the values of LA_OPT_CONGESTION.  The names are Linux's. */
enum la_congestion { LA_CONGESTION_DEFAULT, LA_CONGESTION_RENO, LA_CONGESTION_CUBIC };
/* NULL from the first number on that stands for nothing; "default" for 0. */
const char *la_congestion_name(uint32_t congestion);
/* Of LA_OPT_LINGER2: a connection that nobody holds is reset where FIN-WAIT-2 would begin. */
#define LA_LINGER2_NONE 3601u

/*
 * LA_EINVAL (out of range), LA_EBADHANDLE, LA_ENOPROTOOPT (no such option), LA_EISCONN (too
 * late).  What is set between la_open() and the next la_tx() holds for the SYN too.
 */
LA_MUST_CHECK enum la_err la_set_option(struct la_stack *s, la_time now, la_conn_id id,
                                        enum la_option option, uint64_t value);
LA_MUST_CHECK enum la_err la_get_option(const struct la_stack *s, la_conn_id id,
                                        enum la_option option, uint64_t *value);
/* Options of a listener are inherited by what it accepts. */
LA_MUST_CHECK enum la_err la_listener_set_option(struct la_stack *s, la_listener_id id,
                                                 enum la_option option, uint64_t value);
LA_MUST_CHECK enum la_err la_listener_get_option(const struct la_stack *s, la_listener_id id,
                                                 enum la_option option, uint64_t *value);

#ifdef __cplusplus
}
#endif
#endif
