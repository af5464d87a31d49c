/* SPDX-License-Identifier: MIT */
/*
 * check_paths.c - What prose names must be there.
 *
 *     check_paths SOURCE... -- TEXT.md...        (from the root of the tree)
 *
 * Of each text are looked at
 *   `a/path` in backticks    it exists, seen from the root; '*' and {a,b} may stand in it.  A
 *                            name without a slash may be a file of any folder.
 *                            So it is with every word of a command in backticks that begins
 *                            with a folder of the tree;
 *   `name()` in backticks    some source has the word, outside its comments;
 *   [text](a/path)           it exists, seen from the text's own folder.
 *
 * Not looked at: absolute paths, addresses of the web, what is made below build/, and blocks
 * between lines of three backticks.
 */
#include "tools/source.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char *words; /* the code of all sources, one after another */
static size_t words_len;

static void load_words(const char *path)
{
    struct source s = source_read(path);
    words = realloc(words, words_len + s.len_bytes + 2);
    if (!words)
        abort();
    memcpy(words + words_len, s.code, s.len_bytes);
    words_len += s.len_bytes;
    words[words_len++] = '\n';
    words[words_len] = '\0';
    source_free(&s);
}

static bool word_known(const char *name)
{
    const size_t len = strlen(name);
    for (const char *p = words; p && (p = strstr(p, name)); p += len)
        if ((p == words || !is_word_char(p[-1])) && !is_word_char(p[len]))
            return true;
    return false;
}

static bool exists(const char *path)
{
    glob_t g;
    const bool found = glob(path, GLOB_BRACE, NULL, &g) == 0;
    globfree(&g);
    return found;
}

/* A bare name may stand for a file of any folder but build/. */
static bool exists_somewhere(const char *name)
{
    static const char *const depths[] = { "", "*/", "*/*/", "*/*/*/" };
    for (size_t i = 0; i < sizeof depths / sizeof depths[0]; i++) {
        char pattern[600];
        glob_t g;
        snprintf(pattern, sizeof pattern, "%s%s", depths[i], name);
        bool found = false;
        if (glob(pattern, GLOB_BRACE, NULL, &g) == 0)
            for (size_t k = 0; k < g.gl_pathc; k++)
                found = found || !starts_with(g.gl_pathv[k], "build");
        globfree(&g);
        if (found)
            return true;
    }
    return false;
}

/* Is what stands before the first slash a folder of the tree? */
static bool begins_with_folder(const char *word)
{
    char first[256];
    struct stat st;
    snprintf(first, sizeof first, "%.*s", (int)strcspn(word, "/"), word);
    return first[0] != '\0' && stat(first, &st) == 0 && S_ISDIR(st.st_mode);
}

/* A name of a function: word characters, then "()" and nothing more. */
static bool is_call(const char *span)
{
    const size_t len = strlen(span);
    if (len < 3 || strcmp(span + len - 2, "()") != 0)
        return false;
    for (size_t i = 0; i < len - 2; i++)
        if (!is_word_char(span[i]))
            return false;
    return true;
}

static void check_word(const char *path, size_t line, char *word, bool alone)
{
    static const char *const endings[] = { ".c", ".h", ".md", ".def", ".sh", ".txt", ".json" };
    word[strcspn(word, "#:")] = '\0'; /* a place in the file */
    if (strncmp(word, "./", 2) == 0)
        word += 2;
    if (*word == '\0' || *word == '/' || *word == '-' || *word == '<' || *word == '$' ||
        starts_with(word, "build/") || starts_with(word, "http") || starts_with(word, "../"))
        return;
    bool is_path = strchr(word, '/') && (alone || begins_with_folder(word));
    for (size_t i = 0; alone && i < sizeof endings / sizeof endings[0]; i++) {
        const size_t n = strlen(endings[i]);
        const size_t len = strlen(word);
        if (len > n && strcmp(word + len - n, endings[i]) == 0 && !strchr(word, '/'))
            is_path = true;
    }
    if (is_path && !(strchr(word, '/') ? exists(word) : exists_somewhere(word)))
        finding(path, line, "`%s` does not exist", word);
}

static void check_span(const char *path, size_t line, const char *from, size_t len)
{
    char span[512];
    snprintf(span, sizeof span, "%.*s", (int)len, from);
    if (is_call(span)) {
        span[len - 2] = '\0';
        if (!word_known(span))
            finding(path, line, "`%s()` stands in no source", span);
        return;
    }
    const bool alone = !strchr(span, ' ');
    char *rest = NULL;
    for (char *w = strtok_r(span, " ", &rest); w; w = strtok_r(NULL, " ", &rest))
        check_word(path, line, w, alone);
}

static void check_link(const char *path, size_t line, const char *from, size_t len)
{
    char target[512];
    const char *slash = strrchr(path, '/');
    const size_t to_anchor = strcspn(from, "#");
    if (len == 0 || *from == '#' || *from == '<' || memchr(from, ':', len))
        return;
    snprintf(target, sizeof target, "%.*s%.*s", slash ? (int)(slash - path + 1) : 0, path,
             (int)(len < to_anchor ? len : to_anchor), from);
    if (!exists(target))
        finding(path, line, "the link to %s leads nowhere", target);
}

/* The spans of one line that end in it; a span over two lines is not looked at. */
static void check_line(const char *path, size_t line, const char *p)
{
    while (*p != '\0') {
        if (*p == '`') {
            const size_t len = strcspn(p + 1, "`");
            if (p[1 + len] == '\0')
                return;
            check_span(path, line, p + 1, len);
            p += len + 2;
        } else if (p[0] == ']' && p[1] == '(') {
            const size_t len = strcspn(p + 2, ") ");
            check_link(path, line, p + 2, len);
            p += len + 2;
        } else {
            p++;
        }
    }
}

static void check(const char *path)
{
    struct source s = source_read(path);
    bool in_block = false;
    size_t line = 1;
    for (char *p = s.text; p; line++) {
        char *end = strchr(p, '\n');
        if (end)
            *end = '\0';
        if (starts_with(p + strspn(p, " "), "```"))
            in_block = !in_block;
        else if (!in_block)
            check_line(path, line, p);
        p = end ? end + 1 : NULL;
    }
    source_free(&s);
}

int main(int argc, char **argv)
{
    int i = 1;
    for (; i < argc && strcmp(argv[i], "--") != 0; i++)
        load_words(argv[i]);
    for (i++; i < argc; i++)
        check(argv[i]);
    free(words);
    return findings_status();
}
