/* SPDX-License-Identifier: MIT */
/*
 * control.c - The control socket: who is let in, and how nobody outside can hold up the loop.
 *
 * The socket is bound under another name, given its mode, made to listen, and only then renamed
 * to its place: whoever finds it can connect, and a dead one there is replaced in one step.
 *
 * Who connects is judged by SO_PEERCRED.  A client has one request in work and one answer
 * waiting at most; while its answer does not fit into its socket nothing more is read from it.
 * So a client that never reads holds one buffer; when all places are taken, the one that has
 * been silent longest gives its place to a newcomer.  One turn of the loop answers at most one
 * request of each client, and each answer is bounded (control_answer.c).
 *
 * All descriptors stand in an epoll set of their own, so the loop watches one.
 */
#include "runtime/control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define CLIENTS_MAX 8u
#define TAG_LISTENER CLIENTS_MAX
#define NAME_MAX_BYTES 32u

struct client {
    int fd; /* -1: the place is free */
    bool may_write;
    uint64_t last_heard; /* in requests of all clients */
    uint32_t waiting;    /* bytes of an answer the socket had no room for */
    char answer[CONTROL_ANSWER_MAX];
};

struct la_rt_control {
    struct la_rt_loop *loop;
    struct control_context context;
    bool writable;
    char name[NAME_MAX_BYTES + 1];
    char path[LA_RT_CONTROL_PATH_BYTES];
    int listen_fd, epoll_fd;
    uint64_t heard;
    struct client clients[CLIENTS_MAX];
};

const char *la_rt_control_path(const struct la_rt_control *k)
{
    return k->path;
}

/* Clients ------------------------------------------------------------------------- */

static void drop(struct client *client)
{
    if (client->fd >= 0)
        close(client->fd); /* which takes it out of the epoll set */
    client->fd = -1;
    client->waiting = 0;
}

static void want(struct la_rt_control *k, struct client *client, uint32_t events)
{
    struct epoll_event ev = { .events = events, .data.u32 = (uint32_t)(client - k->clients) };

    if (epoll_ctl(k->epoll_fd, EPOLL_CTL_MOD, client->fd, &ev) != 0)
        drop(client);
}

/* Its user, root, or a member of its group; and who of them may write. */
static bool welcome(const struct la_rt_control *k, int fd, bool *may_write)
{
    struct ucred who;
    socklen_t len = sizeof who;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) != 0)
        return false;
    const bool owner = who.uid == geteuid() || who.uid == 0;
    *may_write = k->writable && owner;
    return owner || who.gid == getegid();
}

static struct client *place(struct la_rt_control *k)
{
    struct client *silent = &k->clients[0];

    for (uint32_t i = 0; i < CLIENTS_MAX; i++) {
        if (k->clients[i].fd < 0)
            return &k->clients[i];
        if (k->clients[i].last_heard < silent->last_heard)
            silent = &k->clients[i];
    }
    drop(silent);
    return silent;
}

static void let_in(struct la_rt_control *k)
{
    const int fd = accept4(k->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    bool may_write = false;

    if (fd < 0)
        return;
    if (!welcome(k, fd, &may_write)) {
        close(fd);
        return;
    }
    struct client *client = place(k);
    struct epoll_event ev = { .events = EPOLLIN, .data.u32 = (uint32_t)(client - k->clients) };
    if (epoll_ctl(k->epoll_fd, EPOLL_CTL_ADD, fd, &ev) != 0) {
        close(fd);
        return;
    }
    client->fd = fd;
    client->may_write = may_write;
    client->last_heard = ++k->heard;
    client->waiting = 0;
}

static void send_waiting(struct la_rt_control *k, struct client *client)
{
    const ssize_t sent =
        send(client->fd, client->answer, client->waiting, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (sent < 0 && (errno == EAGAIN || errno == EINTR)) {
        want(k, client, EPOLLOUT);
        return;
    }
    if (sent < 0) { /* it has gone */
        drop(client);
        return;
    }
    client->waiting = 0;
    want(k, client, EPOLLIN);
}

static void hear(struct la_rt_control *k, struct client *client, la_time now)
{
    char request[CONTROL_REQUEST_MAX + 1]; /* one more, to see that a request is too long */
    const ssize_t len = recv(client->fd, request, sizeof request, MSG_DONTWAIT);

    if (len < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (len <= 0) {
        drop(client);
        return;
    }
    client->last_heard = ++k->heard;
    k->context.now = now;
    k->context.may_write = client->may_write;
    client->waiting = control_answer(&k->context, request, (uint32_t)len, client->answer);
    send_waiting(k, client);
}

static void on_ready(void *context, la_time now, uint32_t events)
{
    struct la_rt_control *k = context;
    struct epoll_event ready[CLIENTS_MAX + 1];
    const int count = epoll_wait(k->epoll_fd, ready, CLIENTS_MAX + 1, 0);

    (void)events;
    for (int i = 0; i < count; i++) {
        const uint32_t tag = ready[i].data.u32;
        if (tag == TAG_LISTENER)
            continue;
        struct client *client = &k->clients[tag];
        if (client->fd < 0)
            continue;
        if (client->waiting > 0)
            send_waiting(k, client);
        else
            hear(k, client, now);
    }
    for (int i = 0; i < count; i++) /* last, as a newcomer may take a place of the above */
        if (ready[i].data.u32 == TAG_LISTENER)
            let_in(k);
}

/* The socket -------------------------------------------------------------------------- */

static bool refuse(char *error, size_t error_bytes, const char *path, int err, const char *what)
{
    snprintf(error, error_bytes, "control socket %s: %s", path, what);
    errno = err;
    return false;
}

static int unix_socket(const char *path, struct sockaddr_un *at)
{
    *at = (struct sockaddr_un){ .sun_family = AF_UNIX };
    snprintf(at->sun_path, sizeof at->sun_path, "%s", path);
    return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* Is the place free, or taken by a socket nobody answers on? */
static bool place_is_free(const char *path, char *error, size_t error_bytes)
{
    struct sockaddr_un at;
    struct stat st;

    if (lstat(path, &st) != 0)
        return errno == ENOENT || refuse(error, error_bytes, path, errno, strerror(errno));
    if (!S_ISSOCK(st.st_mode))
        return refuse(error, error_bytes, path, EEXIST, "there is a file that is no socket");
    const int fd = unix_socket(path, &at);
    if (fd < 0)
        return refuse(error, error_bytes, path, errno, strerror(errno));
    const int err = connect(fd, (struct sockaddr *)&at, sizeof at) == 0 ? 0 : errno;
    close(fd);
    if (err == ECONNREFUSED || err == ENOENT)
        return true; /* its process is gone */
    return refuse(error, error_bytes, path, EADDRINUSE, "another process answers there");
}

static bool open_socket(struct la_rt_control *k, char *error, size_t error_bytes)
{
    char beside[LA_RT_CONTROL_PATH_BYTES + 16];
    struct sockaddr_un at;

    if (!place_is_free(k->path, error, error_bytes))
        return false;
    snprintf(beside, sizeof beside, "%s.%u~", k->path, (unsigned)getpid() & 0xffffu);
    if (strlen(beside) >= sizeof at.sun_path)
        return refuse(error, error_bytes, k->path, ENAMETOOLONG, "the path is too long");
    k->listen_fd = unix_socket(beside, &at);
    if (k->listen_fd < 0)
        return refuse(error, error_bytes, k->path, errno, strerror(errno));
    (void)unlink(beside); /* of a process that died in this very place */
    if (bind(k->listen_fd, (struct sockaddr *)&at, sizeof at) != 0)
        return refuse(error, error_bytes, k->path, errno, strerror(errno));
    if (chmod(beside, 0660) != 0 || listen(k->listen_fd, 16) != 0 || rename(beside, k->path) != 0) {
        const int err = errno;
        (void)unlink(beside);
        return refuse(error, error_bytes, k->path, err, strerror(err));
    }
    return true;
}

static bool watch(struct la_rt_control *k, char *error, size_t error_bytes)
{
    struct epoll_event ev = { .events = EPOLLIN, .data.u32 = TAG_LISTENER };

    k->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (k->epoll_fd < 0 || epoll_ctl(k->epoll_fd, EPOLL_CTL_ADD, k->listen_fd, &ev) != 0)
        return refuse(error, error_bytes, k->path, errno, strerror(errno));
    const int err = la_rt_watch(k->loop, k->epoll_fd, EPOLLIN, on_ready, k);
    return err == 0 || refuse(error, error_bytes, k->path, -err, strerror(-err));
}

static bool choose_path(struct la_rt_control *k, const char *path, char *error, size_t error_bytes)
{
    char dir[LA_RT_CONTROL_PATH_BYTES];
    const size_t room = sizeof k->path;
    int len;

    if (path != NULL) {
        len = snprintf(k->path, room, "%s", path);
    } else {
        if (la_rt_control_dir(true, dir) == NULL)
            return refuse(error, error_bytes, "folder", errno, strerror(errno));
        len = snprintf(k->path, room, "%s/%s.%ld", dir, k->name, (long)getpid());
    }
    return (size_t)len < room || refuse(error, error_bytes, path != NULL ? path : dir, ENAMETOOLONG,
                                        "the path is too long");
}

static bool name_is_plain(const char *name)
{
    const size_t len = strlen(name);

    return len > 0 && len <= NAME_MAX_BYTES &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == len;
}

struct la_rt_control *la_rt_control_open(struct la_rt_loop *loop,
                                         const struct la_rt_control_config *config, char *error,
                                         size_t error_bytes)
{
    if (config->stack == NULL || config->name == NULL || !name_is_plain(config->name)) {
        (void)refuse(error, error_bytes, "name", EINVAL, "letters, digits, '-' and '_' only");
        return NULL;
    }
    struct la_rt_control *k = calloc(1, sizeof *k); /* answers are touched only when given */
    if (k == NULL) {
        (void)refuse(error, error_bytes, config->name, ENOMEM, strerror(ENOMEM));
        return NULL;
    }
    k->loop = loop;
    k->writable = config->writable;
    k->listen_fd = k->epoll_fd = -1;
    snprintf(k->name, sizeof k->name, "%s", config->name);
    k->context = (struct control_context){
        .stack = config->stack, .loop = loop, .name = k->name, .begun_ns = la_rt_wallclock_ns()
    };
    for (uint32_t i = 0; i < CLIENTS_MAX; i++)
        k->clients[i].fd = -1;
    const bool there =
        choose_path(k, config->path, error, error_bytes) && open_socket(k, error, error_bytes);
    if (there && watch(k, error, error_bytes))
        return k;
    const int err = errno;
    if (there)
        (void)unlink(k->path);
    if (k->epoll_fd >= 0)
        close(k->epoll_fd);
    if (k->listen_fd >= 0)
        close(k->listen_fd);
    free(k);
    errno = err;
    return NULL;
}

void la_rt_control_close(struct la_rt_control *k)
{
    if (k == NULL)
        return;
    la_rt_unwatch(k->loop, k->epoll_fd);
    (void)unlink(k->path);
    for (uint32_t i = 0; i < CLIENTS_MAX; i++)
        drop(&k->clients[i]);
    close(k->epoll_fd);
    close(k->listen_fd);
    free(k);
}
