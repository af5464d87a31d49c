/* SPDX-License-Identifier: MIT */
/*
 * control_client.c - The asking end of the control socket; see control_client.h.
 *
 * Which process is meant, when nobody says: the sockets of this user's folder, and for root
 * those of the other usual folders too.  One that refuses connections belonged to a process
 * that is gone.  With more than one alive all are named and the user chooses.
 */
#include "cli/control_client.h"

#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define ANSWER_WITHIN_S 10
#define FOUND_MAX 32

static int connect_to(const char *path)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    const struct timeval patience = { .tv_sec = ANSWER_WITHIN_S };

    if (strlen(path) >= sizeof at.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(at.sun_path, path, strlen(path));
    const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) == 0 &&
        connect(fd, (struct sockaddr *)&at, sizeof at) == 0)
        return fd;
    const int err = errno;
    close(fd);
    errno = err;
    return -1;
}

/* Finding the process ------------------------------------------------------------- */

struct found {
    char paths[FOUND_MAX][LA_RT_CONTROL_PATH_BYTES];
    uint32_t count;
    int fd; /* of the first */
    int denied;
};

static void look_at(struct found *f, const char *path)
{
    if (f->count == FOUND_MAX || strlen(path) >= sizeof f->paths[0] || strchr(path, '~') != NULL)
        return;
    for (uint32_t i = 0; i < f->count; i++)
        if (strcmp(f->paths[i], path) == 0)
            return;
    const int fd = connect_to(path);
    if (fd < 0) {
        f->denied += errno == EACCES;
        return;
    }
    snprintf(f->paths[f->count], sizeof f->paths[0], "%s", path);
    if (f->count++ == 0)
        f->fd = fd;
    else
        close(fd);
}

static void look_for(struct found *f, const char *pattern)
{
    glob_t g;

    if (glob(pattern, GLOB_NOSORT, NULL, &g) != 0)
        return;
    for (size_t i = 0; i < g.gl_pathc; i++)
        look_at(f, g.gl_pathv[i]);
    globfree(&g);
}

static void look_around(struct found *f)
{
    char dir[LA_RT_CONTROL_PATH_BYTES];
    char pattern[LA_RT_CONTROL_PATH_BYTES + 8];

    if (la_rt_control_dir(false, dir) != NULL) {
        snprintf(pattern, sizeof pattern, "%s/*", dir);
        look_for(f, pattern);
    }
    look_for(f, "/run/lastack/*");
    if (geteuid() == 0) {
        look_for(f, "/run/user/*/lastack/*");
        look_for(f, "/tmp/lastack-*/*");
    }
}

static int find_one(struct control_client *k)
{
    struct found f = { .fd = -1 };

    look_around(&f);
    if (f.count == 1) {
        k->fd = f.fd;
        snprintf(k->path, sizeof k->path, "%s", f.paths[0]);
        return CLI_OK;
    }
    if (f.count == 0)
        return args_failed(k->command,
                           "no lastack process with a control socket%s; --control PATH names one",
                           f.denied > 0 ? " that lets this user in" : "");
    close(f.fd);
    args_failed(k->command, "%u lastack processes; choose one of:", f.count);
    for (uint32_t i = 0; i < f.count; i++)
        fprintf(stderr, "    --control %s\n", f.paths[i]);
    return CLI_FAILED;
}

int control_client_open(struct control_client *k, const char *command, const char *path)
{
    *k = (struct control_client){ .command = command, .fd = -1 };
    if (path == NULL)
        return find_one(k);
    k->fd = connect_to(path);
    if (k->fd < 0)
        return args_failed(command, "%s: %s", path,
                           errno == ECONNREFUSED ? "its process is gone" : strerror(errno));
    snprintf(k->path, sizeof k->path, "%s", path);
    return CLI_OK;
}

void control_client_close(struct control_client *k)
{
    if (k->fd >= 0)
        close(k->fd);
    k->fd = -1;
}

/* Asking ------------------------------------------------------------------------------ */

static int broken(struct control_client *k, const char *what)
{
    return args_failed(k->command, "%s: %s", k->path, what);
}

/* One request, one piece of the answer in k->piece. */
static int exchange(struct control_client *k, const char *request, uint64_t from)
{
    char text[CONTROL_REQUEST_MAX];
    const int len = snprintf(text, sizeof text, CONTROL_VERSION " %s from=%llu", request,
                             (unsigned long long)from);

    if ((size_t)len >= sizeof text)
        return broken(k, "the request is too long");
    if (send(k->fd, text, (size_t)len, MSG_NOSIGNAL) != len)
        return broken(k, strerror(errno));
    const ssize_t got = recv(k->fd, k->piece, sizeof k->piece - 1, 0);
    if (got < 0)
        return broken(k, errno == EAGAIN ? "no answer" : strerror(errno));
    if (got == 0)
        return broken(k, "the process has closed the connection");
    k->piece[got] = '\0';
    return CLI_OK;
}

/* The first line: "lastack/1 ok", or what was refused. */
static int judge(struct control_client *k, char *line)
{
    struct control_in in;

    if (!control_parse(line, &in) || strcmp(in.word, CONTROL_VERSION) != 0 || in.count == 0)
        return broken(k, "it speaks another protocol or version than " CONTROL_VERSION);
    if (strcmp(in.values[0], "ok") == 0)
        return CLI_OK;
    const char *text = control_get(&in, "text");
    snprintf(k->error, sizeof k->error, "%s", in.count > 1 ? in.values[1] : "refused");
    snprintf(k->reason, sizeof k->reason, "%s", text != NULL ? text : "refused");
    return CLI_FAILED;
}

enum heard { HEARD_END, HEARD_NEXT, HEARD_ENOUGH, HEARD_NONSENSE };

static enum heard hear(char *lines, control_line_fn *each, void *context, uint64_t *from)
{
    struct control_in in;

    while (*lines != '\0') {
        char *end = lines + strcspn(lines, "\n");
        const bool last = *end == '\0';
        *end = '\0';
        if (!control_parse(lines, &in))
            return HEARD_NONSENSE;
        if (strcmp(in.word, "end") == 0)
            return HEARD_END;
        if (strcmp(in.word, "next") == 0) {
            const uint64_t before = *from;
            return in.count == 1 && control_parse_number(in.values[0], from) && *from > before
                       ? HEARD_NEXT
                       : HEARD_NONSENSE;
        }
        if (each != NULL && !each(context, &in))
            return HEARD_ENOUGH;
        lines = last ? end : end + 1;
    }
    return HEARD_NONSENSE;
}

int control_client_try(struct control_client *k, const char *request, control_line_fn *each,
                       void *context)
{
    uint64_t from = 0;

    k->error[0] = k->reason[0] = '\0';
    for (;;) {
        int status = exchange(k, request, from);
        if (status != CLI_OK)
            return status;
        char *rest = k->piece + strcspn(k->piece, "\n");
        if (*rest != '\0')
            *rest++ = '\0';
        status = judge(k, k->piece);
        if (status != CLI_OK)
            return status;
        switch (hear(rest, each, context, &from)) {
        case HEARD_END:
        case HEARD_ENOUGH:
            return CLI_OK;
        case HEARD_NEXT:
            break;
        case HEARD_NONSENSE:
            return broken(k, "its answer makes no sense");
        }
    }
}

int control_client_ask(struct control_client *k, const char *request, control_line_fn *each,
                       void *context)
{
    const int status = control_client_try(k, request, each, context);

    if (status != CLI_OK && k->error[0] != '\0')
        return args_failed(k->command, "%s: %s", k->path, k->reason);
    return status;
}

uint64_t control_client_number(const struct control_in *in, const char *key)
{
    uint64_t value;

    return control_get_number(in, key, 0, &value) ? value : 0;
}
