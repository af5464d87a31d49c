/* SPDX-License-Identifier: MIT */
/*
 * privileges.c - Giving up what only opening the device needed.
 *
 * Making a TUN device needs CAP_NET_ADMIN; speaking TCP over it needs nothing.  What parses
 * packets from a network should not be root, so right after the device is open the process
 * becomes the user named, or the one who called sudo.  Root without either stays root, as a
 * container's only user often must.  Capabilities go too (a binary may have got them from
 * its file), and no exec can bring anything back.
 */
#include "cli/privileges.h"

#include "cli/args.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

struct identity {
    uid_t uid;
    gid_t gid;
    char name[64];
};

static bool by_number(const char *text, struct identity *who)
{
    uint64_t uid;

    if (!args_number(text, 0, UINT32_MAX - 1, &uid))
        return false;
    const struct passwd *pw = getpwuid((uid_t)uid);
    who->uid = (uid_t)uid;
    who->gid = pw != NULL ? pw->pw_gid : (gid_t)uid;
    snprintf(who->name, sizeof who->name, "%s", pw != NULL ? pw->pw_name : text);
    return true;
}

/* Return: false if nobody was named; true with who->name empty if the name is unknown. */
static bool whom(const char *user, struct identity *who)
{
    const char *named = user;

    if (named == NULL && geteuid() == 0)
        named = getenv("SUDO_UID");
    if (named == NULL)
        return false;
    who->name[0] = '\0';
    if (by_number(named, who))
        return true;
    const struct passwd *pw = getpwnam(named);
    if (pw == NULL)
        return true;
    who->uid = pw->pw_uid;
    who->gid = pw->pw_gid;
    snprintf(who->name, sizeof who->name, "%s", named);
    return true;
}

static bool become(const struct identity *who)
{
    if (geteuid() == who->uid && getuid() == who->uid)
        return true;
    return setgroups(1, &who->gid) == 0 && setresgid(who->gid, who->gid, who->gid) == 0 &&
           setresuid(who->uid, who->uid, who->uid) == 0;
}

static bool drop_capabilities(void)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { { 0 } };

    return syscall(SYS_capset, &header, data) == 0;
}

bool privileges_drop(const char *user, char *error, size_t error_bytes, char *now, size_t now_bytes)
{
    struct identity who;

    now[0] = '\0';
    if (whom(user, &who)) {
        if (who.name[0] == '\0') {
            snprintf(error, error_bytes, "no such user: %s", user != NULL ? user : "SUDO_UID");
            return false;
        }
        if (!become(&who)) {
            snprintf(error, error_bytes, "cannot become user %s: %s", who.name, strerror(errno));
            return false;
        }
        snprintf(now, now_bytes, "%s", who.name);
    }
    if (geteuid() != 0 && !drop_capabilities()) {
        snprintf(error, error_bytes, "cannot drop capabilities: %s", strerror(errno));
        return false;
    }
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return true;
}
