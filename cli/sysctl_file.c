/* SPDX-License-Identifier: MIT */
/* sysctl_file.c - Lines of sysctl.d files; see sysctl_file.h. */
#include "cli/sysctl_file.h"

#include "cli/args.h"

#include <lastack/observe.h>

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

/* Is its value a list or a word, as in /proc/sys? */
static bool is_list(const char *name)
{
    for (uint32_t i = 0; la_sysctl_list_name(i) != NULL; i++)
        if (strcmp(name, la_sysctl_list_name(i)) == 0)
            return true;
    return false;
}

/* Without the blanks around it.  What is no number, the stack judges. */
static bool take_value(const char *text, struct sysctl_line *out)
{
    uint64_t number;

    text += strspn(text, BLANKS);
    size_t len = strlen(text);
    while (len > 0 && strchr(BLANKS, text[len - 1]) != NULL)
        len--;
    if (len >= sizeof out->value)
        return false;
    memcpy(out->value, text, len);
    out->value[len] = '\0';
    if (is_list(out->name))
        return true;
    return args_number(out->value, 0, UINT64_MAX, &number);
}

enum sysctl_kind sysctl_parse_line(const char *text, struct sysctl_line *out, const char **error)
{
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
    const uint32_t len = (uint32_t)strcspn(text, BLANKS "=");
    if (text + len + strspn(text + len, BLANKS) != equals || !sysctl_name(text, len, out->name))
        return SYSCTL_WRONG;
    return take_value(equals + 1, out) ? SYSCTL_ASSIGNMENT : SYSCTL_WRONG;
}
