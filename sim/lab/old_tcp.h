/* SPDX-License-Identifier: MIT */
/*
 * old_tcp.h - A TCP as RFC 793 had it in 1981, in a scripted host, with later guards to be added.
 *
 * It is what a scenario needs to show what those guards are for, and no more: no timers, no repeats,
 * 2,048 bytes each way; TIME-WAIT only if asked for, else 2MSL is 0.  RFC 793's own words, section 3.9:
 *
 *   "If the RST bit is set then ... enter the CLOSED state"             anywhere in the window
 *   "If the SYN is in the window it is an error, send a reset"
 *   "If the ACK is a duplicate (SEG.ACK < SND.UNA), it can be ignored"  and the text goes on to be read
 *
 * A passive end closes when it reads end of file, and listens again.
 */
#ifndef SIM_LAB_OLD_TCP_H
#define SIM_LAB_OLD_TCP_H

#include "sim/lab/lab.h"

#define LAB_OLD_TEXT 2048u

struct lab_old {
    struct lab *l;
    struct sim_host *host;
    bool timestamps; /* RFC 1323, 1992: offered, and PAWS if agreed */
    bool
        isn_clock; /* the ISN goes on by 250,000 a second, as RFC 793 asks; false: it is always the same */
    bool time_wait; /* after a close lab_old_connect() takes the same ports only 2MSL later */
    /* Where it stands */
    enum la_state state;
    struct la_endpoint local, remote;
    bool listens, stamped;
    uint32_t iss, irs, snd_una, snd_nxt, rcv_nxt, ts_recent;
    uint8_t text[LAB_OLD_TEXT];
    bool here[LAB_OLD_TEXT];
    bool was_reset;
    uint64_t closed_ns;  /* when lab_old_close() was called; 0: not yet */
    const char *stopped; /* what refused the last segment that was refused; NULL: none was */
};

void lab_old_begin(struct lab_old *o, struct lab *l, struct sim_host *host);
void lab_old_listen(struct lab_old *o, uint16_t port);
/* Return: false if the ports are in TIME-WAIT. */
bool lab_old_connect(struct lab_old *o, uint16_t local_port, const struct sim_host *to,
                     uint16_t port);
/* @len_bytes times @byte. */
void lab_old_send(struct lab_old *o, char byte, uint32_t len_bytes);
void lab_old_close(struct lab_old *o);
/* Any segment, whatever the state. */
void lab_old_emit(struct lab_old *o, uint8_t flags, uint32_t seq, uint32_t ack, const uint8_t *text,
                  uint32_t len_bytes);
/* Bytes read in order. */
uint32_t lab_old_read(const struct lab_old *o);

#endif
