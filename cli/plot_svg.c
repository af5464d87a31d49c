/* SPDX-License-Identifier: MIT */
/*
 * plot_svg.c - The picture: three panels over one time axis.
 *
 *   sequence   what was sent as bars, what was sent again in red, acknowledgments as a line
 *   windows    the congestion window, the slow start threshold, what is in flight
 *   RTT        the smoothed round-trip time
 *
 * Timeouts are dashed lines through all of them.  Everything is whole pixels by integer arithmetic,
 * and what falls on the same pixels is drawn once, so a picture's size is bounded by its area, and
 * the same events give the same bytes.
 */
#include "cli/plot.h"

#include <inttypes.h>
#include <string.h>

#define LEFT 70u
#define WIDTH 860u
#define TICKS 5u

struct panel {
    unsigned top, height;
    uint64_t max; /* at the top */
};

struct drawing {
    const struct plot *plot;
    uint64_t conn, end_ns;
    FILE *out;
    struct panel seq, win, rtt;
};

static unsigned x_of(const struct drawing *d, uint64_t at_ns)
{
    return LEFT + (unsigned)(at_ns * WIDTH / d->end_ns);
}

static unsigned y_of(const struct panel *p, uint64_t value)
{
    const uint64_t shown = value < p->max ? value : p->max;

    return p->top + p->height - (unsigned)(shown * p->height / p->max);
}

/* 1, 2 or 5 times a power of ten, so that at most TICKS of them fit below @max. */
static uint64_t tick_of(uint64_t max)
{
    for (uint64_t ten = 1;; ten *= 10)
        for (unsigned i = 0; i < 3; i++) {
            const uint64_t tick = ten * (i == 0 ? 1 : i == 1 ? 2 : 5);
            if (max / tick <= TICKS)
                return tick;
        }
}

/* Axes ------------------------------------------------------------------------------ */

static void put_number(FILE *out, uint64_t value, uint64_t unit)
{
    const uint64_t thousandths = value % unit * 1000 / unit;

    fprintf(out, "%" PRIu64, value / unit);
    if (thousandths > 0)
        fprintf(out, ".%0*u", thousandths % 100 == 0 ? 1 : 3,
                (unsigned)(thousandths % 100 == 0 ? thousandths / 100 : thousandths));
}

static void axis(const struct drawing *d, const struct panel *p, const char *name, uint64_t unit)
{
    const uint64_t tick = tick_of(p->max);

    fprintf(d->out,
            "<rect x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\" fill=\"none\" stroke=\"#888\"/>\n"
            "<text x=\"%u\" y=\"%u\" font-weight=\"bold\">%s</text>\n",
            LEFT, p->top, WIDTH, p->height, LEFT, p->top - 6, name);
    for (uint64_t v = 0; v <= p->max; v += tick) {
        const unsigned y = y_of(p, v);
        fprintf(d->out,
                "<path d=\"M%u %uH%u\" stroke=\"#ddd\"/>"
                "<text x=\"%u\" y=\"%u\" text-anchor=\"end\">",
                LEFT, y, LEFT + WIDTH, LEFT - 5, y + 4);
        put_number(d->out, v, unit);
        fputs("</text>\n", d->out);
    }
}

static void time_axis(const struct drawing *d, unsigned y)
{
    const uint64_t tick = tick_of(d->end_ns / 2) * 1; /* twice as many as in a panel */

    for (uint64_t t = 0; t <= d->end_ns; t += tick) {
        fprintf(d->out, "<text x=\"%u\" y=\"%u\" text-anchor=\"middle\">", x_of(d, t), y);
        put_number(d->out, t, 1000000000u);
        fputs(" s</text>\n", d->out);
    }
}

/* Lines ----------------------------------------------------------------------------- */

static bool value_at(const struct plot_event *e, enum plot_kind kind, size_t offset, uint64_t *out)
{
    uint32_t v;

    if (e->kind != kind)
        return false;
    memcpy(&v, (const uint8_t *)e + offset, sizeof v);
    *out = v;
    return true;
}

/* A staircase of one member of all events of one kind. */
static void stairs(const struct drawing *d, const struct panel *p, enum plot_kind kind,
                   size_t offset, const char *colour)
{
    unsigned last_x = 0, last_y = 0;
    bool begun = false;

    fprintf(d->out, "<path fill=\"none\" stroke=\"%s\" d=\"", colour);
    for (size_t i = 0; i < d->plot->count; i++) {
        const struct plot_event *e = &d->plot->events[i];
        uint64_t value;
        if (e->conn != d->conn || !value_at(e, kind, offset, &value))
            continue;
        const unsigned x = x_of(d, e->at_ns);
        const unsigned y = y_of(p, value);
        if (!begun)
            fprintf(d->out, "M%u %u", x, y);
        else if (x != last_x && y != last_y)
            fprintf(d->out, "H%uV%u", x, y);
        else if (y != last_y)
            fprintf(d->out, "V%u", y);
        else
            continue;
        begun = true;
        last_x = x;
        last_y = y;
    }
    fprintf(d->out, "%s\"/>\n", begun ? "" : "M0 0");
}

static void sent(const struct drawing *d, bool again, const char *colour, unsigned thick)
{
    unsigned last_x = 0, last_y = 0;

    fprintf(d->out, "<path fill=\"none\" stroke=\"%s\" stroke-width=\"%u\" d=\"M0 0", colour,
            thick);
    for (size_t i = 0; i < d->plot->count; i++) {
        const struct plot_event *e = &d->plot->events[i];
        if (e->conn != d->conn || e->kind != PLOT_TX || e->again != again)
            continue;
        const unsigned x = x_of(d, e->at_ns);
        const unsigned low = y_of(&d->seq, e->seq);
        unsigned high = y_of(&d->seq, (uint64_t)e->seq + e->len);
        if (high + thick > low)
            high = low - thick;
        if (x == last_x && low == last_y)
            continue;
        fprintf(d->out, "M%u %uV%u", x, low, high);
        last_x = x;
        last_y = low;
    }
    fputs("\"/>\n", d->out);
}

static void timeouts(const struct drawing *d)
{
    for (size_t i = 0; i < d->plot->count; i++) {
        const struct plot_event *e = &d->plot->events[i];
        if (e->conn == d->conn && e->kind == PLOT_TIMEOUT)
            fprintf(d->out, "<path d=\"M%u %uV%u\" stroke=\"#c0f\" stroke-dasharray=\"4 3\"/>\n",
                    x_of(d, e->at_ns), d->seq.top, d->rtt.top + d->rtt.height);
    }
}

/* All ------------------------------------------------------------------------------- */

static void keep_max(uint64_t *max, uint64_t value)
{
    *max = value > *max ? value : *max;
}

static void measure(struct drawing *d)
{
    d->end_ns = d->seq.max = d->win.max = d->rtt.max = 1;
    for (size_t i = 0; i < d->plot->count; i++) {
        const struct plot_event *e = &d->plot->events[i];
        if (e->conn != d->conn)
            continue;
        keep_max(&d->end_ns, e->at_ns + 1);
        keep_max(&d->seq.max, (uint64_t)e->seq + e->len);
        keep_max(&d->win.max, e->cwnd);
        keep_max(&d->win.max, e->in_flight);
        keep_max(&d->rtt.max, e->srtt_us);
    }
}

/* Text in which nothing is markup. */
static void put_text(FILE *out, const char *s)
{
    for (; *s != '\0'; s++)
        if (*s == '<' || *s == '&')
            fputs(*s == '<' ? "&lt;" : "&amp;", out);
        else
            fputc(*s, out);
}

static void head(const struct drawing *d, const char *title)
{
    fputs("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"960\" height=\"790\" "
          "font-family=\"sans-serif\" font-size=\"11\">\n"
          "<rect width=\"960\" height=\"790\" fill=\"#fff\"/>\n"
          "<text x=\"70\" y=\"20\" font-size=\"14\">",
          d->out);
    put_text(d->out, title != NULL ? title : "");
    fputs("</text>\n", d->out);
}

void plot_svg(const struct plot *p, uint64_t conn, const char *title, FILE *out)
{
    struct drawing d = { .plot = p,
                         .conn = conn,
                         .out = out,
                         .seq = { .top = 50, .height = 330 },
                         .win = { .top = 410, .height = 190 },
                         .rtt = { .top = 630, .height = 120 } };

    measure(&d);
    head(&d, title);
    axis(&d, &d.seq, "sequence, KB: sent (blue), sent again (red), acknowledged (green)", 1000);
    axis(&d, &d.win,
         "windows, KB: congestion window (black), slow start threshold (orange), in flight (blue)",
         1000);
    axis(&d, &d.rtt, "smoothed round-trip time, ms; dashed: a timer", 1000);
    time_axis(&d, 770);
    timeouts(&d);
    sent(&d, false, "#37f", 1);
    stairs(&d, &d.seq, PLOT_ACK, offsetof(struct plot_event, seq), "#0a0");
    sent(&d, true, "#e00", 3);
    stairs(&d, &d.win, PLOT_METRICS, offsetof(struct plot_event, in_flight), "#37f");
    stairs(&d, &d.win, PLOT_METRICS, offsetof(struct plot_event, ssthresh), "#f80");
    stairs(&d, &d.win, PLOT_METRICS, offsetof(struct plot_event, cwnd), "#000");
    stairs(&d, &d.rtt, PLOT_METRICS, offsetof(struct plot_event, srtt_us), "#000");
    fputs("</svg>\n", out);
}
