/*
 * The kernel against the simulator: in a trace that was taken under a limit of frames, the kernel has noted its faults (f) and
 * its victims (-). The same policy, fed with the same references, must come to the same.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tools/pagesim/common.h"
#include "tools/pagesim/tasks.h"

/* Pages in order, with the line where each was noted. */
struct sequence {
    uint32_t *pages;
    uint64_t *lines;
    size_t count, page_capacity, line_capacity;
};

static struct sequence simulated_victims;
static uint64_t current_line;

static void
sequence_add(struct sequence *sequence, uint32_t page, uint64_t line)
{
    sequence->pages = grow(sequence->pages, &sequence->page_capacity, sequence->count + 1, sizeof(*sequence->pages));
    sequence->lines = grow(sequence->lines, &sequence->line_capacity, sequence->count + 1, sizeof(*sequence->lines));
    sequence->pages[sequence->count] = page;
    sequence->lines[sequence->count++] = line;
}

static void
sequence_free(struct sequence *sequence)
{
    free(sequence->pages);
    free(sequence->lines);
}

static void
note_victim(struct simulation *simulation, uint32_t frame)
{
    sequence_add(&simulated_victims, simulation->page_of[frame], current_line);
}

static void
entry_text(const struct trace *trace, const struct sequence *sequence, size_t i, char *text, size_t bytes)
{
    char name[TRACE_NAME_BYTES];

    if (i >= sequence->count) {
        snprintf(text, bytes, "none");
        return;
    }
    trace_page_text(trace, sequence->pages[i], name, sizeof(name));
    snprintf(text, bytes, "%s (line %" PRIu64 ")", name, sequence->lines[i]);
}

/* Says where two sequences part first; false if they do. */
static bool
sequences_agree(const struct trace *trace, const char *what, const struct sequence *kernel, const struct sequence *simulator)
{
    char left[2 * TRACE_NAME_BYTES], right[2 * TRACE_NAME_BYTES];
    size_t i = 0;

    while (i < kernel->count && i < simulator->count && kernel->pages[i] == simulator->pages[i])
        i++;
    if (i == kernel->count && i == simulator->count) {
        printf("%zu %ss agree\n", i, what);
        return true;
    }
    entry_text(trace, kernel, i, left, sizeof(left));
    entry_text(trace, simulator, i, right, sizeof(right));
    printf("%s %zu differs: kernel %s, simulator %s\n", what, i + 1, left, right);
    printf("%zu %ss by the kernel, %zu by the simulator\n", kernel->count, what, simulator->count);
    return false;
}

static void
compare_run(struct simulation *simulation, struct trace *trace, struct sequence faults[2], struct sequence *victims)
{
    struct trace_record *records = chunk_allocate();
    size_t count;

    while (current_line = trace->line, (count = trace_read(trace, records, 1)) > 0)
        for (size_t i = 0; i < count; i++) {
            uint64_t before = simulation->counts.faults;

            if (records[i].kind == TRACE_FAULT)
                sequence_add(&faults[0], records[i].page, current_line);
            if (records[i].kind == TRACE_EVICT)
                sequence_add(victims, records[i].page, current_line);
            simulation_run(simulation, &records[i], 1);
            if (simulation->counts.faults > before)
                sequence_add(&faults[1], records[i].page, current_line);
        }
    free(records);
}

/* The header's word, unless the command line has another. */
static const struct policy *
compare_policy(const struct trace *trace, const struct options *options)
{
    const struct policy *policy = options->policy_count ? options->policies[0] : policy_find(trace->header.policy);

    if (options->policy_count > 1 || options->frames.count > 1)
        die("--compare wants one policy and one number of frames");
    if (!policy)
        die("%s: the header names no policy (policy=%s); give --policy", trace->name, trace->header.policy);
    return policy;
}

/* What opt has to know: the trace is read twice. */
static void
compare_future(struct recording *recording, const struct trace *trace)
{
    struct trace again;

    if (strcmp(trace->name, "-") == 0)
        die("--compare for opt reads the trace twice, so it must be a file");
    trace_open(&again, trace->name, trace->page_size);
    recording_read(recording, &again);
    trace_close(&again);
}

bool
compare(struct trace *trace, const struct options *options)
{
    const struct policy *policy = compare_policy(trace, options);
    uint32_t frames = options->frames.count ? options->frames.values[0] : trace->header.frames;
    struct simulation_settings settings = options->settings;
    struct sequence faults[2] = {{0}}, victims = {0};
    struct recording recording = {0};
    struct simulation simulation;
    bool agree;

    if (frames == 0)
        die("%s: the header names no number of frames (frames=); give --frames", trace->name);
    if (!options->seed_given)
        settings.seed = trace->header.seed;
    if (!options->window_given && trace->header.window)
        settings.window = trace->header.window;
    if (policy == &policy_opt)
        compare_future(&recording, trace);
    simulation_start(&simulation, policy, frames, trace, recording.future, &settings);
    simulation.on_evict = note_victim;
    compare_run(&simulation, trace, faults, &victims);
    printf("%s, %" PRIu32 " frames, %" PRIu64 " references\n", policy->name, frames, simulation.counts.references);
    agree = sequences_agree(trace, "fault", &faults[0], &faults[1]);
    agree &= sequences_agree(trace, "victim", &victims, &simulated_victims);
    simulation_stop(&simulation);
    recording_free(&recording);
    sequence_free(&faults[0]);
    sequence_free(&faults[1]);
    sequence_free(&victims);
    sequence_free(&simulated_victims);
    return agree;
}
