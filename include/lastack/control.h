/* SPDX-License-Identifier: MIT */
/*
 * control.h - A running stack answers questions: sysctls, counters, connections, listeners and
 * causes, on a UNIX socket that `lastack ss`, `nstat`, `sysctl` and `top` speak to.
 *
 *     loop = la_rt_loop_new(...); la_rt_loop_add(...);
 *     control = la_rt_control_open(loop, &(struct la_rt_control_config){ .stack = stack,
 *                                                                        .name = "myserver" },
 *                                  error, sizeof error);
 *     la_rt_run(loop);
 *     la_rt_control_close(control);
 *     la_rt_loop_free(loop);
 *
 * docs/control.md has the protocol.
 */
#ifndef LASTACK_CONTROL_H
#define LASTACK_CONTROL_H

#include <lastack/runtime.h>

#ifdef __cplusplus
extern "C" {
#endif

struct la_rt_control;

struct la_rt_control_config {
    struct la_stack *stack; /* of a host of the loop */
    const char *name;       /* of the program: letters, digits, '-', '_'; at most 32 bytes */
    const char *path;       /* of the socket; NULL: NAME.PID in la_rt_control_dir() */
    bool writable;          /* sysctls may be set and connections be ended through it */
};

/*
 * la_rt_control_open() - Listen on a UNIX socket (SOCK_SEQPACKET, mode 0660) and answer from
 * within the loop.
 * @config: Borrowed for this call
 * @error:  On failure, a sentence for people
 *
 * Who may ask: this process's user, root, and members of its group.  Who may set: its user
 * and root, and only if @config->writable.  A socket that a dead process left at the path is
 * replaced; one that answers, and what is no socket, is not.
 *
 * What is asked costs the loop a bounded slice of a turn, whatever the stack holds; a client
 * that does not read its answers is not read from either, and makes room when a new one comes.
 *
 * Return: NULL with errno set on failure.
 */
struct la_rt_control *la_rt_control_open(struct la_rt_loop *loop,
                                         const struct la_rt_control_config *config, char *error,
                                         size_t error_bytes);

/* Where it listens. */
const char *la_rt_control_path(const struct la_rt_control *control);

/* Before la_rt_loop_free(); removes the socket.  NULL is allowed. */
void la_rt_control_close(struct la_rt_control *control);

/* Room for the path of a UNIX socket, with its NUL. */
#define LA_RT_CONTROL_PATH_BYTES 108

/*
 * la_rt_control_dir() - Where the sockets of this user's processes are.
 * @make: Create what is missing
 *
 * For root /run/lastack.  For others lastack below $XDG_RUNTIME_DIR if that is theirs, else
 * below /run/user/UID, else the folder lastack-UID of the temporary files.  A folder that
 * somebody else owns or may write to is refused.
 *
 * Return: @path, or NULL with errno set.
 */
char *la_rt_control_dir(bool make, char path[LA_RT_CONTROL_PATH_BYTES]);

#ifdef __cplusplus
}
#endif
#endif
