/* SPDX-License-Identifier: MIT */
/*
 * path_check.c - `lastack path --self-check`: is the path what was asked?
 *
 * The emulator runs in a process of its own between two namespaces made for this; UDP goes through
 * it in each direction, between sockets of the kernel, and three things are measured:
 *
 *   delay   the median of probes on an idle path, each stamped when it is sent
 *   rate    what arrives of half as much again as the path can carry
 *   loss    of packets at a pace that leaves the queue empty; twice those that arrive twice
 *
 * The bounds: 1 ms and 5 % for the delay, 3 % for the rate, four standard deviations for chance,
 * which in bursts of b packets is sqrt(2 b - 1) times the binomial's.
 */
#include "cli/path.h"

#include "cli/args.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PROBES 41u
#define PACKETS_MAX 40000u
#define PORT 7000u
#define PAYLOAD_BYTES 1472u
#define PACKET_BYTES (PAYLOAD_BYTES + 28u)
#define BUFFER_BYTES (64 << 20)
#define FREE_PPS 20000u /* where no rate is a limit */
#define MS UINT64_C(1000000)

struct probe {
    uint32_t number;
    uint64_t sent_ns;
};

struct bench {
    int fds[2]; /* a socket in each namespace, towards the other */
    struct path_opt way;
    int from;
    uint64_t delays_ns[PACKETS_MAX];
    uint8_t seen[PACKETS_MAX];
    uint64_t first_ns, last_ns;
    uint64_t sent_in_ns;
    uint32_t arrived, twice, passed, highest;
};

static uint64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* Take what has arrived until @until_ns; at least look once. */
static void receive(struct bench *b, uint64_t until_ns)
{
    uint8_t bytes[2048];
    struct probe p;

    do {
        const ssize_t len = recv(b->fds[1 - b->from], bytes, sizeof bytes, MSG_DONTWAIT);
        const uint64_t at_ns = now_ns();
        if (len < (ssize_t)sizeof p) {
            const struct timespec pause = { .tv_nsec = 50000 };
            if (at_ns + 100000 < until_ns)
                nanosleep(&pause, NULL);
            continue;
        }
        memcpy(&p, bytes, sizeof p);
        if (p.number >= PACKETS_MAX)
            continue;
        if (b->arrived + b->twice == 0)
            b->first_ns = at_ns;
        b->last_ns = at_ns;
        b->delays_ns[b->arrived % PACKETS_MAX] = at_ns - p.sent_ns;
        b->twice += b->seen[p.number] != 0;
        b->arrived += b->seen[p.number] == 0;
        b->seen[p.number] = 1;
        b->passed += p.number < b->highest;
        if (p.number > b->highest)
            b->highest = p.number;
    } while (now_ns() < until_ns);
}

/* Send @count packets, one every @gap_ns, and wait for the last. */
static void send_all(struct bench *b, uint32_t count, uint64_t gap_ns)
{
    uint8_t bytes[PAYLOAD_BYTES] = { 0 };
    const uint64_t begun_ns = now_ns();

    b->arrived = b->twice = b->passed = b->highest = 0;
    memset(b->seen, 0, sizeof b->seen);
    for (uint32_t i = 0; i < count; i++) {
        receive(b, begun_ns + i * gap_ns);
        const struct probe p = { .number = i, .sent_ns = now_ns() };
        memcpy(bytes, &p, sizeof p);
        (void)send(b->fds[b->from], bytes, sizeof bytes, 0);
    }
    b->sent_in_ns = now_ns() - begun_ns;
    /* Nothing but the rate's measurement fills the queue. */
    const uint64_t queue_ns = gap_ns < path_serialise_ns(&b->way, PACKET_BYTES) ? 1000 * MS : 0;
    receive(b, now_ns() + b->way.delay_ns + b->way.jitter_ns + b->way.reorder_max_ns + queue_ns +
                   100 * MS);
}

static int compare(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a;
    const uint64_t y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static const char *verdict(bool held, bool *all)
{
    *all &= held;
    return held ? "as asked" : "NOT AS ASKED";
}

static void check_delay(struct bench *b, bool *all)
{
    const uint64_t asked_ns =
        b->way.delay_ns + b->way.jitter_ns / 2 + path_serialise_ns(&b->way, PACKET_BYTES);

    send_all(b, PROBES, 5 * MS + path_serialise_ns(&b->way, PACKET_BYTES));
    qsort(b->delays_ns, b->arrived, sizeof b->delays_ns[0], compare);
    const uint64_t ns = b->arrived > 0 ? b->delays_ns[b->arrived / 2] : 0;
    const uint64_t slack_ns = MS + asked_ns / 20 + b->way.jitter_ns / 4;
    printf("  delay  %12.3f ms   asked %12.3f ms   %s\n", (double)ns * 1e-6,
           (double)asked_ns * 1e-6,
           verdict(b->arrived > 0 && ns + MS / 100 >= asked_ns - b->way.jitter_ns / 4 &&
                       ns <= asked_ns + slack_ns,
                   all));
}

static void check_rate(struct bench *b, bool *all)
{
    const uint64_t gap_ns = path_serialise_ns(&b->way, PACKET_BYTES) * 2 / 3;
    const uint64_t wanted = 1500 * MS / (gap_ns > 0 ? gap_ns : 1);

    if (b->way.rate_kbps == 0) {
        printf("  rate   no limit asked\n");
        return;
    }
    const uint32_t count = wanted < PACKETS_MAX ? (uint32_t)wanted + 20 : PACKETS_MAX;
    send_all(b, count, gap_ns);
    const double offered = (double)count * PACKET_BYTES * 8e6 / (double)b->sent_in_ns;
    const uint64_t took_ns = b->last_ns - b->first_ns;
    const double kbps =
        b->arrived + b->twice < 2 || took_ns == 0
            ? 0
            : (double)(b->arrived + b->twice - 1) * PACKET_BYTES * 8e6 / (double)took_ns;
    const double asked = (double)b->way.rate_kbps;
    printf("  rate   %12.0f kbit/s asked %10.0f kbit/s %s", kbps, asked,
           verdict(fabs(kbps - asked) <= asked * 0.03, all));
    if (offered < asked)
        printf("; this machine offered it %.0f", offered);
    printf("\n");
}

static void say_share(const char *name, uint32_t of, uint32_t count, double asked, double burst,
                      bool *all)
{
    const double n = (double)count;
    const double share = (double)of / n;
    const double deviation = sqrt(asked * (1 - asked) / n * (2 * burst - 1));

    printf("  %-6s %12.4f %%    asked %12.4f %%    %s, of %" PRIu32 " packets\n", name, share * 100,
           asked * 100, verdict(fabs(share - asked) <= 4 * deviation + 1e-9, all), count);
}

static void check_loss(struct bench *b, bool *all)
{
    const struct path_opt *o = &b->way;
    const double burst = o->burst_enter_ppm != 0 ? (double)PATH_PPM / o->burst_leave_ppm : 1;
    const double bad =
        (double)o->burst_enter_ppm / ((double)o->burst_enter_ppm + o->burst_leave_ppm);
    const double asked = bad + (1 - bad) * (double)o->loss_ppm / PATH_PPM;
    const uint64_t least_ns = 1000000000u / FREE_PPS;
    const uint64_t twice_ns = 2 * path_serialise_ns(o, PACKET_BYTES);
    const uint64_t gap_ns = twice_ns > least_ns ? twice_ns : least_ns;
    const uint64_t fit = 2500 * MS / gap_ns;
    const uint32_t count = fit < PACKETS_MAX ? (uint32_t)fit : PACKETS_MAX;

    send_all(b, count, gap_ns);
    say_share("loss", count - b->arrived, count, asked, burst, all);
    say_share("twice", b->twice, b->arrived, (double)o->dup_ppm / PATH_PPM, 1, all);
    if (o->reorder_ppm != 0)
        printf("  passed %12.4f %%    of those that arrived, by later ones\n",
               100.0 * (double)b->passed / (double)b->arrived);
}

/* The two namespaces ----------------------------------------------------------------- */

static bool command(const char *text)
{
    const int status = system(text); /* NOLINT(cert-env33-c): no word of it is the user's */

    if (status != 0)
        fprintf(stderr, "lastack path: failed: %s\n", text);
    return status == 0;
}

/* A socket of this namespace, from its own address to the other's. */
static int socket_here(unsigned own)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(PORT) };
    const int bytes = BUFFER_BYTES;
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes) != 0)
        return -1;
    at.sin_addr.s_addr = htonl(0x0a6c6300u + 1 + own);
    if (bind(fd, (const struct sockaddr *)&at, sizeof at) != 0)
        return -1;
    at.sin_addr.s_addr = htonl(0x0a6c6300u + 2 - own);
    return connect(fd, (const struct sockaddr *)&at, sizeof at) == 0 ? fd : -1;
}

static bool make_end(struct path_plan *plan, struct bench *b, unsigned i)
{
    char text[128], error[256];

    if (unshare(CLONE_NEWNET) != 0) {
        (void)args_failed("path", "no network namespace can be made: %s; run as root",
                          strerror(errno));
        return false;
    }
    plan->fds[i] = path_device("path0", &plan->mtu_bytes, error, sizeof error);
    if (plan->fds[i] < 0) {
        (void)args_failed("path", "%s", error);
        return false;
    }
    snprintf(text, sizeof text, "ip addr add 10.108.99.%u/24 dev path0", i + 1);
    if (!command(text))
        return false;
    b->fds[i] = socket_here(i);
    return b->fds[i] >= 0;
}

static void measure(struct bench *b, const struct path_plan *plan, bool *all)
{
    for (int way = 0; way < 2; way++) {
        printf("%s:\n", way == 0 ? "forth" : "back");
        b->from = way;
        b->way = plan->way[way];
        check_delay(b, all);
        check_rate(b, all);
        check_loss(b, all);
    }
}

int path_self_check(struct path_plan *plan)
{
    static struct bench b;
    struct path_counts counts[2];
    bool all = true;

    if (!make_end(plan, &b, 0) || !make_end(plan, &b, 1))
        return CLI_FAILED;
    plan->for_ns = 0;
    plan->realtime = true;
    fflush(NULL);
    const pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        _exit(path_run(plan, counts));
    }
    if (pid < 0)
        return args_failed("path", "cannot fork: %s", strerror(errno));
    measure(&b, plan, &all);
    kill(pid, SIGTERM);
    waitpid(pid, NULL, 0);
    return all ? CLI_OK : CLI_FAILED;
}
