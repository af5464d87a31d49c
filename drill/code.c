/* SPDX-License-Identifier: MIT */
/*
 * code.c - %{ assert tcpi_state == TCP_ESTABLISHED, "a message" }%
 *
 * The language is what scripts use of Python: assertions and assignments of expressions over
 * numbers, one a line or separated by semicolons.  Names are fields of the tcp_info of the socket
 * the script last made, as they are at that moment; states and flags; variables assigned before.
 * What is beyond that (imports, loops, functions) is not supported, and says so.
 */
#include "drill/code.h"

#include "drill/symbols.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

/* --- tokens ---------------------------------------------------------------------------- */

void drill_code_skip(struct drill_code *k)
{
    for (;;) {
        const char c = *k->at;
        if (c == ' ' || c == '\t' || c == '\r' || (c == '\n' && k->open > 0)) {
            k->line += c == '\n';
            k->at++;
        } else if (c == '\\' && k->at[1] == '\n') {
            k->line++;
            k->at += 2;
        } else if (c == '#') {
            while (*k->at != '\0' && *k->at != '\n')
                k->at++;
        } else {
            return;
        }
    }
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c >= '0' && c <= '9');
}

bool drill_code_take(struct drill_code *k, const char *token)
{
    const size_t len = strlen(token);
    drill_code_skip(k);
    if (k->failed || strncmp(k->at, token, len) != 0 || (is_word(token[0]) && is_word(k->at[len])))
        return false;
    k->at += len;
    return true;
}

bool drill_code_word(struct drill_code *k, char to[64])
{
    size_t len = 0;
    drill_code_skip(k);
    if (!is_word(*k->at) || (*k->at >= '0' && *k->at <= '9'))
        return false;
    while (is_word(k->at[len]))
        len++;
    if (len >= 64)
        return false;
    memcpy(to, k->at, len);
    to[len] = '\0';
    k->at += len;
    return true;
}

void drill_code_wrong(struct drill_code *k, const char *expected)
{
    if (!k->failed)
        (void)drill_malformed(k->r, k->line, "%s in code, not \"%.20s\"", expected, k->at);
    k->failed = true;
}

/* --- names ------------------------------------------------------------------------------- */

static bool fetch_info(struct drill_code *k)
{
    socklen_t len = sizeof k->info;
    if (k->info_asked)
        return k->info_len > 0;
    k->info_asked = true;
    const intptr_t args[6] = { k->r->under_test, IPPROTO_TCP, TCP_INFO, (intptr_t)k->info,
                               (intptr_t)&len };
    const int64_t result = drill_ask(k->r, DRILL_OP_GETSOCKOPT, args);
    if (result < 0) {
        (void)drill_failf(k->r, "tcp_info of the socket under test", "%s",
                          drill_errno_name((int)-result));
        k->failed = true;
        return false;
    }
    k->info_len = len;
    return true;
}

struct drill_number drill_code_name(struct drill_code *k, const char *name)
{
    int64_t n = 0;
    for (const struct drill_variable *v = k->r->variables; v != NULL; v = v->next)
        if (strcmp(v->name, name) == 0)
            return v->value;
    if (strcmp(name, "True") == 0 || strcmp(name, "False") == 0)
        return (struct drill_number){ .integer = name[0] == 'T' };
    if (strncmp(name, "tcpi_", 5) == 0) {
        if (!fetch_info(k))
            return (struct drill_number){ 0 };
        if (drill_tcp_info(k->info, k->info_len, name, &n) == 1)
            return (struct drill_number){ .integer = n };
    } else if (drill_symbol(name, &n)) {
        return (struct drill_number){ .integer = n };
    }
    if (!k->failed)
        (void)drill_unsupported(k->r, "name %s in code", name);
    k->failed = true;
    return (struct drill_number){ 0 };
}

/* --- statements ---------------------------------------------------------------------------- */

static void assign(struct drill_code *k, const char *name)
{
    const struct drill_number value = drill_code_expression(k);
    struct drill_variable *v = k->r->variables;
    while (v != NULL && strcmp(v->name, name) != 0)
        v = v->next;
    if (v == NULL) {
        v = drill_alloc(k->r->pool, sizeof *v);
        v->name = drill_text(k->r->pool, name, strlen(name));
        v->next = k->r->variables;
        k->r->variables = v;
    }
    v->value = value;
}

/* The values of the fields an assertion speaks of, for its message. */
static const char *values_in(struct drill_code *k, const char *begin, const char *end)
{
    char text[512] = "";
    size_t used = 0;
    for (const char *p = begin; p < end; p++) {
        char name[64];
        int64_t n;
        size_t len = 0;
        if (strncmp(p, "tcpi_", 5) != 0 || (p > begin && is_word(p[-1])))
            continue;
        while (len < sizeof name - 1 && is_word(p[len]))
            len++;
        memcpy(name, p, len);
        name[len] = '\0';
        if (drill_tcp_info(k->info, k->info_len, name, &n) == 1 && used + 96 < sizeof text)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%s is %lld",
                                     used > 0 ? ", " : "", name, (long long)n);
        p += len;
    }
    return used > 0 ? drill_text(k->r->pool, text, used) : "it is false";
}

/* A message behind the comma: strings and what formats them are not evaluated. */
static void skip_statement(struct drill_code *k)
{
    while (*k->at != '\0' && *k->at != '\n' && *k->at != ';')
        k->at++;
}

static void assertion(struct drill_code *k)
{
    drill_code_skip(k);
    const char *begin = k->at;
    const struct drill_number n = drill_code_expression(k);
    const char *end = k->at;
    if (drill_code_take(k, ","))
        skip_statement(k);
    if (k->failed || drill_number_is_true(n))
        return;
    char what[256];
    snprintf(what, sizeof what, "assert %.*s", (int)(k->at - begin), begin);
    (void)drill_fail(k->r, what, values_in(k, begin, end));
    k->failed = true;
}

static void statement(struct drill_code *k)
{
    static const char *const refused[] = { "import", "from", "if",  "for",  "while", "def",
                                           "try",    "with", "del", "exec", "global" };
    char word[64];
    const char *begin = k->at;
    if (drill_code_take(k, "assert")) {
        assertion(k);
        return;
    }
    if (drill_code_take(k, "print") || drill_code_take(k, "pass")) {
        skip_statement(k);
        return;
    }
    if (!drill_code_word(k, word)) {
        drill_code_wrong(k, "a statement");
        return;
    }
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        if (strcmp(word, refused[i]) == 0) {
            (void)drill_unsupported(k->r, "%s in code", word);
            k->failed = true;
            return;
        }
    drill_code_skip(k);
    if (*k->at != '=' || k->at[1] == '=') {
        k->at = begin;
        drill_code_wrong(k, "assert, or an assignment");
        return;
    }
    k->at++;
    assign(k, word);
}

bool drill_run_code(struct drill_run *r, const char *text)
{
    struct drill_code k = { .r = r, .at = text, .line = r->event->line };
    for (;;) {
        drill_code_skip(&k);
        while (*k.at == '\n' || *k.at == ';') {
            k.line += *k.at == '\n';
            k.at++;
            drill_code_skip(&k);
        }
        if (*k.at == '\0')
            return true;
        statement(&k);
        if (k.failed)
            return false;
        drill_code_skip(&k);
        if (*k.at != '\0' && *k.at != '\n' && *k.at != ';') {
            drill_code_wrong(&k, "the end of a statement");
            return false;
        }
    }
}
