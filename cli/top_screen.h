/* SPDX-License-Identifier: MIT */
/*
 * top_screen.h - A terminal that shows one page after another, and is as it was afterwards.
 *
 *     if (screen_open(&s))
 *         while (screen_show(&s, &page), screen_wait(&s, ms) == SCREEN_TIME) ...;
 *     screen_close(&s);
 */
#ifndef CLI_TOP_SCREEN_H
#define CLI_TOP_SCREEN_H

#include "cli/top.h"

#include <signal.h>
#include <termios.h>

struct screen {
    bool open;
    struct termios before;
    sigset_t signals_before;
    int signal_fd;
    int signal; /* what it ended by, 0 if by a key */
};

enum screen_event { SCREEN_TIME, SCREEN_AGAIN, SCREEN_QUIT };

/* Take the terminal of standard input and output.  Return: false with errno set. */
bool screen_open(struct screen *s);
/* As much of it as the terminal has room for. */
void screen_show(const struct screen *s, const struct top_page *page);
/*
 * screen_wait() - Until @ms have passed (SCREEN_TIME), the size has changed or the process was
 * stopped and goes on (SCREEN_AGAIN: show the page again), or q, Ctrl-C or a signal (SCREEN_QUIT).
 */
enum screen_event screen_wait(struct screen *s, int ms);
/* As it was.  What ended it by a signal is ended by that signal now. */
void screen_close(struct screen *s);

#endif
