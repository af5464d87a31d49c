/* SPDX-License-Identifier: MIT */
/*
 * commands.c - What scripts do in backticks, as far as it concerns the stack.
 *
 * On a kernel these are shell commands.  lastack has no shell: of all that can be written there,
 * setting sysctls is understood, and what a route says of the first window and of the RTO.  What
 * tunes queues and devices below TCP touches nothing a script can see, and is let pass by name.
 * Nothing else is passed over in silence.
 */
#include "drill/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 64
#define WORD_BYTES 256

struct words {
    char text[WORDS_MAX][WORD_BYTES];
    int count;
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* The next simple command of @text, in words without their quotes.  Return: behind it. */
static const char *split(const char *p, struct words *w)
{
    size_t len = 0;
    char quote = '\0';
    bool open = false;
    w->count = 0;
    for (; *p != '\0'; p++) {
        const bool ends = *p == '\n' || *p == ';' || (p[0] == '&' && p[1] == '&');
        if (quote == '\0' && *p == '\\' && p[1] == '\n') {
            p++;
            continue;
        }
        if (quote == '\0' && (ends || is_space(*p))) {
            if (open && w->count < WORDS_MAX)
                w->text[w->count++][len] = '\0';
            open = false;
            if (ends)
                return p + (*p == '&' ? 2 : 1);
            continue;
        }
        if (!open) {
            open = true;
            len = 0;
        }
        if (quote == '\0' && (*p == '"' || *p == '\''))
            quote = *p;
        else if (*p == quote)
            quote = '\0';
        else if (w->count < WORDS_MAX && len + 1 < WORD_BYTES)
            w->text[w->count][len++] = *p;
    }
    if (open && w->count < WORDS_MAX)
        w->text[w->count++][len] = '\0';
    return p;
}

/* Away with > /dev/null and 2>&1. */
static void drop_redirections(struct words *w)
{
    int kept = 0;
    for (int i = 0; i < w->count; i++) {
        const char *t = w->text[i];
        const char *to = t + (*t == '1' || *t == '2' || *t == '&' ? 1 : 0);
        if (*to == '>' && (strcmp(to, ">&1") == 0 || strcmp(to, ">/dev/null") == 0))
            continue;
        if (strcmp(to, ">") == 0 && i + 1 < w->count && strcmp(w->text[i + 1], "/dev/null") == 0) {
            i++;
            continue;
        }
        if (kept != i)
            memcpy(w->text[kept], w->text[i], WORD_BYTES);
        kept++;
    }
    w->count = kept;
}

static bool ends_with(const char *text, const char *end)
{
    const size_t a = strlen(text), b = strlen(end);
    return a >= b && strcmp(text + a - b, end) == 0;
}

/* "net/ipv4/tcp_sack" or "/proc/sys/net/ipv4/tcp_sack" as "net.ipv4.tcp_sack". */
static void dotted(char *name)
{
    static const char prefix[] = "/proc/sys/";
    if (strncmp(name, prefix, sizeof prefix - 1) == 0)
        memmove(name, name + sizeof prefix - 1, strlen(name) - (sizeof prefix - 1) + 1);
    for (char *p = name; *p != '\0'; p++)
        if (*p == '/')
            *p = '.';
}

static enum drill_said assign(char *word, drill_set *set, void *context, char *why, size_t room)
{
    char *equals = strchr(word, '=');
    if (equals == NULL) {
        snprintf(why, room, "a sysctl that is read: %s", word);
        return DRILL_SAID_UNSUPPORTED;
    }
    *equals = '\0';
    dotted(word);
    char *value = equals + 1;
    for (char *p = value; *p != '\0'; p++)
        if (*p == '\t')
            *p = ' ';
    return set(context, word, value, why, room);
}

static bool is(const struct words *w, int i, const char *word)
{
    return i < w->count && strcmp(w->text[i], word) == 0;
}

/* A queue that only passes on what it is given, and a device told not to cut or join packets. */
static bool tunes_what_is_not_there(const struct words *w)
{
    static const char *const queues[] = { "fq", "pfifo", "pfifo_fast", "fq_codel", "noqueue" };
    if (is(w, 0, "ethtool"))
        return is(w, 1, "-K") && w->count >= 5 && w->count % 2 == 1;
    if (is(w, 0, "ip"))
        return is(w, 1, "tcp_metrics") && is(w, 2, "flush");
    if (is(w, 0, "nstat")) /* its output has gone to /dev/null, or is nobody's */
        return w->count == 1 || (w->count == 2 && w->text[1][0] == '-');
    if (!is(w, 0, "tc") || !is(w, 1, "qdisc") || !is(w, 3, "dev") || !is(w, 5, "root"))
        return false;
    for (size_t i = 0; i < sizeof queues / sizeof queues[0]; i++)
        if (is(w, 6, queues[i]))
            return true;
    return is(w, 2, "del") && w->count == 6;
}

/* "40ms", "0.2s", or ticks of a millisecond, in microseconds; 0 = no time. */
static unsigned long microseconds(const char *text)
{
    char *end;
    const double n = strtod(text, &end);
    if (end == text || n < 0 || n > 1000000)
        return 0;
    if (strcmp(end, "us") == 0)
        return (unsigned long)n;
    return strcmp(end, "s") == 0                    ? (unsigned long)(n * 1e6)
           : *end == '\0' || strcmp(end, "ms") == 0 ? (unsigned long)(n * 1e3)
                                                    : 0;
}

/*
 * ip [-6] route VERB ... [initcwnd N] [rto_min TIME]: a script has one peer, so what is said of
 * its route is said of all.  Other attributes are not understood.
 */
static enum drill_said route(const struct words *w, int verb, drill_set *set, void *context,
                             char *why, size_t room)
{
    static const char *const where[] = { "via", "dev", "proto", "src", "table", "scope" };
    char text[32];
    int i = verb + 2; /* behind the prefix */
    if (!is(w, verb, "replace") && !is(w, verb, "change") && !is(w, verb, "add"))
        i = w->count + 1;
    for (; i + 1 < w->count; i += 2) {
        enum drill_said said = DRILL_SAID_OK;
        bool known = is(w, i, "initcwnd");
        const unsigned long us = microseconds(w->text[i + 1]);
        for (size_t k = 0; k < sizeof where / sizeof where[0]; k++)
            known = known || is(w, i, where[k]);
        if (is(w, i, "initcwnd"))
            said = set(context, "net.lastack.tcp_initial_cwnd", w->text[i + 1], why, room);
        if (is(w, i, "rto_min") && us > 0) {
            known = true;
            snprintf(text, sizeof text, "%lu", us);
            said = set(context, "net.ipv4.tcp_rto_min_us", text, why, room);
        }
        if (said != DRILL_SAID_OK)
            return said;
        if (!known)
            break;
    }
    if (i == w->count)
        return DRILL_SAID_OK;
    snprintf(why, room, "command ip route ... %s",
             i < w->count      ? w->text[i]
             : w->count > verb ? w->text[verb]
                               : "");
    return DRILL_SAID_UNSUPPORTED;
}

static enum drill_said one(struct words *w, drill_set *set, void *context, char *why, size_t room)
{
    const char *name = w->text[0];
    const int family = is(w, 1, "-6") || is(w, 1, "-4") ? 1 : 0;
    if (strcmp(name, "true") == 0 || strcmp(name, ":") == 0 || ends_with(name, "defaults.sh") ||
        tunes_what_is_not_there(w))
        return DRILL_SAID_OK;
    if (is(w, 0, "ip") &&
        (is(w, 1 + family, "route") || is(w, 1 + family, "ro") || is(w, 1 + family, "r")))
        return route(w, 2 + family, set, context, why, room);
    if (is(w, 0, "ulimit") && is(w, 1, "-n") && w->count == 3)
        return set(context, DRILL_NOFILE, w->text[2], why, room);
    if (strcmp(name, "echo") == 0 && w->count == 4 && strcmp(w->text[2], ">") == 0) {
        dotted(w->text[3]);
        return set(context, w->text[3], w->text[1], why, room);
    }
    if (strcmp(name, "sysctl") != 0 && strcmp(name, "/sbin/sysctl") != 0 &&
        !ends_with(name, "set_sysctls.py")) {
        snprintf(why, room, "command %s", name);
        return DRILL_SAID_UNSUPPORTED;
    }
    for (int i = 1; i < w->count; i++) {
        if (w->text[i][0] == '-')
            continue;
        const enum drill_said said = assign(w->text[i], set, context, why, room);
        if (said != DRILL_SAID_OK)
            return said;
    }
    return DRILL_SAID_OK;
}

enum drill_said drill_command(const char *text, drill_set *set, void *context, char *why,
                              size_t room)
{
    struct words w;
    while (*text != '\0') {
        text = split(text, &w);
        drop_redirections(&w);
        if (w.count == 0 || w.text[0][0] == '#')
            continue;
        const enum drill_said said = one(&w, set, context, why, room);
        if (said != DRILL_SAID_OK)
            return said;
    }
    return DRILL_SAID_OK;
}
