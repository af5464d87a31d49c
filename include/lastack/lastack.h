/* SPDX-License-Identifier: MIT */
/* lastack.h - All of lastack's public interface. */
#ifndef LASTACK_LASTACK_H
#define LASTACK_LASTACK_H

#include <lastack/icmp.h>
#include <lastack/observe.h>
#include <lastack/stack.h>
#include <lastack/tcp.h>
#include <lastack/types.h>

#endif
