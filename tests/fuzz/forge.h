/* SPDX-License-Identifier: MIT */
/*
 * forge.h - Segments and ICMP errors that nobody sent, aimed at what a stack holds.
 *
 * They take a connection or record that is there and differ from what it expects by a
 * little, since anything else is dropped at once.
 */
#ifndef TESTS_FUZZ_FORGE_H
#define TESTS_FUZZ_FORGE_H

#include "tests/fuzz/choices.h"
#include "tests/fuzz/duo.h"

void forge_segment(struct duo *d, struct input *in, int side);
/* An ICMP error about something that is, or is not, in flight. */
void forge_error(struct duo *d, struct input *in, int side);
/* Bytes of the input as a frame. */
void forge_raw(struct duo *d, struct input *in, int side);

#endif
