/* SPDX-License-Identifier: MIT */
/* cli.h - The sub-commands of lastack: each is a program of its own. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

int cmd_serve(int argc, char **argv);
int cmd_get(int argc, char **argv);
int cmd_echo(int argc, char **argv);
int cmd_nc(int argc, char **argv);
int cmd_ping(int argc, char **argv);
int cmd_wire(int argc, char **argv);
int cmd_drill(int argc, char **argv);
int cmd_sim(int argc, char **argv);

#endif
