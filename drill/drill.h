/* SPDX-License-Identifier: MIT */
/* drill.h - Run packet scripts: what the command uses. */
#ifndef DRILL_DRILL_H
#define DRILL_DRILL_H

#include "drill/config.h"

#include <stdio.h>

/* As exit statuses; a run of many ends with the worst, in this order of badness: 77, 1, 2. */
enum drill_verdict {
    DRILL_PASS = 0,
    DRILL_FAIL = 1,
    DRILL_MALFORMED = 2, /* the script can not be read, or the host not be set up */
    DRILL_UNSUPPORTED = 77,
};

#define DRILL_LADDER_LINES 14
#define DRILL_DEFINES_MAX 64

struct drill_result {
    enum drill_verdict verdict;
    uint32_t line;
    uint32_t events;   /* that were run */
    int64_t script_ns; /* of the script's time that passed */
    char source[512];  /* the event as written */
    char expected[512];
    char came[1024];
    char feature[256]; /* of DRILL_UNSUPPORTED */
    char ladder[DRILL_LADDER_LINES][256];
    uint32_t ladder_count;
};

/*
 * drill_script_run() - Read and run one script.
 * @config:  Before the script's own options
 * @defines: Replaced in its text
 */
void drill_script_run(const char *file, const char *text, size_t len,
                      const struct drill_config *config, const struct drill_define *defines,
                      size_t define_count, struct drill_result *result);

#endif
