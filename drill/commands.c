/* SPDX-License-Identifier: MIT */
/*
 * commands.c - What scripts do in backticks, as far as it concerns the stack.
 *
 * On a kernel these are shell commands.  lastack has no shell: of all that can be written there,
 * setting sysctls is understood, and nothing else is passed over in silence.
 */
#include "drill/host.h"

#include <stdio.h>
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

static enum drill_said one(struct words *w, drill_set *set, void *context, char *why, size_t room)
{
    const char *name = w->text[0];
    if (strcmp(name, "true") == 0 || strcmp(name, ":") == 0 || ends_with(name, "defaults.sh"))
        return DRILL_SAID_OK;
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

/* docs/drill.md has this table too, with the reasons. */
const char *drill_fixed_sysctl(const char *name)
{
    static const struct {
        const char *name, *value;
    } fixed[] = {
        { "net.ipv4.tcp_ecn", "0" },
        { "net.ipv4.tcp_ecn_fallback", "" },
        { "net.ipv4.tcp_fastopen", "0" },
        { "net.ipv4.tcp_congestion_control", "reno" },
        { "net.ipv4.tcp_allowed_congestion_control", "reno" },
        { "net.ipv4.tcp_fack", "0" },
        { "net.ipv4.tcp_thin_linear_timeouts", "0" },
        { "net.ipv4.tcp_slow_start_after_idle", "1" },
        { "net.ipv4.tcp_mtu_probing", "0" },
        { "net.ipv4.ip_no_pmtu_disc", "0" },
        { "net.ipv4.tcp_moderate_rcvbuf", "0" },
        { "net.ipv4.tcp_autocorking", "0" },
        { "net.ipv4.tcp_no_metrics_save", "1" },
        { "net.ipv4.tcp_no_ssthresh_metrics_save", "1" },
        { "net.ipv4.tcp_rfc1337", "1" },
        { "net.ipv4.tcp_stdurg", "0" },
        { "net.ipv4.tcp_shrink_window", "0" },
        { "net.ipv4.tcp_reflect_tos", "0" },
        { "net.ipv4.tcp_migrate_req", "0" },
        { "net.ipv4.tcp_plb_enabled", "0" },
        { "net.ipv4.tcp_comp_sack_nr", "0" },
        { "net.ipv4.tcp_comp_sack_delay_ns", "" },
        { "net.ipv4.tcp_comp_sack_slack_ns", "" },
        /* Pacing, offloads and queues below TCP: there are none. */
        { "net.ipv4.tcp_min_tso_segs", "" },
        { "net.ipv4.tcp_tso_win_divisor", "" },
        { "net.ipv4.tcp_tso_rtt_log", "" },
        { "net.ipv4.tcp_limit_output_bytes", "" },
        { "net.ipv4.tcp_pacing_ca_ratio", "" },
        { "net.ipv4.tcp_pacing_ss_ratio", "" },
        { "net.ipv4.tcp_min_rtt_wlen", "" },
        { "net.ipv4.tcp_low_latency", "" },
        { "net.ipv4.tcp_challenge_ack_limit", "2147483647" },
        { "net.core.default_qdisc", "" },
        { "net.core.netdev_max_backlog", "" },
    };
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
        if (strcmp(fixed[i].name, name) == 0)
            return fixed[i].value;
    return NULL;
}
