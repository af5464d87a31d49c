/* SPDX-License-Identifier: MIT */
/*
 * pipes.c - pipe() and splice(): pipes are the host's own, sockets are ours.
 *
 * Nothing may be lost between the two.  Towards a pipe the bytes are looked at (MSG_PEEK), written,
 * and only what was written is taken; towards a socket they are copied out of the pipe with tee(),
 * sent, and only what was sent is read.
 */
#include "drill/plug/plug.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#define PIECE_MAX 65536u

int64_t plug_pipe_make(struct plug *p, int fds[2])
{
    if (pipe2(fds, O_CLOEXEC) != 0)
        return -errno;
    if (fds[0] >= PLUG_FDS_MAX || fds[1] >= PLUG_FDS_MAX) {
        close(fds[0]);
        close(fds[1]);
        return -EMFILE;
    }
    p->fds[fds[0]] = p->fds[fds[1]] = PLUG_PIPE;
    return 0;
}

static int64_t move(struct plug *p, enum la_sock_op op, int fd, void *bytes, size_t len, int flags)
{
    struct iovec iov = { bytes, len };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    const struct la_sock_call call = {
        .op = op, .fd = plug_own(p, fd), .msg = &msg, .flags = flags
    };
    return plug_call(p, &call);
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static int64_t to_pipe(struct plug *p, int socket, int pipe, size_t len, unsigned flags)
{
    const int wait = flags & SPLICE_F_NONBLOCK ? MSG_DONTWAIT : 0;
    const int capacity = fcntl(pipe, F_GETPIPE_SZ);
    int held = 0;
    if (capacity < 0 || ioctl(pipe, FIONREAD, &held) != 0)
        return -errno;
    if (held >= capacity)
        return -EAGAIN; /* nobody could empty it while this waits */
    uint8_t *bytes = malloc(PIECE_MAX);
    if (bytes == NULL)
        return -ENOMEM;
    const size_t want = least(least(len, PIECE_MAX), (size_t)(capacity - held));
    int64_t n = move(p, LA_SOCK_RECV, socket, bytes, want, MSG_PEEK | wait);
    if (n > 0) {
        const ssize_t written = write(pipe, bytes, (size_t)n);
        n = written < 0 ? -errno
                        : move(p, LA_SOCK_RECV, socket, bytes, (size_t)written, MSG_DONTWAIT);
    }
    free(bytes);
    return n;
}

static int64_t to_socket(struct plug *p, int pipe, int socket, size_t len, unsigned flags)
{
    const int how =
        (flags & SPLICE_F_NONBLOCK ? MSG_DONTWAIT : 0) | (flags & SPLICE_F_MORE ? MSG_MORE : 0);
    int copy[2];
    if (pipe2(copy, O_CLOEXEC | O_NONBLOCK) != 0)
        return -errno;
    uint8_t *bytes = malloc(PIECE_MAX);
    int64_t n =
        bytes == NULL ? -ENOMEM : tee(pipe, copy[1], least(len, PIECE_MAX), SPLICE_F_NONBLOCK);
    if (bytes != NULL && n < 0)
        n = -errno;
    if (n > 0)
        n = read(copy[0], bytes, (size_t)n);
    if (n > 0)
        n = move(p, LA_SOCK_SEND, socket, bytes, (size_t)n, how);
    if (n > 0 && read(pipe, bytes, (size_t)n) != n)
        n = -EIO;
    free(bytes);
    close(copy[0]);
    close(copy[1]);
    return n;
}

int64_t plug_splice(struct plug *p, int in, const loff_t *in_at, int out, const loff_t *out_at,
                    size_t len, unsigned flags)
{
    const bool in_pipe = in >= 0 && in < PLUG_FDS_MAX && p->fds[in] == PLUG_PIPE;
    const bool out_pipe = out >= 0 && out < PLUG_FDS_MAX && p->fds[out] == PLUG_PIPE;
    if ((!in_pipe && plug_own(p, in) < 0) || (!out_pipe && plug_own(p, out) < 0))
        return -EBADF;
    if (in_at != NULL || out_at != NULL)
        return -ESPIPE;
    if (len == 0)
        return 0;
    if (in_pipe && out_pipe) {
        const ssize_t n = splice(in, NULL, out, NULL, len, flags | SPLICE_F_NONBLOCK);
        return n < 0 ? -errno : n;
    }
    if (!in_pipe && !out_pipe)
        return -EINVAL; /* one of them must be a pipe */
    return in_pipe ? to_socket(p, in, out, len, flags) : to_pipe(p, in, out, len, flags);
}
