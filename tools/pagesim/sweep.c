/*
 * Each policy with each number of frames, in one pass over the trace.
 */
#include <stdlib.h>

#include "tools/pagesim/common.h"
#include "tools/pagesim/stack.h"
#include "tools/pagesim/tasks.h"

/* One policy: a stack for all numbers of frames, or a simulation for each. */
struct run {
    const struct policy *policy;
    struct stack *stack;
    struct simulation *simulations;
};

static uint32_t
most_frames(const struct options *options)
{
    uint32_t most = 0;

    for (size_t i = 0; i < options->frames.count; i++)
        if (options->frames.values[i] > most)
            most = options->frames.values[i];
    return most;
}

static bool
needs_future(const struct options *options)
{
    for (size_t i = 0; i < options->policy_count; i++)
        if (options->policies[i] == &policy_opt)
            return true;
    return false;
}

static void
run_start(struct run *run, const struct policy *policy, const struct trace *trace, const struct options *options,
          const struct recording *recording)
{
    bool is_opt = policy == &policy_opt, is_stack = policy == &policy_lru || (is_opt && recording->plain);
    const uint32_t *future = is_opt ? recording->future : NULL;

    *run = (struct run){.policy = policy};
    if (is_stack && options->stack && options->frames.count > 1) {
        run->stack = stack_start(most_frames(options), trace, future);
        return;
    }
    run->simulations = allocate(options->frames.count, sizeof(*run->simulations));
    for (size_t i = 0; i < options->frames.count; i++)
        simulation_start(&run->simulations[i], policy, options->frames.values[i], trace, future, &options->settings);
}

static void
run_records(struct run *run, const struct options *options, const struct trace_record *records, size_t count)
{
    if (run->stack) {
        stack_run(run->stack, records, count);
        return;
    }
    for (size_t i = 0; i < options->frames.count; i++)
        simulation_run(&run->simulations[i], records, count);
}

static void
run_end(struct run *run, const struct options *options, struct counts *counts)
{
    if (run->stack) {
        struct counts *all = allocate(most_frames(options), sizeof(*all));

        stack_end(run->stack, all);
        for (size_t i = 0; i < options->frames.count; i++)
            counts[i] = all[options->frames.values[i] - 1];
        free(all);
        return;
    }
    if (run->policy->tick && run->simulations[0].ticks == 0)
        fprintf(stderr, "pagesim: %s: the clock never ticks in this trace; --tick N has it tick every N references\n",
                run->policy->name);
    for (size_t i = 0; i < options->frames.count; i++) {
        counts[i] = run->simulations[i].counts;
        simulation_stop(&run->simulations[i]);
    }
    free(run->simulations);
}

/* In chunks that stay in the cache while every policy goes through them. */
static void
run_all(struct run *runs, const struct options *options, struct trace *trace, const struct recording *recording)
{
    struct trace_record *chunk;
    size_t count;

    if (recording->records) {
        for (size_t i = 0; i < options->policy_count; i++)
            run_records(&runs[i], options, recording->records, recording->count);
        return;
    }
    chunk = chunk_allocate();
    while ((count = trace_read(trace, chunk, CHUNK_RECORDS)) > 0)
        for (size_t i = 0; i < options->policy_count; i++)
            run_records(&runs[i], options, chunk, count);
    free(chunk);
}

void
sweep(struct trace *trace, const struct options *options)
{
    struct run *runs = allocate(options->policy_count, sizeof(*runs));
    struct counts *counts = allocate(options->policy_count * options->frames.count, sizeof(*counts));
    struct recording recording = {0};

    if (needs_future(options))
        recording_read(&recording, trace);
    for (size_t i = 0; i < options->policy_count; i++)
        run_start(&runs[i], options->policies[i], trace, options, &recording);
    run_all(runs, options, trace, &recording);
    for (size_t i = 0; i < options->policy_count; i++)
        run_end(&runs[i], options, counts + i * options->frames.count);
    report(trace, options, counts);
    recording_free(&recording);
    free(runs);
    free(counts);
}
