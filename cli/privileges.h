/* SPDX-License-Identifier: MIT */
/* privileges.h - Giving up what only opening the device needed. */
#ifndef CLI_PRIVILEGES_H
#define CLI_PRIVILEGES_H

#include <stdbool.h>
#include <stddef.h>

/*
 * privileges_drop() - Become an ordinary user, for good.
 * @user:  A name or a number; NULL: whoever called sudo, if somebody did
 * @error: On failure, a sentence
 * @now:   Whom this process runs as from here, for a message; "" if nothing changed
 *
 * Return: false if it could not be done.  The caller must not go on then.
 */
bool privileges_drop(const char *user, char *error, size_t error_bytes, char *now,
                     size_t now_bytes);

#endif
