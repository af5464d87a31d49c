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

enum { ID_HELP = 1, ID_OUTPUT, ID_UPLOAD, ID_CLOSE_FIRST };

static const struct args_option options[] = {
    { ID_HELP, 'h', "help", NULL, "this" },
    { ID_OUTPUT, 'o', "output", "FILE", "write there; - is standard output (-)" },
    { ID_UPLOAD, 'T', "upload", "FILE", "PUT this file instead" },
    { ID_CLOSE_FIRST, 0, "close-first", NULL, "close before the server does" },
};

struct get {
    struct session session;
    struct session_options common;
    struct net_url url;
    const char *text, *output, *upload;
    bool close_first;
    struct http_fetch fetch;
};

static void help(const struct args *a)
{
    puts("usage: lastack get [OPTION]... URL\n"
         "\n"
         "Fetches http://HOST[:PORT]/PATH over lastack.  Names are resolved by the host.\n");
    args_print(a);
    puts("\n"
         "On a TUN device of your own, from a server on this host:\n"
         "\n"
         "    sudo ip tuntap add dev tun0 mode tun user $USER\n"
         "    sudo ip addr add 10.0.0.1/24 dev tun0\n"
         "    sudo ip link set tun0 txqueuelen 10000 up\n"
         "    python3 -m http.server --bind 10.0.0.1 8000 &\n"
         "    lastack get --tun tun0 --addr 10.0.0.2/24 http://10.0.0.1:8000/");
}

static int parse(struct get *g, int argc, char **argv)
{
    struct args a = { .command = "get",
                      .tables = { options, session_args },
                      .counts = { sizeof options / sizeof options[0], session_args_count },
                      .argc = argc,
                      .argv = argv,
                      .at = 1 };
    const char *value;
    char error[NET_PATH_BYTES + 128];
    int id;

    while ((id = args_next(&a, &value)) != ARGS_END) {
        if (id == ARGS_WRONG)
            return CLI_USAGE;
        if (id >= SESSION_ID_FIRST && session_option(&g->common, id, value) != CLI_OK)
            return CLI_USAGE;
        if (id == ID_HELP) {
            help(&a);
            return CLI_OK;
        }
        if (id == ARGS_OPERAND && g->text != NULL)
            return args_wrong("get", "more than one URL: %s", value);
        if (id == ARGS_OPERAND)
            g->text = value;
        else if (id == ID_OUTPUT)
            g->output = strcmp(value, "-") == 0 ? NULL : value;
        else if (id == ID_UPLOAD)
            g->upload = value;
        else if (id == ID_CLOSE_FIRST)
            g->close_first = true;
    }
    if (g->text == NULL)
        return args_wrong("get", "which URL?");
    if (!net_parse_url(g->text, &g->url, error, sizeof error))
        return args_wrong("get", "%s", error);
    return -1;
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

int cmd_get(int argc, char **argv)
{
    static struct get g;
    int output = STDOUT_FILENO, upload = -1;

    g.common.command = "get";
    int status = parse(&g, argc, argv);
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
