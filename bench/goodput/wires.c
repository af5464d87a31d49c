/* SPDX-License-Identifier: MIT */
/*
 * wires.c - One transfer: two namespaces, the path between them, and all of it gone afterwards.
 *
 *     client's namespace            server's namespace
 *     kernel -- path0 == lastack path == path0 -- kernel's server, or
 *                                          \-- (forwarded) -- TUN -- lastack's server
 *
 * The namespaces have no names: each lives as long as its process, and every process ends with
 * this one.  The emulator is the command `lastack path`, found beside this program.
 */
#include "bench/goodput/goodput.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS 10000

/* A process with a byte to say that it is so far, and one to be told to go on. */
struct party {
    pid_t pid;
    int ready_fd, go_fd; /* the parent's ends */
};

static bool shell(const char *command)
{
    const int status = system(command);

    if (status != 0)
        fprintf(stderr, "bench: failed: %s\n", command);
    return status == 0;
}

bool set_sysctl(const char *path, const char *value)
{
    FILE *f = fopen(path, "w");
    const bool written = f != NULL && fputs(value, f) >= 0;

    if (f == NULL || fclose(f) != 0 || !written) {
        fprintf(stderr, "bench: %s = %s: %s\n", path, value, strerror(errno));
        return false;
    }
    return true;
}

static bool settle(void)
{
    return set_sysctl("/proc/sys/net/ipv4/tcp_rmem", "4096 131072 " BUFFER_MAX) &&
           set_sysctl("/proc/sys/net/ipv4/tcp_wmem", "4096 16384 " BUFFER_MAX) &&
           set_sysctl("/proc/sys/net/ipv4/tcp_no_metrics_save", "1") &&
           set_sysctl("/proc/sys/net/ipv4/ip_forward", "1");
}

static bool await(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };
    char byte;

    return poll(&p, 1, PATIENCE_MS) == 1 && read(fd, &byte, 1) == 1;
}

/* The parties ------------------------------------------------------------------------ */

/* In a namespace of its own; the emulator makes path0 in it between the two bytes. */
static bool arrive(int ready_fd, int go_fd)
{
    return unshare(CLONE_NEWNET) == 0 && write(ready_fd, "", 1) == 1 && await(go_fd);
}

static int be_client(const struct run *r, int ready_fd, int go_fd)
{
    const char *server = r->who == LASTACK ? STACK_ADDR : SERVER_ADDR;
    pid_t other = -1;

    if (!arrive(ready_fd, go_fd) || !settle() ||
        !shell("ip link set lo up && ip addr add " CLIENT_CIDR
               " dev path0 && ip route add 10.80.0.0/16 dev path0") ||
        write(ready_fd, "", 1) != 1 || !await(go_fd))
        return 1;
    if (r->beside != NULL && (other = fork()) == 0)
        _exit(!client(SERVER_ADDR, r->direction, r->ns, r->beside));
    const bool worked = client(server, r->direction, r->ns, r->seen);
    if (other > 0)
        waitpid(other, NULL, 0);
    return !worked;
}

static int be_server(const struct run *r, int ready_fd, int go_fd)
{
    if (!arrive(ready_fd, go_fd) || !settle() ||
        !shell("ip link set lo up && ip addr add " SERVER_CIDR
               " dev path0 && ip route add " ROUTE_TO_CLIENT " dev path0"))
        return 1;
    if (r->who == KERNEL)
        return serve_kernel(r->seen, ready_fd);
    if (r->beside != NULL) {
        int unread[2];
        if (pipe(unread) != 0)
            return 1;
        if (fork() == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            _exit(serve_kernel(r->beside, unread[1]));
        }
        if (!await(unread[0]))
            return 1;
    }
    return serve_lastack(r->seen, ready_fd);
}

typedef int role(const struct run *r, int ready_fd, int go_fd);

static bool start(const struct run *r, role *what, struct party *p)
{
    int ready[2], go[2];

    p->pid = -1;
    if (pipe(ready) != 0 || pipe(go) != 0)
        return false;
    fflush(NULL);
    p->pid = fork();
    if (p->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(ready[0]);
        close(go[1]);
        _exit(what(r, ready[1], go[0]));
    }
    close(ready[1]);
    close(go[0]);
    p->ready_fd = ready[0];
    p->go_fd = go[1];
    return p->pid > 0 && await(p->ready_fd);
}

static void stop(struct party *p)
{
    if (p->pid > 0) {
        kill(p->pid, SIGKILL);
        waitpid(p->pid, NULL, 0);
        close(p->ready_fd);
        close(p->go_fd);
    }
}

static bool tell(const struct party *p)
{
    return write(p->go_fd, "", 1) == 1;
}

/* The path --------------------------------------------------------------------------- */

/* One bandwidth-delay product of queue, 64 KB at least: what routers are said to have. */
static uint64_t queue_bytes(const struct cell *c)
{
    const uint64_t bdp = (uint64_t)c->rate_mbps * 1000 / 8 * c->rtt_ms;

    return bdp > 65536 ? bdp : 65536;
}

static void exec_path(const struct run *r, pid_t a, pid_t b)
{
    char word[11][64], program[4096];
    const struct cell *c = &r->cell;
    const ssize_t len = readlink("/proc/self/exe", program, sizeof program - 16);

    if (len <= 0)
        return;
    program[len] = '\0';
    snprintf(strrchr(program, '/'), 16, "/lastack");
    snprintf(word[0], 64, "--rate=%umbit", c->rate_mbps);
    snprintf(word[1], 64, "--delay=%uus", c->rtt_ms * 500);
    snprintf(word[2], 64, "--loss=%uppm", c->loss_ppm);
    snprintf(word[3], 64, "--burst=%u", c->burst);
    snprintf(word[4], 64, "--reorder=%uppm", c->reorder_ppm);
    snprintf(word[5], 64, "--queue=%llu", (unsigned long long)queue_bytes(c));
    snprintf(word[6], 64, "--seed=%llu", (unsigned long long)r->seed);
    snprintf(word[7], 64, "/proc/%d/ns/net/path0", (int)a);
    snprintf(word[8], 64, "/proc/%d/ns/net/path0", (int)b);
    execl(program, "lastack", "path", "--realtime", "--queue-packets=0", word[0], word[1], word[2],
          word[3], word[4], word[5], word[6], word[7], word[8],
          r->pcap != NULL ? "--snap=96" : NULL, "--pcap", r->pcap, NULL);
    perror("bench: lastack path");
}

/* Return: once the two devices are there. */
static bool start_path(const struct run *r, const struct party *a, const struct party *b,
                       struct party *path)
{
    int out[2];

    path->pid = -1;
    if (pipe(out) != 0)
        return false;
    path->pid = fork();
    if (path->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(out[1], STDOUT_FILENO);
        close(out[0]);
        exec_path(r, a->pid, b->pid);
        _exit(1);
    }
    close(out[1]);
    path->ready_fd = out[0];
    path->go_fd = dup(out[0]);
    return path->pid > 0 && await(path->ready_fd);
}

bool run_cell(const struct run *r)
{
    struct party a = { .pid = -1 }, b = { .pid = -1 }, path = { .pid = -1 };
    int status = 1;

    memset(r->seen, 0, sizeof *r->seen);
    bool ok = start(r, be_client, &a) && start(r, be_server, &b) && start_path(r, &a, &b, &path);
    ok = ok && tell(&a) && await(a.ready_fd) && tell(&b) && await(b.ready_fd) && tell(&a);
    if (ok && waitpid(a.pid, &status, 0) == a.pid) {
        close(a.ready_fd);
        close(a.go_fd);
        a.pid = -1;
    }
    if (path.pid > 0) { /* a capture is written out */
        kill(path.pid, SIGTERM);
        waitpid(path.pid, NULL, 0);
        close(path.ready_fd);
        close(path.go_fd);
    }
    stop(&a);
    stop(&b);
    if (!ok || status != 0)
        fprintf(stderr, "bench: a transfer could not be made\n");
    return ok && status == 0;
}
