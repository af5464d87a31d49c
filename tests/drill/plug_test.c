/* SPDX-License-Identifier: MIT */
/*
 * plug_test.c - liblastack-packetdrill.so, driven the way packetdrill drives such an object.
 *
 * The object is opened by itself, so it is what users get.  The clock is only read and slept
 * through; packets are expected with netdev_receive(), which moves time on itself; calls that wait
 * run on a second thread.  Every time in here is one of the virtual clock.
 */
#include "tests/unit/test.h"

#include "drill/plug/interface.h"
#include "drill/wire.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct drill {
    void *object;
    struct packetdrill_interface i;
    bool v6;
    long long begin_us;
    uint8_t buffer[65536];
    struct drill_segment got;
    long long got_us; /* since the beginning */
    uint32_t isn;     /* the stack's */
};

static long long now_us(struct drill *d)
{
    struct timeval tv;
    assert_int_equal(d->i.gettimeofday(d->i.userdata, &tv, NULL), 0);
    return (long long)tv.tv_sec * 1000000 + tv.tv_usec;
}

static struct drill *open_object(const char *flags, bool v6)
{
    char path[4096];
    struct drill *d = calloc(1, sizeof *d);
    const ssize_t len = readlink("/proc/self/exe", path, sizeof path - 64);
    assert_non_null(d);
    assert_true(len > 0);
    path[len] = '\0';
    for (int up = 0; up < 3; up++) /* from build/tests/drill/plug_test to build */
        *strrchr(path, '/') = '\0';
    const size_t at = strlen(path);
    snprintf(path + at, sizeof path - at, "/liblastack-packetdrill.so");
    d->object = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (d->object == NULL)
        fail_msg("%s", dlerror());
    void (*init)(const char *, struct packetdrill_interface *);
    *(void **)&init = dlsym(d->object, "packetdrill_interface_init");
    assert_non_null(init);
    init(flags, &d->i);
    d->v6 = v6;
    d->begin_us = now_us(d);
    return d;
}

static void close_object(struct drill *d)
{
    d->i.free(d->i.userdata);
    dlclose(d->object);
    free(d);
}

/* Wait as packetdrill does: sleep most of it, then spin on the clock. */
static void wait_until(struct drill *d, long long us)
{
    const long long left = us - (now_us(d) - d->begin_us);
    if (left > 20)
        d->i.usleep(d->i.userdata, (useconds_t)(left - 20));
    while (now_us(d) - d->begin_us < us)
        continue;
}

static struct la_addr address(const char *text)
{
    struct la_addr a;
    assert_true(la_addr_parse(text, &a));
    return a;
}

static void send_segment(struct drill *d, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t len)
{
    struct drill_segment s = { .protocol = DRILL_IP_TCP, .ttl = 255, .window = 32792 };
    s.version = d->v6 ? 6 : 4;
    s.src = address(d->v6 ? "fd3d:fa7b:d17d::1" : "192.0.2.1");
    s.dst = address(d->v6 ? "fd3d:a0b:17d6::1" : "192.168.0.1");
    s.src_port = 40001;
    s.dst_port = 8080;
    s.flags = flags;
    s.seq = seq;
    s.ack = flags & DRILL_ACK ? d->isn + ack : 0;
    s.text = d->buffer;
    s.text_len = len;
    static uint8_t bytes[65536];
    memset(d->buffer, 'x', len);
    const uint32_t total = drill_wire_build(&s, bytes);
    assert_int_equal(d->i.netdev_send(d->i.userdata, bytes, total), 0);
}

/* The next packet; false if there will never be one. */
static bool receive(struct drill *d)
{
    size_t count = sizeof d->buffer;
    long long us;
    assert_int_equal(d->i.netdev_receive(d->i.userdata, d->buffer, &count, &us), 0);
    if (count == 0)
        return false;
    const char *wrong = drill_wire_parse(d->buffer, (uint32_t)count, &d->got);
    if (wrong != NULL)
        fail_msg("%s", wrong);
    d->got_us = us - d->begin_us;
    if (d->got.flags & DRILL_SYN)
        d->isn = d->got.seq;
    return true;
}

/* As an outbound packet of a script: does it meet the expectation? */
static bool meets(struct drill *d, long long us, uint8_t flags, uint32_t seq, uint32_t len,
                  uint32_t ack)
{
    return receive(d) && d->got.flags == flags && d->got.seq - d->isn == seq &&
           d->got.text_len == len && d->got.ack == ack &&
           llabs(d->got_us - us) <= 4000; /* virtual */
}

static int new_listener(struct drill *d)
{
    struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(8080) };
    struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(8080) };
    const int fd = d->i.socket(d->i.userdata, d->v6 ? AF_INET6 : AF_INET, SOCK_STREAM, IPPROTO_TCP);
    assert_true(fd > 2);
    if (d->v6)
        assert_int_equal(d->i.bind(d->i.userdata, fd, (struct sockaddr *)&six, sizeof six), 0);
    else
        assert_int_equal(d->i.bind(d->i.userdata, fd, (struct sockaddr *)&four, sizeof four), 0);
    assert_int_equal(d->i.listen(d->i.userdata, fd, 1), 0);
    return fd;
}

static int establish(struct drill *d, int listener, long long at_us)
{
    wait_until(d, at_us);
    send_segment(d, DRILL_SYN, 0, 0, 0);
    assert_true(meets(d, at_us, DRILL_SYN | DRILL_ACK, 0, 0, 1));
    wait_until(d, at_us + 100000);
    send_segment(d, DRILL_ACK, 1, 1, 0);
    const int fd = d->i.accept(d->i.userdata, listener, NULL, NULL);
    assert_true(fd > 2);
    return fd;
}

TEST(a_syn_ack_is_repeated_on_the_virtual_clock)
{
    struct drill *d = open_object(NULL, false);
    const int listener = new_listener(d);
    send_segment(d, DRILL_SYN, 0, 0, 0);
    assert_true(meets(d, 0, DRILL_SYN | DRILL_ACK, 0, 0, 1));
    assert_true(meets(d, 1000000, DRILL_SYN | DRILL_ACK, 0, 0, 1));
    assert_true(meets(d, 3000000, DRILL_SYN | DRILL_ACK, 0, 0, 1));
    wait_until(d, 3100000);
    send_segment(d, DRILL_ACK, 1, 1, 0);
    const int fd = d->i.accept(d->i.userdata, listener, NULL, NULL);
    assert_true(fd > 2 && fd != listener);
    close_object(d);
}

static void data_an_hour_and_a_close(bool v6)
{
    struct drill *d = open_object("sysctl.net.lastack.tcp_delack_ms=40", v6);
    const int listener = new_listener(d);
    const int fd = establish(d, listener, 100000);
    char text[1000];
    memset(text, 'y', sizeof text);
    assert_int_equal(d->i.write(d->i.userdata, fd, text, 500), 500);
    assert_true(meets(d, 200000, DRILL_ACK | DRILL_PSH, 1, 500, 1));
    wait_until(d, 300000);
    send_segment(d, DRILL_ACK | DRILL_PSH, 1, 501, 100);
    assert_true(receive(d) && d->got.ack == 101);
    assert_int_equal(d->i.read(d->i.userdata, fd, text, sizeof text), 100);
    assert_int_equal(text[99], 'x');

    wait_until(d, 3600LL * 1000000);
    struct tcp_info info;
    socklen_t len = sizeof info;
    assert_int_equal(d->i.getsockopt(d->i.userdata, fd, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
    assert_int_equal(info.tcpi_state, TCP_ESTABLISHED);

    assert_int_equal(d->i.close(d->i.userdata, fd), 0);
    assert_true(meets(d, 3600LL * 1000000, DRILL_FIN | DRILL_ACK, 501, 0, 101));
    send_segment(d, DRILL_FIN | DRILL_ACK, 101, 502, 0);
    assert_true(receive(d) && d->got.ack == 102 && d->got.flags == DRILL_ACK);
    assert_int_equal(d->i.close(d->i.userdata, listener), 0);
    close_object(d);
}

TEST(data_an_hour_of_silence_and_a_close)
{
    data_an_hour_and_a_close(false);
}

TEST(the_same_over_ipv6)
{
    data_an_hour_and_a_close(true);
}

struct waiting {
    struct drill *d;
    int listener, fd;
    long long returned_us;
    atomic_int thread; /* the kernel's number of it, once it is about to call */
};

static void *accept_on_a_thread(void *context)
{
    struct waiting *w = context;
    atomic_store(&w->thread, (int)gettid());
    const int fd = w->d->i.accept(w->d->i.userdata, w->listener, NULL, NULL);
    const long long us = now_us(w->d) - w->d->begin_us;
    w->fd = fd;
    w->returned_us = us;
    return NULL;
}

/* As packetdrill does: ask the kernel until the thread sleeps in its call. */
static void until_it_sleeps(struct waiting *w)
{
    char path[64], line[512];
    for (int tries = 0; tries < 30000; tries++, usleep(1000)) {
        snprintf(path, sizeof path, "/proc/self/task/%d/stat", atomic_load(&w->thread));
        FILE *f = fopen(path, "re");
        if (f == NULL)
            continue;
        const bool got = fgets(line, sizeof line, f) != NULL;
        fclose(f);
        const char *state = got ? strrchr(line, ')') : NULL;
        if (state != NULL && state[1] == ' ' && state[2] == 'S')
            return;
    }
    fail_msg("the thread never sleeps in its call");
}

TEST(an_accept_that_waits_returns_at_the_time_of_the_handshake)
{
    struct drill *d = open_object(NULL, false);
    struct waiting w = { .d = d, .listener = new_listener(d) };
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, accept_on_a_thread, &w), 0);
    until_it_sleeps(&w);
    wait_until(d, 100000);
    send_segment(d, DRILL_SYN, 0, 0, 0);
    assert_true(meets(d, 100000, DRILL_SYN | DRILL_ACK, 0, 0, 1));
    wait_until(d, 200000);
    send_segment(d, DRILL_ACK, 1, 1, 0);
    wait_until(d, 900000);
    pthread_join(thread, NULL);
    assert_true(w.fd > 2);
    assert_in_range(w.returned_us, 200000, 200010); /* on the virtual clock; 900 ms was next */
    close_object(d);
}

TEST(a_wrong_expectation_is_not_met)
{
    struct drill *d = open_object(NULL, false);
    (void)new_listener(d);
    send_segment(d, DRILL_SYN, 0, 0, 0);
    assert_false(meets(d, 0, DRILL_SYN | DRILL_ACK, 0, 0, 2));      /* it acknowledges 1 */
    assert_false(meets(d, 500000, DRILL_SYN | DRILL_ACK, 0, 0, 1)); /* it comes at 1 s */
    close_object(d);
}

TEST(where_nothing_will_come_the_script_is_told_so)
{
    struct drill *d = open_object(NULL, false);
    assert_false(receive(d));
    close_object(d);
}

TEST(errors_are_minus_one_and_errno)
{
    struct drill *d = open_object("local=192.168.0.1,mtu=1500", false);
    char byte;
    assert_int_equal(d->i.read(d->i.userdata, 9999, &byte, 1), -1);
    assert_int_equal(errno, EBADF);
    const int fd = d->i.socket(d->i.userdata, AF_INET, SOCK_STREAM, 0);
    assert_int_equal(d->i.read(d->i.userdata, fd, &byte, 1), -1);
    assert_int_equal(errno, ENOTCONN);
    close_object(d);
}

TEST(a_call_that_waits_on_the_scripts_own_thread_moves_time)
{
    struct drill *d = open_object(NULL, false);
    const int listener = new_listener(d);
    struct pollfd one = { .fd = listener, .events = POLLIN };
    assert_int_equal(d->i.poll(d->i.userdata, &one, 1, 1500), 0);
    const long long us = now_us(d) - d->begin_us;
    assert_true(us >= 1500000 && us < 1504000);
    const int fd = establish(d, listener, 2000000);
    const struct linger linger = { 1, 3 };
    assert_int_equal(d->i.setsockopt(d->i.userdata, fd, SOL_SOCKET, SO_LINGER, &linger, 8), 0);
    assert_int_equal(d->i.close(d->i.userdata, fd), 0); /* nobody acknowledges the FIN */
    assert_true(now_us(d) - d->begin_us >= 2100000 + 3000000);
    close_object(d);
}

TEST(a_call_that_nothing_will_end_fails_instead_of_hanging)
{
    struct drill *d = open_object(NULL, false);
    const int listener = new_listener(d);
    assert_int_equal(d->i.accept(d->i.userdata, listener, NULL, NULL), -1);
    assert_int_equal(errno, EDEADLK);
    close_object(d);
}

TEST(a_call_that_packets_to_ourselves_end_takes_no_time)
{
    struct drill *d = open_object(NULL, false);
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(8080) };
    new_listener(d);
    inet_pton(AF_INET, "192.168.0.1", &to.sin_addr);
    const int fd = d->i.socket(d->i.userdata, AF_INET, SOCK_STREAM, 0);
    assert_int_equal(d->i.connect(d->i.userdata, fd, (struct sockaddr *)&to, sizeof to), 0);
    assert_in_range(now_us(d) - d->begin_us, 0, 2); /* what the looks at the clock take */
    close_object(d);
}

TEST(a_sleep_longer_than_usleep_can_be_told_is_spun_through_soon)
{
    struct drill *d = open_object(NULL, false);
    const int listener = new_listener(d);
    const long long hours = 7200LL * 1000000;
    d->i.usleep(d->i.userdata, (useconds_t)(hours - 20)); /* 32 bits of it */
    uint32_t looks = 0;
    while (now_us(d) - d->begin_us < hours) {
        looks++;
        assert_true(looks < 20000000);
    }
    assert_true(now_us(d) - d->begin_us < hours + 2000);
    assert_int_equal(d->i.close(d->i.userdata, listener), 0);
    close_object(d);
}

TEST(settings_come_from_the_flags_lists_and_freebsds_names_too)
{
    struct drill *d = open_object("sysctl.net.ipv4.tcp_rmem=4096 20000 60000,"
                                  "sysctl.net.ipv4.tcp_congestion_control=reno,"
                                  "sysctl.net.inet.tcp.keepidle=9000,sysctl.net.ipv4.tcp_fack=0",
                                  false);
    char name[16];
    int value = 0;
    socklen_t len = sizeof value, room = sizeof name;
    const int fd = d->i.socket(d->i.userdata, AF_INET, SOCK_STREAM, 0);
    assert_int_equal(d->i.getsockopt(d->i.userdata, fd, SOL_SOCKET, SO_RCVBUF, &value, &len), 0);
    assert_int_equal(value, 20000);
    assert_int_equal(d->i.getsockopt(d->i.userdata, fd, SOL_TCP, TCP_KEEPIDLE, &value, &len), 0);
    assert_int_equal(value, 9);
    assert_int_equal(d->i.getsockopt(d->i.userdata, fd, SOL_TCP, TCP_CONGESTION, name, &room), 0);
    assert_string_equal(name, "reno");
    close_object(d);
}

static long host_setting(const char *path)
{
    char text[32] = { 0 };
    FILE *f = fopen(path, "r");
    if (f == NULL)
        return -1;
    const bool got = fgets(text, sizeof text, f) != NULL;
    fclose(f);
    return got ? strtol(text, NULL, 10) : -1;
}

TEST(settings_of_the_hosts_network_namespace_are_taken_over_if_asked_for)
{
    const long time = host_setting("/proc/sys/net/ipv4/tcp_keepalive_time");
    struct drill *d = open_object("sysctl.net.ipv4.tcp_keepalive_time=1234,sysctls=host", false);
    int value = 0;
    socklen_t len = sizeof value;
    const int fd = d->i.socket(d->i.userdata, AF_INET, SOCK_STREAM, 0);
    assert_int_equal(d->i.getsockopt(d->i.userdata, fd, SOL_TCP, TCP_KEEPIDLE, &value, &len), 0);
    assert_int_equal(value, time > 0 ? time : 1234);
    close_object(d);
}

TEST(splice_moves_bytes_between_sockets_and_pipes_and_loses_none)
{
    struct drill *d = open_object("sysctl.net.lastack.tcp_delack_ms=40", false);
    void *u = d->i.userdata;
    const int fd = establish(d, new_listener(d), 100000);
    int ends[2];
    char text[4000];
    assert_int_equal(d->i.pipe(u, ends), 0);
    assert_int_equal(d->i.fcntl(u, fd, F_SETFL, O_RDWR | O_NONBLOCK), 0);
    assert_int_equal(d->i.splice(u, fd, NULL, ends[1], NULL, 100, 0), -1);
    assert_int_equal(errno, EAGAIN);
    wait_until(d, 300000);
    send_segment(d, DRILL_ACK | DRILL_PSH, 1, 1, 700);
    assert_int_equal(d->i.splice(u, fd, NULL, ends[1], NULL, 500, 0), 500);
    assert_int_equal(d->i.splice(u, fd, NULL, ends[1], NULL, 99999, SPLICE_F_NONBLOCK), 200);
    assert_int_equal(d->i.read(u, ends[0], text, 100), 100);
    assert_int_equal(text[99], 'x');
    assert_true(receive(d)); /* the acknowledgment */
    assert_int_equal(d->i.splice(u, ends[0], NULL, fd, NULL, 99999, 0), 600);
    assert_true(meets(d, 300000, DRILL_ACK, 1, 536, 701));
    loff_t at = 0;
    assert_int_equal(d->i.splice(u, fd, &at, ends[1], NULL, 1, 0), -1);
    assert_int_equal(errno, ESPIPE);
    assert_int_equal(d->i.splice(u, fd, NULL, fd, NULL, 1, 0), -1);
    assert_int_equal(errno, EINVAL);
    send_segment(d, DRILL_FIN | DRILL_ACK, 701, 601, 0);
    assert_int_equal(d->i.splice(u, fd, NULL, ends[1], NULL, 100, 0), 0); /* the end */
    assert_int_equal(d->i.close(u, ends[0]), 0);
    assert_int_equal(d->i.close(u, ends[1]), 0);
    close_object(d);
}

TEST(reading_no_bytes_does_not_wait_and_an_epoll_is_no_file_to_read)
{
    struct drill *d = open_object(NULL, false);
    char byte;
    const int fd = establish(d, new_listener(d), 100000);
    const int epoll = d->i.epoll_create(d->i.userdata, 1);
    assert_int_equal(d->i.read(d->i.userdata, fd, &byte, 0), 0);
    assert_int_equal(d->i.read(d->i.userdata, epoll, &byte, 1), -1);
    assert_int_equal(errno, EINVAL);
    assert_int_equal(d->i.recv(d->i.userdata, epoll, &byte, 1, 0), -1);
    assert_int_equal(errno, ENOTSOCK);
    close_object(d);
}

TEST(a_packet_that_does_not_fit_ends_the_script)
{
    struct drill *d = open_object(NULL, false);
    (void)new_listener(d);
    send_segment(d, DRILL_SYN, 0, 0, 0);
    uint8_t few[20];
    size_t count = sizeof few;
    long long us;
    assert_int_equal(d->i.netdev_receive(d->i.userdata, few, &count, &us), 0);
    assert_int_equal(count, 0);
    close_object(d);
}

TEST_MAIN
