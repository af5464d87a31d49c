/* SPDX-License-Identifier: MIT */
/* tcp_info.c - The fields of Linux's struct tcp_info, by name. */
#include "drill/symbols.h"

#include <linux/tcp.h>
#include <string.h>

#define F(name)                                                                                    \
    {                                                                                              \
#name, offsetof(struct tcp_info, name), sizeof(((struct tcp_info *)0)->name)               \
    }

static const struct {
    const char *name;
    size_t at, bytes;
} fields[] = {
    F(tcpi_state),         F(tcpi_ca_state),
    F(tcpi_retransmits),   F(tcpi_probes),
    F(tcpi_backoff),       F(tcpi_options),
    F(tcpi_rto),           F(tcpi_ato),
    F(tcpi_snd_mss),       F(tcpi_rcv_mss),
    F(tcpi_unacked),       F(tcpi_sacked),
    F(tcpi_lost),          F(tcpi_retrans),
    F(tcpi_fackets),       F(tcpi_last_data_sent),
    F(tcpi_last_ack_sent), F(tcpi_last_data_recv),
    F(tcpi_last_ack_recv), F(tcpi_pmtu),
    F(tcpi_rcv_ssthresh),  F(tcpi_rtt),
    F(tcpi_rttvar),        F(tcpi_snd_ssthresh),
    F(tcpi_snd_cwnd),      F(tcpi_advmss),
    F(tcpi_reordering),    F(tcpi_rcv_rtt),
    F(tcpi_rcv_space),     F(tcpi_total_retrans),
    F(tcpi_pacing_rate),   F(tcpi_max_pacing_rate),
    F(tcpi_bytes_acked),   F(tcpi_bytes_received),
    F(tcpi_segs_out),      F(tcpi_segs_in),
    F(tcpi_notsent_bytes), F(tcpi_min_rtt),
    F(tcpi_data_segs_in),  F(tcpi_data_segs_out),
    F(tcpi_delivery_rate), F(tcpi_busy_time),
    F(tcpi_rwnd_limited),  F(tcpi_sndbuf_limited),
    F(tcpi_delivered),     F(tcpi_delivered_ce),
    F(tcpi_bytes_sent),    F(tcpi_bytes_retrans),
    F(tcpi_dsack_dups),    F(tcpi_reord_seen),
    F(tcpi_rcv_ooopack),   F(tcpi_snd_wnd),
};

static uint64_t number_at(const uint8_t *p, size_t bytes)
{
    uint64_t n64;
    uint32_t n32;
    if (bytes == 1)
        return *p;
    if (bytes == 4) {
        memcpy(&n32, p, 4);
        return n32;
    }
    memcpy(&n64, p, 8);
    return n64;
}

int drill_tcp_info(const uint8_t *info, size_t len, const char *name, int64_t *value)
{
    /* The two halves of an octet and a bit of the next, which have no address. */
    const size_t scales = offsetof(struct tcp_info, tcpi_options) + 1;
    if (strcmp(name, "tcpi_snd_wscale") == 0 || strcmp(name, "tcpi_rcv_wscale") == 0) {
        *value = len > scales ? (name[5] == 's' ? info[scales] & 0xf : info[scales] >> 4) : 0;
        return len > scales ? 1 : -1;
    }
    if (strcmp(name, "tcpi_delivery_rate_app_limited") == 0) {
        *value = len > scales + 1 ? info[scales + 1] & 1 : 0;
        return len > scales + 1 ? 1 : -1;
    }
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (strcmp(fields[i].name, name) != 0)
            continue;
        if (fields[i].at + fields[i].bytes > len)
            return -1;
        *value = (int64_t)number_at(info + fields[i].at, fields[i].bytes);
        return 1;
    }
    return 0;
}
