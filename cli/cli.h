/* SPDX-License-Identifier: MIT */
/* cli.h - The sub-commands of lastack: each is a program of its own. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "cli/args.h"

#define COMMAND(name) extern const struct args_command cmd_##name;
#include "cli/commands.def"
#undef COMMAND

#endif
