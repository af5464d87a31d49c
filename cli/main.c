/* SPDX-License-Identifier: MIT */
/* main.c - The lastack command: finds the sub-command and leaves the rest to it. */
#include "cli/args.h"
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

#ifndef LASTACK_VERSION
#define LASTACK_VERSION "unknown"
#endif

/* A build without the simulator has no `lastack sim`. */
extern int cmd_sim(int argc, char **argv) __attribute__((weak));

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *what;
} commands[] = {
    { "serve", cmd_serve, "serve files over HTTP" },
    { "get", cmd_get, "fetch a URL" },
    { "echo", cmd_echo, "send back what is received" },
    { "nc", cmd_nc, "connect standard input and output to a peer" },
    { "ping", cmd_ping, "send echo requests" },
    { "wire", cmd_wire, "two stacks on a wire in memory: serve and fetch in one process" },
    { "drill", cmd_drill, "run packet scripts, against lastack or against the kernel" },
    { "sim", cmd_sim, "run the simulator" },
};
#define COMMANDS (sizeof commands / sizeof commands[0])

static void help(FILE *to)
{
    fputs("usage: lastack COMMAND [OPTION]... [ARGUMENT]...\n"
          "\n"
          "A TCP/IP stack in user space, and programs on it.\n\n",
          to);
    for (size_t i = 0; i < COMMANDS; i++)
        if (commands[i].run != NULL)
            fprintf(to, "  %-8s %s\n", commands[i].name, commands[i].what);
    fputs("\n"
          "'lastack COMMAND --help' tells more.  To begin with, as root:\n"
          "\n"
          "    lastack serve .              and in another window\n"
          "    curl http://10.108.97.2/\n",
          to);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        help(stderr);
        return CLI_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        help(stdout);
        return CLI_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("lastack " LASTACK_VERSION);
        return CLI_OK;
    }
    for (size_t i = 0; i < COMMANDS; i++)
        if (commands[i].run != NULL && strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    if (argv[1][0] == '-')
        return args_wrong("", "unknown option %s", argv[1]);
    return args_wrong("", "unknown command \"%s\"", argv[1]);
}
