/* SPDX-License-Identifier: MIT */
/*
 * http_upload.c - The body of a PUT goes to a file of another name in the same directory,
 * which takes the asked-for name only when it is whole.
 *
 * So a reader never sees half a file, and an upload that was cut short leaves the old one as
 * it was.  The directory stays open as a descriptor between the two steps: renaming it away
 * meanwhile cannot lead the file elsewhere.
 */
#include "cli/http_conn.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static void fail_as(struct http_conn *c, int err)
{
    switch (err) {
    case ENOENT:
    case ENOTDIR:
        http_request_fail(c, 404, "There is no such directory to put a file into.");
        return;
    case EACCES:
    case EPERM:
    case EROFS:
        http_request_fail(c, 403, "This server may not write there.");
        return;
    case EISDIR:
    case EEXIST:
        http_request_fail(c, 409, "A directory of that name is there.");
        return;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        http_request_fail(c, 507, "No space is left for the file.");
        return;
    case EMFILE:
    case ENFILE:
        http_request_fail(c, 503, "Too many files are open; try again.");
        return;
    default:
        http_request_fail(c, 500, "The file could not be written.");
        return;
    }
}

void http_upload_begin(struct http_conn *c)
{
    struct http_upload *u = &c->upload;
    struct http_path path;
    char parent[HTTP_TARGET_MAX + 1];
    struct stat st;

    if (!http_path_decode(c->request.target, &path)) {
        http_request_fail(c, 400, "The request target is no path.");
        return;
    }
    if (path.directory || !http_path_split(path.text, parent, u->name)) {
        http_request_fail(c, 409, "A file cannot have that name.");
        return;
    }
    u->dir = http_path_open(c->config->root, parent, O_PATH | O_DIRECTORY, 0);
    if (u->dir < 0) {
        fail_as(c, -u->dir);
        return;
    }
    const bool there = fstatat(u->dir, u->name, &st, AT_SYMLINK_NOFOLLOW) == 0;
    if (there && S_ISDIR(st.st_mode)) {
        fail_as(c, EISDIR);
        return;
    }
    struct http_version version;
    if (there)
        http_version_of(&st, la_rt_wallclock_ns(), &version);
    if (http_condition_judge(&c->request.conditions, there ? &version : NULL, false) != 0) {
        http_request_fail(c, 412, "The file there is not the one this request is about.");
        return;
    }
    snprintf(u->temp, sizeof u->temp, HTTP_TEMP_PREFIX "%ld-%" PRIx64, (long)getpid(), c->id.bits);
    u->file = openat(u->dir, u->temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    u->bytes = 0;
    if (u->file < 0)
        fail_as(c, errno);
}

void http_upload_write(struct http_conn *c, const char *bytes, size_t len_bytes)
{
    struct http_upload *u = &c->upload;

    if (u->file < 0) /* not reached: a body without an upload is refused with its head */
        return;
    if (u->bytes + len_bytes > c->config->upload_max_bytes) {
        http_request_fail(c, 413, "The file is larger than this server takes.");
        return;
    }
    while (len_bytes > 0) {
        const ssize_t put = pwrite(u->file, bytes, len_bytes, (off_t)u->bytes);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0) {
            fail_as(c, put < 0 ? errno : ENOSPC);
            return;
        }
        bytes += put;
        len_bytes -= (size_t)put;
        u->bytes += (uint64_t)put;
    }
}

unsigned http_upload_finish(struct http_conn *c)
{
    struct http_upload *u = &c->upload;
    struct stat st;
    const bool replaces = fstatat(u->dir, u->name, &st, AT_SYMLINK_NOFOLLOW) == 0;

    if (close(u->file) != 0) {
        u->file = -1;
        fail_as(c, errno);
        (void)unlinkat(u->dir, u->temp, 0);
        return c->request.status;
    }
    u->file = -1;
    if (renameat(u->dir, u->temp, u->dir, u->name) != 0) {
        fail_as(c, errno);
        (void)unlinkat(u->dir, u->temp, 0);
        return c->request.status;
    }
    close(u->dir);
    u->dir = -1;
    return replaces ? 204 : 201;
}

void http_upload_drop(struct http_conn *c)
{
    struct http_upload *u = &c->upload;

    if (u->file >= 0) {
        close(u->file);
        (void)unlinkat(u->dir, u->temp, 0);
    }
    if (u->dir >= 0)
        close(u->dir);
    u->file = u->dir = -1;
}
