/* SPDX-License-Identifier: MIT */
/*
 * ladder_lines.h - Inside the ladder: what is kept of a connection.
 *
 * A record becomes a line; a line passes through a short ring of the newest ones, and is
 * then settled: kept if it tells something, else folded into the run of data that is under
 * way.  So memory is bounded by what is drawn.
 */
#ifndef CLI_LADDER_LINES_H
#define CLI_LADDER_LINES_H

#include "cli/ladder.h"

/* Both sides are treated alike; what was sent by a side has its number. */
enum ladder_side { LOCAL, PEER };
#define OTHER(side) ((side) == LOCAL ? PEER : LOCAL)

#define NOTES_MAX 5
#define RUN_PLAIN_MAX 4  /* a run of so few lines is drawn line by line */
#define PLAIN_RUNS_MAX 8 /* so many changes of direction are drawn, then all is one run */
#define LAST_SEGMENTS_MAX 64

/* One plain sentence about a line; each is said of one side. */
enum note {
    NOTE_OPENS,
    NOTE_SYN_ACK,
    NOTE_OPEN,
    NOTE_SIMULTANEOUS_OPEN,
    NOTE_FIN_WAIT_1,
    NOTE_CLOSE_PENDING,
    NOTE_CLOSE_WAIT,
    NOTE_FIN_WAIT_2,
    NOTE_LAST_ACK,
    NOTE_CLOSING,
    NOTE_TIME_WAIT,
    NOTE_TIME_WAIT_BOTH,
    NOTE_THREE_SEGMENTS,
    NOTE_CLOSED,
    NOTE_TIME_WAIT_END,
    NOTE_FIN_AGAIN,
    NOTE_RESET,
    NOTE_AGAIN_RTO,
    NOTE_AGAIN_FAST,
    NOTE_GAP,
    NOTE_GAP_FILLED,
    NOTE_WINDOW_CLOSED,
    NOTE_WINDOW_OPEN,
    NOTE_PROBE,
    NOTE_KEEPALIVE,
    NOTE_NOT_USED,
    NOTE_END,
};

enum line_kind { LINE_SEGMENT, LINE_RUN, LINE_EVENT };

/* What a run has seen of one side. */
struct run_side {
    uint64_t segments, bytes, acks, again; /* acks: segments without text */
    uint64_t first, last;                  /* bytes sent, relative: [first, last) */
    uint32_t wnd_min, wnd_max;
};

struct line {
    la_time at, until; /* until: of a run */
    enum line_kind kind;
    enum ladder_side from;
    uint64_t seq, ack; /* relative */
    uint32_t wnd;      /* as in the header */
    uint32_t len_bytes;
    uint32_t raw_seq, raw_ack;
    uint8_t flags;
    bool again;
    uint8_t state[2];
    uint16_t reason;
    uint8_t note_count;
    struct {
        uint8_t note, side;
    } notes[NOTES_MAX];
    struct run_side run[2];
    uint64_t not_used;
};

struct run {
    struct line sum;                  /* kind LINE_RUN */
    struct line plain[RUN_PLAIN_MAX]; /* the first lines themselves */
    uint32_t count;                   /* lines taken in */
    bool mixed;                       /* holds text of both sides on purpose */
};

/* What is known of one side. */
struct side {
    const char *name;
    bool numbered;    /* base is known */
    uint32_t top_raw; /* the highest sequence number seen, as on the wire */
    uint64_t top;     /* the same, relative */
    uint64_t next;    /* behind the last byte or flag sent */
    bool fin_sent, fin_acked;
    uint64_t fin_end; /* what acknowledges the FIN */
    bool window_closed, in_gap;
    uint64_t gap_at; /* the first byte that is missing */
    uint8_t scale;
    bool scaled;
    enum la_state state; /* now */
    enum la_state shown; /* in the last line */
    uint64_t segments, bytes, again;
};

/* A footnote: the first time a reason was met, and how often it was. */
#define WHYS_MAX 16
struct why {
    struct la_cause first;
    la_time last;
    uint64_t times;
};

struct ladder {
    struct ladder_options options;
    struct why whys[WHYS_MAX];
    uint32_t why_count;
    struct side side[2];
    struct la_endpoint local, remote;
    bool started, peer_traced, close_pending, opened;
    bool timed_out; /* what is sent again is so because of the RTO */
    la_time began;
    struct la_trace held; /* a segment sent, until it is known what it answers */
    bool holds;
    bool timer_fired;
    uint8_t timer; /* enum la_timer, of the segment that comes next */
    bool ended;
    la_time ended_at;
    uint16_t end_reason;

    struct line *lines; /* settled */
    uint32_t line_count, line_room;
    uint32_t events, plain_runs;
    struct run run;
    struct line last[LAST_SEGMENTS_MAX]; /* ring */
    uint32_t last_first, last_count;
    bool no_memory; /* from here on lines are missing */
};

/* ladder.c: a copy with nothing held back, to be freed with ladder_free(); NULL: no memory. */
struct ladder *ladder_settled(const struct ladder *l);

/* ladder_peer.c: the peer's state after a segment that it sent, or that reached it. */
enum la_state peer_state_after(const struct ladder *l, const struct line *n);

/* ladder_why.c */
void why_add(struct ladder *l, const struct la_trace *t);
/* The number of the footnote to a reason; 0 if it has none. */
uint32_t why_number(const struct ladder *l, uint16_t reason);

/* ladder_notes.c */
void notes_add(struct ladder *l, struct line *n);
/* The sentence, with names in it. */
void note_text(const struct ladder *l, const struct line *n, uint32_t i, char *to, size_t room);

/* ladder_fold.c */
void fold_push(struct ladder *l, const struct line *n);
/* All lines in order, the run under way and the newest ones included, then the end. */
void fold_each(const struct ladder *l, void (*each)(void *context, const struct line *n),
               void *context);

/* ladder_text.c: numbers for people. */
#define NUMBER_TEXT_BYTES 32
const char *text_grouped(uint64_t n, char to[NUMBER_TEXT_BYTES]);               /* 3,941 */
const char *text_bytes(uint64_t n, char to[NUMBER_TEXT_BYTES]);                 /* 255.9 MB */
const char *text_rate(uint64_t bytes, uint64_t ns, char to[NUMBER_TEXT_BYTES]); /* 1.9 Gbit/s */
const char *text_seconds(uint64_t ns, char to[NUMBER_TEXT_BYTES]);              /* 0.000123 */
const char *text_span(uint64_t ms, char to[NUMBER_TEXT_BYTES]);                 /* 2 s */
#define ENDPOINT_TEXT_BYTES (LA_ADDR_TEXT_BYTES + 10)
const char *text_endpoint(struct la_endpoint e, char to[ENDPOINT_TEXT_BYTES]);
/* "SYN ACK", "none". */
#define FLAGS_TEXT_BYTES 40
const char *text_flags(uint8_t flags, char to[FLAGS_TEXT_BYTES]);
/* The window in bytes, scaled if the scale is known. */
uint64_t line_window(const struct ladder *l, enum ladder_side from, uint8_t flags, uint32_t wnd);

#define FLAG_FIN 0x01u
#define FLAG_SYN 0x02u
#define FLAG_RST 0x04u
#define FLAG_PSH 0x08u
#define FLAG_ACK 0x10u
#define FLAG_URG 0x20u

#endif
