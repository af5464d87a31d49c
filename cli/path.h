/* SPDX-License-Identifier: MIT */
/*
 * path.h - The parts of `lastack path`: two TUN devices, the emulator between them, and its check
 * of itself.
 */
#ifndef CLI_PATH_H
#define CLI_PATH_H

#include "sim/path.h"

#include <stddef.h>

/* What one direction did. */
struct path_counts {
    uint64_t packets, bytes; /* that came in */
    uint64_t lost, overflowed, too_big, duplicated, reordered, marked;
    uint64_t delivered; /* copies handed to the far device */
    uint64_t no_room;   /* more were under way than the emulator holds */
    uint64_t refused;   /* the far device did not take it, as when it is down */
    uint64_t late_ns;   /* the latest delivery, beyond its time */
};

struct path_plan {
    struct path_opt way[2]; /* from device 0, from device 1 */
    int fds[2];             /* non-blocking; a packet a read, a packet a write */
    uint32_t mtu_bytes;     /* the larger of the two devices' */
    uint64_t seed;
    uint64_t for_ns;  /* 0: until SIGINT or SIGTERM */
    const char *pcap; /* or NULL */
    uint32_t snap_bytes;
    bool realtime; /* before other programs of this machine (SCHED_FIFO) */
};

/*
 * path_run() - Carry packets until the time is over, or SIGINT or SIGTERM.
 *
 * Chance has a stream of its own for each direction, so that what becomes of the Nth packet of a
 * direction depends on the seed, its length and the times of packets in this direction alone.
 *
 * Return: CLI_OK, or CLI_FAILED after a message.
 */
int path_run(const struct path_plan *plan, struct path_counts out[2]);

/*
 * path_device() - Attach to a TUN device, which is made if it is not there.
 * @name: DEVICE; or NAMESPACE/DEVICE, with a name that `ip netns` knows, or with a path
 *
 * A device made is up, has an MTU of 1,500 and a long queue, and goes with this process.
 * Return: its descriptor; -1 with a sentence in @error.
 */
int path_device(const char *name, uint32_t *mtu_bytes, char *error, size_t error_bytes);

/* Run the path between two namespaces made for it, and measure.  Return: CLI_OK, or CLI_FAILED. */
int path_self_check(struct path_plan *plan);

#endif
