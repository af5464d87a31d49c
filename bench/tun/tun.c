/* SPDX-License-Identifier: MIT */
/*
 * tun.c - What a stack costs on a TUN device, against this machine's kernel.
 *
 *     ./dev bench tun [--json FILE] [--quick] [--repeat N] [--only WORD] [--plain]
 *
 * Four measurements: bulk from the kernel to lastack (in), bulk to the kernel (out), round trips
 * of 64 bytes over 1 and over 64 connections.  Each is made three times beside each other, with
 * the same client on the kernel's sockets:
 *
 *   limit    the same TUN device and next to nothing on it (bench/tun/bare.c): what reading and
 *            writing such frames, one copy of the text and the kernel's half of TCP cost
 *   lastack  a stack on it (bench/tun/stack.c)
 *   veth     the kernel at both ends, in two namespaces
 *
 * All of it is pinned to one core, client and server taking turns: waking another core takes
 * longer here than most of what is measured.  Repeats go round all three, so that what drifts,
 * drifts under all of them.  It runs in namespaces of its own, which end with it.
 *
 * A second is one that the core spent on this: on the client, on the server, on the kernel's
 * packets, or idle, waiting for one of them.  What other programs take of the core is left out, so
 * that a busy machine is slower and not worse.  On a quiet one it is the clock's second.
 */
#include "bench/tun/tun.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define REPEATS_MAX 15
#define WHATS 4
#define WHOS 3

enum who { LIMIT, LASTACK, VETH };
static const char *const who_names[WHOS] = { "limit", "lastack", "veth" };

static const struct what {
    const char *name, *unit;
    uint32_t connections; /* of round trips */
    double factor;        /* to the unit printed */
} whats[WHATS] = {
    { "bulk_in", "Gbit/s", 0, 1 },
    { "bulk_out", "Gbit/s", 0, 1 },
    { "rr_1", "k/s", 1, 1e-3 },
    { "rr_64", "k/s", 64, 1e-3 },
};

static struct options {
    const char *json, *only;
    double seconds;
    uint32_t repeats;
    struct serve_options serve;
} options = { .seconds = 1, .repeats = 5, .serve = { .offload = true, .buffer_bytes = 1u << 18 } };

static double values[WHATS][WHOS][REPEATS_MAX];
static bool measured[WHATS][WHOS];

static bool shell(const char *command)
{
    const int status = system(command);

    if (status != 0)
        fprintf(stderr, "bench: failed: %s\n", command);
    return status == 0;
}

/* One server's process -------------------------------------------------------------- */

struct server {
    pid_t pid;
    int ready_fd; /* it writes here when it serves */
    int go_fd;    /* the kernel's waits here for its device */
};

/* The kernel's server has a namespace of its own; the parent gives it one end of a veth pair. */
static int serve_in_namespace(int ready_fd, int go_fd)
{
    char byte;

    if (unshare(CLONE_NEWNET) != 0 || write(ready_fd, "", 1) != 1 || read(go_fd, &byte, 1) != 1 ||
        !shell("ip link set lo up && ip addr add " SERVER_CIDR " dev vb1 && ip link set vb1 up"))
        return 1;
    return serve_kernel(ready_fd);
}

static int serve(enum who who, int ready_fd, int go_fd)
{
    switch (who) {
    case LIMIT:
        return serve_bare(&options.serve, ready_fd);
    case LASTACK:
        return serve_lastack(&options.serve, ready_fd);
    case VETH:
        return serve_in_namespace(ready_fd, go_fd);
    }
    return 1;
}

static bool wait_byte(int fd)
{
    char byte;
    return read(fd, &byte, 1) == 1;
}

static bool give_veth(const struct server *s)
{
    char command[256];

    snprintf(command, sizeof command,
             "ip link add vb0 type veth peer name vb1 netns %d && "
             "ip addr add " CLIENT_CIDR " dev vb0 && ip link set vb0 up",
             (int)s->pid);
    return wait_byte(s->ready_fd) && shell(command) && write(s->go_fd, "", 1) == 1;
}

static bool start(enum who who, struct server *s)
{
    int ready[2], go[2];

    if (pipe(ready) != 0 || pipe(go) != 0)
        return false;
    fflush(NULL);
    s->pid = fork();
    if (s->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(ready[0]);
        close(go[1]);
        _exit(serve(who, ready[1], go[0]));
    }
    close(ready[1]);
    close(go[0]);
    s->ready_fd = ready[0];
    s->go_fd = go[1];
    return s->pid > 0 && (who != VETH || give_veth(s)) && wait_byte(s->ready_fd);
}

static void stop(enum who who, struct server *s)
{
    if (s->pid > 0) {
        kill(s->pid, SIGTERM);
        waitpid(s->pid, NULL, 0);
    }
    close(s->ready_fd);
    close(s->go_fd);
    if (who == VETH)
        shell("ip link del vb0 2>/dev/null || true");
}

/* Time ----------------------------------------------------------------------------- */

static int core;        /* that all is pinned to */
static pid_t ksoftirqd; /* its thread for packets that waited */

static double cpu_s(pid_t pid)
{
    struct timespec ts;
    clockid_t clock;

    if (pid <= 0 || clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &ts) != 0)
        return 0;
    return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

/* How long the core has been idle. */
static double idle_s(void)
{
    char line[256], name[16];
    unsigned long long idle = 0, wait = 0;
    FILE *f = fopen("/proc/stat", "r");

    snprintf(name, sizeof name, "cpu%d ", core);
    while (f != NULL && fgets(line, sizeof line, f) != NULL)
        if (strncmp(line, name, strlen(name)) == 0 &&
            sscanf(line + strlen(name), "%*u %*u %*u %llu %llu", &idle, &wait) == 2)
            break;
    if (f != NULL)
        fclose(f);
    return (double)(idle + wait) / (double)sysconf(_SC_CLK_TCK);
}

/* What the core has given to the two processes, to the kernel on their behalf, or to nobody. */
static double core_s(pid_t server)
{
    return cpu_s(getpid()) + cpu_s(server) + cpu_s(ksoftirqd) + idle_s();
}

static void pin(void)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    core = sched_getcpu();
    CPU_SET((size_t)core, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0)
        fprintf(stderr, "bench: not pinned to a core: %s\n", strerror(errno));
}

static void find_ksoftirqd(void)
{
    char command[64];
    int pid = 0;

    snprintf(command, sizeof command, "pgrep -x ksoftirqd/%d", core);
    FILE *f = popen(command, "r");
    if (f == NULL || fscanf(f, "%d", &pid) != 1)
        fprintf(stderr, "bench: ksoftirqd/%d is not to be seen: what it does is not counted\n",
                core);
    if (f != NULL)
        pclose(f);
    ksoftirqd = pid;
}

/* Measuring ------------------------------------------------------------------------ */

static double measure(const struct what *w, enum who who)
{
    struct server s = { .pid = -1 };
    double v = 0;

    if (start(who, &s)) {
        const double begun = core_s(s.pid);
        if (w->connections > 0)
            v = client_rr(options.seconds, w->connections);
        else
            v = strcmp(w->name, "bulk_in") == 0 ? client_in(options.seconds)
                                                : client_out(options.seconds);
        v *= w->connections > 0 ? 1 : 8e-9;
        v /= core_s(s.pid) - begun;
    } else {
        fprintf(stderr, "bench: %s did not start\n", who_names[who]);
    }
    stop(who, &s);
    return v;
}

static bool wanted(const struct what *w, enum who who)
{
    char name[64];

    snprintf(name, sizeof name, "%s/%s", who_names[who], w->name);
    return options.only == NULL || strstr(name, options.only) != NULL;
}

/* Return: false if one of them could not be measured. */
static bool measure_all(uint32_t i)
{
    for (uint32_t r = 0; r < options.repeats; r++)
        for (uint32_t who = 0; who < WHOS; who++) {
            if (!wanted(&whats[i], (enum who)who))
                continue;
            const double v = measure(&whats[i], (enum who)who);
            if (v <= 0)
                return false;
            values[i][who][r] = v;
            measured[i][who] = true;
        }
    return true;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Reporting ------------------------------------------------------------------------ */

static double median(uint32_t what, enum who who)
{
    return values[what][who][options.repeats / 2];
}

static void print(uint32_t i)
{
    for (uint32_t who = 0; who < WHOS; who++) {
        double *v = values[i][who];
        if (!measured[i][who])
            continue;
        qsort(v, options.repeats, sizeof v[0], compare);
        printf("%-8s %-10s %9.2f  [%.2f .. %.2f] %s\n", who_names[who], whats[i].name,
               median(i, (enum who)who) * whats[i].factor, v[0] * whats[i].factor,
               v[options.repeats - 1] * whats[i].factor, whats[i].unit);
    }
    if (measured[i][LIMIT] && measured[i][LASTACK])
        printf("         %-10s %9.1f  %% of the limit\n", "",
               100 * median(i, LASTACK) / median(i, LIMIT));
    if (measured[i][VETH] && measured[i][LASTACK])
        printf("         %-10s %9.2f  times the kernel at both ends\n", "",
               median(i, LASTACK) / median(i, VETH));
    fflush(stdout);
}

static void json_value(FILE *f, const char *key, uint32_t i, const char *end)
{
    fprintf(f, "\"%s\": {", key);
    for (uint32_t who = 0; who < WHOS; who++)
        if (measured[i][who])
            fprintf(f, "\"%s\": %.10g, ", who_names[who], median(i, (enum who)who));
    fprintf(f, "\"spread\": {");
    for (uint32_t who = 0, n = 0; who < WHOS; who++)
        if (measured[i][who])
            fprintf(f, "%s\"%s\": [%.10g, %.10g]", n++ > 0 ? ", " : "", who_names[who],
                    values[i][who][0], values[i][who][options.repeats - 1]);
    fprintf(f, "}}%s\n", end);
}

static bool write_json(const char *path)
{
    FILE *f = fopen(path, "w");

    if (f != NULL) {
        fprintf(f, "{\n  \"offload\": %s,\n  ", options.serve.offload ? "true" : "false");
        json_value(f, "bulk_in_gbps", 0, ",");
        fprintf(f, "  ");
        json_value(f, "bulk_out_gbps", 1, ",");
        fprintf(f, "  \"rr_per_s\": {\n    ");
        json_value(f, "1", 2, ",");
        fprintf(f, "    ");
        json_value(f, "64", 3, "");
        fprintf(f, "  }\n}\n");
    }
    if (f == NULL || fclose(f) != 0) {
        fprintf(stderr, "bench: %s: %s\n", path, strerror(errno));
        return false;
    }
    return true;
}

/* The command line ----------------------------------------------------------------- */

static void usage(FILE *to)
{
    fprintf(to,
            "usage: ./dev bench tun [OPTION]...\n\n"
            "lastack against this machine's kernel over a TUN device, in namespaces of its own:\n"
            "bulk from the kernel (in), bulk to it (out), round trips of 64 bytes over 1 and 64\n"
            "connections.  The same client, a program on the kernel's sockets, is served by\n"
            "  limit    a bare program on the same device: it reads and writes the same frames,\n"
            "           answers each from its own header, copies text received once, and keeps no\n"
            "           connections, timers or buffers.  What no stack can beat\n"
            "  lastack  the stack; its application copies what it receives and what it sends\n"
            "  veth     the kernel itself, in another namespace\n"
            "All on one core, in the time that core gives them.  Median, and [least .. most] of "
            "the repeats.  Root only.\n\n"
            "  --json FILE     the figures, for programs\n"
            "  --quick         a fifth of a second each instead of one, once\n"
            "  --repeat N      of each measurement, 1..15 (5)\n"
            "  --seconds N     of one measurement, 1..60 (1)\n"
            "  --only WORD     only what has it in its name, as in lastack/bulk_in\n"
            "  --plain         without offload on the device: single packets, merged if received\n"
            "  --buffer BYTES  lastack's send and receive buffers (262144)\n"
            "  --stats         what lastack's loop did in each run\n\n"
            "example: ./dev bench tun --quick --json build/tun.json\n");
}

/* Return: false if it is not understood. */
static bool parse(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(argv[i], "--quick") == 0) {
            options.seconds = 0.2;
            options.repeats = 1;
        } else if (strcmp(argv[i], "--plain") == 0) {
            options.serve.offload = false;
        } else if (strcmp(argv[i], "--stats") == 0) {
            options.serve.stats = true;
        } else if (value == NULL) {
            return false;
        } else if (strcmp(argv[i], "--json") == 0) {
            options.json = argv[++i];
        } else if (strcmp(argv[i], "--only") == 0) {
            options.only = argv[++i];
        } else if (strcmp(argv[i], "--repeat") == 0) {
            options.repeats = (uint32_t)strtoul(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--seconds") == 0) {
            options.seconds = (double)strtoul(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--buffer") == 0) {
            options.serve.buffer_bytes = (uint32_t)strtoul(argv[++i], NULL, 10);
        } else {
            return false;
        }
    }
    return options.repeats >= 1 && options.repeats <= REPEATS_MAX && options.seconds > 0 &&
           options.seconds <= 60 && options.serve.buffer_bytes >= 65536;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        usage(stdout);
        return 0;
    }
    if (!parse(argc, argv)) {
        usage(stderr);
        return 2;
    }
    if (unshare(CLONE_NEWNET) != 0) {
        fprintf(stderr, "bench: no network namespace can be made: %s; run as root\n",
                strerror(errno));
        return 1;
    }
    pin();
    find_ksoftirqd();
    if (!kernel_settle() || !shell("ip link set lo up"))
        return 1;
    bool all = true;
    for (uint32_t i = 0; i < WHATS; i++) {
        all &= measure_all(i);
        print(i);
    }
    return all && (options.json == NULL || write_json(options.json)) ? 0 : 1;
}
