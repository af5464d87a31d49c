/* SPDX-License-Identifier: MIT */
/*
 * black_hole.c - the connection opens, then hangs: large packets vanish and nobody says so.
 *
 * A router (sim/router.h) stands before a link that takes 1,300 bytes.  The server answers with
 * 20,000 bytes, in packets of 1,500.
 */
#include "sim/lab/lab.h"
#include "sim/router.h"

#define LINK_BYTES 1300u
#define ANSWER_BYTES 20000u

struct outcome {
    uint32_t request;    /* bytes that reached the server */
    uint64_t arrived_ms; /* when all of the answer had; 0: it has not */
    uint32_t mtu;        /* what the server knows of the path */
    uint64_t answers, timeouts;
    struct lab_sock *c, *s;
};

static uint64_t received(const struct lab_sock *s)
{
    struct la_conn_info info;

    return la_conn_info(s->host->stack, s->conn, &info) == LA_OK ? info.bytes_received : 0;
}

static struct outcome transfer(struct lab *l, const char *title, bool silent, bool told,
                               const char *probing)
{
    const struct lab_world_opt apart = { .apart = true };
    struct outcome o = { .request = 0 };
    struct sim_router *r;
    struct la_conn_info info;
    uint64_t begun_ms;

    lab_begin(l, title, &apart);
    lab_quiet(l, true);
    r = sim_router(&l->world);
    r->silent = silent;
    lab_link(l, l->server, r->host, 1000);
    lab_link(l, r->host, l->client, 1000)->opt.mtu_bytes = LINK_BYTES;
    l->client->gateway = l->server->gateway = r->host;
    if (probing != NULL)
        lab_sysctl(l, l->server, "net.ipv4.tcp_mtu_probing", probing);
    if (told) /* the client's interface knows, and so does the MSS of its SYN */
        lab_must(l, la_iface_set_mtu(l->client->stack, 0, LINK_BYTES) == LA_OK,
                 "the client's interface can have an MTU of %u bytes", LINK_BYTES);
    o.c = lab_pair(l, &o.s);
    lab_send(o.c, "GET /");
    lab_run(l, sim_ms(50));
    o.request = (uint32_t)received(o.s);
    lab_send_bytes(o.s, ANSWER_BYTES);
    begun_ms = lab_now_ms(l);
    for (uint32_t i = 0; i < 400 && received(o.c) < ANSWER_BYTES; i++)
        lab_run(l, sim_ms(50));
    if (received(o.c) >= ANSWER_BYTES)
        o.arrived_ms = lab_now_ms(l) - begun_ms;
    if (la_conn_info(l->server->stack, o.s->conn, &info) == LA_OK)
        o.mtu = info.path_mtu_bytes;
    o.answers = r->answers;
    o.timeouts = lab_moved(l, l->server, LA_COUNT_TCPTimeouts);
    return o;
}

static void row(struct lab *l, const char *what, const struct outcome *o)
{
    lab_cell(l, "%s", what);
    lab_cell(l, "%s",
             o->arrived_ms > 0 ? lab_text(l, "after %llu ms", (unsigned long long)o->arrived_ms)
                               : "not within 20 s");
    lab_cell(l, "%llu", (unsigned long long)o->timeouts);
}

static void run(struct lab *l)
{
    struct outcome said, silent, found, told;

    said = transfer(l, "The router says that packets are too big", false, false, NULL);
    lab_must(l, said.request == 5, "the connection opens and the request of 5 bytes arrives");
    lab_claim(l, said.arrived_ms > 0 && said.arrived_ms <= 100 && said.timeouts == 0,
              "with ICMP the answer arrives within %llu ms, without a timeout",
              (unsigned long long)said.arrived_ms);
    lab_claim(l, said.mtu == LINK_BYTES && said.answers > 0,
              "the server knows that the path takes %u bytes", said.mtu);

    silent = transfer(l, "ICMP is filtered", true, false, NULL);
    lab_must(l, silent.request == 5, "the connection opens here too, and the request arrives");
    lab_claim(l, silent.arrived_ms == 0 && received(silent.c) == 0,
              "after 20 s not one byte of the answer has come");
    lab_claim(
        l, lab_state(silent.c) == LA_ESTABLISHED && lab_state(silent.s) == LA_ESTABLISHED,
        "and both ends are ESTABLISHED, while the server has sent the same segment %llu times "
        "again",
        (unsigned long long)silent.timeouts);
    lab_run(l, sim_s(1100));
    lab_claim(l, lab_error(silent.s) == LA_ETIMEDOUT || lab_state(silent.s) == LA_CLOSED,
              "only tcp_retries2 ends it, after a quarter of an hour");

    found = transfer(l, "tcp_mtu_probing=1 at the server", true, false, "1");
    lab_claim(l, found.arrived_ms > 3000 && found.timeouts >= 4,
              "with tcp_mtu_probing=1 the answer arrives after %llu ms and %llu timeouts",
              (unsigned long long)found.arrived_ms, (unsigned long long)found.timeouts);

    told = transfer(l, "The client's MSS says it", true, true, NULL);
    lab_claim(l, told.arrived_ms > 0 && told.arrived_ms <= 100 && told.timeouts == 0,
              "with an MSS that fits the link it arrives within %llu ms, ICMP or not",
              (unsigned long long)told.arrived_ms);

    lab_summary(l, "An answer of 20,000 bytes through a link of 1,300");
    lab_table(l, "20,000 bytes", 3);
    lab_cell(l, "the path");
    lab_cell(l, "the answer arrives");
    lab_cell(l, "RTOs");
    row(l, "the router answers with ICMP", &said);
    row(l, "it does not", &silent);
    row(l, "it does not; tcp_mtu_probing=1", &found);
    row(l, "it does not; the MSS of the SYN fits", &told);
}

const struct lab_scenario lab_mtu_black_hole = {
    .name = "mtu-black-hole",
    .title = "the connection opens, then hangs: large packets vanish",
    .said = "The network is fine, since ping and connect() work; so it must be the application, or "
            "the load balancer. And ICMP is dangerous, so the firewall drops it.",
    .happens =
        "TCP sends packets as large as the path takes, with DF set, and learns of a narrow link, a "
        "tunnel or a VPN, from the ICMP error of the router in front of it. Where that is "
        "filtered, "
        "what is small gets through - the handshake, the request, every ping - and what is large "
        "never does. The sender repeats the same large segment with longer and longer pauses, as "
        "for a loss, and nothing is ever reported to anybody.",
    .todo =
        "Let ICMP type 3 code 4 and ICMPv6 type 2 through: TCP checks that they quote what is in "
        "flight. Where the filter is not yours, net.ipv4.tcp_mtu_probing=1 at the sender finds the "
        "hole after some seconds of silence (RFC 4821). At the router before the tunnel, MSS "
        "clamping writes a fitting MSS into each SYN, which helps TCP at once and nothing else. "
        "To see it: ping with DF and the size of a full packet, or ss -i, which shows a growing "
        "backoff and nothing acknowledged.",
    .see = "RFC 1191, RFC 8201, RFC 4821, RFC 2923; net.ipv4.tcp_mtu_probing, tcp_base_mss, "
           "TCP_MAXSEG, IP_MTU; TCPMTUPSuccess, TCPMTUPFail",
    .run = run,
};
