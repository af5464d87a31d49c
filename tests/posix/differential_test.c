/* SPDX-License-Identifier: MIT */
/*
 * differential_test.c - Random sequences of calls, on lastack and on the kernel's loopback.
 *
 * After each call the results and errno must be equal, and so must what poll() says of every
 * socket, once the kernel has had time to deliver. What may differ stands in the table below
 * with its reason; anything else fails, with the seed and the calls that led to it.
 */
#include "tests/unit/base_test.h"

#include "tests/posix/world.h"

#include <unistd.h>

#define SEEDS 50
#define STEPS 250
#define PATIENCE 2000 /* times 100 us: longer than an ACK may be delayed */

enum op {
    OP_SOCKET,
    OP_BIND,
    OP_LISTEN,
    OP_ACCEPT,
    OP_CONNECT,
    OP_UNCONNECT,
    OP_SEND,
    OP_RECV,
    OP_SHUTDOWN,
    OP_CLOSE,
    OP_SO_ERROR,
    OP_SET,
    OP_GET,
    OP_SOCKNAME,
    OP_PEERNAME,
    OP_INQ,
    OP_EPOLL_CTL,
    OP_EPOLL_WAIT,
    OPS
};
static const char *const op_names[OPS] = {
    "socket", "bind",     "listen",   "accept", "connect",   "unconnect",
    "send",   "recv",     "shutdown", "close",  "so_error",  "set",
    "get",    "sockname", "peername", "inq",    "epoll_ctl", "epoll_wait",
};
static const uint8_t weights[OPS] = { 0, 4, 3, 8, 10, 1, 14, 14, 4, 5, 3, 3, 3, 2, 2, 2, 5, 6 };

struct step {
    enum op op;
    int side, slot, a, b, c;
    int64_t result[2]; /* lastack, kernel */
};

/* What may differ. */
struct known {
    enum op op;
    int a; /* of the step; -1: any */
    int64_t lastack, kernel;
    const char *reason;
};
static const struct known known[] = {
    { OP_CONNECT, 0, -ECONNREFUSED, -EINPROGRESS, "port 0 is refused at once" },
};

/* What is not generated, because it is known to differ. */
static const struct {
    enum op op;
    const char *when, *reason;
} avoided[] = {
    { OP_LISTEN, "after shutdown() of the unconnected socket",
      "Linux's children inherit the shutdown and begin with a FIN; here they begin open" },
};

struct run {
    uint64_t seed;
    bool shut[2][WORLD_SLOTS]; /* by shutdown(), since the slot was filled */
    struct world *w[2];
    struct step steps[STEPS];
    int count;
};

static uint32_t pick(struct run *r, uint32_t below)
{
    return (uint32_t)(rng_next(&r->seed) % below);
}

static const int options[][3] = {
    /* level, name, values below */
    { SOL_SOCKET, SO_REUSEADDR, 2 },    { SOL_SOCKET, SO_KEEPALIVE, 2 },
    { IPPROTO_TCP, TCP_SYNCNT, 0 },     { IPPROTO_TCP, TCP_KEEPIDLE, 40000 },
    { IPPROTO_TCP, TCP_KEEPCNT, 140 },  { IPPROTO_IP, IP_TTL, 300 },
    { IPPROTO_IP, IP_TOS, 256 },        { IPPROTO_IPV6, IPV6_V6ONLY, 2 },
    { IPPROTO_IPV6, IPV6_TCLASS, 300 }, { SOL_SOCKET, SO_ACCEPTCONN, 2 },
    { SOL_SOCKET, SO_TYPE, 2 },         { IPPROTO_TCP, TCP_KEEPINTVL, 40000 },
    { SOL_SOCKET, SO_RCVLOWAT, 3 },     { SOL_SOCKET, SO_DOMAIN, 2 },
};
#define OPTIONS (sizeof options / sizeof options[0])

static const int send_flags[] = { 0, 0, MSG_DONTWAIT };
static const int recv_flags[] = { 0, 0, 0, MSG_PEEK, MSG_TRUNC, MSG_WAITALL, MSG_DONTWAIT };
static const uint32_t epoll_modes[] = {
    EPOLLIN | EPOLLOUT,
    EPOLLIN | EPOLLRDHUP,
    EPOLLIN | EPOLLRDHUP | (uint32_t)EPOLLET,
    EPOLLIN | EPOLLONESHOT,
    EPOLLOUT,
};

/* Does the step, in one world. */
static int64_t perform(struct world *w, const struct step *s, uint8_t bytes[4096])
{
    const struct linger linger = { .l_onoff = s->b };
    uint32_t events[WORLD_SLOTS];
    int64_t n;

    switch (s->op) {
    case OP_SOCKET:
        return world_socket(w, s->side, s->slot);
    case OP_BIND:
        return world_bind(w, s->side, s->slot, (enum world_where)s->a, s->b);
    case OP_LISTEN:
        return world_listen(w, s->side, s->slot, s->a);
    case OP_ACCEPT:
        return world_accept(w, s->side, s->slot, s->a);
    case OP_CONNECT:
        return world_connect(w, s->side, s->slot, s->a);
    case OP_UNCONNECT:
        return world_connect(w, s->side, s->slot, -1);
    case OP_SEND:
        return world_send(w, s->side, s->slot, bytes, (size_t)s->a, s->b);
    case OP_RECV:
        memset(bytes, 0, 4096);
        return world_recv(w, s->side, s->slot, bytes, (size_t)s->a, s->b);
    case OP_SHUTDOWN:
        return world_shutdown(w, s->side, s->slot, s->a);
    case OP_CLOSE:
        if (s->b >= 0)
            (void)world_set(w, s->side, s->slot, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
        return world_close(w, s->side, s->slot);
    case OP_SO_ERROR:
        return world_get(w, s->side, s->slot, SOL_SOCKET, SO_ERROR);
    case OP_SET:
        return world_set(w, s->side, s->slot, options[s->a][0], options[s->a][1], &s->b, 4);
    case OP_GET:
        return world_get(w, s->side, s->slot, options[s->a][0], options[s->a][1]);
    case OP_SOCKNAME:
    case OP_PEERNAME:
        return world_name(w, s->side, s->slot, s->op == OP_PEERNAME);
    case OP_INQ:
        return world_inq(w, s->side, s->slot);
    case OP_EPOLL_CTL:
        return world_epoll_ctl(w, s->side, s->a, s->slot, epoll_modes[s->b]);
    case OP_EPOLL_WAIT:
        n = world_epoll_wait(w, s->side, events);
        memcpy(bytes, events, sizeof events);
        return n;
    case OPS:
        break;
    }
    return 0;
}

/* A listener on each side, so that much of what follows has somebody to speak with. */
static const struct step prelude[] = {
    { .op = OP_SOCKET, .side = 1 },
    { .op = OP_BIND, .side = 1, .a = WORLD_OWN, .b = 1 },
    { .op = OP_LISTEN, .side = 1, .a = 50 },
    { .op = OP_SOCKET, .side = 0 },
    { .op = OP_SET, .side = 0, .a = 0, .b = 1 },
    { .op = OP_BIND, .side = 0, .a = WORLD_ANY, .b = 2 },
    { .op = OP_LISTEN, .side = 0, .a = 50 },
};
#define PRELUDE ((int)(sizeof prelude / sizeof prelude[0]))

static void choose_arguments(struct run *r, struct step *s)
{
    s->a = (int)pick(r, 300);
    switch (s->op) {
    case OP_BIND:
        s->a = (int)pick(r, 8) == 0 ? WORLD_STRANGE : (int)pick(r, 2);
        s->b = (int)pick(r, WORLD_PORTS + 1);
        break;
    case OP_LISTEN:
        s->a = 50;
        if (r->shut[s->side][s->slot])
            s->op = avoided[0].op == OP_LISTEN ? OP_INQ : OP_LISTEN;
        break;
    case OP_ACCEPT: /* into an empty slot, or nowhere */
        if (pick(r, 3) > 0)
            s->slot = 0;
        for (s->a = 0; s->a < WORLD_SLOTS && r->w[0]->fd[s->side][s->a] >= 0; s->a++)
            continue;
        if (s->a == WORLD_SLOTS)
            s->op = OP_INQ;
        break;
    case OP_CONNECT:
        s->a = pick(r, 4) > 0 ? 1 + (s->side != 0) : (int)pick(r, WORLD_PORTS + 1);
        break;
    case OP_SEND:
        s->b = send_flags[pick(r, 3)];
        break;
    case OP_RECV:
        s->b = recv_flags[pick(r, 7)];
        break;
    case OP_SHUTDOWN:
        s->a = (int)pick(r, 4);
        break;
    case OP_CLOSE:
        s->b = (int)pick(r, 3) - 1;
        if (s->slot == 0 && pick(r, 4) > 0)
            s->op = OP_INQ;
        break;
    case OP_SET:
    case OP_GET:
        s->a = (int)pick(r, OPTIONS);
        s->b = (int)pick(r, (uint32_t)options[s->a][2] + 1) - (s->a > 6 && pick(r, 5) == 0 ? 2 : 0);
        break;
    case OP_EPOLL_CTL:
        s->a = 1 + (int)pick(r, 3);
        s->b = (int)pick(r, 5);
        break;
    case OP_SOCKET:
    case OP_UNCONNECT:
    case OP_SO_ERROR:
    case OP_SOCKNAME:
    case OP_PEERNAME:
    case OP_INQ:
    case OP_EPOLL_WAIT:
    case OPS:
        break;
    }
}

static struct step choose(struct run *r)
{
    struct step s = { .side = (int)pick(r, 2), .slot = (int)pick(r, WORLD_SLOTS) };
    uint32_t total = 0, at;

    if (r->count < PRELUDE)
        return prelude[r->count];
    if (r->w[0]->fd[s.side][s.slot] < 0)
        return s; /* OP_SOCKET */
    for (uint32_t i = 0; i < OPS; i++)
        total += weights[i];
    at = pick(r, total);
    while (at >= weights[s.op]) {
        at -= weights[s.op];
        s.op = (enum op)(s.op + 1);
    }
    choose_arguments(r, &s);
    return s;
}

static void tell(const struct run *r, uint64_t seed, const char *what)
{
    print_message("seed %llu, family %d, step %d: %s\n", (unsigned long long)seed,
                  (int)r->w[0]->family, r->count, what);
    for (int i = 0; i < r->count; i++) {
        const struct step *s = &r->steps[i];

        print_message("  %3d  host %d slot %d  %-10s %4d %4d  lastack %lld  kernel %lld\n", i,
                      s->side, s->slot, op_names[s->op], s->a, s->b, (long long)s->result[0],
                      (long long)s->result[1]);
    }
}

static bool is_known(const struct step *s)
{
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i].op == s->op && (known[i].a < 0 || known[i].a == s->a) &&
            known[i].lastack == s->result[0] && known[i].kernel == s->result[1])
            return true;
    return false;
}

/* What can be seen of a socket without changing it. */
static uint64_t view(struct world *w, int side, int slot)
{
    return (uint64_t)world_poll(w, side, slot) << 32 | (uint64_t)world_state(w, side, slot) << 24 |
           ((uint32_t)world_inq(w, side, slot) & 0xffffffu);
}

/* The kernel may still be delivering: look again for a while. */
static bool views_agree(struct run *r, char *what, size_t room)
{
    bool waited = false;

    for (int side = 0; side < 2; side++)
        for (int slot = 0; slot < WORLD_SLOTS; slot++) {
            uint64_t a, b;
            int tries = 0;

            if (r->w[0]->fd[side][slot] < 0)
                continue;
            a = view(r->w[0], side, slot);
            for (; (b = view(r->w[1], side, slot)) != a && tries < PATIENCE; tries++)
                usleep(100);
            waited |= tries > 0;
            if (a != b) {
                snprintf(what, room,
                         "poll, state and inq of host %d slot %d: lastack %#llx, kernel %#llx",
                         side, slot, (unsigned long long)a, (unsigned long long)b);
                return false;
            }
        }
    if (waited)
        usleep(500); /* bytes are queued before whoever sleeps on them is told */
    return true;
}

static bool one_step(struct run *r, char *what, size_t room)
{
    uint8_t bytes[2][4096];
    struct step *s = &r->steps[r->count];

    *s = choose(r);
    r->count++;
    for (int i = 0; i < 2; i++) {
        memset(bytes[i], 'a' + r->count % 26, sizeof bytes[i]);
        s->result[i] = perform(r->w[i], s, bytes[i]);
        world_settle(r->w[i]);
    }
    if (s->op == OP_SHUTDOWN || s->op == OP_CLOSE)
        r->shut[s->side][s->slot] = s->op == OP_SHUTDOWN;
    if (s->result[0] != s->result[1]) {
        if (!is_known(s)) {
            snprintf(what, room, "%s differs", op_names[s->op]);
            return false;
        }
        for (int i = 0; i < 2; i++)
            (void)world_close(r->w[i], s->side, s->slot);
    }
    if (memcmp(bytes[0], bytes[1], sizeof bytes[0]) != 0) {
        snprintf(what, room, "%s gives other bytes or events", op_names[s->op]);
        return false;
    }
    return views_agree(r, what, room);
}

static bool one_run(uint64_t seed, enum world_family family)
{
    const uint16_t base =
        world_free_ports((uint32_t)getpid() * 641u + (uint32_t)seed * 18u + (uint32_t)family * 6u);
    struct run r = { .seed = seed * 3 + (uint64_t)family };
    char what[200] = "";
    bool ok = true;

    r.w[0] = world_new(false, family, base);
    r.w[1] = world_new(true, family, base);
    while (ok && r.count < STEPS)
        ok = one_step(&r, what, sizeof what);
    if (!ok)
        tell(&r, seed, what);
    world_free(r.w[0]);
    world_free(r.w[1]);
    return ok;
}

TEST(random_calls_of_ipv4_end_as_on_the_kernel)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        assert_true(one_run(seed, WORLD_V4));
}

TEST(random_calls_of_ipv6_end_as_on_the_kernel)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        assert_true(one_run(seed, WORLD_V6));
}

TEST(random_calls_of_mapped_addresses_end_as_on_the_kernel)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        assert_true(one_run(seed, WORLD_MAPPED));
}

TEST_MAIN
