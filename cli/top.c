/* SPDX-License-Identifier: MIT */
/*
 * top.c - `lastack top`: a running stack, live in the terminal.
 *
 * Two samples alternate, and the page is made of both; the first is compared with a process that
 * has done nothing, so its rates are those since the process began.
 */
#include "cli/cli.h"
#include "cli/top_screen.h"

#include <lastack/runtime.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

struct top {
    const char *control;
    uint64_t delay_s;
    bool once, json;
    struct control_client client;
    struct top_sample samples[2];
    struct top_page page;
    struct screen screen;
};

static const struct args_option options[] = {
    ARGS_NUMBER('d', "delay", "SECONDS", "1", 1, 3600, struct top, delay_s,
                "time from one look to the next"),
    ARGS_FLAG(0, "once", struct top, once, "print one page and end; rates since the process began"),
    ARGS_FLAG('j', "json", struct top, json, "print JSON, one object a line, instead of pages"),
    CONTROL_CLIENT_ARG(struct top, control),
};

static struct top_view view_of(struct top *t, uint32_t turn)
{
    const struct top_sample *now = &t->samples[turn % 2];
    const struct top_sample *before = &t->samples[(turn + 1) % 2];
    const uint64_t clock_ns = la_rt_wallclock_ns();
    struct top_view v = { .now = now, .before = before };

    v.uptime_ns = clock_ns > now->n.begun ? clock_ns - now->n.begun : 0;
    v.elapsed_ns = before->now_ns == 0            ? v.uptime_ns
                   : now->now_ns > before->now_ns ? now->now_ns - before->now_ns
                                                  : 0;
    return v;
}

static int look(struct top *t, uint32_t turn)
{
    const int status = top_gather(&t->samples[turn % 2], &t->client);

    if (status != CLI_OK)
        return status;
    const struct top_view v = view_of(t, turn);
    if (t->json)
        top_json(&v, stdout);
    else
        top_render(&v, &t->page);
    return CLI_OK;
}

/* Lines, without a terminal. */
static int print(struct top *t)
{
    for (uint32_t turn = 0;; turn++) {
        const int status = look(t, turn);
        if (status != CLI_OK)
            return status;
        for (uint32_t i = 0; !t->json && i < t->page.count; i++)
            puts(t->page.lines[i]);
        if (fflush(stdout) != 0)
            return args_failed("top", "standard output: %s", strerror(errno));
        if (t->once)
            return CLI_OK;
        sleep((unsigned)t->delay_s);
    }
}

static int live(struct top *t)
{
    int status = look(t, 0); /* before the screen is taken: what is wrong is said in sight */

    if (status != CLI_OK)
        return status;
    if (!screen_open(&t->screen))
        return args_failed("top", "no terminal: %s; --once prints one page", strerror(errno));
    for (uint32_t turn = 1; status == CLI_OK; turn++) {
        enum screen_event event = SCREEN_AGAIN;
        while (event == SCREEN_AGAIN) {
            screen_show(&t->screen, &t->page);
            event = screen_wait(&t->screen, (int)t->delay_s * 1000);
        }
        if (event == SCREEN_QUIT)
            break;
        status = look(t, turn);
    }
    screen_close(&t->screen);
    if (status != CLI_OK)
        args_failed("top", "%s: the process answers no longer", t->client.path);
    return status;
}

static int top_main(int argc, char **argv)
{
    static struct top t;
    int status = args_parse(&cmd_top, &t, argc, argv);

    if (status >= 0)
        return status;
    status = control_client_open(&t.client, "top", t.control);
    if (status == CLI_OK)
        status = t.once || t.json ? print(&t) : live(&t);
    control_client_close(&t.client);
    return status;
}

const struct args_command cmd_top = {
    .name = "top",
    .what = "show a running stack live in the terminal",
    .usage = { "[OPTION]..." },
    .about = "Shows the states, rates, limits, findings and worst listeners of a lastack process, "
             "again\n"
             "every second.  q ends it; any other key looks at once.\n",
    .options = { ARGS_LIST(options) },
    .examples = "    sudo lastack echo &\n"
                "    sudo lastack top --once\n",
    .run = top_main,
};
