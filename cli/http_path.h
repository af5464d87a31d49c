/* SPDX-License-Identifier: MIT */
/* http_path.h - From a request target to a file below one directory, and nowhere else. */
#ifndef CLI_HTTP_PATH_H
#define CLI_HTTP_PATH_H

#include <stdbool.h>
#include <stddef.h>

#define HTTP_TARGET_MAX 4096 /* bytes of a request target */
#define HTTP_NAME_MAX 255    /* bytes of one path segment, as file systems have it */

/* Uploads are written under this name first; it is never served. */
#define HTTP_TEMP_PREFIX ".lastack-put-"

struct http_path {
    char text[HTTP_TARGET_MAX + 1]; /* relative, "" for the top; no "." or ".." in it */
    bool directory;                 /* the target ended in a slash */
};

/*
 * http_path_decode() - Read a request target: path, or URL with a path.
 *
 * The query is dropped, %XX decoded, "." and ".." resolved.
 *
 * Return: false for what has no meaning here: no leading slash, a bad %XX, a NUL, or ".."
 *         above the top.
 */
bool http_path_decode(const char *target, struct http_path *out);

/*
 * http_path_open() - Open a decoded path below @root.
 * @flags: As for open(2)
 * @mode:  Used with O_CREAT
 *
 * Return: a descriptor, or a negative errno.  -ENOENT also for what leads out of @root by a
 *         symbolic link: outside, nothing exists.
 */
int http_path_open(int root, const char *path, int flags, unsigned mode);

/* As above without openat2(2): refuses every symbolic link.  For hosts that lack it. */
int http_path_open_walking(int root, const char *path, int flags, unsigned mode);

/* Split "a/b/c" into "a/b" and "c".  False if there is no last name, or none a file may have. */
bool http_path_split(const char *path, char parent[HTTP_TARGET_MAX + 1],
                     char name[HTTP_NAME_MAX + 1]);

/* By the name's ending; "application/octet-stream" if it says nothing. */
const char *http_path_type(const char *path);

#endif
