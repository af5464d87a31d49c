/* SPDX-License-Identifier: MIT */
/*
 * symbols.c - Constants by name: what Linux's headers call them in scripts.
 *
 * Options of sockets are those of posix/options.def, refused ones too: a script that sets one
 * learns which errno it gets.
 */
#include "drill/symbols.h"

#include "posix/options.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define S(name)                                                                                    \
    {                                                                                              \
#name, (int64_t)name                                                                       \
    }

static const struct {
    const char *name;
    int64_t value;
} symbols[] = {
    S(AF_INET),
    S(AF_INET6),
    S(AF_UNSPEC),
    S(AF_UNIX),
    S(PF_INET),
    S(PF_INET6),
    S(SOCK_STREAM),
    S(SOCK_DGRAM),
    S(SOCK_RAW),
    S(SOCK_SEQPACKET),
    S(SOCK_NONBLOCK),
    S(SOCK_CLOEXEC),
    S(IPPROTO_IP),
    S(IPPROTO_IPV6),
    S(IPPROTO_TCP),
    S(IPPROTO_UDP),
    S(IPPROTO_ICMP),
    { "IPPROTO_SCTP", 132 },
    { "IPPROTO_MPTCP", 262 },
    S(SOL_SOCKET),
    { "SOL_IP", 0 },
    { "SOL_IPV6", 41 },
    { "SOL_TCP", 6 },
    S(INADDR_ANY),
    S(INADDR_LOOPBACK),
    { "SO_TXTIME", 61 },
    S(IP_PMTUDISC_DONT),
    S(IP_PMTUDISC_DO),
    S(IP_PMTUDISC_WANT),
    S(IP_PMTUDISC_PROBE),
    { "TCP_CM_INQ", 36 },
    S(TCP_ESTABLISHED),
    S(TCP_SYN_SENT),
    S(TCP_SYN_RECV),
    S(TCP_FIN_WAIT1),
    S(TCP_FIN_WAIT2),
    S(TCP_TIME_WAIT),
    S(TCP_CLOSE),
    S(TCP_CLOSE_WAIT),
    S(TCP_LAST_ACK),
    S(TCP_LISTEN),
    S(TCP_CLOSING),
    { "TCP_CA_Open", 0 },
    { "TCP_CA_Disorder", 1 },
    { "TCP_CA_CWR", 2 },
    { "TCP_CA_Recovery", 3 },
    { "TCP_CA_Loss", 4 },
    S(TCPI_OPT_TIMESTAMPS),
    S(TCPI_OPT_SACK),
    S(TCPI_OPT_WSCALE),
    S(TCPI_OPT_ECN),
    { "TCPI_OPT_ECN_SEEN", 16 },
    { "TCPI_OPT_SYN_DATA", 32 },
    S(MSG_OOB),
    S(MSG_PEEK),
    S(MSG_DONTROUTE),
    S(MSG_CTRUNC),
    S(MSG_TRUNC),
    S(MSG_DONTWAIT),
    S(MSG_EOR),
    S(MSG_WAITALL),
    S(MSG_CONFIRM),
    S(MSG_ERRQUEUE),
    S(MSG_NOSIGNAL),
    S(MSG_MORE),
    S(MSG_CMSG_CLOEXEC),
    S(MSG_FASTOPEN),
    { "MSG_ZEROCOPY", 0x4000000 },
    S(SHUT_RD),
    S(SHUT_WR),
    S(SHUT_RDWR),
    S(F_GETFL),
    S(F_SETFL),
    S(F_GETFD),
    S(F_SETFD),
    S(F_DUPFD),
    S(FD_CLOEXEC),
    S(O_RDONLY),
    S(O_WRONLY),
    S(O_RDWR),
    S(O_NONBLOCK),
    S(O_APPEND),
    S(O_ASYNC),
    S(FIONREAD),
    S(FIONBIO),
    S(FIOCLEX),
    S(FIONCLEX),
    S(TIOCOUTQ),
    S(SIOCINQ),
    S(SIOCOUTQ),
    S(SIOCOUTQNSD),
    S(SIOCATMARK),
    S(POLLIN),
    S(POLLPRI),
    S(POLLOUT),
    S(POLLERR),
    S(POLLHUP),
    S(POLLNVAL),
    S(POLLRDNORM),
    S(POLLRDBAND),
    S(POLLWRNORM),
    S(POLLWRBAND),
    S(POLLRDHUP),
    S(EPOLLIN),
    S(EPOLLPRI),
    S(EPOLLOUT),
    S(EPOLLERR),
    S(EPOLLHUP),
    S(EPOLLRDNORM),
    S(EPOLLRDBAND),
    S(EPOLLWRNORM),
    S(EPOLLWRBAND),
    S(EPOLLRDHUP),
    S(EPOLLONESHOT),
    S(EPOLLET),
    S(EPOLLEXCLUSIVE),
    S(EPOLL_CTL_ADD),
    S(EPOLL_CTL_MOD),
    S(EPOLL_CTL_DEL),
    S(EPOLL_CLOEXEC),
    S(SOMAXCONN),
    { "SK_MEMINFO_RMEM_ALLOC", 0 },
    { "SK_MEMINFO_RCVBUF", 1 },
    { "SK_MEMINFO_WMEM_ALLOC", 2 },
    { "SK_MEMINFO_SNDBUF", 3 },
    { "SCM_TIMESTAMPING", SO_TIMESTAMPING },
    /* FreeBSD's words for the same things. */
    { "TCP_NOPUSH", TCP_CORK },
    { "SO_REUSEPORT_LB", SO_REUSEPORT },
    { "TCPS_CLOSED", TCP_CLOSE },
    { "TCPS_LISTEN", TCP_LISTEN },
    { "TCPS_SYN_SENT", TCP_SYN_SENT },
    { "TCPS_SYN_RECEIVED", TCP_SYN_RECV },
    { "TCPS_ESTABLISHED", TCP_ESTABLISHED },
    { "TCPS_CLOSE_WAIT", TCP_CLOSE_WAIT },
    { "TCPS_FIN_WAIT_1", TCP_FIN_WAIT1 },
    { "TCPS_CLOSING", TCP_CLOSING },
    { "TCPS_LAST_ACK", TCP_LAST_ACK },
    { "TCPS_FIN_WAIT_2", TCP_FIN_WAIT2 },
    { "TCPS_TIME_WAIT", TCP_TIME_WAIT },
};

bool drill_symbol(const char *name, int64_t *value)
{
    size_t count;
    const struct option *options = option_table(&count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(options[i].option_name, name) == 0) {
            *value = options[i].name;
            return true;
        }
    for (size_t i = 0; i < sizeof symbols / sizeof symbols[0]; i++)
        if (strcmp(symbols[i].name, name) == 0) {
            *value = symbols[i].value;
            return true;
        }
    return false;
}

int drill_errno(const char *name)
{
    if (strcmp(name, "EWOULDBLOCK") == 0)
        return EWOULDBLOCK;
    if (strcmp(name, "ENOTSUP") == 0)
        return ENOTSUP;
    for (int i = 1; i < 140; i++) {
        const char *known = strerrorname_np(i);
        if (known != NULL && strcmp(known, name) == 0)
            return i;
    }
    return 0;
}

const char *drill_errno_name(int number)
{
    const char *name = strerrorname_np(number);
    return name != NULL ? name : "an unknown errno";
}
