/* SPDX-License-Identifier: MIT */
/*
 * ss_table.h - Lines in columns as ss prints them.
 *
 * Rows are kept until a block is full, since a column is as wide as its widest cell; a long
 * list is printed in blocks, each with its own widths, as ss does.
 */
#ifndef CLI_SS_TABLE_H
#define CLI_SS_TABLE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum ss_column {
    SS_COL_NETID,
    SS_COL_STATE,
    SS_COL_RECVQ,
    SS_COL_SENDQ,
    SS_COL_LADDR,
    SS_COL_LPORT,
    SS_COL_RADDR,
    SS_COL_RPORT,
    SS_COL_EXT,
    SS_COLUMNS
};

#define SS_BLOCK_ROWS 8192u

struct ss_table {
    bool hidden[SS_COLUMNS];
    bool header; /* still to be printed */
    uint32_t width[SS_COLUMNS];
    uint32_t count;
    char *rows[SS_BLOCK_ROWS]; /* SS_COLUMNS strings, each ended by NUL, in one piece */
    FILE *out;
};

void ss_table_begin(struct ss_table *t, FILE *out, bool header);
/* @cells are copied.  Return: false if there is no memory. */
bool ss_table_add(struct ss_table *t, const char *const cells[SS_COLUMNS]);
/* Print what has gathered. */
void ss_table_flush(struct ss_table *t);
/* The last of it, and the header of an empty list. */
void ss_table_end(struct ss_table *t);

#endif
