/* SPDX-License-Identifier: MIT */
/*
 * events.h - What a connection does, as JSON lines for `lastack plot`.
 *
 * In the manner of qlog, one object a line, keys in this order:
 *
 *     {"event":"tx","time":S,"conn":N,"seq":N,"len":N,"again":BOOL}     text or SYN or FIN was sent
 *     {"event":"rx","time":S,"conn":N,"ack":N}                          an acknowledgment came
 *     {"event":"timeout","time":S,"conn":N,"timer":"RTO"}
 *     {"event":"recovery","time":S,"conn":N,"what":TEXT,"cwnd":N,"ssthresh":N,"in_flight":N}
 *     {"event":"metrics","time":S,"conn":N,"cwnd":N,"ssthresh":N,"in_flight":N,"srtt_us":N}
 *
 * Times are seconds with nine decimals; sequence numbers are relative to the ISN, so that the SYN
 * has 0.  Metrics are written when they have changed.
 */
#ifndef SIM_EVENTS_H
#define SIM_EVENTS_H

#include <lastack/lastack.h>
#include <stdio.h>

struct sim_events {
    FILE *out;
    uint64_t begun_ns; /* what counts as time 0 */
    uint64_t conn;     /* whose metrics were written last */
    uint32_t cwnd_bytes, ssthresh_bytes, in_flight_bytes, srtt_us;
};

/* @info: Of the connection that @record is about. */
void sim_events_record(const struct sim_events *e, const struct la_conn_info *info,
                       const struct la_trace *record);
void sim_events_metrics(struct sim_events *e, const struct la_conn_info *info, la_time now);

#endif
