/* SPDX-License-Identifier: MIT */
/*
 * names.c - The words for errors, states, drop reasons, counters, timers and tables.
 *
 * They come from the .def files, so a new line there needs none here.  A value that is in
 * no list gets "unknown": what is printed may come from a capture of another version.
 */
#include <lastack/observe.h>
#include <lastack/tcp.h>
#include <lastack/types.h>

#include "core/base/assert.h"

#define UNKNOWN "unknown"

const char *la_err_name(enum la_err err)
{
    switch (err) {
    case LA_OK:
        return "OK";
#define LA_ERROR(name, value, text)                                                                \
    case LA_##name:                                                                                \
        return #name;
#include <lastack/errors.def>
#undef LA_ERROR
    }
    return UNKNOWN;
}

const char *la_err_text(enum la_err err)
{
    switch (err) {
    case LA_OK:
        return "Success";
#define LA_ERROR(name, value, text)                                                                \
    case LA_##name:                                                                                \
        return text;
#include <lastack/errors.def>
#undef LA_ERROR
    }
    return UNKNOWN;
}

/* In the spelling of RFC 9293 3.3.2. */
const char *la_state_name(enum la_state state)
{
    switch (state) {
    case LA_CLOSED:
        return "CLOSED";
    case LA_LISTEN:
        return "LISTEN";
    case LA_SYN_SENT:
        return "SYN-SENT";
    case LA_SYN_RECEIVED:
        return "SYN-RECEIVED";
    case LA_ESTABLISHED:
        return "ESTABLISHED";
    case LA_FIN_WAIT_1:
        return "FIN-WAIT-1";
    case LA_FIN_WAIT_2:
        return "FIN-WAIT-2";
    case LA_CLOSE_WAIT:
        return "CLOSE-WAIT";
    case LA_CLOSING:
        return "CLOSING";
    case LA_LAST_ACK:
        return "LAST-ACK";
    case LA_TIME_WAIT:
        return "TIME-WAIT";
    }
    return UNKNOWN;
}

const char *la_drop_name(enum la_drop drop)
{
    static const char *const names[] = {
#define LA_DROP(name, severity, text) #name,
#include <lastack/drops.def>
#undef LA_DROP
    };
    _Static_assert(LA_COUNT_OF(names) == LA_DROPS, "a name for each reason");
    return (uint32_t)drop < LA_DROPS ? names[drop] : UNKNOWN;
}

const char *la_drop_text(enum la_drop drop)
{
    static const char *const texts[] = {
#define LA_DROP(name, severity, text) text,
#include <lastack/drops.def>
#undef LA_DROP
    };
    _Static_assert(LA_COUNT_OF(texts) == LA_DROPS, "a text for each reason");
    return (uint32_t)drop < LA_DROPS ? texts[drop] : UNKNOWN;
}

/* Counters --------------------------------------------------------------------- */

const char *la_counter_group(enum la_counter counter)
{
    static const char *const groups[] = {
#define LA_COUNTER(group, name, text) #group,
#include <lastack/counters.def>
#undef LA_COUNTER
    };
    _Static_assert(LA_COUNT_OF(groups) == LA_COUNTERS, "a group for each counter");
    return (uint32_t)counter < LA_COUNTERS ? groups[counter] : UNKNOWN;
}

/*
 * The name as /proc/net/snmp and /proc/net/netstat have it.  Where the enumerator repeats
 * its group (IpInReceives), for InErrors and the like exist in several, the name does not.
 */
const char *la_counter_name(enum la_counter counter)
{
    static const char *const names[] = {
#define LA_COUNTER(group, name, text) #name,
#include <lastack/counters.def>
#undef LA_COUNTER
    };
    _Static_assert(LA_COUNT_OF(names) == LA_COUNTERS, "a name for each counter");
    if ((uint32_t)counter >= LA_COUNTERS)
        return UNKNOWN;
    const char *const name = names[counter];
    const char *const group = la_counter_group(counter);
    uint32_t same = 0;
    while (group[same] != '\0' && group[same] == name[same])
        same++;
    return group[same] == '\0' ? name + same : name;
}

const char *la_counter_text(enum la_counter counter)
{
    static const char *const texts[] = {
#define LA_COUNTER(group, name, text) text,
#include <lastack/counters.def>
#undef LA_COUNTER
    };
    _Static_assert(LA_COUNT_OF(texts) == LA_COUNTERS, "a text for each counter");
    return (uint32_t)counter < LA_COUNTERS ? texts[counter] : UNKNOWN;
}

const char *la_recovery_name(enum la_recovery event)
{
    switch (event) {
    case LA_RECOVERY_BEGIN:
        return "recovery begins";
    case LA_RECOVERY_END:
        return "recovery ends";
    case LA_RECOVERY_LOST:
        return "marked lost";
    case LA_RECOVERY_RTO:
        return "marked lost by the RTO";
    case LA_RECOVERY_UNDO:
        return "recovery undone";
    case LA_RECOVERY_REORDERING:
        return "reordering seen";
    case LA_RECOVERY_PROBE:
        return "tail loss probe";
    case LA_RECOVERY_PROBE_REPAIRED:
        return "tail loss repaired";
    case LA_RECOVERY_ECN:
        return "reduced for ECN";
    case LA_RECOVERY_SLOW_START_END:
        return "slow start ends";
    case LA_RECOVERY_IDLE:
        return "restart after idle";
    case LA_RECOVERY_APP_LIMITED:
        return "application-limited";
    case LA_RECOVERIES:
        break;
    }
    return UNKNOWN;
}

/* Timers and tables ------------------------------------------------------------ */

const char *la_congestion_name(uint32_t congestion)
{
    switch (congestion) {
    case LA_CONGESTION_DEFAULT:
        return "default";
    case LA_CONGESTION_RENO:
        return "reno";
    case LA_CONGESTION_CUBIC:
        return "cubic";
    }
    return NULL;
}

const char *la_timer_name(enum la_timer timer)
{
    switch (timer) {
    case LA_TIMER_RTO:
        return "retransmission";
    case LA_TIMER_PERSIST:
        return "persist";
    case LA_TIMER_KEEPALIVE:
        return "keepalive";
    case LA_TIMER_FIN_WAIT_2:
        return "FIN-WAIT-2";
    case LA_TIMER_DELACK:
        return "delayed ACK";
    case LA_TIMER_TIME_WAIT:
        return "TIME-WAIT";
    case LA_TIMER_SYNACK:
        return "SYN-ACK";
    case LA_TIMER_TLP:
        return "TLP";
    case LA_TIMER_RACK:
        return "RACK";
    case LA_TIMER_CORK:
        return "cork";
    case LA_TIMERS:
        break;
    }
    return UNKNOWN;
}

const char *la_table_name(enum la_table table)
{
    switch (table) {
    case LA_TABLE_CONNECTIONS:
        return "connections";
    case LA_TABLE_LISTENERS:
        return "listeners";
    case LA_TABLE_HALF_OPEN_V4:
        return "half_open_v4";
    case LA_TABLE_HALF_OPEN_V6:
        return "half_open_v6";
    case LA_TABLE_SHORT_V4:
        return "short_v4";
    case LA_TABLE_SHORT_V6:
        return "short_v6";
    case LA_TABLE_CHUNKS:
        return "chunks";
    case LA_TABLE_REPLIES:
        return "replies";
    case LA_TABLES:
        break;
    }
    return UNKNOWN;
}
