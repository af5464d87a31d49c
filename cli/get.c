/* SPDX-License-Identifier: MIT */
/* get.c - `lastack get`: one URL, to a file or standard output. */
#include "cli/cli.h"
#include "cli/http_client.h"
#include "cli/json.h"
#include "cli/session.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct get {
    struct session session;
    struct session_options common;
    struct net_url url;
    const char *text, *output, *upload;
    bool close_first;
    struct http_fetch fetch;
};

static const struct args_option options[] = {
    ARGS_TEXT('o', "output", "FILE", "-", struct get, output, "write there; - is standard output"),
    ARGS_TEXT('T', "upload", "FILE", NULL, struct get, upload, "PUT this file instead"),
    ARGS_FLAG(0, "close-first", struct get, close_first, "close before the server does"),
};
static const struct args_operand operands[] = { ARGS_OPERAND("URL", struct get, text) };

/* Return: CLI_OK, or CLI_USAGE after a message. */
static int check(void *to)
{
    struct get *g = to;
    char error[NET_PATH_BYTES + 128];

    if (strcmp(g->output, "-") == 0)
        g->output = NULL;
    if (!net_parse_url(g->text, &g->url, error, sizeof error))
        return args_wrong("get", "%s", error);
    return CLI_OK;
}

static void on_done(void *context, la_time now)
{
    struct get *g = context;

    (void)now;
    la_rt_stop(g->session.loop);
}

/* Return: a descriptor, or -1 after a message. */
static int open_file(const char *path, int flags)
{
    const int fd = open(path, flags | O_CLOEXEC, 0666);

    if (fd < 0)
        (void)args_failed("get", "%s: %s", path, strerror(errno));
    return fd;
}

static int report(const struct get *g)
{
    const struct http_fetch *f = &g->fetch;

    if (g->common.json) {
        struct json j;
        json_event(&j, g->output != NULL ? stdout : stderr, "fetched",
                   la_rt_loop_now(g->session.loop).ns - g->session.begun.ns);
        json_text(&j, "url", g->text);
        json_number(&j, "status", f->status);
        json_number(&j, "received", f->received_bytes);
        json_number(&j, "sent", f->sent_bytes);
        if (f->error[0] != '\0')
            json_text(&j, "error", f->error);
        json_end(&j);
    }
    if (f->error[0] != '\0')
        return args_failed("get", "%s", f->error);
    if (!f->done)
        return args_failed("get", "interrupted");
    if (f->status >= 400)
        return args_failed("get", "%s: %u %s", g->text, f->status,
                           http_status_str((enum http_status)f->status));
    return CLI_OK;
}

static int run(struct get *g, int output, int upload)
{
    const struct station *st = &g->session.stations[0];
    struct http_fetch_config config = {
        .stack = st->stack,
        .loop = g->session.loop,
        .url = &g->url,
        .remote = { .port = g->url.port },
        .output = output,
        .upload = upload,
        .keep_alive = g->close_first,
        .context = g,
        .on_done = on_done,
    };
    struct stat info;
    char error[NET_HOST_BYTES + 128];

    if (upload >= 0) {
        if (fstat(upload, &info) != 0 || !S_ISREG(info.st_mode))
            return args_failed("get", "%s: not a regular file", g->upload);
        config.upload_bytes = (uint64_t)info.st_size;
    }
    if (!net_resolve(g->url.host, st->families, &config.remote.addr, error, sizeof error))
        return args_failed("get", "%s", error);
    const struct session_handlers handlers = { &g->fetch, http_fetch_event, http_fetch_turn };
    const int status = session_host(&g->session, 0, &handlers);
    if (status != CLI_OK)
        return status;
    const bool begun = http_fetch_begin(&g->fetch, la_rt_loop_now(g->session.loop), &config);
    const int ran = begun ? session_run(&g->session) : CLI_OK;
    http_fetch_free(&g->fetch);
    const int reported = report(g);
    session_linger(&g->session);
    return ran != CLI_OK ? ran : reported;
}

static int get_main(int argc, char **argv)
{
    static struct get g;
    int output = STDOUT_FILENO, upload = -1;

    g.common.command = "get";
    int status = args_parse(&cmd_get, &g, argc, argv);
    if (status >= 0)
        return status;
    status = session_open(&g.session, &g.common);
    if (status == CLI_OK && g.upload != NULL && (upload = open_file(g.upload, O_RDONLY)) < 0)
        status = CLI_FAILED;
    if (status == CLI_OK && g.output != NULL &&
        (output = open_file(g.output, O_WRONLY | O_CREAT | O_TRUNC)) < 0)
        status = CLI_FAILED;
    if (status == CLI_OK)
        status = run(&g, output, upload);
    session_close(&g.session);
    return status;
}

const struct args_command cmd_get = {
    .name = "get",
    .what = "fetch a URL",
    .usage = { "[OPTION]... URL" },
    .about = "Fetches http://HOST[:PORT]/PATH over lastack.  Names are resolved by the host.\n",
    .options = { ARGS_LIST(options) },
    .common = SESSION_COMMON,
    .common_at = offsetof(struct get, common),
    .operands = { ARGS_LIST(operands) },
    .check = check,
    .examples = "On a TUN device of your own, from a server on this host:\n"
                "\n"
                "    sudo ip tuntap add dev tun0 mode tun user $USER\n"
                "    sudo ip addr add 10.0.0.1/24 dev tun0\n"
                "    sudo ip link set tun0 txqueuelen 10000 up\n"
                "    python3 -m http.server --bind 10.0.0.1 8000 &\n"
                "    lastack get --tun tun0 --addr 10.0.0.2/24 http://10.0.0.1:8000/\n",
    .run = get_main,
};
