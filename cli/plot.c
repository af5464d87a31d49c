/* SPDX-License-Identifier: MIT */
/* plot.c - `lastack plot`: a connection's events as an SVG picture. */
#include "cli/plot.h"

#include "cli/cli.h"

#include <errno.h>
#include <string.h>

struct request {
    const char *file, *output, *title;
    uint64_t conn;
};

static const struct args_option options[] = {
    ARGS_TEXT('o', "output", "FILE", NULL, struct request, output,
              "write the picture there, not to standard output"),
    ARGS_TEXT('t', "title", "TEXT", NULL, struct request, title, "what stands above it"),
    ARGS_NUMBER('c', "conn", "N", "0", 0, UINT64_MAX, struct request, conn,
                "draw this connection; 0: the one that sent most"),
};

static const struct args_operand operands[] = { ARGS_OPERAND("trace", struct request, file) };

static int draw(const struct request *r, struct plot *p)
{
    uint64_t conn = r->conn;

    if (conn == 0 && !plot_busiest(p, &conn))
        return args_failed("plot", "%s: no connection sent anything", r->file);
    FILE *out = r->output != NULL ? fopen(r->output, "w") : stdout;
    if (out == NULL)
        return args_failed("plot", "%s: %s", r->output, strerror(errno));
    plot_svg(p, conn, r->title, out);
    if (out == stdout ? fflush(out) != 0 : fclose(out) != 0)
        return args_failed("plot", "cannot write the picture: %s", strerror(errno));
    return CLI_OK;
}

static int plot_main(int argc, char **argv)
{
    struct request r = { 0 };
    struct plot p = { 0 };
    char error[128];

    int status = args_parse(&cmd_plot, &r, argc, argv);
    if (status >= 0)
        return status;
    FILE *in = strcmp(r.file, "-") == 0 ? stdin : fopen(r.file, "r");
    if (in == NULL)
        return args_failed("plot", "%s: %s", r.file, strerror(errno));
    if (!plot_read(&p, in, error, sizeof error))
        status = args_failed("plot", "%s: %s", r.file, error);
    else
        status = draw(&r, &p);
    plot_free(&p);
    if (in != stdin)
        (void)fclose(in);
    return status;
}

const struct args_command cmd_plot = {
    .name = "plot",
    .what = "draw a connection over time",
    .usage = { "[OPTION]... TRACE" },
    .about = "Draws sequence, congestion window, what is in flight and round-trip time of a\n"
             "connection over time, as SVG.  TRACE is a file of JSON lines; - is standard input.\n",
    .options = { ARGS_LIST(options) },
    .operands = { ARGS_LIST(operands) },
    .examples = "    lastack sim --transfer 10/40/1% >trace.jsonl\n"
                "    lastack plot -o trace.svg trace.jsonl\n",
    .run = plot_main,
};
