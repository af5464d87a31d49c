/* SPDX-License-Identifier: MIT */
/*
 * main.c - The lastack command: finds the sub-command and leaves the rest to it.
 *
 * `lastack help SUB` shows the page of the manual where there is one to show - beside the
 * sources the program was built from, or installed - and what --help says where there is none.
 */
#include "cli/args.h"
#include "cli/cli.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef LASTACK_VERSION
#define LASTACK_VERSION "unknown"
#endif

static const struct args_command *const commands[] = {
#define COMMAND(name) &cmd_##name,
#include "cli/commands.def"
#undef COMMAND
};
#define COMMANDS (sizeof commands / sizeof commands[0])

static void help(FILE *to)
{
    fputs("usage: lastack COMMAND [OPTION]... [ARGUMENT]...\n"
          "\n"
          "A TCP/IP stack in user space, and programs on it.\n\n",
          to);
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(to, "  %-8s %s\n", commands[i]->name, commands[i]->what);
    fputs("\n"
          "'lastack help COMMAND' and 'lastack COMMAND --help' tell more.\n"
          "\n"
          "Examples:\n"
          "\n"
          "    sudo lastack serve . &\n"
          "    curl http://10.108.97.2/\n",
          to);
}

static const struct args_command *find(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(name, commands[i]->name) == 0)
            return commands[i];
    return NULL;
}

/* In a process of its own.  Return: true if man(1) found the page. */
static bool man(const char *first, const char *second)
{
    int status = 0;

    fflush(NULL);
    const pid_t pid = fork();
    if (pid == 0) {
        const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        if (null >= 0)
            dup2(null, STDERR_FILENO);
        execlp("man", "man", first, second, (char *)NULL);
        _exit(127);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

static int help_on(const char *name)
{
    const struct args_command *c = find(name);
    char self[4096], page[4400];

    if (c == NULL)
        return args_wrong("", "unknown command \"%s\"", name);
    const ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    if (len > 0) {
        self[len] = '\0';
        char *slash = strrchr(self, '/');
        if (slash != NULL)
            *slash = '\0';
        snprintf(page, sizeof page, "%s/../docs/man/lastack-%s.1", self, name);
        if (access(page, R_OK) == 0 && man("-l", page))
            return CLI_OK;
    }
    snprintf(page, sizeof page, "lastack-%s", name);
    if (!man("1", page))
        args_help(c);
    return CLI_OK;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        help(stderr);
        return CLI_USAGE;
    }
    if (strcmp(argv[1], "help") == 0 && argc == 3)
        return help_on(argv[2]);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        help(stdout);
        return CLI_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("lastack " LASTACK_VERSION);
        return CLI_OK;
    }
    const struct args_command *command = find(argv[1]);
    if (command != NULL)
        return command->run(argc - 1, argv + 1);
    if (argv[1][0] == '-')
        return args_wrong("", "unknown option %s", argv[1]);
    return args_wrong("", "unknown command \"%s\"", argv[1]);
}
