/* SPDX-License-Identifier: MIT */
/*
 * http_path.c - From a request target to a file below one directory, and nowhere else.
 *
 * Two walls.  Decoding removes "." and ".." as text, before the file system sees them.
 * Opening then asks the kernel to resolve beneath the directory (openat2), which also stops
 * symbolic links that lead out, without a race between a check and its use.  Where openat2 is
 * missing or forbidden, each segment is opened by itself and no symbolic link is followed:
 * stricter, but never laxer.
 */
#include "cli/http_path.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Past "http://host" of a target in absolute form (RFC 9112 3.2.2). */
static const char *skip_authority(const char *target)
{
    if (strncasecmp(target, "http://", 7) != 0)
        return target;
    const char *slash = strpbrk(target + 7, "/?#");
    return slash == NULL || *slash != '/' ? "/" : slash;
}

/* Decode up to the query.  Return: false on a bad escape or a NUL. */
static bool unescape(const char *from, char *to)
{
    while (*from != '\0' && *from != '?' && *from != '#') {
        if (*from != '%') {
            *to++ = *from++;
            continue;
        }
        const int high = hex(from[1]);
        const int low = high < 0 ? -1 : hex(from[2]);
        if (low < 0 || high * 16 + low == 0)
            return false;
        *to++ = (char)(high * 16 + low);
        from += 3;
    }
    *to = '\0';
    return true;
}

bool http_path_decode(const char *target, struct http_path *out)
{
    char plain[HTTP_TARGET_MAX + 1];
    size_t len = 0;

    target = skip_authority(target);
    if (target[0] != '/' || strlen(target) > HTTP_TARGET_MAX || !unescape(target, plain))
        return false;
    out->directory = false;
    for (const char *at = plain; *at != '\0';) {
        at += strspn(at, "/");
        const size_t n = strcspn(at, "/");
        const bool dot = n == 1 && at[0] == '.';
        const bool dots = n == 2 && at[0] == '.' && at[1] == '.';
        out->directory = n == 0 || dot || dots || at[n] == '/';
        if (dots) {
            if (len == 0)
                return false;
            while (len > 0 && out->text[--len] != '/')
                ;
        } else if (n > 0 && !dot) {
            if (len > 0)
                out->text[len++] = '/';
            memcpy(out->text + len, at, n);
            len += n;
        }
        at += n;
    }
    out->text[len] = '\0';
    return true;
}

bool http_path_split(const char *path, char parent[HTTP_TARGET_MAX + 1],
                     char name[HTTP_NAME_MAX + 1])
{
    const char *slash = strrchr(path, '/');
    const char *last = slash == NULL ? path : slash + 1;
    const size_t parent_len = slash == NULL ? 0 : (size_t)(slash - path);
    const size_t name_len = strlen(last);

    if (name_len == 0 || name_len > HTTP_NAME_MAX || parent_len > HTTP_TARGET_MAX ||
        strncmp(last, HTTP_TEMP_PREFIX, strlen(HTTP_TEMP_PREFIX)) == 0)
        return false;
    memcpy(parent, path, parent_len);
    parent[parent_len] = '\0';
    memcpy(name, last, name_len + 1);
    return true;
}

int http_path_open_walking(int root, const char *path, int flags, unsigned mode)
{
    int dir = fcntl(root, F_DUPFD_CLOEXEC, 0);

    if (dir < 0)
        return -errno;
    for (;;) {
        char name[HTTP_NAME_MAX + 1];
        const size_t n = strcspn(path, "/");
        const bool last = path[n] == '\0';
        if (n > HTTP_NAME_MAX) {
            close(dir);
            return -ENAMETOOLONG;
        }
        memcpy(name, path, n);
        name[n] = '\0';
        const int how = last ? flags | O_NOFOLLOW : O_PATH | O_DIRECTORY | O_NOFOLLOW;
        const int fd = openat(dir, n == 0 ? "." : name, how | O_CLOEXEC, mode);
        const int err = errno;
        close(dir);
        if (fd < 0)
            return err == ELOOP ? -ENOENT : -err;
        if (last)
            return fd;
        dir = fd;
        path += n + 1;
    }
}

int http_path_open(int root, const char *path, int flags, unsigned mode)
{
    const struct open_how how = {
        .flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
        .mode = flags & O_CREAT ? mode : 0,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };

    for (int tries = 0; tries < 8; tries++) {
        const long fd = syscall(SYS_openat2, root, path[0] == '\0' ? "." : path, &how, sizeof how);
        if (fd >= 0)
            return (int)fd;
        if (errno == ENOSYS || errno == EPERM)
            return http_path_open_walking(root, path, flags, mode);
        if (errno == EXDEV || errno == ELOOP)
            return -ENOENT;
        if (errno != EAGAIN) /* EAGAIN: something was renamed meanwhile; look again */
            return -errno;
    }
    return -EAGAIN;
}

const char *http_path_type(const char *path)
{
    static const struct {
        const char *ending, *type;
    } types[] = {
        { "html", "text/html; charset=utf-8" },
        { "htm", "text/html; charset=utf-8" },
        { "txt", "text/plain; charset=utf-8" },
        { "md", "text/markdown; charset=utf-8" },
        { "css", "text/css; charset=utf-8" },
        { "js", "text/javascript; charset=utf-8" },
        { "mjs", "text/javascript; charset=utf-8" },
        { "json", "application/json" },
        { "xml", "application/xml" },
        { "svg", "image/svg+xml" },
        { "png", "image/png" },
        { "jpg", "image/jpeg" },
        { "jpeg", "image/jpeg" },
        { "gif", "image/gif" },
        { "webp", "image/webp" },
        { "ico", "image/vnd.microsoft.icon" },
        { "woff2", "font/woff2" },
        { "wasm", "application/wasm" },
        { "pdf", "application/pdf" },
        { "gz", "application/gzip" },
        { "zip", "application/zip" },
        { "mp4", "video/mp4" },
        { "webm", "video/webm" },
        { "mp3", "audio/mpeg" },
    };
    const char *slash = strrchr(path, '/');
    const char *dot = strrchr(slash == NULL ? path : slash, '.');

    for (size_t i = 0; dot != NULL && i < sizeof types / sizeof types[0]; i++)
        if (strcasecmp(dot + 1, types[i].ending) == 0)
            return types[i].type;
    return "application/octet-stream";
}
