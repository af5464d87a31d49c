/* SPDX-License-Identifier: MIT */
/*
 * cli_plot_test.c - `lastack plot` draws what the events say, and says what it cannot read.
 *
 * The picture of a few events is compared with tests/unit/golden/plot.svg; PLOT_REWRITE=1 writes
 * that anew.
 */
#include "tests/unit/test.h"

#include "cli/plot.h"

#include <stdlib.h>

#define GOLDEN TEST_SOURCE_DIR "/tests/unit/golden/plot.svg"
#define PICTURE_BYTES 32768u

static const char events[] =
    "{\"event\":\"tx\",\"time\":0.000000000,\"conn\":1,\"seq\":0,\"len\":0,\"again\":false}\n"
    "{\"event\":\"state\",\"time\":0.000000000,\"local\":\"a, \\\"b\\\"\"}\n"
    "{\"event\":\"metrics\",\"time\":0.040000000,\"conn\":1,\"cwnd\":14480,\"ssthresh\":1073741824,"
    "\"in_flight\":2896,\"srtt_us\":40000}\n"
    "{\"event\":\"tx\",\"time\":0.040000000,\"conn\":1,\"seq\":1,\"len\":1448,\"again\":false}\n"
    "{\"event\":\"tx\",\"time\":0.040000000,\"conn\":1,\"seq\":1449,\"len\":1448,\"again\":false}\n"
    "{\"event\":\"tx\",\"time\":0.040000000,\"conn\":2,\"seq\":1,\"len\":100,\"again\":false}\n"
    "{\"event\":\"rx\",\"time\":0.080000000,\"conn\":1,\"ack\":1449}\n"
    "{\"event\":\"timeout\",\"time\":0.280000000,\"conn\":1,\"timer\":\"RTO\"}\n"
    "{\"event\":\"tx\",\"time\":0.280000000,\"conn\":1,\"seq\":1449,\"len\":1448,\"again\":true}\n"
    "{\"event\":\"metrics\",\"time\":0.280000000,\"conn\":1,\"cwnd\":1448,\"ssthresh\":2896,"
    "\"in_flight\":1448,\"srtt_us\":41000}\n"
    "{\"event\":\"rx\",\"time\":0.320000000,\"conn\":1,\"ack\":2897}\n";

static bool read_text(struct plot *p, const char *text, char *error, size_t error_bytes)
{
    FILE *f = tmpfile();

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    rewind(f);
    *p = (struct plot){ 0 };
    const bool ok = plot_read(p, f, error, error_bytes);
    fclose(f);
    return ok;
}

static size_t slurp(FILE *f, char *to)
{
    rewind(f);
    const size_t n = fread(to, 1, PICTURE_BYTES - 1, f);
    to[n] = '\0';
    return n;
}

TEST(events_become_the_golden_picture)
{
    static char picture[PICTURE_BYTES], golden[PICTURE_BYTES];
    struct plot p;
    char error[128];
    uint64_t conn = 0;

    assert_true(read_text(&p, events, error, sizeof error));
    assert_int_equal(p.count, 10);
    assert_true(plot_busiest(&p, &conn));
    assert_int_equal(conn, 1);
    FILE *out = tmpfile();
    assert_non_null(out);
    plot_svg(&p, conn, "a < b & c", out);
    assert_true(slurp(out, picture) > 0);
    fclose(out);
    plot_free(&p);
    if (getenv("PLOT_REWRITE") != NULL) {
        FILE *to = fopen(GOLDEN, "w");
        assert_non_null(to);
        assert_true(fputs(picture, to) >= 0);
        assert_int_equal(fclose(to), 0);
    }
    FILE *f = fopen(GOLDEN, "r");
    assert_non_null(f);
    (void)slurp(f, golden);
    fclose(f);
    assert_string_equal(picture, golden);
}

TEST(a_line_that_is_no_event_is_named)
{
    static const char *const wrong[] = {
        "tx 1 2 3\n",
        "{\"event\":\"tx\"}\n",
        "{\"event\":\"tx\",\"time\":0.5,\"conn\":1,\"seq\":1,\"len\":2}\n",
        "{\"event\":\"rx\",\"time\":0.500000000,\"conn\":1,\"ack\":-1}\n",
        "{\"event\":\"rx\",\"time\":0.500000000,\"conn\":1,\"ack\":4294967296}\n",
        "{\"event\":\"metrics\",\"time\":0.500000000,\"conn\":1,\"cwnd\":1}\n",
    };
    struct plot p;
    char error[128], text[512];

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        snprintf(text, sizeof text, "%.73s%s", events, wrong[i]);
        error[0] = '\0';
        assert_false(read_text(&p, text, error, sizeof error));
        assert_non_null(strstr(error, "line 2: expected"));
        plot_free(&p);
    }
}

TEST(without_anything_sent_there_is_nothing_to_draw)
{
    struct plot p;
    char error[128];
    uint64_t conn;

    assert_true(read_text(&p, "", error, sizeof error));
    assert_false(plot_busiest(&p, &conn));
    plot_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_become_the_golden_picture),
        cmocka_unit_test(a_line_that_is_no_event_is_named),
        cmocka_unit_test(without_anything_sent_there_is_nothing_to_draw),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
