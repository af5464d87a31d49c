/* SPDX-License-Identifier: MIT */
/* http_listing.h - A directory as a page. */
#ifndef CLI_HTTP_LISTING_H
#define CLI_HTTP_LISTING_H

#include <stdint.h>

#define HTTP_LISTING_MAX 10000 /* names on a page; it says when there are more */

/*
 * http_listing_make() - Write the page of a directory to a file in memory.
 * @root: Of the served tree
 * @path: The directory below it, decoded; "" for @root itself
 *
 * Cost: a system call a name and a sort, without waiting in between.
 *
 * Return: a descriptor, its length in @size, or a negative errno.
 */
int http_listing_make(int root, const char *path, uint64_t *size);

#endif
