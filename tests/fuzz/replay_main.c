/* SPDX-License-Identifier: MIT */
/*
 * replay_main.c - Runs a fuzz target over inputs that are already known, without libFuzzer.
 *
 *     X_fuzz FILE|FOLDER...
 *
 * One test in TAP for each input: its name says what it shows.  An input that the target does
 * not survive ends the program, which the runner counts as a failure.  The empty input is always
 * among them.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes);
/* A target that prepares something once defines this one too. */
__attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv);

enum { INPUT_BYTES_MAX = 1 << 20 };

static unsigned tests;
static unsigned failures;

static void run_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    /* On the heap, in its exact size, so that a sanitizer sees a read past the end. */
    uint8_t *room = malloc(INPUT_BYTES_MAX);
    const size_t len_bytes = f && room ? fread(room, 1, INPUT_BYTES_MAX, f) : 0;
    uint8_t *bytes = malloc(len_bytes > 0 ? len_bytes : 1);
    tests++;
    if (!f || !room || !bytes) {
        printf("not ok %u - %s can be read\n", tests, path);
        failures++;
    } else {
        memcpy(bytes, room, len_bytes);
        fprintf(stderr, "running %s\n", path);
        (void)LLVMFuzzerTestOneInput(bytes, len_bytes);
        printf("ok %u - %s\n", tests, path);
    }
    free(bytes);
    free(room);
    if (f)
        fclose(f);
}

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void run_folder(const char *path)
{
    struct dirent **entries;
    const int count = scandir(path, &entries, visible, alphasort);
    for (int i = 0; i < count; i++) {
        char file[4096];
        snprintf(file, sizeof file, "%s/%s", path, entries[i]->d_name);
        run_file(file);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
}

int main(int argc, char **argv)
{
    if (LLVMFuzzerInitialize)
        (void)LLVMFuzzerInitialize(&argc, &argv);

    uint8_t nothing[1] = { 0 };
    (void)LLVMFuzzerTestOneInput(nothing, 0);
    printf("ok %u - the empty input\n", ++tests);

    for (int i = 1; i < argc; i++) {
        struct stat st;
        if (stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode))
            run_folder(argv[i]);
        else
            run_file(argv[i]);
    }
    printf("1..%u\n", tests);
    return failures > 0;
}
