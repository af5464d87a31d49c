/* SPDX-License-Identifier: MIT */
/*
 * arrives_nofast.c - In place of arrives_fast.c: every segment takes the RFC's steps one by one.
 *
 * The build takes one of the two files.  Tests run against both, and the simulator has this one
 * shadow the other.
 */
#include "core/tcp/tcp.h"

enum tcp_fast tcp_arrives_fast(struct tcp_arrival *a)
{
    (void)a;
    return TCP_FAST_OTHER;
}
