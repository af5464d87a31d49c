/* SPDX-License-Identifier: MIT */
/*
 * wire.c - `lastack wire`: server and client in one process, on a wire in memory.
 *
 * The same server as `lastack serve` and the same client as `lastack get`, each on a stack of
 * its own.  It needs no TUN device and no privilege, so it shows the stack where neither can
 * be had; and with virtual time it shows a minute of TIME-WAIT at once.
 */
#include "cli/cli.h"
#include "cli/http_client.h"
#include "cli/http_server.h"
#include "cli/json.h"
#include "cli/session.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WIRE_PORT 80

struct wire {
    struct session session;
    struct session_options common;
    const char *dir, *path, *output, *upload;
    bool ipv6, client_closes;
    uint64_t mtu;
    struct net_url url;
    struct http_server *server;
    struct http_fetch fetch;
};

static const struct args_option options[] = {
    ARGS_TEXT('o', "output", "FILE", NULL, struct wire, output,
              "write what is fetched there, not to standard output"),
    ARGS_TEXT('T', "upload", "FILE", NULL, struct wire, upload, "PUT this file as PATH instead"),
    ARGS_FLAG('6', "ipv6", struct wire, ipv6, "over IPv6"),
    ARGS_FLAG(0, "client-closes-first", struct wire, client_closes, "TIME-WAIT is the client's"),
    ARGS_FLAG(0, "virtual-time", struct wire, common.virtual_time,
              "do not wait: jump to the next deadline"),
    ARGS_NUMBER(0, "mtu", "BYTES", "1500", 1280, 65535, struct wire, mtu, "of the wire"),
};
static const struct args_operand operands[] = {
    ARGS_OPERAND("directory and path", struct wire, dir),
    ARGS_OPERAND("path", struct wire, path),
};

/* Return: CLI_OK, or CLI_USAGE after a message. */
static int check(void *to)
{
    const struct wire *w = to;

    if (w->common.tun != NULL || w->common.addr_count > 0 || w->common.host_addr_count > 0)
        return args_wrong("wire", "there is no device here: --tun, --addr and --host-addr have "
                                  "no meaning");
    return CLI_OK;
}

static void on_done(void *context, la_time now)
{
    struct wire *w = context;

    (void)now;
    la_rt_stop(w->session.loop);
}

static int transfer(struct wire *w, int root, int output, int upload, uint64_t upload_bytes)
{
    struct session *s = &w->session;
    const struct http_server_config config = {
        .stack = s->stations[0].stack,
        .loop = s->loop,
        .root = root,
        .close_first = !w->client_closes,
        .upload_max_bytes = INT64_MAX,
        .idle_ns = UINT64_C(60000000000),
    };
    char text[NET_PATH_BYTES + 64];
    char error[NET_PATH_BYTES + 128];

    const char *slash = w->path[0] == '/' ? "" : "/";
    snprintf(text, sizeof text, "http://%s%s%.*s", w->ipv6 ? "[fd00::1]" : "10.0.0.1", slash,
             NET_PATH_BYTES, w->path);
    if (!net_parse_url(text, &w->url, error, sizeof error))
        return args_wrong("wire", "%s", error);
    w->server = http_server_new(&config);
    if (w->server == NULL)
        return args_failed("wire", "out of memory");
    const struct http_fetch_config fetch = {
        .stack = s->stations[1].stack,
        .loop = s->loop,
        .url = &w->url,
        .remote = { s->stations[0].addrs[w->ipv6 ? 1 : 0].addr, WIRE_PORT },
        .output = output,
        .upload = upload,
        .upload_bytes = upload_bytes,
        .keep_alive = w->client_closes,
        .context = w,
        .on_done = on_done,
    };
    const struct session_handlers serving = { w->server, http_server_event, http_server_turn };
    const struct session_handlers fetching = { &w->fetch, http_fetch_event, http_fetch_turn };
    int status = session_host(s, 0, &serving);
    if (status == CLI_OK)
        status = session_host(s, 1, &fetching);
    const enum la_err err = http_server_listen(w->server, la_prefix_any(), WIRE_PORT);
    if (status == CLI_OK && err != LA_OK)
        status = args_failed("wire", "port %u: %s", WIRE_PORT, la_err_text(err));
    if (status == CLI_OK && http_fetch_begin(&w->fetch, la_rt_loop_now(s->loop), &fetch))
        status = session_run(s);
    http_fetch_free(&w->fetch);
    return status;
}

static int report(const struct wire *w)
{
    const struct http_fetch *f = &w->fetch;
    const uint64_t took_ns = la_rt_loop_now(w->session.loop).ns - w->session.begun.ns;

    if (f->error[0] != '\0')
        return args_failed("wire", "%s", f->error);
    if (!f->done)
        return args_failed("wire", "interrupted");
    if (f->status >= 400)
        return args_failed("wire", "%s: %u", w->path, f->status);
    session_say(&w->session, "%u, %" PRIu64 " bytes %s in %" PRIu64 ".%03u s%s", f->status,
                f->received_bytes + f->sent_bytes, w->upload != NULL ? "sent" : "received",
                took_ns / 1000000000u, (unsigned)(took_ns / 1000000u % 1000u),
                w->common.virtual_time ? " of virtual time" : "");
    return CLI_OK;
}

static int run(struct wire *w)
{
    struct stat info = { 0 };
    int status = CLI_FAILED;
    const int root = open(w->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    const int upload = w->upload != NULL ? open(w->upload, O_RDONLY | O_CLOEXEC) : -1;
    const int output = w->output != NULL
                           ? open(w->output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)
                           : STDOUT_FILENO;

    if (root < 0)
        (void)args_failed("wire", "%s: %s", w->dir, strerror(errno));
    else if (w->upload != NULL && (upload < 0 || fstat(upload, &info) != 0))
        (void)args_failed("wire", "%s: %s", w->upload, strerror(errno));
    else if (output < 0)
        (void)args_failed("wire", "%s: %s", w->output, strerror(errno));
    else
        status = transfer(w, root, output, upload, (uint64_t)info.st_size);
    if (status == CLI_OK)
        status = report(w);
    session_linger(&w->session);
    if (w->server != NULL)
        http_server_free(w->server);
    if (root >= 0)
        close(root);
    if (upload >= 0)
        close(upload);
    return status;
}

static int wire_main(int argc, char **argv)
{
    static struct wire w = { .common = { .command = "wire" } };
    int status = args_parse(&cmd_wire, &w, argc, argv);

    if (status >= 0)
        return status;
    status = session_open_wire(&w.session, &w.common, (uint32_t)w.mtu);
    if (status == CLI_OK)
        status = run(&w);
    session_close(&w.session);
    return status;
}

const struct args_command cmd_wire = {
    .name = "wire",
    .what = "two stacks on a wire in memory: serve and fetch in one process",
    .usage = { "[OPTION]... DIR PATH" },
    .about = "Serves DIR on one stack and fetches /PATH with another, over a wire in memory.\n",
    .options = { ARGS_LIST(options) },
    .common = SESSION_COMMON,
    .common_at = offsetof(struct wire, common),
    .operands = { ARGS_LIST(operands) },
    .check = check,
    .examples = "    lastack wire --virtual-time --ladder . README.md\n",
    .run = wire_main,
};
