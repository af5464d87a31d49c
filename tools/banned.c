/* SPDX-License-Identifier: MIT */
/*
 * banned.c - Words that must not occur, by folder.
 *
 *     banned FILE...        (paths from the root of the tree)
 *
 * Three kinds of rule:
 *   words     in the code of C files, comments and strings aside: the table below;
 *   phrases   anywhere in any file: what names a machine, a registry or somebody's folders;
 *   the rest  no #if in core/ but include guards; a note of work to do names its issue.
 *
 * A word that ends in '(' is banned only where it is called.  What a compiler can see is left
 * to the compiler: mutable statics and unwanted symbols to check_symbols.sh, default: beside
 * a full set of enum cases to wasm.sh.
 */
#include "tools/source.h"

#include <stdio.h>
#include <string.h>

struct rule {
    const char *in;     /* folder, as a prefix of the path */
    const char *except; /* a prefix it does not hold for, or NULL */
    const char *words;  /* separated by spaces */
    const char *reason;
};

static const struct rule rules[] = {
    { "core/", NULL, "malloc( calloc( realloc( free( alloca( strdup(", "memory is lent once" },
    { "core/", NULL, "time( clock( gettimeofday( clock_gettime(", "now is given, never asked for" },
    { "core/", NULL, "printf( fprintf( snprintf( sprintf( puts( fputs( abort( exit(",
      "the core does no input or output" },
    { "core/", NULL, "assert( static_assert", "LA_ASSERT, LA_DCHECK and _Static_assert" },
    { "core/", NULL, "goto setjmp( longjmp(", "the way through a step is one way" },
    { "core/", NULL, "float double __int128 _Complex", "integers only, and in 64 bits" },
    { "core/", NULL, "errno", "errors are enum la_err" },
    { "core/", NULL, "_Thread_local __thread volatile", "one stack, one owner, no globals" },
    { "core/", NULL, "strlen( strcpy( strcmp( strncmp( strchr(", "only mem* are there" },
    { "include/", NULL, "float double __int128 bool_t", "integers of a known width" },
    { "sim/", NULL, "float double", "virtual time is exact" },
    { "sim/", NULL, "time( clock( gettimeofday( clock_gettime( getrandom(",
      "a run is a function of its seed" },
    { "drivers/", NULL, "time( clock( gettimeofday( clock_gettime(",
      "time is read in runtime/clock.c" },
    { "", NULL, "rand( srand( random( srandom( drand48(", "randomness is a seed or the kernel's" },
    { "", NULL, "strcpy( strcat( sprintf( vsprintf( gets( strtok( atoi(", "unbounded or unsafe" },
    { "", NULL, "alloca(", "the size of a stack frame is known" },
};

/* Each in two pieces, so that this file does not hold what it looks for. */
static const char *const phrases[][2] = {
    { "..", "/shared" },        { "/wo", "rk/" },         { "/tmp/bui", "ld-" },
    { "crates", ".io" },        { "registry.npm", "js" }, { "py", "pi.org" },
    { "proxy.go", "lang.org" }, { "rubygems", ".org" },   { "deb.debian", ".org" },
    { "brief", ".md" },
};

static bool ends_with(const char *text, const char *end)
{
    const size_t a = strlen(text);
    const size_t b = strlen(end);
    return a >= b && strcmp(text + a - b, end) == 0;
}

static bool is_c(const char *path)
{
    return ends_with(path, ".c") || ends_with(path, ".h");
}

/* Does the word stand at @p as a word, and is it called if the rule says so? */
static bool stands_at(const char *begin, const char *p, const char *word, size_t len)
{
    const bool call = word[len - 1] == '(';
    const size_t name = call ? len - 1 : len;
    if (strncmp(p, word, name) != 0 || is_word_char(p[name]))
        return false;
    if (p > begin && (is_word_char(p[-1]) || p[-1] == '.'))
        return false;
    if (p > begin + 1 && p[-1] == '>' && p[-2] == '-')
        return false; /* a member of that name */
    p += name;
    while (*p == ' ')
        p++;
    return !call || *p == '(';
}

static void check_word(const struct source *s, const struct rule *r, const char *word, size_t len)
{
    for (const char *p = s->code; *p != '\0'; p++)
        if (*p == *word && stands_at(s->code, p, word, len))
            finding(s->path, source_line(s, (size_t)(p - s->code)), "%.*s is banned here: %s",
                    (int)(word[len - 1] == '(' ? len - 1 : len), word, r->reason);
}

static void check_words(const struct source *s)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        const struct rule *r = &rules[i];
        if (!starts_with(s->path, r->in) || (r->except && starts_with(s->path, r->except)))
            continue;
        const char *word = r->words;
        while (*word != '\0') {
            const size_t len = strcspn(word, " ");
            check_word(s, r, word, len);
            word += len;
            word += strspn(word, " ");
        }
    }
}

/* Sequence numbers are opaque: wire/tcp.h makes and opens them, seq.h reckons with them. */
static void check_seq(const struct source *s)
{
    if (!starts_with(s->path, "core/") || strcmp(s->path, "core/tcp/seq.h") == 0 ||
        strcmp(s->path, "core/wire/tcp.h") == 0)
        return;
    for (const char *p = s->code; *p != '\0'; p++) {
        const bool dot = p[0] == '.' && p[1] == 'v' && !is_word_char(p[2]);
        const bool arrow = p[0] == '-' && p[1] == '>' && p[2] == 'v' && !is_word_char(p[3]);
        if (dot || arrow)
            finding(s->path, source_line(s, (size_t)(p - s->code)),
                    "looks into a sequence number: arithmetic on it stands in core/tcp/seq.h");
    }
}

/* In core/ a preprocessor condition is an include guard or nothing. */
static void check_if(const struct source *s)
{
    if (!starts_with(s->path, "core/"))
        return;
    bool guard_seen = false;
    for (const char *p = s->code; p; p = strchr(p, '\n')) {
        p += *p == '\n';
        char word[16] = "";
        char name[80] = "";
        char defined[80] = "";
        if (sscanf(p, "# %15[a-z] %79s # define %79s", word, name, defined) < 1)
            continue;
        const size_t line = source_line(s, (size_t)(p - s->code));
        if (strcmp(word, "ifndef") == 0 && !guard_seen && strcmp(name, defined) == 0)
            guard_seen = true;
        else if (starts_with(word, "if") || starts_with(word, "elif") || strcmp(word, "else") == 0)
            finding(s->path, line, "#%s is banned here: no configuration by preprocessor", word);
        else if (strcmp(word, "pragma") == 0)
            finding(s->path, line, "#pragma is banned here");
    }
}

/* A note of work to do names its issue: TODO(#12). */
static void check_todo(const struct source *s)
{
    static const char *const marks[] = { "TO"
                                         "DO",
                                         "FIX"
                                         "ME",
                                         "XX"
                                         "X",
                                         "HA"
                                         "CK" };
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        const size_t len = strlen(marks[i]);
        const char *p = s->text;
        while ((p = strstr(p, marks[i]))) {
            const bool word = (p == s->text || !is_word_char(p[-1])) && !is_word_char(p[len]);
            unsigned issue;
            /* NOLINTNEXTLINE(cert-err34-c): that it is a number is all that counts */
            if (word && sscanf(p + len, "(#%u)", &issue) != 1)
                finding(s->path, source_line(s, (size_t)(p - s->text)),
                        "%s without the number of an issue: %s(#12)", marks[i], marks[i]);
            p += len;
        }
    }
}

static void check_phrases(const struct source *s)
{
    for (size_t i = 0; i < sizeof phrases / sizeof phrases[0]; i++) {
        char phrase[64];
        snprintf(phrase, sizeof phrase, "%s%s", phrases[i][0], phrases[i][1]);
        const char *p = s->text;
        while ((p = strstr(p, phrase))) {
            finding(s->path, source_line(s, (size_t)(p - s->text)),
                    "\"%s\" has no place in the project", phrase);
            p += strlen(phrase);
        }
    }
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        struct source s = source_read(argv[i]);
        check_phrases(&s);
        if (is_c(s.path)) {
            check_words(&s);
            check_seq(&s);
            check_if(&s);
            check_todo(&s);
        }
        source_free(&s);
    }
    return findings_status();
}
