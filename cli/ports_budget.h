/* SPDX-License-Identifier: MIT */
/* ports_budget.h - How many connections a second the local ports towards one destination allow. */
#ifndef CLI_PORTS_BUDGET_H
#define CLI_PORTS_BUDGET_H

#include <stddef.h>

#include <lastack/observe.h>

#define PORTS_BUDGET_BYTES 200

/*
 * "28,232 ports / 60 s = 470 connections/s; you use 410": whoever closes first keeps the port for
 * 2MSL, so that the ports divided by that time are the rate it can go on with.  What is used is
 * what has come into TIME-WAIT in the last 2MSL, divided by the same.
 *
 * Return: @to.
 */
char *ports_budget(const struct la_ports_info *info, char to[PORTS_BUDGET_BYTES]);

/* A number with a comma at every third place.  Return: @to. */
char *ports_thousands(uint64_t n, char to[28]);

#endif
