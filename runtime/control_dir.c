/* SPDX-License-Identifier: MIT */
/*
 * control_dir.c - The folder the control sockets of a user's processes stand in.
 *
 * Who connects to a socket believes what it says, so a folder counts only if this user or root
 * owns it and nobody else may write to it; a link is not followed.
 */
#include <lastack/control.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_ours(const char *path)
{
    struct stat st;

    if (lstat(path, &st) != 0)
        return false;
    if (S_ISDIR(st.st_mode) && (st.st_uid == geteuid() || st.st_uid == 0) &&
        (st.st_mode & (S_IWGRP | S_IWOTH)) == 0)
        return true;
    errno = EPERM;
    return false;
}

static bool below(const char *folder, char path[LA_RT_CONTROL_PATH_BYTES])
{
    struct stat st;

    if (stat(folder, &st) != 0 || !S_ISDIR(st.st_mode) || st.st_uid != geteuid())
        return false;
    return snprintf(path, LA_RT_CONTROL_PATH_BYTES, "%s/lastack", folder) <
           (int)LA_RT_CONTROL_PATH_BYTES;
}

char *la_rt_control_dir(bool make, char path[LA_RT_CONTROL_PATH_BYTES])
{
    const unsigned uid = (unsigned)geteuid();
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    char user[64];

    snprintf(user, sizeof user, "/run/user/%u", uid);
    if (uid == 0)
        snprintf(path, LA_RT_CONTROL_PATH_BYTES, "/run/lastack");
    else if ((runtime == NULL || !below(runtime, path)) && !below(user, path))
        snprintf(path, LA_RT_CONTROL_PATH_BYTES, "/tmp/lastack-%u", uid);
    if (make && mkdir(path, uid == 0 ? 0755 : 0750) != 0 && errno != EEXIST)
        return NULL;
    return is_ours(path) ? path : NULL;
}
