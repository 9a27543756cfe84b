/*
 * Locality: a program that works in one place for a while, then in another, and its
 * working set over time (Denning 1968): the pages that it used within the last so
 * many milliseconds, the window.
 *
 *     pages                    both phases are within the window
 *       |              +--+    v
 *       |              |  +------------+      +--+
 *       |  +-----------+               +------+  +--- ...
 *       |  |  phase 1       phase 2      phase 3
 *       +---------------------------------------------- time
 *
 * Four phases, each of them with pages of its own that are used over and over. A
 * window should be shorter than a phase, to follow the changes, and long enough
 * for all of the phase's pages to be used within it.
 */
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "user/lib/story.h"
#include "user/lib/system.h"

#define WORKING_SET "/proc/self/workingset"
#define WINDOW      "/proc/sys/vm/workingset_window"

enum {
    PHASES = 4,
    PHASE_TIME = 200,       /* milliseconds of processor time */
    SAMPLE_TIME = 20,       /* between two readings */
    SAMPLES = PHASE_TIME / SAMPLE_TIME,
    WINDOW_TIME = 60,
    OTHERS = 24,            /* at most, of pages in the working set that are no phase's: text, stack, the C library's */
    FRAMES = 512,           /* more than all phases together have pages, so that none has to go */
    CHART_WIDTH = 50,
    MILLISECONDS = 1000,
    NANOSECONDS = 1000000,  /* in a millisecond */
};

static const int phase_pages[PHASES] = { 40, 160, 80, 20 };

/* A reading at the end of each interval. */
static struct sample {
    long time;              /* milliseconds of processor time since the first phase began */
    long pages, resident;
} samples[PHASES][SAMPLES];

/* The processor time that this process has had. */
static long
milliseconds_used(void)
{
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return used.tv_sec * MILLISECONDS + used.tv_nsec / NANOSECONDS;
}

/* The number behind `name:` in the file; -1 where there is none. */
static long
working_set_value(const char *text, const char *name)
{
    const char *line = strstr(text, name);
    return line == NULL ? -1 : strtol(line + strlen(name), NULL, 10);
}

static struct sample
sample_take(long time)
{
    char *text = file_text(WORKING_SET);
    struct sample sample = { time, -1, -1 };

    if (text != NULL) {
        sample.pages = working_set_value(text, "Pages:");
        sample.resident = working_set_value(text, "Resident:");
    }
    free(text);
    return sample;
}

/*
 * Uses the phase's pages over and over, and takes a sample now and then. Once more before each sample: on a busy
 * host the clock may have ticked many times while this machine stood still.
 */
static void
phase_run(char *base, int phase, long start)
{
    for (int i = 0; i < SAMPLES; i++) {
        long end = (phase * SAMPLES + i + 1) * SAMPLE_TIME, now;
        do {
            pages_write(base, phase_pages[phase], 'l');
            now = milliseconds_used() - start;
        } while (now < end);
        pages_write(base, phase_pages[phase], 'l');
        samples[phase][i] = sample_take(now);
    }
}

static void
chart_print(void)
{
    long most = 1;
    for (int phase = 0; phase < PHASES; phase++)
        for (int i = 0; i < SAMPLES; i++)
            most = samples[phase][i].pages > most ? samples[phase][i].pages : most;

    printf("\n    ms  pages  resident  in the working set, of the pages that are resident\n");
    for (int phase = 0; phase < PHASES; phase++) {
        printf("  ------------- phase %d: %d pages\n", phase + 1, phase_pages[phase]);
        for (int i = 0; i < SAMPLES; i++) {
            printf("  %4ld  %5ld  %8ld  ", samples[phase][i].time, samples[phase][i].pages, samples[phase][i].resident);
            for (long column = 0; column < samples[phase][i].pages * CHART_WIDTH / most; column++)
                putchar('#');
            putchar('\n');
        }
    }
    putchar('\n');
}

static void
theory_compare(void)
{
    bool settled = true, both = true;

    for (int phase = 0; phase < PHASES; phase++) {
        long last = samples[phase][SAMPLES - 1].pages, first = samples[phase][0].pages;
        settled &= last >= phase_pages[phase] && last <= phase_pages[phase] + OTHERS;
        both &= phase == 0 || first >= phase_pages[phase - 1] + phase_pages[phase];
    }
    expect(settled, "at the end of each phase the working set is the phase's pages, and at most %d of the program's own text, "
           "stack and library", OTHERS);
    expect(both, "just after each change it holds the pages of both phases: for the length of a window");
}

int
main(int count, char **arguments)
{
    story_argument(count, arguments, NULL);
    char *base[PHASES], value[16], *before = file_text(WINDOW);

    story_begin("locality", "Locality. A program works in one place for a while, then in another. Its working set, the pages "
                "that it used within the last moments, follows; what is resident says what it has, not what it needs.");
    snprintf(value, sizeof value, "%d\n", WINDOW_TIME);
    if (before == NULL)
        story_skip("there is no " WINDOW " here");
    if (before == NULL || !story_may_have(FRAMES))
        return story_end();
    if (!setting_write(WINDOW, value))
        expect(false, WINDOW " takes %d", WINDOW_TIME);
    story_tell("Four phases of %d ms of processor time, a window of %d ms. The working set every %d ms:", PHASE_TIME, WINDOW_TIME,
               SAMPLE_TIME);
    for (int phase = 0; phase < PHASES; phase++)
        base[phase] = pages_map(phase_pages[phase]);
    long start = milliseconds_used();
    for (int phase = 0; phase < PHASES; phase++)
        phase_run(base[phase], phase, start);
    setting_write(WINDOW, before);
    free(before);
    chart_print();
    if (*switch_value("trace", "") != '\0')
        story_skip("traced, it is too slow to use all of a phase's pages in a window");
    else
        theory_compare();
    return story_end();
}
