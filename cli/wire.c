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
#define WIRE_MTU 1500

enum { ID_HELP = 1, ID_OUTPUT, ID_UPLOAD, ID_IPV6, ID_CLIENT_CLOSES, ID_VIRTUAL, ID_MTU };

static const struct args_option options[] = {
    { ID_HELP, 'h', "help", NULL, "this" },
    { ID_OUTPUT, 'o', "output", "FILE", "write what is fetched there (standard output)" },
    { ID_UPLOAD, 'T', "upload", "FILE", "PUT this file as PATH instead" },
    { ID_IPV6, '6', "ipv6", NULL, "over IPv6" },
    { ID_CLIENT_CLOSES, 0, "client-closes-first", NULL, "TIME-WAIT is the client's" },
    { ID_VIRTUAL, 0, "virtual-time", NULL, "do not wait: jump to the next deadline" },
    { ID_MTU, 0, "mtu", "BYTES", "of the wire (1500)" },
};

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

static void help(const struct args *a)
{
    puts("usage: lastack wire [OPTION]... DIR PATH\n"
         "\n"
         "Serves DIR on one stack and fetches /PATH with another, over a wire in memory.\n");
    args_print(a);
    puts("\n"
         "    lastack wire --virtual-time --ladder . README.md");
}

static int parse(struct wire *w, int argc, char **argv)
{
    struct args a = { .command = "wire",
                      .tables = { options, session_args },
                      .counts = { sizeof options / sizeof options[0], session_args_count },
                      .argc = argc,
                      .argv = argv,
                      .at = 1 };
    const char *value;
    int id;

    while ((id = args_next(&a, &value)) != ARGS_END) {
        if (id == ARGS_WRONG)
            return CLI_USAGE;
        if (id >= SESSION_ID_FIRST && session_option(&w->common, id, value) != CLI_OK)
            return CLI_USAGE;
        if (id == ID_HELP) {
            help(&a);
            return CLI_OK;
        }
        if (id == ARGS_OPERAND && w->path != NULL)
            return args_wrong("wire", "unexpected argument: %s", value);
        if (id == ARGS_OPERAND)
            *(w->dir == NULL ? &w->dir : &w->path) = value;
        else if (id == ID_OUTPUT)
            w->output = value;
        else if (id == ID_UPLOAD)
            w->upload = value;
        else if (id == ID_IPV6)
            w->ipv6 = true;
        else if (id == ID_CLIENT_CLOSES)
            w->client_closes = true;
        else if (id == ID_VIRTUAL)
            w->common.virtual_time = true;
        else if (id == ID_MTU && !args_number(value, 1280, 65535, &w->mtu))
            return args_wrong("wire", "not an MTU from 1280 to 65535: %s", value);
    }
    if (w->path == NULL)
        return args_wrong("wire", "which directory and path?");
    if (w->common.tun != NULL || w->common.addr_count > 0 || w->common.host_addr_count > 0)
        return args_wrong("wire", "there is no device here: --tun, --addr and --host-addr have "
                                  "no meaning");
    return -1;
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

int cmd_wire(int argc, char **argv)
{
    static struct wire w = { .common = { .command = "wire" }, .mtu = WIRE_MTU };
    int status = parse(&w, argc, argv);

    if (status >= 0)
        return status;
    status = session_open_wire(&w.session, &w.common, (uint32_t)w.mtu);
    if (status == CLI_OK)
        status = run(&w);
    session_close(&w.session);
    return status;
}
