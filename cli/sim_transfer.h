/* SPDX-License-Identifier: MIT */
/* sim_transfer.h - The part of `lastack sim` that writes one transfer's events. */
#ifndef CLI_SIM_TRANSFER_H
#define CLI_SIM_TRANSFER_H

#include <stdint.h>

/*
 * sim_transfer() - Send through a path as fast as it goes; events of sim/events.h on stdout.
 * @path: "RATE/RTT/LOSS%[/BURST]": Mbit/s, milliseconds, share lost, packets a burst
 *
 * Return: CLI_OK, or another status after a message.
 */
int sim_transfer(const char *path, uint64_t seed);

#endif
