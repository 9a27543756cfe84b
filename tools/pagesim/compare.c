/*
 * The kernel against the simulator: in a trace that was taken under a limit of frames, the kernel has noted its faults (f) and
 * its victims (-). The same policy, fed with the same references, must come to the same.
 *
 * A game is what happens in a process from the time when it is given frames of its own until it loses them, executes another
 * program or ends. There can be several, one after another and, with fork, at the same time.
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

struct game {
    struct simulation simulation;       /* first: its callback gets its address */
    uint32_t process;
    uint32_t frames;                    /* at the beginning */
    const struct policy *policy;        /* likewise */
    uint64_t line;                      /* being read */
    struct sequence kernel_faults, kernel_victims, faults, victims;
    struct game *next;
};

struct comparison {
    struct trace *trace;
    const struct options *options;
    struct simulation_settings settings;
    const struct policy *policy;        /* that the trace named last */
    struct recording recording;         /* for opt, once it is wanted */
    uint64_t position;                  /* in the recording's future */
    uint64_t line;                      /* being read */
    struct game *games;                 /* that are going on */
    uint32_t played;                    /* games so far */
    bool agree;
};

/* ---- Sequences ---- */

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

/* ---- Games ---- */

static void
note_victim(struct simulation *simulation, uint32_t frame)
{
    struct game *game = (struct game *)simulation;

    sequence_add(&game->victims, simulation->page_of[frame], game->line);
}

/* What opt has to know: the trace is read twice. */
static const uint32_t *
game_future(struct comparison *comparison)
{
    struct trace again;

    if (comparison->recording.future)
        return comparison->recording.future;
    if (strcmp(comparison->trace->name, "-") == 0)
        die("--compare for opt reads the trace twice, so it must be a file");
    trace_open(&again, comparison->trace->name, comparison->trace->page_size);
    recording_read(&comparison->recording, &again);
    trace_close(&again);
    return comparison->recording.future;
}

static struct game **
game_find(struct comparison *comparison, uint32_t process)
{
    struct game **link = &comparison->games;

    while (*link && (*link)->process != process)
        link = &(*link)->next;
    return link;
}

static void
game_begin(struct comparison *comparison, uint32_t process, uint32_t frames)
{
    struct game *game = allocate(1, sizeof(*game));
    const struct policy *policy = comparison->policy;
    const uint32_t *future;

    if (!policy)
        die("%s: the header names no policy that there is (policy=%s); give --policy", comparison->trace->name,
            comparison->trace->header.policy);
    future = policy == &policy_opt ? game_future(comparison) : NULL;
    game->process = process;
    game->frames = frames;
    game->policy = policy;
    game->next = comparison->games;
    simulation_start(&game->simulation, policy, frames, comparison->trace, future, &comparison->settings);
    game->simulation.on_evict = note_victim;
    comparison->games = game;
    comparison->played++;
}

static void
game_end(struct comparison *comparison, struct game **link)
{
    struct game *game = *link;

    if (!game)
        return;
    *link = game->next;
    if (game->process != comparison->trace->header.process)
        printf("process %" PRIu32 ": ", game->process);
    printf("%s, %" PRIu32 " frames, %" PRIu64 " references\n", game->policy->name, game->frames,
           game->simulation.counts.references);
    comparison->agree &= sequences_agree(comparison->trace, "fault", &game->kernel_faults, &game->faults);
    comparison->agree &= sequences_agree(comparison->trace, "victim", &game->kernel_victims, &game->victims);
    simulation_stop(&game->simulation);
    sequence_free(&game->kernel_faults);
    sequence_free(&game->kernel_victims);
    sequence_free(&game->faults);
    sequence_free(&game->victims);
    free(game);
}

/* ---- Records ---- */

static void
page_record(struct comparison *comparison, struct game *game, const struct trace_record *record)
{
    uint64_t faults = game->simulation.counts.faults;

    game->line = comparison->line;
    game->simulation.position = comparison->position;
    if (record->event == TRACE_FAULT)
        sequence_add(&game->kernel_faults, record->page, game->line);
    else if (record->event == TRACE_EVICT)
        sequence_add(&game->kernel_victims, record->page, game->line);
    else
        simulation_hear(&game->simulation, record);
    if (game->simulation.counts.faults > faults)
        sequence_add(&game->faults, record->page, game->line);
}

/* A process may have so many frames now; 0: as many as there are, so that there is no game. */
static void
frames_record(struct comparison *comparison, uint32_t process, uint32_t frames)
{
    struct game **link = game_find(comparison, process);

    if (comparison->options->frames.count)
        return;
    if (frames == 0)
        game_end(comparison, link);
    else if (*link)
        simulation_set_frames(&(*link)->simulation, frames);
    else
        game_begin(comparison, process, frames);
}

static void
policy_record(struct comparison *comparison, uint32_t process, const struct policy *policy)
{
    struct game *game = *game_find(comparison, process);

    if (comparison->options->policy_count)
        return;
    comparison->policy = policy;
    if (game)
        simulation_set_policy(&game->simulation, policy);
}

static void
each_game(struct comparison *comparison, const struct trace_record *record)
{
    for (struct game *game = comparison->games; game; game = game->next)
        simulation_hear(&game->simulation, record);
}

/* Of the events that are two records, the second tells the process. */
static void
compare_record(struct comparison *comparison, const struct trace_record *record, const struct trace_record *before)
{
    enum trace_event event = (enum trace_event)record->event;

    if (trace_event_has_page(event)) {
        struct game *game = *game_find(comparison, comparison->trace->pages.names[record->page].process);

        if (game)
            page_record(comparison, game, record);
        comparison->position += trace_is_reference(record) || event == TRACE_RETURN;
    } else if (event == TRACE_TICK) {
        each_game(comparison, record);
    } else if (event == TRACE_FRAMES && record->continues) {
        frames_record(comparison, record->page, before->page);
    } else if (event == TRACE_POLICY && record->continues) {
        policy_record(comparison, record->page, policy_list[before->page]);
    } else if (event == TRACE_EXEC || event == TRACE_EXIT) {
        game_end(comparison, game_find(comparison, record->page));
    } else if (event == TRACE_SHORT) {
        struct game *game = *game_find(comparison, record->page);

        if (game)
            simulation_hear(&game->simulation, record);
    }
}

static void
compare_run(struct comparison *comparison)
{
    struct trace_record *records = chunk_allocate();
    size_t count;

    while (comparison->line = comparison->trace->line, (count = trace_read(comparison->trace, records, 1)) > 0)
        for (size_t i = 0; i < count; i++)
            compare_record(comparison, &records[i], i ? &records[i - 1] : NULL);
    free(records);
}

/* What the header says, unless the command line has another word. */
static void
compare_start(struct comparison *comparison)
{
    const struct trace_header *header = &comparison->trace->header;
    const struct options *options = comparison->options;
    uint32_t frames = options->frames.count ? options->frames.values[0] : header->frames;

    if (options->policy_count > 1 || options->frames.count > 1)
        die("--compare wants one policy and one number of frames");
    comparison->policy = options->policy_count ? options->policies[0] : policy_find(header->policy);
    if (!options->seed_given)
        comparison->settings.seed = header->seed;
    if (!options->window_given && header->window)
        comparison->settings.window = header->window;
    comparison->settings.follows_kernel = true;
    if (frames)
        game_begin(comparison, header->process, frames);
}

bool
compare(struct trace *trace, const struct options *options)
{
    struct comparison comparison = {.trace = trace, .options = options, .settings = options->settings, .agree = true};

    compare_start(&comparison);
    compare_run(&comparison);
    if (!comparison.played)
        die("%s: neither header nor an event name a number of frames (frames=); give --frames", trace->name);
    while (comparison.games)
        game_end(&comparison, &comparison.games);
    recording_free(&comparison.recording);
    return comparison.agree;
}
