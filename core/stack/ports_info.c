/* SPDX-License-Identifier: MIT */
/*
 * ports_info.c - What is left of the local ports, for people and for bind(); and the two
 * settings of ports that are lists, in the text of /proc/sys.
 */
#include "core/stack/stack.h"

enum la_port_answer la_port_asked(const struct la_stack *s, struct la_addr addr, bool v4,
                                  uint16_t port, bool reuse, bool reuse_port)
{
    return port_asked(&s->tcp, addr, v4, port, port_share(reuse, reuse_port));
}

void la_ports_range(const struct la_stack *s, struct la_ports_info *out)
{
    const struct tcp *t = &s->tcp;
    const struct tcp_port_range range = tcp_port_range(t);

    *out = (struct la_ports_info){
        .min = (uint16_t)range.min,
        .max = (uint16_t)range.max,
        .two_msl_ms = 2 * (uint64_t)t->env.knobs.msl_ms,
        .searches = t->port_searches,
        .probes = t->port_probes,
    };
    for (uint32_t port = range.min; port <= range.max; port++)
        out->ports += !tcp_port_reserved(t, port);
}

enum la_err la_ports_info(const struct la_stack *s, struct la_addr local, struct la_endpoint remote,
                          struct la_ports_info *out)
{
    const struct tcp *t = &s->tcp;
    struct tcp_flow f = { .laddr = local, .raddr = remote.addr, .rport = remote.port };
    struct ip_path path = { .iface = 0 };
    enum la_err err = LA_EINVAL;

    if (remote.port != 0)
        err = ip_path(&s->ip, remote.addr, &path);
    if (err != LA_OK)
        return err;
    if (la_addr_is_unspecified(local))
        f.laddr = path.src;
    la_ports_range(s, out);
    for (uint32_t port = out->min; port <= out->max; port++) {
        struct index_entry e;

        if (tcp_port_reserved(t, port))
            continue;
        f.lport = (uint16_t)port;
        e = tcp_lookup(t, &f, tcp_hash(t, &f));
        out->used += e.type != INDEX_FREE;
        out->time_wait += e.type == INDEX_SHORT && short_at(t, e.value)->state == LA_TIME_WAIT;
    }
    return LA_OK;
}

/* Text ------------------------------------------------------------------------------------- */

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n';
}

/* A decimal number up to @max; moves *@at behind it. */
static bool read_number(const char **at, uint64_t max, uint64_t *out)
{
    const char *p = *at;
    uint64_t n = 0;

    if (*p < '0' || *p > '9')
        return false;
    for (; *p >= '0' && *p <= '9'; p++) {
        n = n * 10 + (uint64_t)(*p - '0');
        if (n > max)
            return false;
    }
    *at = p;
    *out = n;
    return true;
}

static const char *skip_space(const char *p)
{
    while (is_space(*p))
        p++;
    return p;
}

struct text {
    char *to;
    uint32_t len, room; /* with the NUL */
    bool full;
};

static void put_char(struct text *x, char c)
{
    if (x->len + 1 >= x->room) {
        x->full = true;
        return;
    }
    x->to[x->len++] = c;
}

static void put_number(struct text *x, uint64_t n)
{
    char digits[20];
    uint32_t count = 0;

    do {
        digits[count++] = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    while (count > 0)
        put_char(x, digits[--count]);
}

static bool name_is(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

/* Lists of ports ----------------------------------------------------------------------------- */

#define RANGE "net.ipv4.ip_local_port_range"
#define RESERVED "net.ipv4.ip_local_reserved_ports"
#define RMEM "net.ipv4.tcp_rmem"
#define WMEM "net.ipv4.tcp_wmem"
#define MEM "net.ipv4.tcp_mem"
#define CONGESTION "net.ipv4.tcp_congestion_control"
#define CONGESTIONS "net.ipv4.tcp_available_congestion_control"

static enum la_err write_mem(struct tcp *t, const char *text)
{
    uint64_t pages[3];

    for (uint32_t i = 0; i < 3; i++) {
        text = skip_space(text);
        if (!read_number(&text, UINT32_MAX, &pages[i]) || (i < 2 && !is_space(*text)))
            return LA_EINVAL;
    }
    if (*skip_space(text) != '\0' || !memory_set(t, pages))
        return LA_EINVAL;
    return LA_OK;
}

static enum la_err write_range(struct tcp *t, const char *text)
{
    uint64_t low, high;

    text = skip_space(text);
    if (!read_number(&text, 65535, &low) || !is_space(*text))
        return LA_EINVAL;
    text = skip_space(text);
    if (!read_number(&text, 65535, &high) || *skip_space(text) != '\0' || low == 0 || low > high)
        return LA_EINVAL;
    t->env.knobs.port_min = (uint32_t)low;
    t->env.knobs.port_max = (uint32_t)high;
    return LA_OK;
}

/* Into the list, in order and apart: those that meet it become one with it.  False if it is full. */
static bool reserve(struct tcp_port_reserved *list, uint32_t *count, uint32_t min, uint32_t max)
{
    uint32_t from = 0, to;

    while (from < *count && list[from].max + 1u < min)
        from++;
    for (to = from; to < *count && list[to].min <= max + 1u; to++) {
        min = list[to].min < min ? list[to].min : min;
        max = list[to].max > max ? list[to].max : max;
    }
    if (to == from && *count == LA_PORT_RANGES_MAX)
        return false;
    memmove(&list[from + 1], &list[to], (*count - to) * sizeof(list[0]));
    list[from] = (struct tcp_port_reserved){ (uint16_t)min, (uint16_t)max };
    *count = *count - (to - from) + 1;
    return true;
}

static enum la_err write_reserved(struct tcp *t, const char *text)
{
    struct tcp_port_reserved list[LA_PORT_RANGES_MAX + 1];
    uint32_t count = 0;

    for (text = skip_space(text); *text != '\0';) {
        uint64_t min, max;

        if (!read_number(&text, 65535, &min))
            return LA_EINVAL;
        max = min;
        if (*text == '-') {
            text++;
            if (!read_number(&text, 65535, &max))
                return LA_EINVAL;
        }
        if (min > max || !reserve(list, &count, (uint32_t)min, (uint32_t)max))
            return LA_EINVAL;
        if (*text != ',' && !is_space(*text) && *text != '\0')
            return LA_EINVAL;
        while (*text == ',' || is_space(*text))
            text++;
    }
    memcpy(t->reserved, list, count * sizeof(list[0]));
    t->reserved_count = count;
    return LA_OK;
}

static void read_reserved(const struct tcp *t, struct text *x)
{
    for (uint32_t i = 0; i < t->reserved_count; i++) {
        if (i > 0)
            put_char(x, ',');
        put_number(x, t->reserved[i].min);
        if (t->reserved[i].max == t->reserved[i].min)
            continue;
        put_char(x, '-');
        put_number(x, t->reserved[i].max);
    }
}

/* "min default max".  The smallest is not a thing here: it reads 4096, and takes nothing else. */
#define BUFFER_MIN 4096

static enum la_err write_buffer(const char *text, uint32_t least, uint32_t *value, uint32_t *most)
{
    uint64_t n[3];

    for (uint32_t i = 0; i < 3; i++) {
        text = skip_space(text);
        if (!read_number(&text, TCP_BUFFER_BITS / 2, &n[i]) || (i < 2 && !is_space(*text)))
            return LA_EINVAL;
    }
    if (*skip_space(text) != '\0' || n[0] != BUFFER_MIN || n[1] < least || n[2] < n[1])
        return LA_EINVAL;
    *value = (uint32_t)n[1];
    *most = (uint32_t)n[2];
    return LA_OK;
}

static void put_buffer(struct text *x, uint32_t value, uint32_t most)
{
    put_number(x, BUFFER_MIN);
    put_char(x, '\t');
    put_number(x, value);
    put_char(x, '\t');
    put_number(x, most);
}

static enum la_err write_congestion(struct tcp *t, const char *text)
{
    const char *word;

    text = skip_space(text);
    for (uint32_t i = LA_CONGESTION_DEFAULT + 1; (word = la_congestion_name(i)) != NULL; i++) {
        const char *at = text;

        while (*word != '\0' && *word == *at) {
            word++;
            at++;
        }
        if (*word == '\0' && *skip_space(at) == '\0') {
            t->congestion = (uint8_t)i;
            return LA_OK;
        }
    }
    return LA_EINVAL;
}

static void put_congestions(struct text *x, uint32_t first, uint32_t last)
{
    for (uint32_t i = first; i <= last && la_congestion_name(i) != NULL; i++) {
        if (i > first)
            put_char(x, ' ');
        for (const char *p = la_congestion_name(i); *p != '\0'; p++)
            put_char(x, *p);
    }
}

enum la_err la_sysctl_write(struct la_stack *s, const char *name, const char *text)
{
    uint64_t number;

    if (name_is(name, MEM))
        return write_mem(&s->tcp, text);
    if (name_is(name, RANGE))
        return write_range(&s->tcp, text);
    if (name_is(name, RESERVED))
        return write_reserved(&s->tcp, text);
    if (name_is(name, RMEM))
        return write_buffer(text, 1024, &s->tcp.env.knobs.rcvbuf, &s->tcp.env.knobs.rcvbuf_max);
    if (name_is(name, WMEM))
        return write_buffer(text, 2048, &s->tcp.env.knobs.sndbuf, &s->tcp.env.knobs.sndbuf_max);
    if (name_is(name, CONGESTION))
        return write_congestion(&s->tcp, text);
    if (name_is(name, CONGESTIONS))
        return LA_EINVAL;
    if (la_sysctl_get(s, name, &number) != LA_OK)
        return LA_ENOENT;
    text = skip_space(text);
    if (!read_number(&text, UINT32_MAX, &number) || *skip_space(text) != '\0')
        return LA_EINVAL;
    return la_sysctl_set(s, name, number);
}

enum la_err la_sysctl_read(const struct la_stack *s, const char *name, char *text, uint32_t bytes)
{
    struct text x = { .to = text, .room = bytes };
    uint64_t number;

    if (bytes == 0)
        return LA_EINVAL;
    if (name_is(name, MEM)) {
        for (uint32_t i = 0; i < 3; i++) {
            if (i > 0)
                put_char(&x, '\t');
            put_number(&x, memory_pages(&s->tcp, i));
        }
    } else if (name_is(name, RANGE)) {
        put_number(&x, s->tcp.env.knobs.port_min);
        put_char(&x, '\t');
        put_number(&x, s->tcp.env.knobs.port_max);
    } else if (name_is(name, RESERVED)) {
        read_reserved(&s->tcp, &x);
    } else if (name_is(name, RMEM)) {
        put_buffer(&x, s->tcp.env.knobs.rcvbuf, s->tcp.env.knobs.rcvbuf_max);
    } else if (name_is(name, WMEM)) {
        put_buffer(&x, s->tcp.env.knobs.sndbuf, s->tcp.env.knobs.sndbuf_max);
    } else if (name_is(name, CONGESTION)) {
        put_congestions(&x, s->tcp.congestion, s->tcp.congestion);
    } else if (name_is(name, CONGESTIONS)) {
        put_congestions(&x, LA_CONGESTION_DEFAULT + 1, LA_CONGESTION_CUBIC);
    } else if (la_sysctl_get(s, name, &number) == LA_OK) {
        put_number(&x, number);
    } else {
        return LA_ENOENT;
    }
    text[x.len] = '\0';
    return x.full ? LA_EINVAL : LA_OK;
}

const char *la_sysctl_list_name(uint32_t i)
{
    static const char *const names[] = {
        MEM, RANGE, RESERVED, RMEM, WMEM, CONGESTION, CONGESTIONS
    };

    return i < LA_COUNT_OF(names) ? names[i] : NULL;
}

const char *la_sysctl_list_text(uint32_t i)
{
    static const char *const texts[] = {
        "pages of the pool: no pressure below, pressure above, and the most",
        "first and last ephemeral port",
        "ports that are never chosen: numbers and ranges, with commas between",
        "receive buffer of a new connection: 4096, bytes, what it may grow to",
        "send buffer, likewise",
        "congestion control of new connections: reno or cubic",
        "what there is to choose from; not to be set",
    };

    return i < LA_COUNT_OF(texts) ? texts[i] : NULL;
}
