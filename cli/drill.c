/* SPDX-License-Identifier: MIT */
/*
 * drill.c - `lastack drill FILE...`: run packet scripts.
 *
 * Each script runs in a process of its own, a few at a time, and leaves its result in memory
 * shared with this one: so a script can do nothing to another, whatever happens to it, and
 * --kernel may enter a namespace and leave it by ending.  Results are printed in the order of the files.
 */
#include "drill/drill.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/json.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define FILES_MAX 100000
#define DEFINES_MAX DRILL_DEFINES_MAX
/* A kernel's timers are late by up to an eighth, and a machine may be busy. */
#define REAL_TOLERANCE_NS 30000000
#define REAL_TOLERANCE_PERCENT 13
#define SCRIPT_BYTES_MAX ((size_t)16 << 20)

enum form { FORM_TEXT, FORM_JSON, FORM_TAP };

struct drilling {
    struct drill_config config;
    struct drill_define defines[DEFINES_MAX];
    size_t define_count;
    char **files;
    size_t count, room;
    struct drill_result *results; /* shared */
    pid_t *workers;
    uint64_t jobs, seconds;
    bool json, tap, quiet;
    enum form form;
    size_t passed, failed, unsupported, malformed;
};

/* --- files ----------------------------------------------------------------------------------- */

static bool add_file(struct drilling *d, const char *path)
{
    if (d->count == FILES_MAX)
        return false;
    if (d->count == d->room) {
        d->room = d->room * 2 + 64;
        char **larger = realloc(d->files, d->room * sizeof *larger);
        if (larger == NULL)
            return false;
        d->files = larger;
    }
    char *copy = strdup(path);
    if (copy == NULL)
        return false;
    d->files[d->count++] = copy; /* NOLINT(-Wanalyzer-malloc-leak): the list holds it */
    return true;
}

static int is_script(const struct dirent *e)
{
    const size_t len = strlen(e->d_name);
    if (e->d_name[0] == '.')
        return 0;
    return e->d_type == DT_DIR || (len > 4 && strcmp(e->d_name + len - 4, ".pkt") == 0);
}

static bool add_path(struct drilling *d, const char *path, int depth)
{
    struct dirent **entries;
    struct stat st;
    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
        return add_file(d, path);
    const int count = depth < 16 ? scandir(path, &entries, is_script, alphasort) : -1;
    if (count < 0)
        return false;
    bool ok = true;
    for (int i = 0; i < count; i++) {
        char below[4096];
        const int len = snprintf(below, sizeof below, "%s/%s", path, entries[i]->d_name);
        ok = ok && len < (int)sizeof below && add_path(d, below, depth + 1);
        free(entries[i]);
    }
    free(entries);
    return ok;
}

static char *read_script(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        return NULL;
    char *text = malloc(SCRIPT_BYTES_MAX);
    *len = text != NULL ? fread(text, 1, SCRIPT_BYTES_MAX, f) : 0;
    if (text != NULL && ferror(f)) {
        free(text);
        text = NULL;
    }
    const int err = errno;
    (void)fclose(f);
    errno = err;
    return text;
}

/* --- workers ----------------------------------------------------------------------------------- */

static void work(struct drilling *d, size_t i)
{
    struct drill_result *result = &d->results[i];
    char folder[4096];
    size_t len = 0;
    char *text = read_script(d->files[i], &len);
    if (text == NULL) {
        result->verdict = DRILL_MALFORMED;
        snprintf(result->expected, sizeof result->expected, "a script: %s", strerror(errno));
        return;
    }
    snprintf(folder, sizeof folder, "%s", d->files[i]);
    char *slash = strrchr(folder, '/');
    if (slash != NULL)
        *slash = '\0';
    d->config.folder = slash != NULL ? folder : NULL;
    drill_script_run(d->files[i], text, len, &d->config, d->defines, d->define_count, result);
    d->config.folder = NULL;
    free(text);
}

static bool start(struct drilling *d, size_t i)
{
    struct drill_result *result = &d->results[i];
    result->verdict = DRILL_FAIL; /* until it is known better */
    snprintf(result->expected, sizeof result->expected, "the script is run to its end");
    fflush(NULL);
    d->workers[i] = fork();
    if (d->workers[i] != 0)
        return d->workers[i] > 0;
    alarm((unsigned)d->seconds);
    work(d, i);
    fflush(NULL);
    _exit(0);
}

static void finish(struct drilling *d, size_t i)
{
    struct drill_result *result = &d->results[i];
    int status = 0;
    while (waitpid(d->workers[i], &status, 0) < 0 && errno == EINTR)
        continue;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        snprintf(result->came, sizeof result->came, "it took longer than %" PRIu64 " s",
                 d->seconds);
    else if (WIFSIGNALED(status))
        snprintf(result->came, sizeof result->came, "its process died of signal %d",
                 WTERMSIG(status));
    if (WIFSIGNALED(status))
        result->verdict = DRILL_FAIL;
}

/* --- results ----------------------------------------------------------------------------------- */

static const char *verdict_name(enum drill_verdict v)
{
    switch (v) {
    case DRILL_PASS:
        return "pass";
    case DRILL_FAIL:
        return "FAIL";
    case DRILL_MALFORMED:
        return "MALFORMED";
    case DRILL_UNSUPPORTED:
        return "unsupported";
    }
    return "?";
}

static void print_details(const struct drill_result *r, const char *file, const char *prefix)
{
    if (r->verdict == DRILL_UNSUPPORTED)
        printf("%s%s:%u: not supported: %s\n", prefix, file, r->line, r->feature);
    if (r->verdict == DRILL_UNSUPPORTED && r->source[0] != '\0')
        printf("%s    %s\n", prefix, r->source);
    if (r->verdict != DRILL_FAIL && r->verdict != DRILL_MALFORMED)
        return;
    printf("%s%s:%u: %s\n", prefix, file, r->line, r->source);
    printf("%s  expected  %s\n", prefix, r->expected);
    if (r->came[0] != '\0')
        printf("%s  came      %s\n", prefix, r->came);
    for (uint32_t i = 0; i < r->ladder_count; i++)
        printf("%s  %s\n", prefix, r->ladder[i]);
}

static void print_json(const struct drill_result *r, const char *file)
{
    struct json j;
    json_event(&j, stdout, "script", (uint64_t)(r->script_ns > 0 ? r->script_ns : 0));
    json_text(&j, "file", file);
    json_text(&j, "verdict",
              r->verdict == DRILL_FAIL        ? "fail"
              : r->verdict == DRILL_MALFORMED ? "malformed"
                                              : verdict_name(r->verdict));
    json_number(&j, "events", r->events);
    if (r->verdict != DRILL_PASS) {
        json_number(&j, "line", r->line);
        json_text(&j, "source", r->source);
        json_text(&j, "feature", r->feature);
        json_text(&j, "expected", r->expected);
        json_text(&j, "came", r->came);
    }
    json_end(&j);
}

static void print_result(struct drilling *d, size_t i)
{
    const struct drill_result *r = &d->results[i];
    const char *file = d->files[i];
    d->passed += r->verdict == DRILL_PASS;
    d->failed += r->verdict == DRILL_FAIL;
    d->malformed += r->verdict == DRILL_MALFORMED;
    d->unsupported += r->verdict == DRILL_UNSUPPORTED;
    if (d->form == FORM_JSON) {
        print_json(r, file);
    } else if (d->form == FORM_TAP) {
        const bool ok = r->verdict == DRILL_PASS || r->verdict == DRILL_UNSUPPORTED;
        printf("%s %zu - %s", ok ? "ok" : "not ok", i + 1, file);
        if (r->verdict == DRILL_UNSUPPORTED)
            printf(" # SKIP unsupported: %s", r->feature);
        putchar('\n');
        print_details(r, file, "# ");
    } else if (!d->quiet || r->verdict != DRILL_PASS) {
        printf("%-11s %s (%u events, %.3f s)\n", verdict_name(r->verdict), file, r->events,
               (double)r->script_ns / 1e9);
        print_details(r, file, "  ");
    }
}

static int summary(const struct drilling *d)
{
    if (d->form == FORM_JSON) {
        struct json j;
        json_event(&j, stdout, "summary", 0);
        json_number(&j, "passed", d->passed);
        json_number(&j, "failed", d->failed);
        json_number(&j, "malformed", d->malformed);
        json_number(&j, "unsupported", d->unsupported);
        json_end(&j);
    } else {
        printf("%s%zu passed, %zu failed, %zu malformed, %zu unsupported\n",
               d->form == FORM_TAP ? "# " : "", d->passed, d->failed, d->malformed, d->unsupported);
    }
    if (d->malformed > 0)
        return CLI_USAGE;
    if (d->failed > 0)
        return CLI_FAILED;
    return d->unsupported > 0 ? DRILL_UNSUPPORTED : CLI_OK;
}

static int run_all(struct drilling *d)
{
    const size_t bytes = d->count * sizeof *d->results;
    d->results = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    d->workers = calloc(d->count, sizeof *d->workers);
    if (d->results == MAP_FAILED || d->workers == NULL)
        return args_failed("drill", "no memory for %zu results", d->count);
    if (d->form == FORM_TAP)
        printf("1..%zu\n", d->count);
    size_t started = 0;
    for (size_t i = 0; i < d->count; i++) {
        for (; started < d->count && started < i + d->jobs; started++)
            if (!start(d, started))
                return args_failed("drill", "fork: %s", strerror(errno));
        finish(d, i);
        print_result(d, i);
        fflush(stdout);
    }
    const int status = summary(d);
    munmap(d->results, bytes);
    free(d->workers);
    for (size_t i = 0; i < d->count; i++)
        free(d->files[i]);
    free(d->files);
    return status;
}

/* --- options ----------------------------------------------------------------------------------- */

static int take_define(void *to, const struct args_option *o, const char *text)
{
    struct drilling *d = to;
    char *copy = strdup(text);
    char *equals = copy != NULL ? strchr(copy, '=') : NULL;

    if (equals == NULL || equals == copy || d->define_count == DEFINES_MAX) {
        free(copy);
        return args_wrong("drill", "--%s takes %s, at most %d times", o->name, o->value,
                          DEFINES_MAX);
    }
    *equals = '\0';
    d->defines[d->define_count++] = (struct drill_define){ copy, equals + 1 };
    return CLI_OK;
}

/* An option that a script may have too, with the same name: it overrules the script. */
static int take_config(void *to, const struct args_option *o, const char *value)
{
    struct drilling *d = to;
    char why[256] = "";

    if (value == o->standard) /* drill_config_default() did that, and a script may change it */
        return CLI_OK;
    if (d->config.override_count == DRILL_OVERRIDES_MAX)
        return args_wrong("drill", "too many options");
    if (drill_config_set(&d->config, o->name, value, why, sizeof why) != 0)
        return args_wrong("drill", "%s", why);
    d->config.overrides[d->config.override_count].name = o->name;
    d->config.overrides[d->config.override_count++].value = value;
    return CLI_OK;
}

static int take_path(void *to, const char *value)
{
    if (!add_path(to, value, 0))
        return args_failed("drill", "%s: can not be listed, or too many files", value);
    return CLI_OK;
}

static const struct args_option options[] = {
    ARGS_FLAG('k', "kernel", struct drilling, config.kernel,
              "examine this machine's kernel, in real time; wants root"),
    ARGS_FLAG(0, "json", struct drilling, json,
              "one JSON object a line for each script, and a summary"),
    ARGS_FLAG(0, "tap", struct drilling, tap,
              "Test Anything Protocol; what is unsupported is a SKIP"),
    ARGS_FLAG('q', "quiet", struct drilling, quiet,
              "only scripts that do not pass, and the summary"),
    ARGS_NUMBER('j', "jobs", "N", NULL, 1, 256, struct drilling, jobs,
                "scripts at a time, for one a processor, or 1 with --kernel"),
    ARGS_NUMBER(0, "time", "SECONDS", "60", 1, 86400, struct drilling, seconds,
                "real time a script may take"),
    ARGS_OWN('D', "define", "NAME=VALUE", NULL, take_define,
             "replace the word NAME in the scripts"),
#define CONFIG(name, value, standard, help) ARGS_OWN(0, name, value, standard, take_config, help)
    CONFIG("ip_version", "WHICH", "ipv4", "of ipv4, ipv6 and ipv4-mapped-ipv6"),
    CONFIG("local_ip", "ADDRESS", "192.168.0.1", "of the host under test"),
    CONFIG("remote_ip", "ADDRESS", "192.0.2.1", "of the script's side"),
    CONFIG("bind_port", "PORT", "8080", "what bind(fd, ..., ...) binds to"),
    CONFIG("connect_port", "PORT", "8080", "what connect(fd, ..., ...) goes to"),
    CONFIG("mtu", "BYTES", "1500", "of the link"),
    CONFIG("mss", "BYTES", NULL, "longer outbound packets are put together from these"),
    CONFIG("tolerance_usecs", "N", "4000", "how far times may be off"),
    CONFIG("tolerance_percent", "N", NULL, "the same, of the time since the event before"),
    CONFIG("remote_isn", "N", "0", "added to the script's own sequence numbers"),
    CONFIG("seed", "N", "1", "the secret of lastack: its initial sequence numbers"),
#undef CONFIG
};
static const struct args_operand operands[] = { ARGS_OPERANDS("scripts", take_path) };

static int drill_main(int argc, char **argv)
{
    struct drilling d = { .seconds = 0 };

    drill_config_default(&d.config);
    const int status = args_parse(&cmd_drill, &d, argc, argv);
    if (status >= 0)
        return status;
    d.form = d.json ? FORM_JSON : d.tap ? FORM_TAP : FORM_TEXT;
    if (d.config.kernel) {
        d.config.patience_ns = (int64_t)10 * 1000000000;
        d.config.tolerance_ns += REAL_TOLERANCE_NS;
        if (d.config.tolerance_percent == 0)
            d.config.tolerance_percent = REAL_TOLERANCE_PERCENT;
    }
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    if (d.jobs == 0)
        d.jobs = d.config.kernel || processors < 1 ? 1 : (uint64_t)processors;
    return run_all(&d); /* NOLINT(clang-analyzer-unix.Malloc): after an error the process ends */
}

const struct args_command cmd_drill = {
    .name = "drill",
    .what = "run packet scripts, against lastack or against the kernel",
    .usage = { "[OPTION]... FILE|FOLDER..." },
    .about = "Runs packet scripts, in packetdrill's language, against lastack: in this process,\n"
             "without privileges, in virtual time.  A folder stands for all *.pkt files in it.\n",
    .options = { ARGS_LIST(options) },
    .operands = { ARGS_LIST(operands) },
    .examples = "A script that opens a listener:\n"
                "\n"
                "    printf '0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\\n' >a.pkt\n"
                "    printf '+0 bind(3, ..., ...) = 0\\n' >>a.pkt\n"
                "    printf '+0 listen(3, 1) = 0\\n' >>a.pkt\n"
                "    lastack drill a.pkt\n"
                "\n"
                "docs/drill.md describes the language.\n",
    .status = "Exit status: 0 all pass, 1 one fails, 2 one can not be read, 77 none fails but one\n"
              "wants something that is not supported.\n",
    .run = drill_main,
};
