/* SPDX-License-Identifier: MIT */
/* symbols.h - The names of a system's headers, and the fields of its tcp_info, by name. */
#ifndef DRILL_SYMBOLS_H
#define DRILL_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool drill_symbol(const char *name, int64_t *value);
/* EAGAIN; 0 if there is no such errno. */
int drill_errno(const char *name);
/* The name of an errno; never NULL. */
const char *drill_errno_name(int number);

/*
 * drill_tcp_info() - A field of struct tcp_info by its name.
 * @info, @len: As getsockopt(TCP_INFO) gave it
 *
 * Return: 1; 0 if there is no such field; -1 if the host's struct ends before it.
 */
int drill_tcp_info(const uint8_t *info, size_t len, const char *name, int64_t *value);
#define DRILL_TCP_INFO_BYTES 512

#endif
