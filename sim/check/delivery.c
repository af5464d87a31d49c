/* SPDX-License-Identifier: MIT */
/*
 * delivery.c - RFC 9293's promise to an application: its bytes, once, in order, then
 * one end.
 *
 * EOF is right only after all the bytes of a peer that ended its stream itself; an
 * error never follows EOF unless the scenario provokes one.
 */
#include "sim/check/check.h"

void sim_check_bytes(struct sim_app *a, const uint8_t *bytes, uint32_t len_bytes)
{
    const struct sim_flow *f = a->flow;
    const struct sim_app *peer = &f->app[1 - a->side];

    if (a->end != SIM_END_NONE)
        sim_fail(f->w, "flow %u.%u: bytes after the end of the stream", f->index, a->side);
    if (a->received + len_bytes > peer->sent)
        sim_fail(f->w, "flow %u.%u: %llu bytes delivered, only %llu were written", f->index,
                 a->side, (unsigned long long)a->received + len_bytes,
                 (unsigned long long)peer->sent);
    for (uint32_t i = 0; i < len_bytes; i++) {
        const uint64_t offset = a->received + i;

        if (bytes[i] == sim_pattern(f->index, peer->side, offset))
            continue;
        sim_fail(f->w, "flow %u.%u: byte %llu delivered is not the byte written there", f->index,
                 a->side, (unsigned long long)offset);
        break;
    }
    a->received += len_bytes;
    sim_note(f->w, a->received);
}

static void check_eof(const struct sim_app *a, const struct sim_app *peer)
{
    const struct sim_flow *f = a->flow;

    if (!peer->shut)
        sim_fail(f->w, "flow %u.%u: EOF, but its peer has not closed", f->index, a->side);
    if (a->received != peer->sent)
        sim_fail(f->w, "flow %u.%u: EOF after %llu of %llu bytes", f->index, a->side,
                 (unsigned long long)a->received, (unsigned long long)peer->sent);
    if (peer->opt.close == SIM_CLOSE_ABORT)
        sim_fail(f->w, "flow %u.%u: EOF, but its peer aborted", f->index, a->side);
}

void sim_check_end(struct sim_app *a, enum sim_app_end end)
{
    const struct sim_flow *f = a->flow;

    sim_note(f->w, (uint64_t)end << 8 ^ (uint64_t)a->error);
    if (a->end == SIM_END_ERROR || (a->end == SIM_END_EOF && end == SIM_END_EOF))
        sim_fail(f->w, "flow %u.%u: told twice that it is over", f->index, a->side);
    if (a->end == SIM_END_EOF && end == SIM_END_ERROR && !f->opt.may_fail)
        sim_fail(f->w, "flow %u.%u: EOF, then an error", f->index, a->side);
    if (end == SIM_END_EOF)
        check_eof(a, &f->app[1 - a->side]);
    if (end == SIM_END_ERROR && a->error == LA_OK)
        sim_fail(f->w, "flow %u.%u: ERROR_SET, but la_conn_error() knows none", f->index, a->side);
}
