/* SPDX-License-Identifier: MIT */
/* ports.h - What the servers of benches do, by port. */
#ifndef BENCH_SERVED_PORTS_H
#define BENCH_SERVED_PORTS_H

#define PORT_SINK 7001u   /* reads until the end */
#define PORT_SOURCE 7002u /* sends until it is stopped */
#define PORT_ECHO 7003u

#endif
