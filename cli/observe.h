/* SPDX-License-Identifier: MIT */
/* observe.h - What a session shows of its stack: --pcap, --ladder, --json. */
#ifndef CLI_OBSERVE_H
#define CLI_OBSERVE_H

#include "cli/session.h"

/* Open the capture.  Return: CLI_OK, or CLI_FAILED after a message. */
int observe_open(struct session *s);

/* Begin the ladder and fill in the host's functions that watch.  Return: as above. */
int observe_attach(struct session *s, struct la_rt_host *host);

/* Print the ladder and the summary, close the capture. */
void observe_close(struct session *s);

#endif
