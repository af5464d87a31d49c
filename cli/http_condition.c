/* SPDX-License-Identifier: MIT */
/*
 * http_condition.c - Which version of a file this is, and what a request makes depend on it
 * (RFC 9110 sections 8.8 and 13).
 *
 * The entity tag is made of the inode, the length and the time of the last change in
 * nanoseconds.  The kernel's clock for files ticks in milliseconds, so a file that changed just
 * now may change again under the same tag: for its first second the tag is weak, and a client
 * that resumes a download gets the whole file rather than halves of two.
 */
#include "cli/http_condition.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

char *http_condition_field(struct http_conditions *c, const char *name, size_t *room)
{
    const struct {
        const char *name;
        char *field;
        size_t room;
    } fields[] = {
        { "range", c->range, sizeof c->range },
        { "if-range", c->if_range, sizeof c->if_range },
        { "if-match", c->if_match, sizeof c->if_match },
        { "if-none-match", c->if_none_match, sizeof c->if_none_match },
        { "if-modified-since", c->if_modified_since, sizeof c->if_modified_since },
        { "if-unmodified-since", c->if_unmodified_since, sizeof c->if_unmodified_since },
    };

    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (strcmp(name, fields[i].name) == 0) {
            *room = fields[i].room;
            return fields[i].field;
        }
    }
    return NULL;
}

void http_version_of(const struct stat *st, uint64_t now_ns, struct http_version *out)
{
    const uint64_t modified_ns =
        (uint64_t)st->st_mtim.tv_sec * 1000000000u + (uint64_t)st->st_mtim.tv_nsec;

    out->modified_s = st->st_mtim.tv_sec;
    out->settled = modified_ns + 1000000000u < now_ns;
    snprintf(out->etag, sizeof out->etag, "%s\"%" PRIx64 "-%" PRIx64 "-%" PRIx64 "\"",
             out->settled ? "" : "W/", (uint64_t)st->st_ino, (uint64_t)st->st_size, modified_ns);
}

void http_date_format(int64_t seconds, char text[HTTP_DATE_BYTES])
{
    const time_t t = (time_t)seconds;
    struct tm tm;

    if (gmtime_r(&t, &tm) == NULL ||
        strftime(text, HTTP_DATE_BYTES, "%a, %d %b %Y %H:%M:%S GMT", &tm) == 0)
        text[0] = '\0';
}

bool http_date_parse(const char *text, int64_t *seconds)
{
    static const char *const forms[] = {
        "%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", /* RFC 850 */
        "%a %b %e %H:%M:%S %Y",                                   /* asctime() */
    };

    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        struct tm tm = { 0 };
        const char *end = strptime(text, forms[i], &tm);
        if (end != NULL && *end == '\0') {
            *seconds = timegm(&tm);
            return true;
        }
    }
    return false;
}

/* The opaque part of a tag, and whether it is weak. */
static const char *opaque(const char *tag, bool *weak)
{
    *weak = strncmp(tag, "W/", 2) == 0;
    return *weak ? tag + 2 : tag;
}

/* Is @etag in a list of tags?  The strong comparison refuses a weak one on either side. */
static bool tag_in(const char *list, const char *etag, bool strong)
{
    bool weak, other_weak;
    const char *wanted = opaque(etag, &weak);
    const size_t wanted_len = strlen(wanted);

    while (*list != '\0') {
        list += strspn(list, " \t,");
        const char *tag = opaque(list, &other_weak);
        if (*tag != '"')
            return false; /* no tag: nothing behind it can be read either */
        const char *end = strchr(tag + 1, '"');
        if (end == NULL)
            return false;
        const size_t len = (size_t)(end + 1 - tag);
        if (len == wanted_len && memcmp(tag, wanted, len) == 0 && !(strong && (weak || other_weak)))
            return true;
        list = end + 1;
        list += strspn(list, " \t");
        if (*list != ',' && *list != '\0')
            return false;
    }
    return false;
}

static bool matches(const char *list, const struct http_version *version, bool strong)
{
    if (version == NULL)
        return false;
    return strcmp(list, "*") == 0 || tag_in(list, version->etag, strong);
}

unsigned http_condition_judge(const struct http_conditions *c, const struct http_version *version,
                              bool reads)
{
    int64_t date;

    /* 1. and 2. */
    if (c->if_match[0] != '\0') {
        if (!matches(c->if_match, version, true))
            return 412;
    } else if (version != NULL && http_date_parse(c->if_unmodified_since, &date)) {
        if (version->modified_s > date)
            return 412;
    }
    /* 3. and 4. */
    if (c->if_none_match[0] != '\0') {
        if (matches(c->if_none_match, version, false))
            return reads ? 304 : 412;
    } else if (reads && version != NULL && http_date_parse(c->if_modified_since, &date)) {
        if (version->modified_s <= date)
            return 304;
    }
    return 0;
}

bool http_condition_range(const struct http_conditions *c, const struct http_version *version)
{
    const char *text = c->if_range;
    int64_t date;

    if (text[0] == '\0')
        return true;
    if (text[0] == '"' || strncmp(text, "W/", 2) == 0)
        return tag_in(text, version->etag, true);
    /* A date names a version only if nothing could change it again within its second. */
    return http_date_parse(text, &date) && version->settled && version->modified_s == date;
}
