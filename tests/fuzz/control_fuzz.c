/* SPDX-License-Identifier: MIT */
/*
 * control_fuzz.c - A control socket's client that sends anything: each line of the input is one
 * request to a stack with a listener and a connection.  The answer is bounded, ends with its
 * line, and can be taken apart again; and the stack stays whole.
 */

#include "core/base/poison.h"
#include "runtime/control.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "control_fuzz: %s\n", what);
        abort();
    }
}

static void read_back(char *answer, uint32_t len)
{
    struct control_in in;
    struct la_endpoint e;

    must(len > 0 && len <= CONTROL_ANSWER_MAX, "an answer has a wrong length");
    must(answer[len - 1] == '\n', "an answer does not end its line");
    answer[len] = '\0';
    for (char *line = answer; *line != '\0';) {
        char *end = strchr(line, '\n');
        *end = '\0';
        must(control_parse(line, &in), "a line of an answer is none");
        const char *local = control_get(&in, "local");
        must(local == NULL || control_parse_endpoint(local, &e), "an endpoint is none");
        line = end + 1;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char answer[CONTROL_ANSWER_MAX + 1];
    static uint8_t mem[1 << 16] __attribute__((aligned(64)));
    struct la_config config;
    struct la_stack *stack;
    struct la_prefix addr;
    la_listener_id listener;
    la_conn_id conn;

    la_config_smallest(&config);
    memset(config.secret, 7, sizeof config.secret);
    poison_clear(mem, sizeof mem);
    memset(mem, 0, sizeof mem);
    must(la_init(mem, sizeof mem, &config, (la_time){ 1000 }, &stack) == LA_OK, "no stack");
    must(la_iface_add(stack, &(struct la_iface_config){ .mtu_bytes = 1500 }) == 0, "no iface");
    must(la_prefix_parse("10.0.0.1/24", true, &addr), "no prefix");
    must(la_addr_add(stack, 0, addr, 0) == LA_OK, "no address");
    const struct la_listen_config listen = { .local = la_prefix_any(), .port = 80, .backlog = 4 };
    must(la_listen(stack, (la_time){ 1000 }, &listen, &listener) == LA_OK, "no listener");
    const struct la_endpoint remote = { .addr = la_addr_v4(10, 0, 0, 2), .port = 80 };
    must(la_open(stack, (la_time){ 1000 }, (struct la_endpoint){ .port = 0 }, remote, 0, &conn) ==
             LA_OK,
         "no connection");
    const struct control_context c = {
        .stack = stack, .now = { 2000 }, .name = "fuzz", .may_write = true
    };
    while (size > 0) {
        const uint8_t *end = memchr(data, '\n', size);
        const size_t len = end != NULL ? (size_t)(end - data) : size;
        read_back(answer, control_answer(&c, (const char *)data, (uint32_t)len, answer));
        const size_t used = end != NULL ? len + 1 : len;
        data += used;
        size -= used;
    }
    must(la_check(stack) == NULL, "the stack is broken");
    return 0;
}
