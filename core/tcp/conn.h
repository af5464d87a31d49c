/* SPDX-License-Identifier: MIT */
/*
 * conn.h - What TCP remembers: connections, half-open records, short records,
 * listeners, and the shard that holds them.
 *
 * A connection exists in one of three sizes.  Half-open: SYN-RECEIVED by a passive
 * open, 64 bytes (IPv4).  Full: everything in between.  Short: TIME-WAIT, and
 * FIN-WAIT-2 that no application holds, 64 bytes (IPv4).  All three stand in one index,
 * so a segment finds its connection with one look-up whatever its size, and the change
 * of size rewrites one slot of the index.
 *
 * Nothing here holds a pointer: links are slot numbers.
 */
#ifndef CORE_TCP_CONN_H
#define CORE_TCP_CONN_H

#include "core/base/addr.h"
#include "core/base/env.h"
#include "core/base/index.h"
#include "core/base/prefetch.h"
#include "core/base/slab.h"
#include "core/base/wheel.h"
#include "core/tcp/cc.h"
#include "core/tcp/seq.h"

/* The 4-tuple, from this side. */
struct tcp_flow {
    struct la_addr laddr, raddr;
    uint16_t lport, rport;
};

/* Deadline slots of a connection. */
enum tcp_deadline {
    TCP_DL_RTX,    /* RTO, or persist while the window is closed */
    TCP_DL_IDLE,   /* keepalive, or an orphan's FIN-WAIT-2 */
    TCP_DL_DELACK, /* delayed ACK */
    TCP_DL_CORK,   /* a partial segment held back by CORK or MORE */
    TCP_DEADLINES
};

/* What TCP_DL_RTX stands for, unless it is the persist timer. */
enum tcp_rtx {
    TCP_RTX_RTO,
    TCP_RTX_TLP, /* a tail loss probe is due: RFC 8985 7.2 */
    TCP_RTX_RACK /* something may be lost by then: RFC 8985 6.2 step 5 */
};

#define TCP_BUFFER_BITS (UINT32_MAX >> 1)

/* What can be set on a listener or a connection; 0 means the knob decides, where that makes sense. */
struct tcp_settings {
    uint32_t rcvbuf : 31;      /* bytes */
    uint32_t rcvbuf_fixed : 1; /* as the application set it: it does not grow */
    uint32_t sndbuf : 31;
    uint32_t sndbuf_fixed : 1;
    uint32_t max_pacing_rate; /* bytes a second; 0: none */
    uint32_t user_timeout_ms : 27;
    uint32_t cork : 1;
    uint32_t keepalive : 1;
    uint32_t congestion : 2; /* enum cc_algorithm */
    uint32_t quickack : 1;
    uint32_t msl_ms1 : 18; /* MSL, ms, and one */
    uint32_t keepcnt : 7;
    uint32_t syncnt : 7; /* SYN retransmissions */
    uint16_t maxseg;
    uint16_t keepidle_s : 15;
    uint16_t nodelay : 1;
    uint32_t keepintvl_s : 15;
    uint32_t reuse_port : 1; /* SO_REUSEPORT, for whoever binds the port later */
    uint32_t linger2_s : 12;
    uint32_t reuse : 1;          /* SO_REUSEADDR, like SO_REUSEPORT */
    uint32_t notsent_lowat : 18; /* bytes, as settings.c packs them */
    uint32_t tos6 : 6;           /* of the octet, without the bits of ECN, which are TCP's */
    uint32_t ttl : 8;
};
/* Bytes that may stand unsent in a socket that is writable, packed: all below 2^17, then in 8 KiB. */
#define TCP_LOWAT_EXACT (UINT32_C(1) << 17)
#define TCP_LOWAT_UNIT UINT32_C(8192)
#define TCP_LOWAT_MAX ((TCP_LOWAT_EXACT - 1) * TCP_LOWAT_UNIT)
_Static_assert(sizeof(struct tcp_settings) == 32, "each connection and listener has one");

/*
 * In the order of cache lines: what a segment in order touches comes first, what only opening,
 * closing and asking touch comes last.  The asserts below hold the borders.  Seven lines are full:
 * who adds a field makes another one smaller.
 */
struct tcp_conn {
    /* Line 0: who it is, and what it is up to. */
    _Alignas(64) struct slot slot; /* slot.link: next in the accept queue */
    struct tcp_flow flow;
    uint32_t hash;

    uint8_t state; /* enum la_state */
    uint8_t iface;
    uint8_t snd_shift : 4, rcv_shift : 4; /* window scaling: of what the peer sends / of ours */
    uint8_t mtu_epoch;                    /* of pmtu.c: when path_mtu was looked up last */
    bool held : 1;                        /* the application has a handle */
    bool active : 1;                      /* by active open (MUST-11) */
    bool timestamps : 1;
    bool sack : 1;
    bool fin_queued : 1;   /* FIN follows the bytes in sndq */
    bool fin_sent : 1;     /* FIN went out, as the last of all: snd.nxt is behind it */
    bool fin_received : 1; /* the peer's FIN has been passed: rcv.nxt is behind it */
    bool rd_shut : 1;      /* what arrives is discarded */
    bool want_ack : 1;     /* an ACK goes out at the next la_tx() */
    bool want_syn : 1;     /* SYN or SYN-ACK, likewise */
    bool want_probe : 1;   /* a zero-window probe, likewise */
    bool want_keepalive : 1;
    bool want_rtx : 1;     /* one segment at snd.una goes out regardless of cwnd */
    bool in_recovery : 1;  /* fast recovery (RFC 6582) */
    bool rto_recovery : 1; /* after an RTO, until snd.una passes recover */
    bool timing : 1;       /* rtt_seq is being timed */
    bool push : 1;         /* all of sndq may go, even in a partial segment */
    bool more : 1;         /* MORE: hold a partial segment */
    bool starved : 1;      /* a send met an empty pool */
    bool touched : 1;      /* stands in the burst's list */
    bool on_tx : 1;        /* stands on the transmit list */
    bool on_ready : 1;     /* stands on the ready list */
    bool urgent : 1;       /* urgent data was announced */
    bool r1_told : 1;
    bool established : 1; /* has been ESTABLISHED at some time */
    bool ack_now : 1;     /* this segment is to be acknowledged at once */
    bool fin_known : 1;   /* the peer's FIN came before text that is still missing */
    bool persist : 1;     /* TCP_DL_RTX is the persist timer */
    bool zero_adv : 1;    /* the window last advertised was zero */
    bool parks : 1;       /* a record in TIME-WAIT returns if the opening fails */
    bool orphan : 1;      /* nobody holds it, and it is not over: counted in tcp.orphans */
    bool text_shut : 1;   /* text that comes after our FIN is queued draws a reset */
    uint8_t dupacks;
    uint8_t probes;    /* zero-window probes since an answer */
    uint8_t ka_probes; /* keepalive probes since an answer */
    uint8_t quick;     /* segments still to be acknowledged at once */
    uint16_t path_mtu; /* bytes, of the IP packet: as large as segments are made for */
    uint16_t peer_mss; /* as the peer's MSS option said, or the default */

    /* Line 1: receiving. */
    struct {
        tcp_seq nxt;
        tcp_seq adv;      /* right edge last advertised: never moves left */
        tcp_seq last_ack; /* SEG.ACK last sent (RFC 7323 Last.ACK.sent) */
        union {
            tcp_seq up;        /* urgent pointer, once urgent data was announced */
            uint32_t round_us; /* until then: when the round began (autotune.c) */
        };
        union {
            tcp_seq fin;  /* of the peer's FIN, once known */
            tcp_seq edge; /* until then: the round ends here (autotune.c) */
        };
        uint32_t ooo; /* chunk with the reassembly ranges, or SLAB_NONE */
    } rcv;
    uint32_t ts_recent, ts_offset;
    uint32_t ts_recent_at; /* nanoseconds >> TCP_PAWS_SHIFT */
    uint32_t data_segs_in; /* segments with text, as tcp_info counts them */
    struct queue rcvq;     /* up to rcv.nxt, unread */
    uint32_t ack_bytes;    /* bytes of text in order since the last ACK went out */
    uint16_t ack_segs;     /* full-size segments in order since then */
    uint16_t rcv_mss;      /* largest text seen: what "full-sized" means for ACKs */

    /* Line 2: sending. */
    struct {
        tcp_seq una, nxt, wl1; /* SND.WL2 is SND.UNA: snd_window.c */
        uint32_t wnd, max_wnd;
        tcp_seq rtx;     /* next to send again after an RTO; = nxt when nothing is */
        tcp_seq recover; /* RFC 6582 */
        tcp_seq crumb;   /* end of the last segment that was not full */
    } snd;
    uint32_t data_segs_out; /* segments with text, each time they are sent */
    uint32_t pace_at;       /* the next departure: nanoseconds >> TCP_PACE_SHIFT (pacing.c) */
    struct queue sndq;      /* from snd.una */
    uint32_t cwnd;          /* bytes */
    uint16_t snd_mss;       /* bytes of text in a full segment, options taken off */
    uint8_t backoff;        /* doublings of the RTO since progress */
    uint8_t retransmits;    /* since progress */

    /* Line 3: time. */
    la_time deadline[TCP_DEADLINES];
    la_time rtx_since; /* when what stands at snd.una was first sent, or the window closed */
    la_time last_rx, last_tx;
    la_time node_at; /* where conn_node() stands in the wheel: arming later does not touch it */

    /* Line 4: lists and counts. */
    uint32_t tx_next, tx_prev, ready_next, ready_prev;
    union {
        uint32_t listener;     /* while in its accept queue, else SLAB_NONE; unless: */
        uint32_t starved_prev; /* the list of those a send met an empty pool; next is slot.link */
    };
    uint16_t mask;    /* readiness as last told */
    uint16_t adv_mss; /* what our SYN said */
    uint64_t bytes_acked, bytes_received;
    uint64_t bytes_retrans : 40; /* these three stop at their largest value */
    uint64_t dsack_dups : 16;
    uint64_t reord_seen : 8;
    uint32_t segs_out, segs_in;
    uint32_t rcv_text_at; /* when text last came in order: nanoseconds >> TCP_COARSE_SHIFT */
    uint32_t reserved;    /* bytes of the send reservation in force */

    /* Line 5: settings and congestion. */
    struct tcp_settings set;
    uint32_t ssthresh;    /* bytes */
    uint32_t min_rtt_at;  /* when min_rtt_us was measured: as tcp_coarse() has it */
    uint32_t flight_peak; /* most in flight in the round trip that ends at peak_end */
    tcp_seq peak_end;
    uint32_t srtt_us8, rttvar_us4; /* scaled by 8 and 4 (RFC 6298); srtt 0: no sample yet */
    uint32_t rto_us;
    tcp_seq rtt_seq;
    uint16_t mtu_high;  /* RFC 4821 search_high; 0: there is no search (pmtu.c) */
    uint16_t mtu_at;    /* when the search began, about seconds */
    uint32_t rtt_at_us; /* low bits */
    uint32_t rate;      /* of delivery, as rate.c writes it; 0: none yet */
    uint8_t reordering; /* most segments by which one was seen to be late; DupThresh of RFC 6675 */
    uint8_t reo_mult : 4;     /* RACK.reo_wnd_mult */
    uint8_t rtx_kind : 2;     /* enum tcp_rtx: what TCP_DL_RTX is, unless it is the persist timer */
    bool reordering_seen : 1; /* RACK.reordering_seen */
    bool dubious : 1;         /* an ACK may have more to say than that text has arrived */
    uint8_t reo_persist : 5;  /* RACK.reo_wnd_persist */
    bool resend : 1;          /* something is marked lost and waits to be sent again */
    bool tlp_out : 1;         /* a tail loss probe waits for its ACK (RFC 8985 7.4) */
    bool tlp_again : 1;       /* TLP.is_retrans */
    bool want_tlp : 1;        /* a tail loss probe goes out at the next la_tx() */
    bool pace_hold : 1;       /* nothing that is paced goes before pace_at */
    bool board : 1;           /* the block of what is in flight has ranges */
    bool ecn : 1;             /* agreed on: RFC 3168 6.1.1 */
    bool ecn_asked : 1;       /* our SYN asked */
    bool ecn_echo : 1;        /* ACKs carry ECE until CWR comes */
    bool ecn_cwr : 1;         /* the next new text carries CWR */
    bool ecn_reduced : 1;     /* the window has been reduced for ECE in this round trip */

    /* Line 6: the rest. */
    uint64_t user;
    la_time opened;
    uint32_t state_since;     /* in units of TCP_COARSE_SHIFT */
    uint32_t last_invalid_us; /* when an ACK for something unacceptable last went out; 0: never */
    uint32_t inflight;        /* chunk with struct flight (inflight.h), or SLAB_NONE */
    uint32_t min_rtt_us;      /* smallest sample of tcp_min_rtt_wlen; 0: none yet */
    struct queue_hint sndhint;
    uint32_t segs_retransmitted;
    int8_t error; /* enum la_err that ended it */
    int8_t soft_error;
    uint8_t reason;        /* enum la_drop */
    uint8_t eof_reads : 5; /* how often the application was told EOF, up to TCP_EOF_READS_MAX */
    uint8_t found : 3;     /* findings that were told: TCP_FOUND_* */
};
#define TCP_EOF_READS_MAX 31u
#define TCP_FOUND_CLOSE_WAIT 1u
#define TCP_FOUND_IDLE 2u
_Static_assert(LA_DROPS <= UINT8_MAX, "reasons fit one byte");
/* Units of 256 ns: 9 minutes ahead and as long behind can be told apart. */
#define TCP_PACE_SHIFT 8
/* Units of 1.07 s, which wrap after 146 years: PAWS asks for 24 days. */
#define TCP_PAWS_SHIFT 30
/* Units of about a millisecond, which wrap after 52 days: enough to say how long ago. */
#define TCP_COARSE_SHIFT 20
/* Errors are small numbers: they fit one byte. */
#define LA_ERROR(name, value, text) _Static_assert((value) < 0 && (value) >= INT8_MIN, #name);
#include <lastack/errors.def>
#undef LA_ERROR
#define TCP_LINE(member) (offsetof(struct tcp_conn, member) / 64)
_Static_assert(TCP_LINE(peer_mss) == 0, "line 0: who it is, and what it is up to");
_Static_assert(offsetof(struct tcp_conn, rcv) == 64 && TCP_LINE(rcv_mss) == 1, "line 1: receiving");
_Static_assert(offsetof(struct tcp_conn, snd) == 128 && TCP_LINE(retransmits) == 2,
               "line 2: sending");
_Static_assert(offsetof(struct tcp_conn, deadline) == 192 && TCP_LINE(node_at) == 3,
               "line 3: time");
_Static_assert(offsetof(struct tcp_conn, tx_next) == 256 && TCP_LINE(reserved) == 4,
               "line 4: lists and counts");
_Static_assert(sizeof(struct tcp_conn) % 64 == 0, "records begin on cache lines");
_Static_assert(sizeof(struct tcp_conn) + sizeof(struct wheel_node) <= 512,
               "an idle connection's budget");

/* References to half-open and short records: 29 bits of slot, one of family. */
#define TCP_REF_V6 (UINT32_C(1) << 29)
#define TCP_REF_NONE UINT32_MAX

struct tcp_tuple4 {
    uint8_t laddr[4], raddr[4];
    uint16_t lport, rport;
};
struct tcp_tuple6 {
    uint8_t laddr[16], raddr[16];
    uint16_t lport, rport;
};

/* In a record of IPv4 only the first of them is there. */
union tcp_tuple {
    struct tcp_tuple4 v4;
    struct tcp_tuple6 v6[1];
};

/* SYN-RECEIVED by a passive open. */
struct tcp_half {
    struct slot slot; /* slot.link: next in its FIFO, a reference */
    uint32_t prev;
    uint32_t listener;
    tcp_seq irs, iss;
    uint32_t ts_recent, ts_offset;
    la_time expires;  /* when the SYN-ACK is due again */
    uint16_t mss;     /* the peer's MSS option, or the default */
    uint16_t wnd;     /* of the SYN */
    uint16_t rcv_wnd; /* what the SYN-ACK promised: a promise outlives the listener's settings */
    uint8_t retries;  /* repeats of the SYN-ACK that a timer caused */
    uint8_t flags;    /* TCP_HALF_* */
    uint32_t sent_us : 26; /* low bits of the time the first SYN-ACK went out, for an RTT sample */
    uint32_t iface : 2;
    uint32_t wscale : 4; /* the peer's shift, or TCP_WSCALE_NONE */
    union tcp_tuple tuple;
};
#define TCP_HALF_SACK 1u
#define TCP_HALF_TIMESTAMPS 2u
#define TCP_HALF_ACKED 4u  /* the peer believes itself connected */
#define TCP_HALF_RESENT 8u /* no RTT sample: Karn */
#define TCP_HALF_PARKS 32u /* a record in TIME-WAIT returns if the handshake fails */
#define TCP_HALF_ECN 64u
#define TCP_HALF_CHALLENGED 16u /* sent_us is when an ACK last went out, for the rate limit */
#define TCP_HALF_US_MASK ((UINT32_C(1) << 26) - 1) /* 67 s: beyond any rate limit */
_Static_assert(LA_IFACES_MAX < 4, "two bits name an interface, or the loopback");
#define TCP_WSCALE_NONE 15
#define TCP_WSCALE_MAX 14 /* RFC 7323 2.3 */

/* TIME-WAIT, or FIN-WAIT-2 without an owner. */
struct tcp_short {
    struct slot slot; /* slot.link: next in its class, a reference */
    uint32_t prev;
    uint8_t state; /* enum la_state */
    uint8_t class; /* of duration */
    uint8_t rcv_shift : 4;
    uint8_t iface : 4;
    uint8_t flags; /* TCP_SHORT_* */
    la_time expires;
    tcp_seq rcv_nxt, snd_nxt;
    uint32_t rcv_wnd; /* as it was last advertised */
    uint32_t ts_recent, ts_offset;
    uint32_t msl_ms1;    /* of FIN-WAIT-2: the connection's, for the TIME-WAIT that follows */
    uint32_t invalid_ms; /* when an ACK last went out, low bits of ms; for the rate limit */
    union tcp_tuple tuple;
};
#define TCP_SHORT_TIMESTAMPS 1u
#define TCP_SHORT_ACKED 2u /* invalid_ms is set */
#define TCP_SHORT_REUSE 4u /* the setting of the connection it comes from */
#define TCP_SHORT_REUSE_PORT 16u
#define TCP_SHORT_PARKED 8u /* a new connection of this 4-tuple is being opened */

#define TCP_HALF4_BYTES (offsetof(struct tcp_half, tuple) + sizeof(struct tcp_tuple4))
#define TCP_HALF6_BYTES (offsetof(struct tcp_half, tuple) + sizeof(struct tcp_tuple6))
#define TCP_SHORT4_BYTES (offsetof(struct tcp_short, tuple) + sizeof(struct tcp_tuple4))
#define TCP_SHORT6_BYTES (offsetof(struct tcp_short, tuple) + sizeof(struct tcp_tuple6))
_Static_assert(TCP_HALF4_BYTES <= 64 && TCP_HALF6_BYTES <= 96, "budget of a half-open record");
_Static_assert(TCP_SHORT4_BYTES <= 64 && TCP_SHORT6_BYTES <= 96, "budget of a short record");

struct tcp_listener {
    struct slot slot;
    struct la_prefix local;
    uint16_t port;
    bool v6_only;
    bool on_ready;
    uint8_t mask;       /* as last told */
    bool reuse_port;    /* SO_REUSEPORT: may stand beside others of the same address and port */
    uint8_t defer;      /* TCP_DEFER_ACCEPT, as a number of SYN-ACKs */
    uint32_t backlog;   /* L: each queue refuses when longer; cut to somaxconn */
    uint32_t half_len;  /* SYN queue */
    uint32_t young_len; /* of those: no timer has repeated the SYN-ACK yet */
    uint32_t acked_len; /* of those: acknowledged, there was no room or there is no text yet */
    uint32_t accept_head, accept_tail, accept_len;
    uint32_t chain_next; /* same bucket of ports */
    uint32_t ready_next, ready_prev;
    struct tcp_settings set;
    uint64_t user;

    uint32_t cookie_wnd; /* the largest window a cookie has promised; 0 before the first one */
    la_time cookie_at;   /* when the last one went out */
    bool starved_told;   /* the finding, since something was accepted last */
    uint32_t accept_max; /* the longest the accept queue has been */
    uint64_t accepted, overflows, drops; /* ListenOverflows and ListenDrops of this listener */
    uint64_t cookies_sent, cookies_recv, cookies_failed;
    uint32_t waits[LA_ACCEPT_WAITS]; /* histogram of the time in the accept queue */
};

/* A list of records linked both ways, oldest first. */
struct tcp_fifo {
    uint32_t head, tail; /* references */
    uint32_t len;
};

/* The earliest deadline of some lists; stale: not later than that. */
struct tcp_due {
    la_time at;
    bool stale;
};

#define TCP_HALF_CLASSES 8 /* 1, 2, 4 .. 64, 120 s */
#define TCP_SHORT_CLASSES 16
struct tcp_short_class {
    struct tcp_fifo fifo;
    uint64_t duration_ns; /* 0 with an empty list: free */
    uint8_t state;        /* LA_TIME_WAIT or LA_FIN_WAIT_2 */
    bool v4;              /* all of one family, so that the oldest of a family is a head */
};

/* A segment that was answered at once: its header is ready, it has no text. */
struct tcp_reply {
    struct la_addr src, dst;
    uint64_t conn; /* handle bits, 0 for none */
    uint16_t iface;
    uint8_t ttl, tos;
    uint8_t header_len;
    uint8_t state; /* for the trace */
    bool retransmission;
    uint8_t header[TCP_HEADER_BYTES + TCP_OPTIONS_MAX];
};

/* The ports in use towards one crowded destination. */
struct tcp_port_map {
    struct slot slot; /* slot.link: next of its bucket */
    struct la_addr laddr, raddr;
    uint16_t rport;
    uint16_t min, max; /* the range in which, and: */
    uint32_t rule;     /* the knobs under which: */
    uint32_t hash;
    uint32_t count;      /* bits set */
    la_time none_before; /* no TIME-WAIT can be taken over, unless one returns */
    uint64_t used_at;    /* a count of searches */
    uint64_t taken[65536 / 64];
};

#define TCP_SHARE_ADDR 1u /* SO_REUSEADDR */
#define TCP_SHARE_PORT 2u /* SO_REUSEPORT */
#define TCP_SHARE_BOTH 3u

/* What stands on a local port, of one family. */
struct tcp_port_row {
    struct la_addr laddr; /* of all of them, unless: */
    uint32_t several;     /* there were others since the port was empty */
    uint32_t records;
    uint32_t strict[3]; /* of those, without SO_REUSEADDR; without SO_REUSEPORT; without either */
};

/* What ICMP said of the path to a destination. */
struct tcp_pmtu_row {
    struct la_addr raddr;
    la_time expires;
    uint32_t mtu_bytes; /* 0: free */
};

/* findings.c */
struct tcp_findings {
    struct la_found kept[LA_FINDINGS_KEPT]; /* ring: number n at (n - 1) % size */
    uint64_t told;
    uint64_t counts[LA_FINDINGS];
    uint64_t cursor;     /* of the scan: listeners, then connections */
    uint32_t subscribed; /* a bit for each enum la_finding */
    uint32_t pending;    /* of those: told, and no event was taken */
};

#define TCP_LISTEN_BUCKETS 16
#define TCP_PORT_TABLE 32

struct tcp {
    struct env env; /* first: the arena begins here */
    struct slab conns, listeners, half4, half6, short4, short6;
    struct index index;
    struct wheel wheel;
    struct tcp_fifo half_class[TCP_HALF_CLASSES];
    struct tcp_short_class short_class[TCP_SHORT_CLASSES];
    struct tcp_due half_due, short_due;
    uint32_t listen_bucket[TCP_LISTEN_BUCKETS];
    struct {
        uint64_t offset; /* ring of struct tcp_reply */
        uint32_t cap, first, count, count_max;
    } replies;
    uint32_t state_count[LA_STATES]; /* full connections in each state */
    uint32_t orphans;                /* full connections that nobody holds and that are not over */
    struct tcp_findings findings;
    struct {               /* memory.c */
        uint32_t limit[3]; /* chunks: low, pressure, max */
        bool pressure;
        la_time since;
        uint32_t cursor;  /* of the search for the connection that has stalled longest */
        uint64_t stalled; /* its handle as far as known; 0: none */
        la_time stalled_since;
    } mem;
    struct { /* pmtu.c */
        struct tcp_pmtu_row rows[LA_PMTU_ROWS];
        la_time next;  /* the first expiry; LA_TIME_NEVER: there are no rows */
        uint8_t epoch; /* changes with every change, and with an interface's MTU */
    } pmtu;
    uint32_t tx_head, tx_tail;       /* connections with something to send */
    uint32_t ready_head, ready_tail; /* connections whose readiness changed */
    uint32_t ready_listener_head, ready_listener_tail;
    uint32_t starved_head, starved_tail; /* connections that wait for chunks */
    uint32_t touched[LA_RX_BURST_MAX];   /* connections of the burst in progress */
    uint32_t touched_count;
    struct
    { /* what the segment in progress brought twice, to be reported with its ACK (RFC 2883) */
        struct tcp_sack_block block;
        bool set, old; /* old: below RCV.NXT */
    } dsack;
    struct siphash_key key_isn, key_port, key_index, key_cookie;
    struct { /* the 4-tuple that was hashed last */
        struct tcp_flow flow;
        uint32_t hash, ci; /* the connection the last segment was for; it may be gone */
    } recent;
    struct { /* the port that a connect() to the same destination would ask for next: ports.c */
        struct tcp_flow flow;
        uint32_t hash, destination;
    } port_next;
    uint32_t port_table[TCP_PORT_TABLE]; /* RFC 6056 algorithm 4 */
    uint32_t port_map_bucket[TCP_PORT_TABLE];
    struct slab port_maps;
    uint64_t port_clock, port_searches, port_probes;
    struct tcp_port_reserved {
        uint16_t min, max;
    } reserved[LA_PORT_RANGES_MAX]; /* in ascending order, apart from each other */
    uint32_t reserved_count;
    struct {
        uint64_t offset; /* of struct tcp_port_row, two a port */
        uint32_t count;  /* 0: there is no table */
    } port_rows;
    uint16_t shards, shard;
    uint8_t congestion; /* enum cc_algorithm: net.ipv4.tcp_congestion_control */
    /* Of each interface, and behind them of the loopback. */
    uint16_t iface_mss[LA_IFACES_MAX + 1][2]; /* what our SYN says there, IPv4 and IPv6 */
    uint32_t iface_mtu[LA_IFACES_MAX + 1];
    uint32_t iface_gso[LA_IFACES_MAX + 1]; /* bytes of text one descriptor may hold there */
    bool iface_sums[LA_IFACES_MAX + 1];    /* checksums there are ours, and best taken on the way */
};

/* Low bits of the time: microseconds, and units of about a millisecond. */
static inline uint32_t tcp_now_us(const struct tcp *t)
{
    return (uint32_t)(t->env.now.ns / NS_PER_US);
}
static inline uint32_t tcp_paws_time(const struct tcp *t)
{
    return (uint32_t)(t->env.now.ns >> TCP_PAWS_SHIFT);
}
static inline uint32_t tcp_coarse(const struct tcp *t)
{
    return (uint32_t)(t->env.now.ns >> TCP_COARSE_SHIFT);
}
/* The moment that tcp_coarse() stood for: at most a unit early, and never in the future. */
static inline la_time tcp_coarse_time(const struct tcp *t, uint32_t coarse)
{
    const uint64_t ago_ns = (uint64_t)(tcp_coarse(t) - coarse) << TCP_COARSE_SHIFT;

    return (la_time){ ago_ns < t->env.now.ns ? t->env.now.ns - ago_ns : 0 };
}
static inline void *tcp_arena(const struct tcp *t)
{
    return (void *)(uintptr_t)t;
}
static inline struct tcp_conn *conn_at(const struct tcp *t, uint32_t ci)
{
    return (struct tcp_conn *)((uintptr_t)t + t->conns.offset) +
           ci; /* slab_at() without a product */
}
/* Its node in the wheel: at or before the earliest deadline. */
static inline struct wheel_node *conn_node(const struct tcp *t, uint32_t ci)
{
    return wheel_node(&t->wheel, t, ci);
}
/* Ask for all lines of a connection: on the way to it, or to the next one. */
static inline void conn_prefetch(const struct tcp *t, uint32_t ci)
{
    prefetch_range(conn_at(t, ci), sizeof(struct tcp_conn));
    prefetch(conn_node(t, ci));
}
static inline struct tcp_listener *listener_at(const struct tcp *t, uint32_t li)
{
    return (struct tcp_listener *)slab_at(&t->listeners, t, li);
}
static inline struct tcp_half *half_at(const struct tcp *t, uint32_t ref)
{
    const uint32_t i = ref & ~TCP_REF_V6;
    return (struct tcp_half *)slab_at(ref & TCP_REF_V6 ? &t->half6 : &t->half4, t, i);
}
static inline struct tcp_short *short_at(const struct tcp *t, uint32_t ref)
{
    const uint32_t i = ref & ~TCP_REF_V6;
    return (struct tcp_short *)slab_at(ref & TCP_REF_V6 ? &t->short6 : &t->short4, t, i);
}

/* Write the state: the shard counts how many connections are in each. */
static inline void conn_state(struct tcp *t, struct tcp_conn *c, enum la_state to)
{
    t->state_count[c->state]--;
    t->state_count[to]++;
    c->state = (uint8_t)to;
}

/* Sets of states, as the RFC lists them: in(c, S(ESTABLISHED) | S(FIN_WAIT_1)). */
#define S(name) (1u << LA_##name)
static inline bool state_in(uint8_t state, uint32_t set)
{
    return (set >> state & 1u) != 0;
}
static inline bool in(const struct tcp_conn *c, uint32_t set)
{
    return state_in(c->state, set);
}

#endif
