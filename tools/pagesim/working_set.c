/*
 * Working sets (Denning 1968): the pages used in the last so many references. Exact, in memory for the longest window alone.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "tools/pagesim/common.h"
#include "tools/pagesim/tasks.h"

/* One window. */
struct window {
    uint32_t length;            /* references */
    uint64_t size, largest;     /* pages: now, and at most so far */
    uint64_t sum;               /* of the sizes after each reference */
};

struct working_sets {
    const struct trace *trace;
    struct window *windows;
    size_t count;
    uint64_t time;              /* references so far */
    uint64_t *last_use;         /* by page: time; 0: never, or unmapped since */
    size_t page_capacity;
    uint32_t *recent;           /* the last references, by time modulo longest */
    uint32_t longest;
};

/* The reference that falls out of the window was its page's last: then the page leaves. The new one comes in, unless it is in. */
static void
window_use(const struct working_sets *sets, struct window *window, uint32_t page)
{
    uint64_t out = sets->time > window->length ? sets->time - window->length : 0;

    if (out && sets->last_use[sets->recent[out % sets->longest]] == out)
        window->size--;
    if (sets->last_use[page] <= out)
        window->size++;
    if (window->size > window->largest)
        window->largest = window->size;
    window->sum += window->size;
}

static void
use(struct working_sets *sets, uint32_t page)
{
    sets->time++;
    for (size_t i = 0; i < sets->count; i++)
        window_use(sets, &sets->windows[i], page);
    sets->last_use[page] = sets->time;
    sets->recent[sets->time % sets->longest] = page;
}

static bool
is_in(const struct working_sets *sets, const struct window *window, uint32_t page)
{
    uint64_t out = sets->time > window->length ? sets->time - window->length : 0;

    return sets->last_use[page] > out;
}

static void
unmap(struct working_sets *sets, uint32_t page)
{
    for (size_t i = 0; i < sets->count; i++)
        sets->windows[i].size -= is_in(sets, &sets->windows[i], page);
    sets->last_use[page] = 0;
}

/* ---- Output ---- */

static int
compare_names(const void *left, const void *right)
{
    const struct page_name *a = left, *b = right;

    if (a->process != b->process)
        return a->process < b->process ? -1 : 1;
    return (a->number > b->number) - (a->number < b->number);
}

/* The set in braces, in the order of the pages' names. */
static void
print_set(const struct working_sets *sets, const struct window *window)
{
    struct page_name *names = allocate(sets->trace->pages.count, sizeof(*names));
    size_t count = 0;

    for (uint32_t page = 0; page < sets->trace->pages.count; page++)
        if (is_in(sets, window, page))
            names[count++] = sets->trace->pages.names[page];
    qsort(names, count, sizeof(*names), compare_names);
    putchar('{');
    for (size_t i = 0; i < count; i++) {
        char text[TRACE_NAME_BYTES];

        trace_name_text(sets->trace, &names[i], text, sizeof(text));
        printf("%s%s", i ? " " : "", text);
    }
    putchar('}');
    free(names);
}

static void
print_step(const struct working_sets *sets, enum output output)
{
    if (output == OUTPUT_CSV) {
        printf("%" PRIu64, sets->time);
        for (size_t i = 0; i < sets->count; i++)
            printf(",%" PRIu64, sets->windows[i].size);
    } else {
        printf("%8" PRIu64, sets->time);
        for (size_t i = 0; i < sets->count; i++) {
            printf("  %" PRIu64 " ", sets->windows[i].size);
            print_set(sets, &sets->windows[i]);
        }
    }
    putchar('\n');
}

static void
print_head(const struct working_sets *sets, enum output output)
{
    printf(output == OUTPUT_CSV ? "time" : "    time  pages used in the last");
    for (size_t i = 0; i < sets->count; i++)
        printf("%s%" PRIu32, output == OUTPUT_CSV ? "," : i ? ", " : " ", sets->windows[i].length);
    printf(output == OUTPUT_CSV ? "\n" : " references\n");
}

static void
print_summary(const struct working_sets *sets, enum output output)
{
    if (output == OUTPUT_CSV)
        printf("window,mean,largest,last\n");
    else if (output == OUTPUT_JSON)
        printf("{\"references\": %" PRIu64 ", \"windows\": [", sets->time);
    else
        printf("%" PRIu64 " references to %zu pages\n\n%10s%12s%10s  at the end\n", sets->time, sets->trace->pages.count, "window",
               "mean", "largest");
    for (size_t i = 0; i < sets->count; i++) {
        const struct window *window = &sets->windows[i];
        double mean = sets->time ? (double)window->sum / (double)sets->time : 0;

        if (output == OUTPUT_CSV)
            printf("%" PRIu32 ",%.3f,%" PRIu64 ",%" PRIu64 "\n", window->length, mean, window->largest, window->size);
        else if (output == OUTPUT_JSON)
            printf("%s\n  {\"window\": %" PRIu32 ", \"mean\": %.3f, \"largest\": %" PRIu64 ", \"last\": %" PRIu64 "}", i ? "," : "",
                   window->length, mean, window->largest, window->size);
        else {
            printf("%10" PRIu32 "%12.3f%10" PRIu64 "  %" PRIu64 " ", window->length, mean, window->largest, window->size);
            print_set(sets, window);
            putchar('\n');
        }
    }
    if (output == OUTPUT_JSON)
        printf("\n]}\n");
}

/* ---- The run ---- */

static void
run(struct working_sets *sets, struct trace *trace, const struct options *options)
{
    struct trace_record *records = chunk_allocate();
    size_t count;

    while ((count = trace_read(trace, records, CHUNK_RECORDS)) > 0) {
        sets->last_use = grow(sets->last_use, &sets->page_capacity, trace->pages.count, sizeof(*sets->last_use));
        for (size_t i = 0; i < count; i++) {
            if (records[i].event == TRACE_UNMAP)
                unmap(sets, records[i].page);
            if (!trace_is_reference(&records[i]))
                continue;
            use(sets, records[i].page);
            if (options->every_step)
                print_step(sets, options->output);
        }
    }
    free(records);
}

void
working_set(struct trace *trace, const struct options *options)
{
    struct working_sets sets = {.trace = trace, .count = options->windows.count};

    if (options->every_step && options->output == OUTPUT_JSON)
        die("--workingset after each reference is for --csv, not --json");
    sets.windows = allocate(sets.count, sizeof(*sets.windows));
    for (size_t i = 0; i < sets.count; i++) {
        sets.windows[i].length = options->windows.values[i];
        if (sets.longest < sets.windows[i].length)
            sets.longest = sets.windows[i].length;
    }
    sets.recent = allocate(sets.longest, sizeof(*sets.recent));
    if (options->every_step)
        print_head(&sets, options->output);
    run(&sets, trace, options);
    if (!options->every_step)
        print_summary(&sets, options->output);
    free(sets.windows);
    free(sets.recent);
    free(sets.last_use);
}
