/* SPDX-License-Identifier: MIT */
/* sysctl_file.c - Lines of sysctl.d files; see sysctl_file.h. */
#include "cli/sysctl_file.h"

#include "cli/args.h"

#include <stdio.h>
#include <string.h>

#define BLANKS " \t\r"

bool sysctl_name(const char *text, uint32_t len, char out[SYSCTL_NAME_BYTES])
{
    if (len == 0 || len >= SYSCTL_NAME_BYTES)
        return false;
    for (uint32_t i = 0; i < len; i++)
        out[i] = text[i] == '/' ? '.' : text[i];
    out[len] = '\0';
    return true;
}

enum sysctl_kind sysctl_parse_line(const char *text, struct sysctl_line *out, const char **error)
{
    char value[32];

    *error = "expected NAME = NUMBER";
    text += strspn(text, BLANKS);
    if (*text == '\0' || *text == '#' || *text == ';')
        return SYSCTL_NOTHING;
    out->optional = *text == '-';
    if (out->optional)
        text++;
    const char *equals = strchr(text, '=');
    if (equals == NULL)
        return SYSCTL_WRONG;
    uint32_t len = (uint32_t)strcspn(text, BLANKS "=");
    if (text + len + strspn(text + len, BLANKS) != equals || !sysctl_name(text, len, out->name))
        return SYSCTL_WRONG;
    equals += 1 + strspn(equals + 1, BLANKS);
    len = (uint32_t)strcspn(equals, BLANKS);
    if (len >= sizeof value || equals[len + strspn(equals + len, BLANKS)] != '\0')
        return SYSCTL_WRONG;
    memcpy(value, equals, len);
    value[len] = '\0';
    return args_number(value, 0, UINT64_MAX, &out->value) ? SYSCTL_ASSIGNMENT : SYSCTL_WRONG;
}
