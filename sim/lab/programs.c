/* SPDX-License-Identifier: MIT */
/* programs.c - Programs that spin, and programs that do not. */
#include <errno.h>
#include <sys/epoll.h>

#include "sim/lab/files.h"

#define STEP sim_ms(50)
#define PORT 80u
#define NOFILE 8u
#define CLIENTS 10u

static struct lab_sock *connect_to(struct lab *l)
{
    return lab_connect_from(l, l->client, 0, sim_host_addr(l->server, l->options.v6), PORT);
}

/* Read what there is; at end of file, close. */
static void serve(struct lab_files *f, int fd)
{
    char bytes[256];
    const int64_t n = la_sock_read(f->sockets, fd, bytes, sizeof bytes);

    if (n > 0 || n == -EAGAIN)
        return;
    f->ends++;
    la_sock_close(f->sockets, fd);
}

static void accept_and_try_again(struct lab_files *f, int fd, uint32_t events)
{
    (void)events;
    if (fd != f->listener)
        serve(f, fd);
    else
        lab_files_accept(f);
}

/* With no descriptor free it stops asking, until one was closed. */
static void accept_while_there_is_room(struct lab_files *f, int fd, uint32_t events)
{
    (void)events;
    if (fd != f->listener) {
        const uint64_t ends = f->ends;

        serve(f, fd);
        if (f->ends > ends)
            lab_files_listen(f, true);
    } else if (lab_files_accept(f) == -EMFILE) {
        lab_files_listen(f, false);
    }
}

static void too_many(struct lab *l, struct lab_files *f, const char *title)
{
    struct lab_sock *c[CLIENTS];

    lab_begin(l, title, NULL);
    lab_files_begin(l, f, l->server, PORT, NOFILE);
    lab_quiet(l, true);
    for (uint32_t i = 0; i < CLIENTS; i++)
        c[i] = connect_to(l);
    lab_run(l, STEP);
    lab_quiet(l, false);
    const uint64_t before = f->passes;

    lab_note(l, l->server, "%llu accepted, then accept(): EMFILE", (unsigned long long)f->accepted);
    lab_run(l, sim_s(1));
    const uint64_t passes = f->passes - before;

    lab_note(l, l->server, "%llu turns of the loop in the next second", (unsigned long long)passes);
    lab_must(l, f->accepted == NOFILE - 2 && lab_count_state(l->client, LA_ESTABLISHED) == CLIENTS,
             "%llu connections have a descriptor, and all %u clients believe themselves connected",
             (unsigned long long)f->accepted, lab_count_state(l->client, LA_ESTABLISHED));
    for (uint32_t i = 0; i < 2; i++) {
        lab_close(c[i]);
        lab_run(l, STEP);
    }
    lab_must(l, f->accepted == NOFILE, "two clients leave, and two that waited are accepted");
    f->passes = passes;
}

static void too_many_files(struct lab *l)
{
    struct lab_files f = { .ready = accept_and_try_again };

    too_many(l, &f, "a loop that tries again");
    lab_must(l, f.passes == 1000000u / LAB_PASS_US,
             "it turns %llu times a second, at 100 %% of a processor, and gets nothing done",
             (unsigned long long)f.passes);
    lab_files_end(&f);

    f = (struct lab_files){ .ready = accept_while_there_is_room };
    too_many(l, &f, "a loop that stops asking until something was closed");
    lab_must(l, f.passes == 0, "it turns %llu times in the same second",
             (unsigned long long)f.passes);
    lab_files_end(&f);
}

const struct lab_scenario lab_too_many_files = {
    .name = "too-many-files",
    .title = "EMFILE, and the accept loop that spins",
    .said = "\"Too many open files\": the connection is refused, and the client tries again later.",
    .happens =
        "When a process has no descriptor left, accept() fails with EMFILE and takes nothing: the "
        "connection stays in the accept queue, complete. Its client is connected and waits. The "
        "listener is still readable, so a loop that logs the error and goes on is told so at once "
        "again: "
        "it spins at full speed, fills the disk with its log, and slows down the very requests "
        "whose end "
        "would free a descriptor.",
    .todo = "After EMFILE (or ENFILE, ENOBUFS, ENOMEM) stop asking for the listener until "
            "something was "
            "closed, or for a while; Go's net/http sleeps up to a second. Or hold one descriptor "
            "in reserve: close it, accept, close what was accepted (the client gets a FIN at "
            "once), open it "
            "again. Raise RLIMIT_NOFILE (the soft limit is 1024 on most systems; a program may "
            "raise it to the hard one "
            "itself). And look for the leak: ss -tan state close-wait.",
    .see = "accept(2); RLIMIT_NOFILE, fs.nr_open, fs.file-max; ListenOverflows when the queue "
           "fills too",
    .code = "accept_loop",
    .run = too_many_files,
};

/* "Nothing to read just now", it thinks of 0 bytes. */
static void ignore_the_end(struct lab_files *f, int fd, uint32_t events)
{
    char bytes[256];

    (void)events;
    if (fd == f->listener)
        lab_files_accept(f);
    else if (la_sock_read(f->sockets, fd, bytes, sizeof bytes) == 0)
        f->ends++;
}

static void gone(struct lab *l, struct lab_files *f, const char *title)
{
    lab_begin(l, title, NULL);
    lab_files_begin(l, f, l->server, PORT, 0);
    struct lab_sock *c = connect_to(l);

    lab_run(l, STEP);
    lab_send(c, "hello");
    lab_run(l, STEP);
    lab_close(c);
    lab_run(l, STEP);
    const uint64_t before = f->passes;

    lab_run(l, sim_s(1));
    f->passes -= before;
    lab_note(l, l->server, "%llu turns of the loop in the next second",
             (unsigned long long)f->passes);
}

static void client_gone(struct lab *l)
{
    struct lab_files f = { .ready = ignore_the_end };

    gone(l, &f, "a server that takes 0 for \"nothing yet\"");
    lab_must(l, f.passes == 1000000u / LAB_PASS_US,
             "it reads 0 bytes %llu times a second, at 100 %% of a processor",
             (unsigned long long)f.passes);
    lab_must(l, lab_count_state(l->server, LA_CLOSE_WAIT) == 1,
             "and its connection is in CLOSE_WAIT");
    lab_files_end(&f);

    f = (struct lab_files){ .ready = accept_and_try_again };
    gone(l, &f, "a server that closes at end of file");
    lab_must(l, f.passes == 0 && lab_count_state(l->server, LA_CLOSE_WAIT) == 0,
             "it sleeps, and nothing is left of the connection");
    lab_files_end(&f);
}

const struct lab_scenario lab_client_gone = {
    .name = "client-gone",
    .title = "the client has left, and the server spins for ever",
    .said = "When the client goes away read() fails.",
    .happens =
        "The client's FIN is not an error. read() returns 0, again and again, and the descriptor "
        "is readable for ever, since there is something to learn: the end. A program "
        "that treats 0 like EAGAIN, and asks again, runs at 100 % of a processor, and the "
        "connection stays in CLOSE_WAIT. In C this is the missing `n == 0`, in Go a loop that "
        "drops io.EOF.",
    .todo =
        "0 bytes is the end of the stream: finish the answer, if there is one, and close. "
        "One process at 100 % with sockets in CLOSE_WAIT is this bug nearly always; strace shows "
        "read() = 0 in a loop. lastack notices it: the finding EOF_LOOP.",
    .see = "read(2), RFC 9293 3.10.3",
    .code = "end_of_file",
    .run = client_gone,
};
