/* SPDX-License-Identifier: MIT */
/* tcp_options.h - Between tcp_emit.c and tcp_options.c. */
#ifndef CORE_WIRE_TCP_OPTIONS_H
#define CORE_WIRE_TCP_OPTIONS_H

#include "core/wire/tcp.h"

/* Write the options.  Return: tcp_options_bytes(@o). */
uint32_t tcp_options_emit(const struct tcp_options *o, uint8_t to[TCP_OPTIONS_MAX]);

#endif
