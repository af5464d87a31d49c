/* SPDX-License-Identifier: MIT */
/*
 * http_listing.c - A directory as a page: names in the order of their bytes, with length and time.
 *
 * What is listed is what a GET would find: not what leads out of the served tree, no devices and
 * no unfinished uploads.  A name is what its maker wanted it to be, so it is escaped twice over:
 * in the reference every byte that RFC 3986 does not leave unreserved, in the text what means
 * something in HTML.
 *
 * The page is made in a file in memory, and from there on it is sent as any other file.
 */
#include "cli/http_listing.h"

#include "cli/http_path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void put_text(FILE *f, const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '&':
            fputs("&amp;", f);
            break;
        case '<':
            fputs("&lt;", f);
            break;
        case '>':
            fputs("&gt;", f);
            break;
        case '"':
            fputs("&quot;", f);
            break;
        default:
            if ((unsigned char)*text < 0x20 || *text == 0x7f)
                fputs("\xef\xbf\xbd", f); /* U+FFFD */
            else
                fputc(*text, f);
            break;
        }
    }
}

static void put_reference(FILE *f, const char *name)
{
    static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                     "0123456789-._~";

    for (; *name != '\0'; name++) {
        if (strchr(unreserved, *name) != NULL)
            fputc(*name, f);
        else
            fprintf(f, "%%%02X", (unsigned)(unsigned char)*name);
    }
}

/* What a GET of this name would find.  False if it would find nothing. */
static bool look_at(int root, int dir, const char *path, const char *name, struct stat *st)
{
    if (fstatat(dir, name, st, AT_SYMLINK_NOFOLLOW) != 0)
        return false;
    if (S_ISLNK(st->st_mode)) {
        char whole[HTTP_TARGET_MAX + HTTP_NAME_MAX + 2];
        snprintf(whole, sizeof whole, "%s%s%s", path, path[0] != '\0' ? "/" : "", name);
        const int fd = http_path_open(root, whole, O_PATH, 0);
        if (fd < 0)
            return false;
        const int failed = fstat(fd, st);
        close(fd);
        if (failed != 0)
            return false;
    }
    return S_ISREG(st->st_mode) || S_ISDIR(st->st_mode);
}

static void put_row(FILE *f, const char *name, const struct stat *st)
{
    const char *slash = S_ISDIR(st->st_mode) ? "/" : "";
    char when[48] = "";
    struct tm tm;

    fputs("<tr><td><a href=\"", f);
    put_reference(f, name);
    fprintf(f, "%s\">", slash);
    put_text(f, name);
    if (gmtime_r(&st->st_mtim.tv_sec, &tm) != NULL)
        strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S UTC", &tm);
    if (S_ISDIR(st->st_mode))
        fprintf(f, "/</a></td><td></td><td>%s</td></tr>\n", when);
    else
        fprintf(f, "</a></td><td>%" PRIu64 "</td><td>%s</td></tr>\n", (uint64_t)st->st_size, when);
}

struct names {
    char *list[HTTP_LISTING_MAX];
    size_t count;
    bool more;
};

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The first HTTP_LISTING_MAX names as the directory has them, sorted.  Return: 0 or an errno. */
static int read_names(int dir, struct names *n)
{
    DIR *d = fdopendir(fcntl(dir, F_DUPFD_CLOEXEC, 0));
    const struct dirent *e;

    if (d == NULL)
        return errno;
    errno = 0;
    while ((e = readdir(d)) != NULL) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
            strncmp(e->d_name, HTTP_TEMP_PREFIX, strlen(HTTP_TEMP_PREFIX)) == 0)
            continue;
        n->more = n->count == HTTP_LISTING_MAX;
        if (n->more || (n->list[n->count] = strdup(e->d_name)) == NULL)
            break;
        n->count++;
        errno = 0;
    }
    const int err = errno;
    closedir(d);
    qsort(n->list, n->count, sizeof n->list[0], by_bytes);
    return err;
}

static void put_page(FILE *f, int root, int dir, const char *path, const struct names *names)
{
    struct stat st;

    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>/", f);
    put_text(f, path);
    fputs("</title>\n<style>td { padding-right: 2em } td + td { text-align: right }</style>\n"
          "</head>\n<body>\n<h1>/",
          f);
    put_text(f, path);
    fputs("</h1>\n<table>\n", f);
    if (path[0] != '\0')
        fputs("<tr><td><a href=\"../\">../</a></td><td></td><td></td></tr>\n", f);
    for (size_t i = 0; i < names->count; i++)
        if (look_at(root, dir, path, names->list[i], &st))
            put_row(f, names->list[i], &st);
    fputs("</table>\n", f);
    if (names->more)
        fprintf(f, "<p>There are more than these %d.</p>\n", HTTP_LISTING_MAX);
    fputs("</body>\n</html>\n", f);
}

/* Return: 0 or an errno. */
static int write_page(int fd, int root, int dir, const char *path, const struct names *names,
                      uint64_t *size)
{
    const int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    FILE *f = copy >= 0 ? fdopen(copy, "w") : NULL;

    if (f == NULL) {
        const int err = errno;
        if (copy >= 0)
            close(copy);
        return err;
    }
    put_page(f, root, dir, path, names);
    const long len = ftell(f);
    const bool bad = ferror(f) != 0 || len < 0;
    *size = (uint64_t)len;
    return fclose(f) != 0 || bad ? EIO : 0;
}

/* Return: a descriptor or a negative errno. */
static int make_page(int root, int dir, const char *path, struct names *names, uint64_t *size)
{
    int err = read_names(dir, names);
    if (err != 0)
        return -err;
    const int fd = memfd_create("lastack-listing", MFD_CLOEXEC);
    if (fd < 0)
        return -errno;
    err = write_page(fd, root, dir, path, names, size);
    if (err == 0)
        return fd;
    close(fd);
    return -err;
}

int http_listing_make(int root, const char *path, uint64_t *size)
{
    const int dir = http_path_open(root, path, O_RDONLY | O_DIRECTORY, 0);
    if (dir < 0)
        return dir;
    struct names *names = calloc(1, sizeof *names);
    const int fd = names != NULL ? make_page(root, dir, path, names, size) : -ENOMEM;
    for (size_t i = 0; names != NULL && i < names->count; i++)
        free(names->list[i]);
    free(names);
    close(dir);
    return fd;
}
