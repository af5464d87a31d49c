/* SPDX-License-Identifier: MIT */
/*
 * path.c - `lastack path`: joins two TUN devices by a path with delay, rate, queue and faults.
 *
 * The command line in the units people use; the path is sim/path.h's, the work path_run.c's.
 */
#include "cli/path.h"

#include "cli/cli.h"
#include "cli/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TIME_MAX_NS UINT64_C(10000000000)
#define RATE_MAX_KBPS UINT64_C(100000000)

struct request {
    const char *device[2], *pcap;
    uint64_t delay_ns, back_delay_ns, jitter_ns, reorder_by_ns;
    uint64_t rate_kbps, back_rate_kbps;
    uint64_t loss_ppm, back_loss_ppm, reorder_ppm, dup_ppm;
    uint64_t burst, queue_bytes, queue_packets, mark_bytes, mtu_bytes, seed, for_s, snap_bytes;
    bool back_delay, back_rate, back_loss, reorder_by;
    bool self_check, json, realtime;
};

/* Values with units ----------------------------------------------------------------- */

struct unit {
    const char *name;
    double factor;
};
static const struct unit times[] = {
    { "ns", 1 }, { "us", 1e3 }, { "ms", 1e6 }, { "s", 1e9 }, { 0 }
};
static const struct unit rates[] = { { "kbit", 1 }, { "mbit", 1e3 }, { "gbit", 1e6 }, { 0 } };
static const struct unit shares[] = { { "%", 1e4 }, { "ppm", 1 }, { 0 } };

/* A decimal number and one of @units.  "0" needs none. */
static bool measure(const char *text, const struct unit *units, uint64_t max, uint64_t *out)
{
    char *end;
    const double value = strtod(text, &end);
    double factor = value > 0 ? 0 : 1;

    if (end == text || text[strspn(text, "0123456789.")] != *end)
        return false;
    for (; units->name != NULL && *end != '\0'; units++)
        if (strcmp(end, units->name) == 0)
            factor = units->factor;
    if (factor <= 0 || !(value >= 0) || value * factor > (double)max)
        return false;
    *out = (uint64_t)(value * factor + 0.5);
    return true;
}

static int wrong(const struct args_option *o, const char *value, const char *example)
{
    return args_wrong("path", "--%s: \"%s\" is not like %s", o->name, value, example);
}

static int take_time(void *to, const struct args_option *o, const char *value)
{
    struct request *r = to;
    const bool back = strcmp(o->name, "back-delay") == 0;
    uint64_t *at = back                             ? &r->back_delay_ns
                   : strcmp(o->name, "delay") == 0  ? &r->delay_ns
                   : strcmp(o->name, "jitter") == 0 ? &r->jitter_ns
                                                    : &r->reorder_by_ns;

    r->back_delay |= back;
    r->reorder_by |= at == &r->reorder_by_ns;
    return measure(value, times, TIME_MAX_NS, at) ? CLI_OK : wrong(o, value, "250us, 10ms or 1s");
}

static int take_rate(void *to, const struct args_option *o, const char *value)
{
    struct request *r = to;
    const bool back = strcmp(o->name, "back-rate") == 0;

    r->back_rate |= back;
    return measure(value, rates, RATE_MAX_KBPS, back ? &r->back_rate_kbps : &r->rate_kbps)
               ? CLI_OK
               : wrong(o, value, "500kbit, 10mbit or 1gbit");
}

static int take_share(void *to, const struct args_option *o, const char *value)
{
    struct request *r = to;
    const bool back = strcmp(o->name, "back-loss") == 0;
    uint64_t *at = back                              ? &r->back_loss_ppm
                   : strcmp(o->name, "loss") == 0    ? &r->loss_ppm
                   : strcmp(o->name, "reorder") == 0 ? &r->reorder_ppm
                                                     : &r->dup_ppm;

    r->back_loss |= back;
    return measure(value, shares, PATH_PPM, at) ? CLI_OK : wrong(o, value, "1%, 0.1% or 100ppm");
}

static int take_device(void *to, const char *value)
{
    struct request *r = to;

    if (r->device[1] != NULL)
        return args_wrong("path", "a path has two ends");
    r->device[r->device[0] != NULL] = value;
    return CLI_OK;
}

static int check(void *to)
{
    const struct request *r = to;

    if (r->self_check != (r->device[0] == NULL))
        return args_wrong("path", r->self_check ? "--self-check makes its own devices"
                                                : "which two devices?");
    if (!r->self_check && r->device[1] == NULL)
        return args_wrong("path", "which second device?");
    return CLI_OK;
}

static const struct args_option options[] = {
    ARGS_OWN('d', "delay", "TIME", "0", take_time, "one way, beside what the rate takes"),
    ARGS_OWN('r', "rate", "RATE", "0", take_rate, "of the serialiser; 0: no limit"),
    ARGS_OWN('l', "loss", "SHARE", "0", take_share, "of packets, at random"),
    ARGS_NUMBER('b', "burst", "N", "1", 1, 1000, struct request, burst,
                "lose them in bursts of so many on average"),
    ARGS_OWN('j', "jitter", "TIME", "0", take_time, "more delay, evenly up to this, in order"),
    ARGS_OWN(0, "reorder", "SHARE", "0", take_share, "of packets, passed by later ones"),
    ARGS_OWN(0, "reorder-by", "TIME", NULL, take_time,
             "they take so much longer at most; a quarter of the delay, and 1 ms"),
    ARGS_OWN(0, "duplicate", "SHARE", "0", take_share, "of packets, arriving twice"),
    ARGS_SIZE('Q', "queue", "BYTES", "0", 0, 1u << 30, struct request, queue_bytes,
              "in front of the serialiser, drop-tail; 0: no limit in bytes"),
    ARGS_NUMBER(0, "queue-packets", "N", "1000", 0, 1000000, struct request, queue_packets,
                "the same in packets"),
    ARGS_SIZE(0, "mark", "BYTES", "0", 0, 1u << 30, struct request, mark_bytes,
              "mark with CE what finds more in the queue; 0: never"),
    ARGS_NUMBER(0, "mtu", "BYTES", "0", 0, 65535, struct request, mtu_bytes,
                "longer packets vanish without a word; 0: as the devices have it"),
    ARGS_OWN(0, "back-delay", "TIME", NULL, take_time, "from the second device to the first"),
    ARGS_OWN(0, "back-rate", "RATE", NULL, take_rate, "likewise"),
    ARGS_OWN(0, "back-loss", "SHARE", NULL, take_share, "likewise"),
    ARGS_NUMBER('s', "seed", "N", "1", 0, UINT64_MAX, struct request, seed,
                "of chance: the same seed, the same fates"),
    ARGS_NUMBER('t', "time", "S", "0", 0, 1000000, struct request, for_s,
                "end after so many seconds; 0: when interrupted"),
    ARGS_TEXT('w', "pcap", "FILE", NULL, struct request, pcap,
              "capture every packet, with its fate; pcapng"),
    ARGS_SIZE(0, "snap", "BYTES", "0", 0, 65535, struct request, snap_bytes,
              "keep only so much of each; 0: all"),
    ARGS_FLAG(0, "realtime", struct request, realtime, "run before other programs (SCHED_FIFO)"),
    ARGS_FLAG(0, "json", struct request, json, "print the counts as JSON"),
    ARGS_FLAG('c', "self-check", struct request, self_check,
              "between two namespaces of its own: are delay, rate and losses as asked?"),
};

/* Running --------------------------------------------------------------------------- */

static void plan_of(const struct request *r, struct path_plan *plan)
{
    *plan = (struct path_plan){ .seed = r->seed,
                                .for_ns = r->for_s * 1000000000u,
                                .pcap = r->pcap,
                                .snap_bytes = (uint32_t)r->snap_bytes,
                                .realtime = r->realtime };
    for (uint32_t way = 0; way < 2; way++) {
        const uint32_t loss_ppm =
            (uint32_t)(way == 1 && r->back_loss ? r->back_loss_ppm : r->loss_ppm);
        struct path_opt *o = &plan->way[way];

        *o = (struct path_opt){
            .delay_ns = way == 1 && r->back_delay ? r->back_delay_ns : r->delay_ns,
            .jitter_ns = r->jitter_ns,
            .rate_kbps = way == 1 && r->back_rate ? r->back_rate_kbps : r->rate_kbps,
            .queue_bytes = r->queue_bytes,
            .queue_packets = (uint32_t)r->queue_packets,
            .mark_bytes = r->mark_bytes,
            .mtu_bytes = (uint32_t)r->mtu_bytes,
            .loss_ppm = r->burst > 1 ? 0 : loss_ppm,
            .burst_enter_ppm =
                r->burst > 1 ? path_burst_enter_ppm(loss_ppm, (uint32_t)r->burst) : 0,
            .burst_leave_ppm = PATH_PPM / (uint32_t)r->burst,
            .reorder_ppm = (uint32_t)r->reorder_ppm,
            .dup_ppm = (uint32_t)r->dup_ppm,
        };
        o->reorder_max_ns = r->reorder_by ? r->reorder_by_ns : o->delay_ns / 4 + 1000000u;
    }
}

static void tell_json(const struct path_counts *c, const char *name)
{
    struct json j;

    json_event(&j, stdout, name, 0);
    json_number(&j, "packets", c->packets);
    json_number(&j, "bytes", c->bytes);
    json_number(&j, "lost", c->lost);
    json_number(&j, "overflowed", c->overflowed);
    json_number(&j, "too_big", c->too_big);
    json_number(&j, "duplicated", c->duplicated);
    json_number(&j, "reordered", c->reordered);
    json_number(&j, "marked", c->marked);
    json_number(&j, "delivered", c->delivered);
    json_number(&j, "no_room", c->no_room);
    json_number(&j, "refused", c->refused);
    json_seconds(&j, "latest", c->late_ns);
    json_end(&j);
}

static void tell(const struct path_counts *c, const char *from, const char *to)
{
    printf("%s to %s: %" PRIu64 " packets, %" PRIu64 " bytes; %" PRIu64 " delivered; %" PRIu64
           " lost, %" PRIu64 " found the queue full, %" PRIu64 " too long, %" PRIu64
           " twice, %" PRIu64 " out of turn, %" PRIu64 " marked; %" PRIu64 " without room, %" PRIu64
           " refused by the device; at most %.3f ms late\n",
           from, to, c->packets, c->bytes, c->delivered, c->lost, c->overflowed, c->too_big,
           c->duplicated, c->reordered, c->marked, c->no_room, c->refused,
           (double)c->late_ns * 1e-6);
}

static int path_main(int argc, char **argv)
{
    struct request r = { 0 };
    struct path_counts counts[2];
    struct path_plan plan;
    char error[256];

    int status = args_parse(&cmd_path, &r, argc, argv);
    if (status >= 0)
        return status;
    plan_of(&r, &plan);
    if (r.self_check)
        return path_self_check(&plan);
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t mtu_bytes = 0;
        plan.fds[i] = path_device(r.device[i], &mtu_bytes, error, sizeof error);
        if (plan.fds[i] < 0)
            return args_failed("path", "%s", error);
        if (mtu_bytes > plan.mtu_bytes)
            plan.mtu_bytes = mtu_bytes;
    }
    if (!r.json) {
        printf("%s and %s are joined\n", r.device[0], r.device[1]);
        fflush(stdout);
    }
    status = path_run(&plan, counts);
    for (uint32_t i = 0; i < 2 && status == CLI_OK; i++)
        if (r.json)
            tell_json(&counts[i], i == 0 ? "forth" : "back");
        else
            tell(&counts[i], r.device[i], r.device[1 - i]);
    close(plan.fds[0]);
    close(plan.fds[1]);
    return status;
}

const struct args_command cmd_path = {
    .name = "path",
    .what = "join two TUN devices by a bad path",
    .usage = { "[OPTION]... [NAMESPACE/]DEVICE [NAMESPACE/]DEVICE", "--self-check [OPTION]..." },
    .about =
        "Carries packets between two TUN devices, with a delay, a rate, a queue and faults: what\n"
        "tc's netem does, where the kernel has none.  Both ways are the same path unless\n"
        "a --back option says otherwise.  A device that is not there is made.  TIME is\n"
        "like 250us, 10ms or 1s; RATE like 500kbit, 10mbit or 1gbit; SHARE like 1% or 100ppm.\n",
    .options = { ARGS_LIST(options) },
    .operands = { (const struct args_operand[]){ { "device", true, 0, take_device } }, 1 },
    .check = check,
    .examples = "Is the path what was asked?\n"
                "\n"
                "    sudo lastack path --self-check --delay 10ms --rate 10mbit --loss 1%\n",
    .status =
        "Exit status: 0 it worked or the check held, 1 it did not, 2 it was not understood.\n",
    .run = path_main,
};
