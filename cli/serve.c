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

struct serve {
    struct session session;
    struct session_options common;
    const char *dir;
    uint16_t port;
    bool read_only, unlisted, close_first, log;
    uint64_t max_upload, idle_s;
};

static const struct args_option options[] = {
    ARGS_PORT('p', "port", "N", "80", struct serve, port, "listen on this port"),
    ARGS_FLAG('r', "read-only", struct serve, read_only, "refuse PUT"),
    ARGS_FLAG(0, "no-listing", struct serve, unlisted,
              "a directory without an index.html is not found"),
    ARGS_FLAG(0, "close-first", struct serve, close_first,
              "close after each response: TIME-WAIT is ours"),
    ARGS_SIZE(0, "max-upload", "BYTES", "16G", 0, INT64_MAX, struct serve, max_upload,
              "largest file taken; k, M, G"),
    ARGS_NUMBER(0, "idle-timeout", "SECONDS", "60", 1, 86400, struct serve, idle_s,
                "drop a connection without progress"),
    ARGS_FLAG(0, "log", struct serve, log, "a line on standard error for each request"),
};
static const struct args_operand operands[] = { ARGS_OPERAND("directory", struct serve, dir) };

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
        .unlisted = v->unlisted,
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

static int serve_main(int argc, char **argv)
{
    struct serve v = { .common = { .command = "serve" } };
    int status = args_parse(&cmd_serve, &v, argc, argv);

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

const struct args_command cmd_serve = {
    .name = "serve",
    .what = "serve files over HTTP",
    .usage = { "[OPTION]... DIR" },
    .about = "Serves the files below DIR over HTTP/1.1: GET, HEAD and PUT, with byte ranges,\n"
             "conditional requests and directory listings.\n",
    .options = { ARGS_LIST(options) },
    .common = SESSION_COMMON,
    .common_at = offsetof(struct serve, common),
    .operands = { ARGS_LIST(operands) },
    .examples =
        "Without --tun a TUN device is made, which takes root, and both sides get addresses:\n"
        "\n"
        "    sudo lastack serve . &\n"
        "    curl http://10.108.97.2/\n"
        "\n"
        "On a device of your own, without root:\n"
        "\n"
        "    sudo ip tuntap add dev tun0 mode tun user $USER\n"
        "    sudo ip addr add 10.0.0.1/24 dev tun0\n"
        "    sudo ip link set tun0 txqueuelen 10000 up\n"
        "    lastack serve --tun tun0 --addr 10.0.0.2/24 --port 8080 . &\n"
        "    curl http://10.0.0.2:8080/\n",
    .run = serve_main,
};
