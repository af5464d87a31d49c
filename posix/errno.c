/* SPDX-License-Identifier: MIT */
/* errno.c - The one place where an error of the core becomes an errno of Linux. */
#include "posix/sockets.h"

static const int table[] = {
    [-LA_EINVAL] = EINVAL,
    [-LA_ENOMEM] = ENOMEM,
    [-LA_EBADHANDLE] = EBADF,
    [-LA_EAGAIN] = EAGAIN,
    [-LA_EADDRINUSE] = EADDRINUSE,
    [-LA_EADDRNOTAVAIL] = EADDRNOTAVAIL,
    [-LA_ENETUNREACH] = ENETUNREACH,
    [-LA_ENOBUFS] = ENOBUFS,
    [-LA_ENOTCONN] = ENOTCONN,
    [-LA_EISCONN] = EISCONN,
    [-LA_ECONNREFUSED] = ECONNREFUSED,
    [-LA_ECONNRESET] = ECONNRESET,
    [-LA_ECONNABORTED] = ECONNABORTED,
    [-LA_ETIMEDOUT] = ETIMEDOUT,
    [-LA_EPIPE] = EPIPE,
    [-LA_EHOSTUNREACH] = EHOSTUNREACH,
    [-LA_EMSGSIZE] = EMSGSIZE,
    [-LA_ENOPROTOOPT] = ENOPROTOOPT,
    [-LA_EBUSY] = EBUSY,
    [-LA_ENOENT] = ENOENT,
    [-LA_EACCES] = EACCES,
};

int la_errno(enum la_err err)
{
    const int i = -(int)err;

    if (err == LA_OK)
        return 0;
    if (i < 0 || i >= (int)(sizeof table / sizeof table[0]) || table[i] == 0)
        return EIO;
    return table[i];
}

int error_of(enum la_err err)
{
    return -la_errno(err);
}
