/* SPDX-License-Identifier: MIT */
/*
 * top_screen.c - The terminal under `lastack top`: plain ECMA-48, no library.
 *
 * The page is drawn on the alternate screen, each line cut at the terminal's width and cleared to
 * its end, so that nothing flickers.  Every signal that ends a process by default and can be
 * waited for is read from a descriptor: the terminal is put back first, and then the process ends by
 * that signal.  Ctrl-Z puts it back too, and takes it again when the process goes on.
 */
#include "cli/top_screen.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define ENTER "\033[?1049h\033[?25l\033[?7l" /* alternate screen, no cursor, no wrapping */
#define LEAVE "\033[?7h\033[?25h\033[?1049l"
#define HOME "\033[H"
#define CLEAR_LINE "\033[K"
#define CLEAR_REST "\033[J"

static void say(const char *text, size_t len)
{
    while (len > 0) {
        const ssize_t n = write(STDOUT_FILENO, text, len);
        if (n < 0 && errno != EINTR)
            return; /* the terminal has gone: SIGHUP or the next read says so */
        if (n > 0) {
            text += n;
            len -= (size_t)n;
        }
    }
}

static bool take(struct screen *s)
{
    struct termios raw = s->before;

    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw) != 0)
        return false;
    say(ENTER, sizeof ENTER - 1);
    return true;
}

static void put_back(const struct screen *s)
{
    say(LEAVE, sizeof LEAVE - 1);
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &s->before);
}

bool screen_open(struct screen *s)
{
    static const int heard[] = { SIGINT,  SIGTERM, SIGHUP,  SIGQUIT, SIGPIPE,
                                 SIGALRM, SIGUSR1, SIGUSR2, SIGTSTP, SIGWINCH };
    sigset_t signals;

    *s = (struct screen){ .signal_fd = -1 };
    if (tcgetattr(STDIN_FILENO, &s->before) != 0)
        return false;
    sigemptyset(&signals);
    for (size_t i = 0; i < sizeof heard / sizeof heard[0]; i++)
        sigaddset(&signals, heard[i]);
    if (sigprocmask(SIG_BLOCK, &signals, &s->signals_before) != 0)
        return false;
    s->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    s->open = s->signal_fd >= 0 && take(s);
    if (s->open)
        return true;
    const int err = errno;
    if (s->signal_fd >= 0)
        close(s->signal_fd);
    sigprocmask(SIG_SETMASK, &s->signals_before, NULL);
    errno = err;
    return false;
}

void screen_show(const struct screen *s, const struct top_page *page)
{
    char out[TOP_LINES * (TOP_COLUMNS + 8) + 32];
    struct winsize size = { .ws_row = 24, .ws_col = 80 };
    size_t len = 0;

    if (!s->open)
        return;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0)
        size = (struct winsize){ .ws_row = 24, .ws_col = 80 };
    len += (size_t)snprintf(out, sizeof out, HOME);
    for (uint32_t i = 0; i < page->count && i < size.ws_row; i++) {
        len += (size_t)snprintf(out + len, sizeof out - len, "%s%.*s" CLEAR_LINE,
                                i > 0 ? "\r\n" : "", (int)size.ws_col, page->lines[i]);
    }
    if (page->count < size.ws_row)
        len += (size_t)snprintf(out + len, sizeof out - len, "\r\n" CLEAR_REST);
    say(out, len);
}

/* Stopped until somebody lets it go on. */
static void stop(struct screen *s)
{
    put_back(s);
    raise(SIGSTOP);
    (void)tcgetattr(STDIN_FILENO, &s->before);
    (void)take(s);
}

static enum screen_event on_signal(struct screen *s)
{
    struct signalfd_siginfo info;

    if (read(s->signal_fd, &info, sizeof info) != (ssize_t)sizeof info)
        return SCREEN_AGAIN;
    if (info.ssi_signo == SIGTSTP)
        stop(s);
    if (info.ssi_signo == SIGTSTP || info.ssi_signo == SIGWINCH)
        return SCREEN_AGAIN;
    s->signal = (int)info.ssi_signo;
    return SCREEN_QUIT;
}

enum screen_event screen_wait(struct screen *s, int ms)
{
    struct pollfd fds[] = { { .fd = s->signal_fd, .events = POLLIN },
                            { .fd = STDIN_FILENO, .events = POLLIN } };
    char key = 0;

    if (poll(fds, 2, ms) <= 0)
        return SCREEN_TIME;
    if (fds[0].revents != 0)
        return on_signal(s);
    if (read(STDIN_FILENO, &key, 1) <= 0 || key == 'q' || key == 'Q')
        return SCREEN_QUIT; /* or the terminal has gone */
    return SCREEN_TIME;     /* any other key: now */
}

void screen_close(struct screen *s)
{
    if (!s->open)
        return;
    put_back(s);
    s->open = false;
    close(s->signal_fd);
    if (s->signal != 0) {
        signal(s->signal, SIG_DFL);
        raise(s->signal);
    }
    sigprocmask(SIG_SETMASK, &s->signals_before, NULL);
}
