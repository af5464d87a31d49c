/* SPDX-License-Identifier: MIT */
/* ss_table.c - Columns as wide as their widest cell; see ss_table.h. */
#include "cli/ss_table.h"

#include <stdlib.h>
#include <string.h>

struct shape {
    const char *header;
    const char *before; /* stands between this column and the one before it */
    bool right;         /* aligned */
};

static const struct shape shapes[SS_COLUMNS] = {
    [SS_COL_NETID] = { "Netid", "", false },         [SS_COL_STATE] = { "State", " ", false },
    [SS_COL_RECVQ] = { "Recv-Q", " ", false },       [SS_COL_SENDQ] = { "Send-Q", " ", false },
    [SS_COL_LADDR] = { "Local Address", " ", true }, [SS_COL_LPORT] = { "Port", ":", false },
    [SS_COL_RADDR] = { "Peer Address", " ", true },  [SS_COL_RPORT] = { "Port", ":", false },
    [SS_COL_EXT] = { "Process", "", false },
};

void ss_table_begin(struct ss_table *t, FILE *out, bool header)
{
    *t = (struct ss_table){ .header = header, .out = out };
}

static void widen(struct ss_table *t, const char *const cells[SS_COLUMNS])
{
    for (int i = 0; i < SS_COLUMNS; i++) {
        const uint32_t len = (uint32_t)strlen(cells[i]);
        if (!t->hidden[i] && len > t->width[i])
            t->width[i] = len;
    }
}

bool ss_table_add(struct ss_table *t, const char *const cells[SS_COLUMNS])
{
    size_t bytes = 0;

    if (t->count == SS_BLOCK_ROWS)
        ss_table_flush(t);
    for (int i = 0; i < SS_COLUMNS; i++)
        bytes += strlen(cells[i]) + 1;
    char *row = malloc(bytes);
    if (row == NULL)
        return false;
    t->rows[t->count++] = row;
    for (int i = 0; i < SS_COLUMNS; i++) {
        const size_t len = strlen(cells[i]) + 1;
        memcpy(row, cells[i], len);
        row += len;
    }
    widen(t, cells);
    return true;
}

static void print(const struct ss_table *t, const char *const cells[SS_COLUMNS])
{
    bool first = true;

    for (int i = 0; i < SS_COLUMNS; i++) {
        if (t->hidden[i])
            continue;
        const int width = (int)t->width[i];
        fprintf(t->out, "%s%*s", first ? "" : shapes[i].before, shapes[i].right ? width : -width,
                cells[i]);
        first = false;
    }
    fputc('\n', t->out);
}

void ss_table_flush(struct ss_table *t)
{
    const char *cells[SS_COLUMNS];

    if (t->header) {
        for (int i = 0; i < SS_COLUMNS; i++)
            cells[i] = shapes[i].header;
        widen(t, cells);
        print(t, cells);
        t->header = false;
    }
    for (uint32_t r = 0; r < t->count; r++) {
        const char *at = t->rows[r];
        for (int i = 0; i < SS_COLUMNS; i++) {
            cells[i] = at;
            at += strlen(at) + 1;
        }
        print(t, cells);
        free(t->rows[r]);
    }
    t->count = 0;
    memset(t->width, 0, sizeof t->width);
}

void ss_table_end(struct ss_table *t)
{
    ss_table_flush(t);
}
