/* SPDX-License-Identifier: MIT */
/*
 * settings.c - What --so_flags say, and settings that come from elsewhere.
 *
 * packetdrill runs a script's commands in a shell of the host, where they set sysctls of the
 * host's network namespace: this object never hears of them.  With the flag sysctls=host it looks
 * there, before each call and each packet: whatever lastack and /proc/sys both have is taken over
 * when it has changed.  A value lastack can not take is told on stderr, once.
 */
#include "drill/plug/plug.h"

#include "drill/host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void plug_wrong(const char *what, const char *text)
{
    fprintf(stderr, "liblastack-packetdrill: %s: \"%s\"\n", what, text);
    exit(2);
}

void plug_flag(struct plug *p, struct plug_wishes *w, char *text)
{
    struct la_addr a;
    char why[256], *end, *value = strchr(text, '=');
    if (value == NULL)
        plug_wrong("not NAME=VALUE in --so_flags", text);
    *value++ = '\0';
    if (strcmp(text, "local") == 0) {
        if (!la_addr_parse(value, &a))
            plug_wrong("not an address in --so_flags", value);
        *(la_addr_is_v4(a) ? &w->local4 : &w->local6) = a;
    } else if (strcmp(text, "mtu") == 0) {
        const unsigned long mtu = strtoul(value, &end, 10);
        if (end == value || *end != '\0' || mtu > UINT16_MAX)
            plug_wrong("not a number of bytes in --so_flags", value);
        w->mtu = (uint32_t)mtu;
    } else if (strcmp(text, "sysctls") == 0 && strcmp(value, "host") == 0) {
        p->host_sysctls = true;
    } else if (strncmp(text, "sysctl.", 7) == 0) {
        if (!drill_socket_sysctl(p->sockets, text + 7, value) &&
            drill_sysctl(p->stack, text + 7, value, why, sizeof why) != DRILL_SAID_OK)
            plug_wrong("in --so_flags", why);
    } else {
        plug_wrong("unknown flag in --so_flags: local=, mtu=, sysctl.NAME= or sysctls=host", text);
    }
}

/* "net.ipv4.tcp_sack" in /proc/sys, without its end of line, spaces for tabs. */
static bool host_value(const char *name, char value[PLUG_VALUE_BYTES])
{
    char path[256];
    const int n = snprintf(path, sizeof path, "/proc/sys/%s", name);
    if (n < 0 || (size_t)n >= sizeof path)
        return false;
    for (char *c = path; *c != '\0'; c++)
        if (*c == '.')
            *c = '/';
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    const ssize_t len = read(fd, value, PLUG_VALUE_BYTES - 1);
    close(fd);
    if (len <= 0)
        return false;
    value[len] = '\0';
    value[strcspn(value, "\n")] = '\0';
    for (char *c = value; *c != '\0'; c++)
        if (*c == '\t')
            *c = ' ';
    return true;
}

static const char *name_of(uint32_t i)
{
    static const char *const of_sockets[] = { "net.core.rmem_max", "net.core.wmem_max" };
    uint32_t lists = 0;
    if (i < 2)
        return of_sockets[i];
    i -= 2;
    while (la_sysctl_list_name(lists) != NULL)
        lists++;
    return i < lists ? la_sysctl_list_name(i) : la_sysctl_name(i - lists);
}

void plug_host_sysctls(struct plug *p)
{
    if (!p->host_sysctls)
        return;
    for (uint32_t i = 0; i < PLUG_SETTINGS_MAX && name_of(i) != NULL; i++) {
        const char *name = name_of(i);
        char value[PLUG_VALUE_BYTES], why[256];
        if (strncmp(name, "net.lastack.", 12) == 0 || !host_value(name, value) ||
            strcmp(value, p->host_seen[i]) == 0)
            continue;
        memcpy(p->host_seen[i], value, sizeof value);
        if (strcmp(name, "net.ipv4.tcp_available_congestion_control") != 0 &&
            !drill_socket_sysctl(p->sockets, name, value) &&
            drill_sysctl(p->stack, name, value, why, sizeof why) != DRILL_SAID_OK)
            fprintf(stderr, "liblastack-packetdrill: not taken over: %s\n", why);
    }
}
