/* SPDX-License-Identifier: MIT */
/*
 * runner.c - One run; many runs in forked workers.
 *
 * Worker k of n takes seeds from + k, from + k + n, ...  It writes one fixed record a
 * seed into a pipe, small enough to be written whole.  So the parent always knows the
 * seed a worker is at, even if the worker can no longer say.
 */
#include "sim/runner.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORKERS_MAX 16u
#define SEED_SECONDS_MAX 180u /* of the wall clock, sanitizers included: longer is a hang */
#define TWICE_EVERY 10u

struct worker {
    pid_t pid;
    int pipe;
    uint64_t seed; /* the one it is at */
    bool running;
};

struct pool {
    const struct sim_plan *plan;
    struct worker worker[WORKERS_MAX];
    uint32_t count;
    uint64_t failures;
    sim_done *done;
    void *context;
};

const struct sim_scenario *sim_plan_scenario(const struct sim_plan *plan, uint64_t seed)
{
    uint64_t place = seed % 1000u;

    if (plan->only)
        return plan->only;
    for (uint32_t i = 0; i < SIM_SCENARIOS; i++) {
        const struct sim_scenario *s = sim_scenario_at(i);

        if (place < s->seeds)
            return s;
        place -= s->seeds;
    }
    return sim_scenario_at(0);
}

void sim_run(const struct sim_scenario *scenario, uint64_t seed, FILE *trace,
             struct sim_result *out)
{
    struct sim_world w;

    sim_world_init(&w, seed, trace);
    scenario->run(&w);
    *out = (struct sim_result){
        .ok = !w.failed,
        .hash = w.hash,
        .packets = w.packets,
        .turns = w.turns,
        .virtual_ns = w.now_ns,
    };
    memcpy(out->message, w.message, sizeof out->message);
    sim_world_free(&w);
}

static void run_checked(const struct sim_scenario *scenario, uint64_t seed, struct sim_result *out)
{
    struct sim_result again;

    sim_run(scenario, seed, NULL, out);
    if (!out->ok || seed % TWICE_EVERY != 0)
        return;
    sim_run(scenario, seed, NULL, &again);
    if (again.hash == out->hash)
        return;
    out->ok = false;
    snprintf(out->message, sizeof out->message, "two runs of one seed differ");
}

_Static_assert(sizeof(struct sim_result) <= 2048, "a record must be written whole into a pipe");

__attribute__((noreturn)) static void work(const struct sim_plan *plan, uint64_t seed,
                                           uint32_t stride, int out)
{
    while (seed >= plan->from && seed <= plan->to) {
        struct sim_result result;

        alarm(SEED_SECONDS_MAX);
        run_checked(sim_plan_scenario(plan, seed), seed, &result);
        if (write(out, &result, sizeof result) != (ssize_t)sizeof result)
            _exit(1);
        if (plan->to - seed < stride)
            break;
        seed += stride;
    }
    _exit(0);
}

static void start_worker(struct pool *p, struct worker *me, uint64_t seed)
{
    int ends[2];

    me->running = false;
    me->seed = seed;
    if (seed > p->plan->to || seed < p->plan->from || pipe(ends) != 0)
        return;
    fflush(NULL);
    me->pid = fork();
    if (me->pid == 0) {
        close(ends[0]);
        work(p->plan, seed, p->count, ends[1]);
    }
    close(ends[1]);
    me->pipe = ends[0];
    me->running = me->pid > 0;
    if (!me->running)
        close(ends[0]);
}

static void report(struct pool *p, uint64_t seed, const struct sim_result *result)
{
    if (!result->ok)
        p->failures++;
    p->done(p->context, sim_plan_scenario(p->plan, seed), seed, result);
}

/* The pipe is closed: the worker has finished, or died at a seed. */
static void bury(struct pool *p, struct worker *me)
{
    struct sim_result result = { 0 };
    int status = 0;

    close(me->pipe);
    me->running = false;
    if (waitpid(me->pid, &status, 0) != me->pid || (WIFEXITED(status) && WEXITSTATUS(status) == 0))
        return;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        snprintf(result.message, sizeof result.message, "still running after %u s of real time",
                 SEED_SECONDS_MAX);
    else if (WIFSIGNALED(status))
        snprintf(result.message, sizeof result.message, "the process ended by signal %d",
                 WTERMSIG(status));
    else
        snprintf(result.message, sizeof result.message, "the process ended with status %d",
                 WEXITSTATUS(status));
    report(p, me->seed, &result);
    start_worker(p, me, me->seed + p->count);
}

static void listen_to(struct pool *p, struct worker *me)
{
    struct sim_result result;
    const ssize_t got = read(me->pipe, &result, sizeof result);

    if (got != (ssize_t)sizeof result) {
        bury(p, me);
        return;
    }
    const uint64_t seed = me->seed;

    me->seed += p->count;
    report(p, seed, &result);
}

static void stop_all(struct pool *p)
{
    for (uint32_t i = 0; i < p->count; i++) {
        struct worker *me = &p->worker[i];

        if (!me->running)
            continue;
        kill(me->pid, SIGKILL);
        waitpid(me->pid, NULL, 0);
        close(me->pipe);
        me->running = false;
    }
}

uint64_t sim_run_plan(const struct sim_plan *plan, uint32_t workers, uint64_t failures_max,
                      sim_done *done, void *context)
{
    struct pool p = { .plan = plan, .done = done, .context = context };

    p.count = workers < 1 ? 1 : workers > WORKERS_MAX ? WORKERS_MAX : workers;
    for (uint32_t i = 0; i < p.count; i++)
        start_worker(&p, &p.worker[i], plan->from + i);
    while (p.failures < failures_max) {
        struct pollfd fds[WORKERS_MAX];
        struct worker *whose[WORKERS_MAX];
        nfds_t count = 0;

        for (uint32_t i = 0; i < p.count; i++) {
            if (!p.worker[i].running)
                continue;
            whose[count] = &p.worker[i];
            fds[count++] = (struct pollfd){ .fd = p.worker[i].pipe, .events = POLLIN };
        }
        if (count == 0)
            break;
        if (poll(fds, count, -1) < 0)
            continue;
        for (nfds_t i = 0; i < count && p.failures < failures_max; i++)
            if (fds[i].revents)
                listen_to(&p, whose[i]);
    }
    stop_all(&p);
    return p.failures;
}
