/*
 * Step by step, as a textbook's table: frames in columns, a star at each fault, and the policy's own account of each victim.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "mm/policy/text.h"
#include "tools/pagesim/common.h"
#include "tools/pagesim/tasks.h"

#define REASON_BYTES 512u
#define COLUMN 5

/* Why the last victim went; "" if none did. */
static char reason[REASON_BYTES];

static void
note_reason(struct simulation *simulation, uint32_t frame)
{
    struct policy_text text = text_start(reason, sizeof(reason));

    simulation->policy->explain(simulation->state, frame, &text);
}

static void
print_page(const struct trace *trace, uint32_t page)
{
    char name[TRACE_NAME_BYTES];

    trace_page_text(trace, page, name, sizeof(name));
    printf(" %*s", COLUMN, name);
}

static void
print_frames(const struct simulation *simulation)
{
    for (uint32_t frame = 1; frame <= simulation->frames; frame++) {
        uint32_t page = simulation->page_of[frame];

        if (frame <= simulation->used && simulation->frame_of[page] == frame)
            print_page(simulation->trace, page);
        else
            printf(" %*s", COLUMN, "-");
    }
}

static void
explain_step(struct simulation *simulation, const struct trace_record *record)
{
    static const char letters[] = "rwx";
    uint64_t faults = simulation->counts.faults;
    bool reference = trace_is_reference(record);

    *reason = '\0';
    simulation_run(simulation, record, 1);
    if (reference) {
        print_page(simulation->trace, record->page);
        printf(" %c |", letters[record->event]);
    } else if (record->event == TRACE_TICK) {
        printf(" %*s   |", COLUMN, "tick");
    } else if (record->event == TRACE_UNMAP) {
        print_page(simulation->trace, record->page);
        printf(" u |");
    } else {
        return;
    }
    print_frames(simulation);
    printf(" |%s%s%s\n", simulation->counts.faults > faults ? " *" : "", *reason ? " " : "", reason);
}

static void
explain_head(const struct policy *policy, uint32_t frames)
{
    printf("%s, %" PRIu32 " frame%s\n %*s   |", policy->name, frames, frames == 1 ? "" : "s", COLUMN, "page");
    for (uint32_t frame = 1; frame <= frames; frame++)
        printf(" %*" PRIu32, COLUMN, frame);
    printf(" |\n");
}

/* Whom the policy would choose now. */
static void
explain_next(struct simulation *simulation)
{
    uint32_t victim = simulation->policy->select(simulation->state);

    if (victim == POLICY_NONE)
        return;
    note_reason(simulation, victim);
    printf("next victim: %s\n", reason);
}

static void
explain_one(const struct trace *trace, const struct recording *recording, const struct policy *policy, uint32_t frames,
            const struct simulation_settings *settings)
{
    struct simulation simulation;
    const uint32_t *future = policy == &policy_opt ? recording->future : NULL;

    simulation_start(&simulation, policy, frames, trace, future, settings);
    simulation.on_evict = note_reason;
    explain_head(policy, frames);
    for (size_t i = 0; i < recording->count; i++)
        explain_step(&simulation, &recording->records[i]);
    printf("%" PRIu64 " faults, %" PRIu64 " hits, %" PRIu64 " written back\n", simulation.counts.faults,
           simulation.counts.references - simulation.counts.faults, simulation.counts.write_backs);
    explain_next(&simulation);
    simulation_stop(&simulation);
}

void
explain(struct trace *trace, const struct options *options)
{
    struct recording recording;
    bool first = true;

    recording_read(&recording, trace);
    for (size_t i = 0; i < options->policy_count; i++)
        for (size_t j = 0; j < options->frames.count; j++, first = false) {
            if (!first)
                printf("\n");
            explain_one(trace, &recording, options->policies[i], options->frames.values[j], &options->settings);
        }
    recording_free(&recording);
}
