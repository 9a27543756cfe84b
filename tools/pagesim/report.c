/*
 * The results of a sweep, for people and for programs.
 */
#include <inttypes.h>

#include "tools/pagesim/tasks.h"

#define PERCENT 100.0
#define CELL_WIDTH 27      /* characters for a policy's faults, writes and hits */
#define TABLE_POLICIES 3   /* beside each other: more than that and lines are too long for a screen */

static double
hit_ratio(const struct counts *counts)
{
    return counts->references ? 1 - (double)counts->faults / (double)counts->references : 0;
}

/* A row for each number of frames, for so many policies as fit beside each other, from the first on. */
static void
report_columns(const struct options *options, const struct counts *counts, size_t first, size_t end)
{
    size_t rows = options->frames.count;

    printf("\n%8s", "");
    for (size_t i = first; i < end; i++)
        printf("  %-*s", CELL_WIDTH, options->policies[i]->name);
    printf("\n%8s", "frames");
    for (size_t i = first; i < end; i++)
        printf("  %10s%10s%7s", "faults", "written", "hits");
    for (size_t row = 0; row < rows; row++) {
        printf("\n%8" PRIu32, options->frames.values[row]);
        for (size_t i = first; i < end; i++) {
            const struct counts *cell = &counts[i * rows + row];

            printf("  %10" PRIu64 "%10" PRIu64 "%6.1f%%", cell->faults, cell->write_backs, PERCENT * hit_ratio(cell));
        }
    }
    printf("\n");
}

static void
report_table(const struct trace *trace, const struct options *options, const struct counts *counts)
{
    printf("%" PRIu64 " references to %zu pages\n", counts->references, trace->pages.count);
    for (size_t first = 0; first < options->policy_count; first += TABLE_POLICIES) {
        size_t left = options->policy_count - first;

        report_columns(options, counts, first, first + (left < TABLE_POLICIES ? left : TABLE_POLICIES));
    }
}

static void
report_csv(const struct options *options, const struct counts *counts)
{
    printf("policy,frames,references,faults,write_backs,hit_ratio\n");
    for (size_t i = 0; i < options->policy_count; i++)
        for (size_t row = 0; row < options->frames.count; row++, counts++)
            printf("%s,%" PRIu32 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%.6f\n", options->policies[i]->name,
                   options->frames.values[row], counts->references, counts->faults, counts->write_backs, hit_ratio(counts));
}

static void
json_text(const char *text)
{
    putchar('"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            putchar('\\');
        if ((unsigned char)*text < ' ')
            printf("\\u%04x", (unsigned)*text);
        else
            putchar(*text);
    }
    putchar('"');
}

static void
report_json(const struct trace *trace, const struct options *options, const struct counts *counts)
{
    const char *separator = "";

    printf("{\"trace\": ");
    json_text(trace->name);
    printf(", \"references\": %" PRIu64 ", \"pages\": %zu, \"results\": [", counts->references, trace->pages.count);
    for (size_t i = 0; i < options->policy_count; i++)
        for (size_t row = 0; row < options->frames.count; row++, counts++, separator = ",")
            printf("%s\n  {\"policy\": \"%s\", \"frames\": %" PRIu32 ", \"faults\": %" PRIu64 ", \"write_backs\": %" PRIu64
                   ", \"hit_ratio\": %.6f}", separator, options->policies[i]->name, options->frames.values[row], counts->faults,
                   counts->write_backs, hit_ratio(counts));
    printf("\n]}\n");
}

void
report(const struct trace *trace, const struct options *options, const struct counts *counts)
{
    switch (options->output) {
    case OUTPUT_TABLE: report_table(trace, options, counts); break;
    case OUTPUT_CSV: report_csv(options, counts); break;
    case OUTPUT_JSON: report_json(trace, options, counts); break;
    }
}
