/* SPDX-License-Identifier: MIT */
/*
 * lab.h - Demonstrations: what is commonly said, what happens, what to do.
 *
 * How to write one.  A scenario is a file's static function that reads as the story does, and a
 * record beside it with the words; its name stands in scenarios.def, in the order of the list:
 *
 *     static void run(struct lab *l)
 *     {
 *         lab_begin(l, "The client closes first", NULL);        a world: l->client, l->server
 *         struct lab_sock *c = lab_connect(l, l->client, l->server, 80);
 *         lab_run(l, sim_ms(50));
 *         struct lab_sock *s = lab_accept(l, l->server, 80);
 *         lab_close(c);
 *         lab_run(l, sim_ms(50));
 *         lab_recv(s);                                          drawn: "recv() = 0: end of file"
 *         lab_close(s);
 *         lab_run(l, sim_ms(50));
 *         lab_claim(l, lab_state(c) == LA_TIME_WAIT, "the side that closed first is in TIME_WAIT");
 *     }
 *
 *     const struct lab_scenario lab_four_way_close = {
 *         .name = "four-way-close", .title = "...", .said = "...", .happens = "...",
 *         .todo = "...", .see = "RFC 9293 3.6", .run = run,
 *     };
 *
 * Every number and every name in the words is a claim too: what is not claimed may be false
 * tomorrow.  lab_claim() is for what the standard settings imply; with --set such a claim may turn
 * out otherwise, and is then shown as changed.  lab_must() is for what no setting may change.
 * The words of a claim hold what was measured, so that a changed one tells by how much.
 *
 * lab_begin() may be called again for another variant: each has a world, a ladder and counters of its
 * own.  It begins at 0 s; the client's first port is 40001, and its ISN and the server's are where
 * the test wants them.  The link takes 10 ms each way.  Calls on sockets are drawn as they are made,
 * and packets with what became of them, as far as they go between l->client and l->server.
 *
 *   lose packets          lab_lose()             keep one for later    lab_keep(), lab_inject()
 *   one line in words     lab_say(), lab_note()  a table               lab_table(), lab_cell()
 *   many connections      lab_quiet(), .crowd    further hosts         lab_host(), lab_link()
 *   a peer that is no lastack, a NAT             lab_script()
 *   a router                                     sim_router() of sim/router.h
 *   a listener of one's own, readiness           lab_listen(), l->on_event
 *
 * A scenario runs in well under a second, knows nothing of the wall clock, and says the same words
 * whatever the sequence numbers: tests/sim/lab_test.c compares.
 */
#ifndef SIM_LAB_LAB_H
#define SIM_LAB_LAB_H

#include "sim/host.h"

#define LAB_PORT_FIRST 40001u
#define LAB_SETS_MAX 16u
#define LAB_RULES_MAX 16u
#define LAB_ROWS_MAX 160u /* drawn of a section; what follows is counted */
#define LAB_COLUMNS_MAX 10u
#define LAB_SIDES 2u

struct lab;

struct lab_scenario {
    const char *name;    /* "four-way-close" */
    const char *title;   /* in the list, a few words */
    const char *said;    /* what is commonly said; sentences, paragraphs parted by an empty line */
    const char *happens; /* what happens, before the pictures */
    const char *todo;    /* what to do */
    const char *see;     /* RFC sections, knobs, counters, in one line */
    const char
        *code; /* the pair examples/lab/CODE_wrong.c, CODE_right.c; NULL: no program is at fault */
    void (*run)(struct lab *l);
};

extern const struct lab_scenario *const lab_scenarios[];
extern const uint32_t lab_scenario_count;
/* NULL if there is none. */
const struct lab_scenario *lab_scenario_find(const char *name);

/* --set: a sysctl in the text of /proc/sys, at both ends. */
struct lab_set {
    const char *name, *value;
};

struct lab_options {
    bool v6;
    uint32_t origin; /* the first connection's ISN, both sides */
    struct lab_set sets[LAB_SETS_MAX];
    uint32_t set_count;
    /* Every packet handed to a wire; @section: the world it is of, from 0.  May be NULL. */
    void (*packet)(void *context, uint32_t section, uint64_t at_ns, bool from_client,
                   const uint8_t *bytes, uint32_t len_bytes, uint32_t fate);
    void *context;
};

/* What came of it ------------------------------------------------------------------------- */

enum lab_verdict { LAB_HOLDS, LAB_FAILS, LAB_CHANGED };

struct lab_claim {
    enum lab_verdict verdict;
    const char *text;
};

enum lab_row_kind { LAB_ROW_SEGMENT, LAB_ROW_NOTE, LAB_ROW_OMITTED };

struct lab_row {
    enum lab_row_kind kind;
    uint32_t side; /* 0 client, 1 server: who sends, or speaks */
    uint32_t fate; /* SIM_LOST and so on */
    uint64_t at_ns;
    uint64_t number; /* of the packet; of those omitted, how many */
    const char *text;
    const char *state[LAB_SIDES]; /* after sending; after arrival, NULL if it did not arrive */
    uint32_t why;                 /* the footnote to its arrival, from 1; 0: none */
};

/* A footnote: what was dropped, refused, reset or timed out at one end, the first of @times. */
struct lab_why {
    uint32_t side;
    uint64_t at_ns, times;
    struct la_cause cause;
};

struct lab_table {
    const char *title;
    uint32_t columns, cells; /* the first row is the head */
    const char **cell;
};

struct lab_count {
    const char *group, *name, *text; /* group "Drop": a reason of drops.def */
    uint64_t moved[LAB_SIDES];
};

struct lab_section {
    const char *title; /* NULL: the only one */
    const char *end[LAB_SIDES];
    struct lab_row *rows;
    uint32_t row_count;
    struct lab_why *whys;
    uint32_t why_count;
    const char **lines; /* lab_say() */
    uint32_t line_count;
    struct lab_table *tables;
    uint32_t table_count;
    struct lab_count *counts;
    uint32_t count_count;
};

struct lab_sock {
    struct lab *l;
    struct sim_host *host;
    la_conn_id conn;
    bool held;
    struct la_endpoint local, remote;
    enum la_err error; /* of the last call that failed */
    uint64_t tag;      /* the scenario's own */
};

/* Which packets a rule is about. */
struct lab_which {
    const struct sim_host *from; /* NULL: either */
    uint8_t mask, flags;         /* SIM_FIN and so on: (segment & mask) == flags */
    bool text;                   /* with text only */
    uint32_t skip;               /* so many that match are let through first */
    uint32_t count;              /* then it acts on so many; 0: on all */
};

struct lab_rule {
    struct lab_which which;
    bool lose, keep;
    uint32_t seen, done;
    struct sim_packet *kept; /* the newest, a copy */
};

struct lab_stream;

struct lab {
    const struct lab_scenario *scenario;
    struct lab_options options;
    struct sim_world world;
    bool open; /* the world is there */
    struct sim_watch watch;
    struct sim_host *client, *server;
    struct sim_link *link;
    /* Called for events while it is set; NULL: the scenario looks itself. */
    void (*on_event)(struct lab *l, struct sim_host *at, const struct la_event *event);
    bool in_event; /* the host is in a turn, which lets out what calls cause */
    void *user;    /* the scenario's own */

    struct lab_section *sections;
    uint32_t section_count;
    struct lab_claim *claims;
    uint32_t claim_count, failed, changed;
    char error[SIM_MESSAGE_BYTES]; /* a rule of the simulator broke, or --set was refused */

    bool quiet;
    const char *script_state[LAB_SIDES]; /* of a scripted end, for the picture; NULL: it has none */
    struct lab_rule rules[LAB_RULES_MAX];
    uint32_t rule_count;
    struct lab_stream *streams; /* ISNs seen, to show numbers from 0 */
    uint32_t stream_count;
    struct lab_sock **socks;
    uint32_t sock_count;
    void **things; /* all that is to be given back */
    uint32_t thing_count;
    uint64_t before[LAB_SIDES][LA_COUNTERS + LA_DROPS];
    struct lab_seen {
        uint64_t number;
        uint32_t times;
    } seen[LAB_SIDES]; /* the newest cause known of each end, and how often it had happened */
};

/* Would a stack take it?  Return: NULL, or why not. */
const char *lab_set_refused(const struct lab_set *set);
void lab_run_scenario(struct lab *l, const struct lab_scenario *scenario,
                      const struct lab_options *options);
void lab_free(struct lab *l);
/* No claim failed and no rule broke. */
bool lab_held(const struct lab *l);

/* For scenarios ---------------------------------------------------------------------------- */

struct lab_end_opt {
    const char *name; /* in the picture; NULL: "client", "server" */
    struct lab_set sets[8];
    uint32_t crowd; /* room for so many connections and TIME-WAITs; 0: 64 */
};

struct lab_world_opt {
    struct lab_end_opt client, server;
    uint32_t delay_us;  /* one way; 0: 10 ms */
    uint32_t rate_kbps; /* 0: no limit */
    bool apart;         /* no link: the scenario makes its own */
    bool plain;         /* no checker of the wire: peers that do what a checker forbids */
};

/* A new world, and in it two hosts and a link.  @opt: NULL for none.  @title: NULL for an only one. */
void lab_begin(struct lab *l, const char *title, const struct lab_world_opt *opt);
/* A section without a world, for what sums the ones before up.  A world of which nothing is said is not shown. */
void lab_summary(struct lab *l, const char *title);
/* Another host, and a link to it. */
struct sim_host *lab_host(struct lab *l, const struct lab_end_opt *opt);
struct sim_link *lab_link(struct lab *l, struct sim_host *a, struct sim_host *b, uint32_t delay_us);
/* From now on @h has no stack: what arrives goes to @script.  The checker of the wire is off. */
void lab_script(struct lab *l, struct sim_host *h, sim_script *script, void *context);

void lab_run(struct lab *l, uint64_t ns);
void lab_run_until(struct lab *l, uint64_t at_ns);
/* Until the connection is in @state there, or @ns have passed.  Return: true if it is. */
bool lab_run_to(struct lab_sock *s, enum la_state state, uint64_t ns);
static inline uint64_t lab_now_ms(const struct lab *l)
{
    return l->world.now_ns / 1000000u;
}

/* A sysctl of a live host; refused ones end the scenario. */
void lab_sysctl(struct lab *l, struct sim_host *h, const char *name, const char *value);

/* Sockets: lab_sock.c.  Each call is drawn, and what it caused leaves the host at once. */
void lab_listen(struct lab *l, struct sim_host *h, uint16_t port, uint32_t backlog);
/* From the next port from 40001 on; @to listens with a backlog of 128 if nobody does. */
struct lab_sock *lab_connect(struct lab *l, struct sim_host *from, struct sim_host *to,
                             uint16_t port);
/* An open connection to port 80 of the server, accepted, 50 ms later. */
struct lab_sock *lab_pair(struct lab *l, struct lab_sock **server);
/* From a port of one's own (0: the stack chooses) to anywhere; nobody is made to listen.  held is false after an error. */
struct lab_sock *lab_connect_from(struct lab *l, struct sim_host *from, uint16_t local_port,
                                  struct la_addr to, uint16_t port);
/* 127.0.0.1 or ::1.  lab_loopback_add() gives it to a host, before which nobody has it. */
struct la_addr lab_loopback(const struct lab *l);
void lab_loopback_add(struct lab *l, struct sim_host *h);
/* NULL: nobody waits to be accepted. */
struct lab_sock *lab_accept(struct lab *l, struct sim_host *h, uint16_t port);
/* Return: bytes taken or read, 0 at the end of file; else an enum la_err, in ->error too. */
int64_t lab_send(struct lab_sock *s, const char *text);
int64_t lab_send_bytes(struct lab_sock *s,
                       uint64_t bytes); /* zeros; as many as there is room for */
int64_t lab_recv(struct lab_sock *s);
int64_t lab_recv_into(struct lab_sock *s, char *to, uint32_t room);
/* All that can still be read, for 5 s; *@error: what ended it, LA_OK for end of file. */
uint64_t lab_recv_all(struct lab_sock *s, enum la_err *error);
void lab_shutdown(struct lab_sock *s, uint32_t how);
void lab_option(struct lab_sock *s, enum la_option option, uint64_t value);
void lab_close(struct lab_sock *s);
void lab_abort(struct lab_sock *s);
/* Its state, held or not: LA_CLOSED if nothing is left of it. */
enum la_state lab_state(const struct lab_sock *s);
/* The error that ended it; LA_OK. */
enum la_err lab_error(const struct lab_sock *s);
uint32_t lab_count_state(const struct sim_host *h, enum la_state state);
/* Since lab_begin(). */
uint64_t lab_moved(const struct lab *l, const struct sim_host *h, enum la_counter counter);
uint64_t lab_dropped(const struct lab *l, const struct sim_host *h, enum la_drop reason);

/* Faults: packets between client and server.  A rule lasts until the next lab_begin(). */
struct lab_rule *lab_lose(struct lab *l, struct lab_which which);
struct lab_rule *lab_keep(struct lab *l, struct lab_which which, bool lose);
/* The packet a rule kept arrives @after_ns from now.  @text: how it is drawn. */
void lab_inject(struct lab *l, const struct lab_rule *rule, uint64_t after_ns, const char *text);

/* Words: lab_words.c. */
__attribute__((format(printf, 2, 3))) const char *lab_text(struct lab *l, const char *format, ...);
/* In the ladder, as said by this host. */
__attribute__((format(printf, 3, 4))) void lab_note(struct lab *l, const struct sim_host *h,
                                                    const char *format, ...);
/* A line below the ladder. */
__attribute__((format(printf, 2, 3))) void lab_say(struct lab *l, const char *format, ...);
/* From here on nothing is drawn; false: from here on it is again. */
void lab_quiet(struct lab *l, bool quiet);
void lab_table(struct lab *l, const char *title, uint32_t columns);
__attribute__((format(printf, 2, 3))) void lab_cell(struct lab *l, const char *format, ...);

/* Under the standard settings @holds must be true, and under all, respectively. */
__attribute__((format(printf, 3, 4))) void lab_claim(struct lab *l, bool holds, const char *format,
                                                     ...);
__attribute__((format(printf, 3, 4))) void lab_must(struct lab *l, bool holds, const char *format,
                                                    ...);

/* Within the framework ----------------------------------------------------------------------- */

void *lab_take(struct lab *l, size_t bytes);
void lab_row_add(struct lab *l, const struct lab_row *row);
void lab_section_end(struct lab *l);
/* The state of a 4-tuple at a host, for a picture; NULL: nothing is there. */
const char *lab_state_name(const struct sim_host *h, const struct la_endpoint *local,
                           const struct la_endpoint *remote);
/* What is new in the ring of causes there becomes footnotes.  Return: the last one's number; 0. */
uint32_t lab_why(struct lab *l, const struct sim_host *h);
void lab_watch_begin(struct lab *l);
void lab_watch_end(struct lab *l);
void lab_rules_begin(struct lab *l);
void lab_rules_end(struct lab *l);
/* 1 for the server, 0 for anybody else. */
static inline uint32_t lab_side(const struct lab *l, const struct sim_host *h)
{
    return h == l->server;
}
static inline bool lab_drawn(const struct lab *l, const struct sim_host *h)
{
    return !l->quiet && (h == l->client || h == l->server);
}

#endif
