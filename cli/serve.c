/* SPDX-License-Identifier: MIT */
/* serve.c - `lastack serve`: files over HTTP. */
#include "cli/cli.h"
#include "cli/http_server.h"
#include "cli/json.h"
#include "cli/session.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    ID_HELP = 1,
    ID_PORT,
    ID_READ_ONLY,
    ID_CLOSE_FIRST,
    ID_MAX_UPLOAD,
    ID_IDLE,
    ID_LOG,
};

static const struct args_option options[] = {
    { ID_HELP, 'h', "help", NULL, "this" },
    { ID_PORT, 'p', "port", "N", "listen on this port (80)" },
    { ID_READ_ONLY, 'r', "read-only", NULL, "refuse PUT" },
    { ID_CLOSE_FIRST, 0, "close-first", NULL, "close after each response: TIME-WAIT is ours" },
    { ID_MAX_UPLOAD, 0, "max-upload", "BYTES", "largest file taken; k, M, G (16G)" },
    { ID_IDLE, 0, "idle-timeout", "SECONDS", "drop a connection without progress (60)" },
    { ID_LOG, 0, "log", NULL, "a line on standard error for each request" },
};

struct serve {
    struct session session;
    struct session_options common;
    const char *dir;
    uint16_t port;
    bool read_only, close_first, log;
    uint64_t max_upload, idle_s;
};

static void help(const struct args *a)
{
    puts("usage: lastack serve [OPTION]... DIR\n"
         "\n"
         "Serves the files below DIR over HTTP/1.1: GET, HEAD and PUT.\n");
    args_print(a);
    puts("\n"
         "Without --tun a TUN device is made, which takes root, and both sides get addresses:\n"
         "\n"
         "    sudo lastack serve .                       # then: curl http://10.108.97.2/\n"
         "\n"
         "On a device of your own, without root:\n"
         "\n"
         "    sudo ip tuntap add dev tun0 mode tun user $USER\n"
         "    sudo ip addr add 10.0.0.1/24 dev tun0\n"
         "    sudo ip link set tun0 txqueuelen 10000 up\n"
         "    lastack serve --tun tun0 --addr 10.0.0.2/24 --port 8080 .");
}

/* Return: -1 to go on, else the exit status. */
static int parse(struct serve *v, int argc, char **argv)
{
    struct args a = { .command = "serve",
                      .tables = { options, session_args },
                      .counts = { sizeof options / sizeof options[0], session_args_count },
                      .argc = argc,
                      .argv = argv,
                      .at = 1 };
    const char *value;
    uint64_t n = 0;
    int id;

    while ((id = args_next(&a, &value)) != ARGS_END) {
        bool ok = true;
        if (id == ARGS_WRONG)
            return CLI_USAGE;
        if (id >= SESSION_ID_FIRST && session_option(&v->common, id, value) != CLI_OK)
            return CLI_USAGE;
        if (id == ID_HELP) {
            help(&a);
            return CLI_OK;
        }
        if (id == ARGS_OPERAND && v->dir != NULL)
            return args_wrong("serve", "more than one directory: %s", value);
        if (id == ARGS_OPERAND)
            v->dir = value;
        else if (id == ID_PORT)
            ok = net_parse_port(value, &v->port);
        else if (id == ID_READ_ONLY)
            v->read_only = true;
        else if (id == ID_CLOSE_FIRST)
            v->close_first = true;
        else if (id == ID_LOG)
            v->log = true;
        else if (id == ID_MAX_UPLOAD)
            ok = args_size(value, 0, INT64_MAX, &v->max_upload);
        else if (id == ID_IDLE)
            ok = args_number(value, 1, 86400, &n) && (v->idle_s = n) > 0;
        if (!ok)
            return args_wrong("serve", "not a value this option takes: %s", value);
    }
    return v->dir == NULL ? args_wrong("serve", "which directory?") : -1;
}

static void on_log(void *context, const struct http_log *e)
{
    const struct serve *v = context;
    char remote[NET_ENDPOINT_TEXT_BYTES];

    net_format(e->remote, remote);
    if (v->common.json) {
        struct json j;
        json_event(&j, stdout, "request", la_rt_loop_now(v->session.loop).ns - v->session.begun.ns);
        json_text(&j, "remote", remote);
        json_text(&j, "method", e->method);
        json_text(&j, "target", e->target);
        json_number(&j, "status", e->status);
        json_number(&j, "sent", e->sent_bytes);
        json_number(&j, "received", e->received_bytes);
        if (e->error != LA_OK)
            json_text(&j, "error", la_err_name(e->error));
        json_end(&j);
    }
    if (v->log)
        fprintf(stderr, "%s %s %s %u %" PRIu64 " %" PRIu64 "%s%s\n", remote, e->method, e->target,
                e->status, e->sent_bytes, e->received_bytes, e->error != LA_OK ? " " : "",
                e->error != LA_OK ? la_err_name(e->error) : "");
}

/* Each connection may hold a file open; the soft limit is for programs that use select(). */
static void raise_file_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void tell_where(const struct serve *v)
{
    const struct station *st = &v->session.stations[0];
    char text[NET_ENDPOINT_TEXT_BYTES];

    for (uint32_t i = 0; i < st->addr_count; i++)
        session_say(&v->session, "http://%s/",
                    net_format((struct la_endpoint){ st->addrs[i].addr, v->port }, text));
    if (v->common.json) {
        struct json j;
        json_event(&j, stdout, "listening", 0);
        json_number(&j, "port", v->port);
        json_end(&j);
    }
}

static int run(struct serve *v, int root)
{
    const struct http_server_config config = {
        .stack = v->session.stations[0].stack,
        .loop = v->session.loop,
        .root = root,
        .read_only = v->read_only,
        .close_first = v->close_first,
        .upload_max_bytes = v->max_upload,
        .idle_ns = v->idle_s * 1000000000u,
        .context = v,
        .on_log = on_log,
    };
    struct http_server *server = http_server_new(&config);

    if (server == NULL)
        return args_failed("serve", "out of memory");
    const enum la_err err = http_server_listen(server, la_prefix_any(), v->port);
    const struct session_handlers handlers = { server, http_server_event, http_server_turn };
    int status = err != LA_OK ? args_failed("serve", "port %u: %s", v->port, la_err_text(err))
                              : session_host(&v->session, 0, &handlers);
    if (status == CLI_OK) {
        tell_where(v);
        status = session_run(&v->session);
    }
    struct http_server_stats stats;
    http_server_stats(server, &stats);
    session_say(&v->session, "%" PRIu64 " requests on %" PRIu64 " connections", stats.requests,
                stats.connections);
    http_server_free(server);
    return status;
}

int cmd_serve(int argc, char **argv)
{
    struct serve v = {
        .common = { .command = "serve" }, .port = 80, .max_upload = UINT64_C(16) << 30, .idle_s = 60
    };
    int status = parse(&v, argc, argv);

    if (status >= 0)
        return status;
    raise_file_limit();
    status = session_open(&v.session, &v.common);
    if (status == CLI_OK) {
        const int root = open(v.dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (root < 0)
            status = args_failed("serve", "%s: %s", v.dir, strerror(errno));
        else
            status = run(&v, root);
        if (root >= 0)
            close(root);
    }
    session_close(&v.session);
    return status;
}
