/* SPDX-License-Identifier: MIT */
/*
 * host.c - The same on this machine's kernel: over loopback, in a network namespace of its own
 * that goes when its process does.
 *
 * Both ends are in one process, as for lastack, so a connection takes two descriptors and their
 * limit is what bounds the number.  Loopback delivers in the sender's context: the CPU time of
 * the process, system time included, is that of both ends.  Descriptors, system calls and the
 * socket layer are in these figures and not in lastack's; they are here to give a scale, not to
 * win by.  Memory is what the machine's slabs grow by, so others who work meanwhile blur it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/pair.h"
#include "bench/scale/scale.h"

#define SPARE_FDS 500u
#define HOSTS 64u /* destinations: 127.0.1.1 .. */
#define TRIPS 20000u
#define PORT 8080u
#define TEXT_BYTES 64

struct ends {
    int a, b;
};

static bool refuse(struct host *h, const char *what)
{
    snprintf(h->why_not, sizeof(h->why_not), "%s: %s", what, strerror(errno));
    return false;
}

static struct sockaddr_in host_at(uint32_t n)
{
    const struct sockaddr_in at = { .sin_family = AF_INET,
                                    .sin_port = htons(PORT),
                                    .sin_addr.s_addr = htonl(0x7f000101u + n % HOSTS) };

    return at;
}

static bool loopback_up(void)
{
    struct ifreq r = { .ifr_flags = IFF_UP };
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool ok;

    memcpy(r.ifr_name, "lo", 3);
    ok = fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &r) == 0;
    if (fd >= 0)
        close(fd);
    return ok;
}

static void set_sysctl(const char *path, const char *value)
{
    FILE *f = fopen(path, "w");

    if (f == NULL || fputs(value, f) < 0)
        fprintf(stderr, "bench: host: %s: %s\n", path, strerror(errno));
    if (f != NULL)
        fclose(f);
}

static int listener(void)
{
    const struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(PORT) };
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (const struct sockaddr *)&any, sizeof(any)) != 0 || listen(fd, 128) != 0)
        return -1;
    return fd;
}

static bool open_one(int listening, uint32_t n, struct ends *e)
{
    const struct sockaddr_in to = host_at(n);

    e->b = -1;
    e->a = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (e->a < 0)
        return false;
    if (connect(e->a, (const struct sockaddr *)&to, sizeof(to)) == 0)
        e->b = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
    if (e->b < 0)
        close(e->a);
    return e->b >= 0;
}

static void close_one(const struct ends *e)
{
    close(e->a);
    close(e->b);
}

static bool trip(const struct ends *e)
{
    char text[TEXT_BYTES] = { 0 };

    return write(e->a, text, TEXT_BYTES) == TEXT_BYTES &&
           read(e->b, text, TEXT_BYTES) == TEXT_BYTES &&
           write(e->b, text, TEXT_BYTES) == TEXT_BYTES &&
           read(e->a, text, TEXT_BYTES) == TEXT_BYTES;
}

static double slab_bytes(void)
{
    char line[128];
    double kb = 0;
    FILE *f = fopen("/proc/meminfo", "r");

    while (f != NULL && fgets(line, sizeof(line), f) != NULL)
        if (sscanf(line, "Slab: %lf kB", &kb) == 1)
            break;
    if (f != NULL)
        fclose(f);
    return kb * 1024;
}

static uint32_t time_waits(void)
{
    char line[256];
    uint32_t n = 0;
    FILE *f = fopen("/proc/net/sockstat", "r");

    while (f != NULL && fgets(line, sizeof(line), f) != NULL)
        if (sscanf(line, "TCP: inuse %*u orphan %*u tw %u", &n) == 1)
            break;
    if (f != NULL)
        fclose(f);
    return n;
}

static bool established(struct host *h, int listening, struct ends *e)
{
    const double slab = slab_bytes();
    const uint32_t n = h->connections;
    const int one = 1;
    uint64_t began = bench_ns();

    for (uint32_t i = 0; i < n; i++) {
        if (!open_one(listening, i, &e[i])) {
            h->connections = i;
            return refuse(h, "a connection");
        }
        setsockopt(e[i].a, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
        setsockopt(e[i].b, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
    }
    h->open_us = (double)(bench_ns() - began) / 1e3 / n;
    h->bytes_endpoint = (slab_bytes() - slab) / 2 / n;
    began = bench_ns();
    for (uint32_t i = 0, at = 0; i < TRIPS; i++, at = (at + 7919) % n)
        if (!trip(&e[at]))
            return refuse(h, "a round trip");
    h->round_trip_us = (double)(bench_ns() - began) / 1e3 / TRIPS;
    began = bench_ns();
    for (uint32_t i = 0; i < n; i++)
        close_one(&e[i]);
    h->close_us = (double)(bench_ns() - began) / 1e3 / n;
    return true;
}

static bool lives(struct host *h, int listening)
{
    const double slab = slab_bytes();
    const uint32_t before = time_waits();
    const uint64_t began = bench_ns();
    struct ends e;

    for (uint32_t i = 0; i < h->lives; i++) {
        if (!open_one(listening, i, &e))
            return refuse(h, "a life");
        close_one(&e);
    }
    h->lives_per_s = (double)h->lives * 1e9 / (double)(bench_ns() - began);
    h->time_waits = time_waits();
    if (h->time_waits > before)
        h->bytes_time_wait = (slab_bytes() - slab) / (h->time_waits - before);
    return true;
}

static bool measure(struct host *h, bool quick)
{
    struct rlimit limit;
    struct utsname u;
    int listening;

    if (unshare(CLONE_NEWNET) != 0)
        return refuse(h, "a network namespace");
    if (!loopback_up())
        return refuse(h, "loopback");
    set_sysctl("/proc/sys/net/ipv4/tcp_max_tw_buckets", "1000000");
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return refuse(h, "RLIMIT_NOFILE");
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        return refuse(h, "RLIMIT_NOFILE");
    h->connections = (uint32_t)(limit.rlim_cur > 100000 ? 100000 : limit.rlim_cur);
    h->connections = h->connections > 2 * SPARE_FDS ? (h->connections - SPARE_FDS) / 2 : 100;
    h->lives = quick ? 20000 : 200000;
    if (uname(&u) == 0)
        snprintf(h->kernel, sizeof(h->kernel), "%.60s", u.release);
    listening = listener();
    if (listening < 0)
        return refuse(h, "a listener");
    struct ends *e = calloc(h->connections, sizeof(*e));
    scale_must(e != NULL, "memory");
    const bool ok = established(h, listening, e) && lives(h, listening);

    free(e);
    close(listening);
    return ok;
}

void host_run(struct host *h, bool quick)
{
    int pipe_fd[2];
    pid_t pid;

    memset(h, 0, sizeof(*h));
    fflush(stdout);
    if (pipe(pipe_fd) != 0 || (pid = fork()) < 0) {
        (void)refuse(h, "a process");
        return;
    }
    if (pid == 0) {
        h->there = measure(h, quick);
        _exit(write(pipe_fd[1], h, sizeof(*h)) == (ssize_t)sizeof(*h) ? 0 : 1);
    }
    close(pipe_fd[1]);
    if (read(pipe_fd[0], h, sizeof(*h)) != (ssize_t)sizeof(*h)) {
        memset(h, 0, sizeof(*h));
        snprintf(h->why_not, sizeof(h->why_not), "its process ended");
    }
    close(pipe_fd[0]);
    waitpid(pid, NULL, 0);
}
