/* SPDX-License-Identifier: MIT */
/*
 * sysctl_file.h - Files as sysctl.d(5) has them: "name = value", comments after # or ;.
 *
 * Pure: text in, assignments out; what a name may be is asked of the process later.
 */
#ifndef CLI_SYSCTL_FILE_H
#define CLI_SYSCTL_FILE_H

#include <stdbool.h>
#include <stdint.h>

#define SYSCTL_NAME_BYTES 96
#define SYSCTL_VALUE_BYTES 512 /* LA_SYSCTL_TEXT_MAX */

struct sysctl_line {
    char name[SYSCTL_NAME_BYTES];
    char value[SYSCTL_VALUE_BYTES]; /* a number, or text where the name stands for a list */
    bool optional;                  /* "-name = value": a failure is no error */
};

enum sysctl_kind { SYSCTL_NOTHING, SYSCTL_ASSIGNMENT, SYSCTL_WRONG };

/*
 * sysctl_parse_line() - One line, without its end of line.
 * @error: On SYSCTL_WRONG what was expected, a string constant
 *
 * A name may be written with slashes (net/ipv4/...), as sysctl(8) allows.
 */
enum sysctl_kind sysctl_parse_line(const char *text, struct sysctl_line *out, const char **error);

/* A name with slashes becomes one with dots.  False if it is too long or empty. */
bool sysctl_name(const char *text, uint32_t len, char out[SYSCTL_NAME_BYTES]);

#endif
