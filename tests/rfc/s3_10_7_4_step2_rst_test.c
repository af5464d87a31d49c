/* SPDX-License-Identifier: MIT */
/* RFC 9293 3.10.7.4, second step: check the RST bit, in the words of RFC 5961 3.2. */
#include "tests/rfc/bench.h"

BENCH_TEST(rst_exactly_at_rcv_nxt_resets)
{
    bench_established(b, &(struct bench_opt){ .rcv_wnd = 500 });

    bench_rx(b, "RST rcv 0");

    expect_no_tx(b);
    expect_state(b, LA_CLOSED);
    expect_error(b, LA_ECONNRESET);
    expect_drop(b, LA_DROP_RESET);
}

TEST_MAIN
