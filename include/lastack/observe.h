/* SPDX-License-Identifier: MIT */
/*
 * observe.h - Seeing what a stack does: STATUS, counters, drop reasons, trace
 * records, sysctls.  Nothing here changes what the protocol does but
 * la_sysctl_set().
 */
#ifndef LASTACK_OBSERVE_H
#define LASTACK_OBSERVE_H

#include <lastack/tcp.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Counters, with the names of /proc/net/snmp and /proc/net/netstat ------------- */

enum la_counter {
#define LA_COUNTER(group, name, text) LA_COUNT_##name,
#include <lastack/counters.def>
#undef LA_COUNTER
    LA_COUNTERS
};

uint64_t la_counter(const struct la_stack *s, enum la_counter counter);
/* "Tcp", "TcpExt", "Ip", "Icmp"; "ActiveOpens"; a sentence. */
const char *la_counter_group(enum la_counter counter);
const char *la_counter_name(enum la_counter counter);
const char *la_counter_text(enum la_counter counter);

/* How often a reason of drops.def was given. */
uint64_t la_drops(const struct la_stack *s, enum la_drop reason);

/* Use of every table of the stack: now, the most ever, and the limit. */
enum la_table {
    LA_TABLE_CONNECTIONS,
    LA_TABLE_LISTENERS,
    LA_TABLE_HALF_OPEN_V4,
    LA_TABLE_HALF_OPEN_V6,
    LA_TABLE_SHORT_V4,
    LA_TABLE_SHORT_V6,
    LA_TABLE_CHUNKS,
    LA_TABLE_REPLIES,
    LA_TABLES
};
struct la_table_use {
    uint32_t used, used_max, limit;
    uint32_t item_bytes;
};
struct la_table_use la_table_use(const struct la_stack *s, enum la_table table);
const char *la_table_name(enum la_table table);

/* STATUS (RFC 9293 3.10.6) ------------------------------------------------------ */

/* What is known of a full connection.  Sequence numbers are as on the wire. */
struct la_conn_info {
    la_conn_id conn; /* zero for a connection nobody holds */
    enum la_state state;
    struct la_endpoint local, remote;
    uint64_t user;
    uint32_t mask; /* readiness */
    uint32_t iss, irs;
    uint32_t snd_una, snd_nxt, snd_wnd, snd_wl1, snd_wl2;
    uint32_t rcv_nxt, rcv_wnd;
    uint32_t snd_queued_bytes; /* taken from the application, not yet acknowledged */
    uint32_t rcv_queued_bytes; /* in order, not yet read */
    uint32_t rcv_ooo_bytes;    /* out of order */
    uint32_t snd_mss, rcv_mss, cwnd_bytes, ssthresh_bytes;
    uint32_t srtt_us, rttvar_us, rto_us;
    uint8_t snd_wscale, rcv_wscale, retransmits, backoff, probes;
    bool timestamps, sack, orphan, in_recovery;
    uint64_t bytes_sent, bytes_acked, bytes_received; /* bytes_sent counts repeats */
    uint64_t segs_out, segs_in, segs_retransmitted;
    uint32_t path_mtu_bytes, adv_mss;
    /* Of what is in flight: reported by SACK; thought to be lost; sent again and on its way. */
    uint32_t sacked_bytes, lost_bytes, again_bytes;
    /* The same in segments, as they were sent; of what is in flight all told. */
    uint32_t flight_segs, sacked_segs, lost_segs, again_segs;
    uint64_t data_segs_out, data_segs_in; /* with text, repeats included */
    uint64_t bytes_retrans;               /* of bytes_sent; told up to 2^40 - 1 */
    uint32_t dsack_dups;  /* D-SACKs that told of text that had come twice; up to 65,535 */
    uint32_t reord_seen;  /* ACKs that showed reordering; up to 255 */
    uint64_t pacing_rate; /* bytes a second at which text goes if it is paced; UINT64_MAX: any */
    uint64_t max_pacing_rate;  /* LA_OPT_MAX_PACING_RATE; UINT64_MAX: none */
    uint64_t delivery_rate;    /* bytes a second, as last measured; 0: not yet */
    bool delivery_app_limited; /* that tells of the application, not of the path */
    uint32_t ato_us;           /* the longest an ACK is delayed */
    bool paced;                /* and pacing_rate holds */
    bool rto_recovery;         /* in_recovery, after an RTO */
    bool ecn;                  /* agreed on */
    bool active;               /* by active open */
    uint8_t congestion;        /* enum la_congestion */
    uint32_t reordering;       /* segments by which one was late, at the most: tcp_reordering */
    uint32_t min_rtt_us;       /* 0: no sample yet */
    /* Of any segment that was used; of text sent; of text received in order, to about a millisecond. */
    la_time last_received, last_sent, last_text_received;
    la_time opened, state_since;
    la_time deadline_rtx, deadline_idle, deadline_delack; /* LA_TIME_NEVER if unarmed */
    enum la_err error;
    enum la_drop reason;
};
LA_MUST_CHECK enum la_err la_conn_info(const struct la_stack *s, la_conn_id id,
                                       struct la_conn_info *out);

enum la_timer {
    LA_TIMER_RTO,
    LA_TIMER_PERSIST,
    LA_TIMER_KEEPALIVE,
    LA_TIMER_FIN_WAIT_2,
    LA_TIMER_DELACK,
    LA_TIMER_TIME_WAIT,
    LA_TIMER_SYNACK,
    LA_TIMER_CORK,
    LA_TIMER_TLP,
    LA_TIMER_RACK,
    LA_TIMERS
};
const char *la_timer_name(enum la_timer timer);

/* One row for each thing a stack holds: full, half-open, short, listening. */
enum la_row_kind { LA_ROW_CONN, LA_ROW_HALF_OPEN, LA_ROW_SHORT, LA_ROW_LISTENER };
struct la_row {
    enum la_row_kind kind;
    enum la_state state;
    struct la_endpoint local, remote;
    uint32_t recv_q, send_q; /* as ss prints them: for LISTEN, queue length and its limit */
    la_time expires;         /* of the timer that stands; LA_TIME_NEVER if none */
    uint8_t retries;
    bool orphan;
    bool reuse;              /* LA_OPT_REUSEADDR was set on it */
    bool reuse_port;         /* LA_OPT_REUSEPORT likewise */
    la_conn_id conn;         /* zero if nobody holds it, or if it is no full connection */
    la_conn_id id;           /* of every full connection, held or not: for la_conn_info() */
    la_listener_id listener; /* of a listener: for la_listener_info(); zero otherwise */
    /* The timer ss shows, LA_TIMERS if none, and when it is due. */
    enum la_timer timer;
    la_time timer_at;
    la_time since;     /* of its state; LA_TIME_NEVER where it is not kept */
    uint8_t local_len; /* of a listener: the prefix it is bound to, in bits */
    bool v6_only;      /* likewise */
    uint32_t half_len; /* likewise: its half-open records */
};
/*
 * la_rows() - Walk everything a stack holds, listeners first.
 * @cursor: Start with 0; carried from call to call
 *
 * Return: rows written to @out; 0 at the end.  Cost: O(slots passed).
 */
uint32_t la_rows(const struct la_stack *s, uint64_t *cursor, struct la_row *out, uint32_t max);
/*
 * la_rows_slice() - The same with its cost bounded: at most @slots slots are passed.
 * @cursor: Start with 0; LA_ROWS_END afterwards means that nothing is left
 *
 * Return: rows written, which may be 0 before the end.
 */
#define LA_ROWS_END UINT64_MAX
uint32_t la_rows_slice(const struct la_stack *s, uint64_t *cursor, struct la_row *out, uint32_t max,
                       uint32_t slots);

/* May @addr and @port be bound, as far as connections and short records know? */
enum la_port_answer {
    LA_PORT_FREE,
    LA_PORT_TAKEN,
    LA_PORT_WALK /* only la_rows() can tell */
};
/*
 * la_port_asked() - What the table of local ports says.
 * @addr:  A local address, or unspecified for all of its family
 * @reuse, @reuse_port: LA_OPT_REUSEADDR and LA_OPT_REUSEPORT are wanted: records that have one of
 *         those that are are no hindrance
 *
 * Cost: O(1).  LA_PORT_WALK from stacks of few records, which have no table, and for one
 * address of a port that has had records at several.
 */
enum la_port_answer la_port_asked(const struct la_stack *s, struct la_addr addr, bool v4,
                                  uint16_t port, bool reuse, bool reuse_port);

/* The local ports there are to choose from, and how many of them one destination uses. */
struct la_ports_info {
    uint16_t min, max;         /* net.ipv4.ip_local_port_range */
    uint32_t ports;            /* in it, without reserved ones */
    uint32_t used;             /* of those, by a 4-tuple to the destination */
    uint32_t time_wait;        /* of those, in TIME-WAIT */
    uint64_t two_msl_ms;       /* how long each of them stays there */
    uint64_t searches, probes; /* of the stack: ports chosen, and 4-tuples looked up for it */
};
/* All but what belongs to a destination: @used and @time_wait are 0. */
void la_ports_range(const struct la_stack *s, struct la_ports_info *out);
/*
 * la_ports_info() - The budget of ports from @local to @remote.
 * @local: Unspecified: the address IP would choose
 *
 * Cost: one look-up a port of the range, whatever the number of connections.
 * Return: LA_OK; as la_open() for addresses it refuses.
 */
LA_MUST_CHECK enum la_err la_ports_info(const struct la_stack *s, struct la_addr local,
                                        struct la_endpoint remote, struct la_ports_info *out);

/* A listener: its two queues, what they refused, and how long connections wait in them. */
struct la_listener_info {
    uint32_t accept_len; /* established connections nobody has accepted */
    uint32_t accept_max; /* the most there have been */
    uint32_t half_len;   /* half-open records */
    uint32_t young_len;  /* of those: the SYN-ACK has not been repeated yet */
    /*
     * Of those: acknowledged, so the peer believes itself connected; kept because the accept queue
     * or the table of connections was full, or because LA_OPT_DEFER_ACCEPT waits for text.
     */
    uint32_t acked_len;
    uint32_t limit;            /* of each: min(backlog, net.core.somaxconn) */
    bool reuse_port;           /* one of a group */
    bool cookies;              /* a cookie of the last 128 s may come back */
    uint64_t accepted;         /* by la_accept() */
    uint64_t overflows, drops; /* its share of ListenOverflows, ListenDrops */
    uint64_t cookies_sent, cookies_recv, cookies_failed; /* of SyncookiesSent, Recv, Failed */
    uint64_t oldest_wait_ns; /* of what is in the accept queue; 0 if empty */
    /* How long accepted connections had waited: [0] below 1 ms, [i] below 2^i ms, the last longer. */
    uint64_t waits[LA_ACCEPT_WAITS];
};
LA_MUST_CHECK enum la_err la_listener_info(const struct la_stack *s, la_listener_id id,
                                           struct la_listener_info *out);

/* How many connections of each state, records included.  O(1) in the connections. */
void la_state_counts(const struct la_stack *s, uint32_t out[LA_STATES]);

/*
 * la_kill() - End the connection of this 4-tuple, whatever its size, as `ss -K` does.
 *
 * The peer of a full connection gets a reset and its holder LA_ECONNABORTED; a half-open
 * record and one in TIME-WAIT go without a word.
 *
 * Return: LA_OK; LA_ENOENT.
 */
LA_MUST_CHECK enum la_err la_kill(struct la_stack *s, la_time now, struct la_endpoint local,
                                  struct la_endpoint remote);

/* Findings: what applications do wrong, as far as a stack can see it ------------ */

enum la_finding {
#define LA_FINDING(name, text, advice) LA_FINDING_##name,
#include <lastack/findings.def>
#undef LA_FINDING
    LA_FINDINGS
};
/* "EOF_LOOP"; what was seen; what to do. */
const char *la_finding_name(enum la_finding finding);
const char *la_finding_text(enum la_finding finding);
const char *la_finding_advice(enum la_finding finding);

struct la_found {
    uint64_t number; /* from 1, of all findings of the stack */
    la_time at;
    enum la_finding finding;
    uint64_t value;                   /* reads, seconds, refusals, or bytes unread */
    struct la_endpoint local, remote; /* remote is zero for a finding about a listener */
    la_conn_id conn;                  /* it may be gone; zero for a listener */
    la_listener_id listener;          /* zero for a connection */
};
/* How often it was told. */
uint64_t la_finding_count(const struct la_stack *s, enum la_finding finding);
/*
 * la_findings() - Those with numbers above *@after, oldest first; the last LA_FINDINGS_KEPT are kept.
 *
 * Return: how many were written; *@after is the number of the last of them.
 */
uint32_t la_findings(const struct la_stack *s, uint64_t *after, struct la_found *out, uint32_t max);
/* From now on la_events() tells of these: a bit for each.  LA_EINVAL. */
LA_MUST_CHECK enum la_err la_findings_subscribe(struct la_stack *s, uint32_t bits);
/*
 * la_findings_scan() - Look for what only time shows, at the next @slots slots.
 *
 * Return: true if the round is not complete.  Cost: O(@slots).
 */
bool la_findings_scan(struct la_stack *s, la_time now, uint32_t slots);
/* For layers with descriptors of their own: connections wait, and accept() found none free.  LA_EBADHANDLE. */
LA_MUST_CHECK enum la_err la_finding_no_fd(struct la_stack *s, la_time now, la_listener_id id,
                                           uint64_t refused);

/* sysctl ------------------------------------------------------------------------ */

/* Return: LA_OK; LA_ENOENT (no such name); LA_EINVAL (out of range). */
LA_MUST_CHECK enum la_err la_sysctl_get(const struct la_stack *s, const char *name,
                                        uint64_t *value);
LA_MUST_CHECK enum la_err la_sysctl_set(struct la_stack *s, const char *name, uint64_t value);
/*
 * la_sysctl_write(), la_sysctl_read() - A setting in the text of /proc/sys: a number, or for
 * net.ipv4.ip_local_port_range "low high", for net.ipv4.ip_local_reserved_ports "8080,9000-9010",
 * for net.ipv4.tcp_rmem and tcp_wmem "4096 default max", of which the first is fixed, for
 * net.ipv4.tcp_congestion_control "cubic".  tcp_available_congestion_control can not be set.
 * @bytes: Room at @text; LA_SYSCTL_TEXT_MAX is enough
 *
 * Return: LA_OK; LA_ENOENT (no such name); LA_EINVAL (no such value, or no room).
 */
#define LA_SYSCTL_TEXT_MAX 512
LA_MUST_CHECK enum la_err la_sysctl_write(struct la_stack *s, const char *name, const char *text);
LA_MUST_CHECK enum la_err la_sysctl_read(const struct la_stack *s, const char *name, char *text,
                                         uint32_t bytes);
/* Those that are no number: NULL after the last. */
const char *la_sysctl_list_name(uint32_t i);
const char *la_sysctl_list_text(uint32_t i);
/* The names of the others in order, NULL after the last. */
const char *la_sysctl_name(uint32_t i);
const char *la_sysctl_text(uint32_t i);

/* Causes ------------------------------------------------------------------------ */

/* What became of it. */
enum la_cause_kind {
    LA_CAUSE_DROP,    /* dropped in silence */
    LA_CAUSE_ACK,     /* dropped, and acknowledged or challenged */
    LA_CAUSE_RST,     /* dropped, and answered with a reset */
    LA_CAUSE_REFUSED, /* a limit was met */
    LA_CAUSE_ENDED,   /* the peer or the network ended it, or both sides in order */
    LA_CAUSE_TIMEOUT,
    LA_CAUSE_ABORTED, /* this side ended it and told the peer */
};

/* What causes.def says of a reason: "RFC 9293 3.10.7.1", a sysctl, a counter; "none" if there is none. */
enum la_cause_kind la_cause_kind(enum la_drop reason);
const char *la_cause_kind_name(enum la_cause_kind kind);
const char *la_cause_clause(enum la_drop reason);
const char *la_cause_knob(enum la_drop reason);
const char *la_cause_counter(enum la_drop reason);

/* One thing that went wrong, with what stood in the queues then. */
struct la_cause {
    uint64_t number; /* from 1, in order */
    la_time at;      /* of the last of them */
    la_conn_id conn; /* zero for records and for segments without a connection */
    struct la_endpoint local, remote;
    enum la_drop reason;
    enum la_state state; /* in which it was met */
    uint32_t times;      /* the same reason at the same place within a second is told once */
    uint32_t accept_len, half_len, limit; /* of the listener it came to; limit 0: none */
    uint32_t snd_queued_bytes, rcv_queued_bytes;
    uint32_t retransmits;
    uint32_t conns_used, chunks_used; /* of the whole stack */
    uint8_t flags;                    /* of the segment, as on the wire; 0 if none caused it */
    bool orphan;                      /* a connection that nobody held any more */
};

/*
 * la_cause_counted(), la_cause_decided() - The counter that this one moved, and the knob that decided
 * it: as la_cause_counter() and la_cause_knob() have them, but where that depends on the state
 * (EstabResets; tcp_retries2, tcp_orphan_retries, tcp_syn_retries).
 */
const char *la_cause_counted(const struct la_cause *c);
const char *la_cause_decided(const struct la_cause *c);

/*
 * la_causes() - The causes that are remembered, oldest first: the last config.cause_records.
 * @after: Number of the last one known; carried from call to call
 *
 * Ordinary ends (CLOSED_NORMALLY, TIME_WAIT_END) and what IP drops are counted only.
 * Return: how many were written.
 */
uint32_t la_causes(const struct la_stack *s, uint64_t *after, struct la_cause *out, uint32_t max);

/*
 * la_conn_cause() - Why this connection ended, or what was last dropped of it.
 *
 * Return: LA_OK; LA_ENOENT (nothing is remembered; la_conn_error() still has the reason);
 *         LA_EBADHANDLE.
 */
LA_MUST_CHECK enum la_err la_conn_cause(const struct la_stack *s, la_conn_id id,
                                        struct la_cause *out);

/* Trace ------------------------------------------------------------------------- */

enum la_trace_kind {
    LA_TRACE_RX = 1,       /* a segment arrived: state before, state after, verdict */
    LA_TRACE_TX = 2,       /* a segment was handed to la_tx() */
    LA_TRACE_STATE = 3,    /* a state change, along a legal edge */
    LA_TRACE_TIMEOUT = 4,  /* a timer fired */
    LA_TRACE_END = 5,      /* a connection ended, with its reason */
    LA_TRACE_RECOVERY = 6, /* loss recovery decided something: cwnd and ssthresh after it */
};

/* Decisions of loss recovery: seq is SND.UNA, ack is SND.NXT, len_bytes what is in the network. */
enum la_recovery {
    LA_RECOVERY_BEGIN,          /* fast recovery */
    LA_RECOVERY_END,            /* of fast recovery or of what followed an RTO */
    LA_RECOVERY_LOST,           /* something was marked lost */
    LA_RECOVERY_RTO,            /* an RTO marked it */
    LA_RECOVERY_UNDO,           /* the recovery was not called for */
    LA_RECOVERY_REORDERING,     /* reordering was seen for the first time */
    LA_RECOVERY_PROBE,          /* a tail loss probe */
    LA_RECOVERY_PROBE_REPAIRED, /* it has repaired a loss */
    LA_RECOVERY_ECN,            /* the peer echoed congestion, and the window is reduced */
    LA_RECOVERY_SLOW_START_END, /* HyStart++ has ended the initial slow start */
    LA_RECOVERY_IDLE,           /* nothing was sent for an RTO: the initial window again */
    LA_RECOVERY_APP_LIMITED,    /* the application leaves the window unused */
    LA_RECOVERIES
};
const char *la_recovery_name(enum la_recovery event);

struct la_trace {
    la_time at;
    uint64_t conn; /* handle bits; 0 for records and for segments without a connection */
    struct la_endpoint local, remote;
    uint32_t seq, ack, wnd;  /* as on the wire; wnd unscaled */
    uint32_t len_bytes;      /* of text */
    uint32_t cwnd, ssthresh; /* for LA_TRACE_RECOVERY, bytes */
    uint8_t kind;            /* enum la_trace_kind */
    uint8_t flags;           /* TCP flags as on the wire */
    uint8_t from, to;        /* enum la_state */
    uint8_t
        timer; /* enum la_timer, for LA_TRACE_TIMEOUT; enum la_recovery, for LA_TRACE_RECOVERY */
    uint8_t retransmission; /* for LA_TRACE_TX */
    uint16_t reason;        /* enum la_drop */
};

/*
 * la_trace_read() - Take trace records, oldest first.
 * @lost: Incremented by how many were overwritten before they were read
 *
 * Return: how many were written; always 0 if config.trace_records was 0.
 */
uint32_t la_trace_read(struct la_stack *s, struct la_trace *out, uint32_t max, uint64_t *lost);

#ifdef __cplusplus
}
#endif
#endif
