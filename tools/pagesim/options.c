/*
 * Reading the command line.
 */
#include "tools/pagesim/options.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/pagesim/common.h"
#include "tools/pagesim/trace.h"

#define DEFAULT_WINDOW 10u

/* Of frames and of references in a window: every policy can count so many in 32 bits. */
#define LIST_MOST (1u << 30)

static const char usage[] =
    "usage: pagesim --policy NAMES --frames LIST [OPTION...] TRACE\n"
    "       pagesim --explain|--compare|--workingset WINDOWS|--convert FORM [OPTION...] TRACE\n"
    "Replays a trace through the kernel's own replacement policies. TRACE is a file or - : page numbers, a trace of this kernel,\n"
    "or what valgrind --tool=lackey --trace-mem=yes writes (tools/pagesim/FORMAT.md).\n\n"
    "  --policy NAMES       comma-separated, or all (the default)\n"
    "  --frames LIST        3  or 3,4  or 1-64  or 1-8,16,32\n"
    "  --explain            goes through the trace step by step\n"
    "  --compare            compares faults and victims with those that the kernel noted in the trace\n"
    "  --workingset LIST    the pages used in the last so many references; with --explain after each one\n"
    "  --convert text|binary  writes the trace in one of the kernel's forms\n"
    "  --json --csv         for programs to read\n"
    "  --tick N             the clock ticks every N references; default: where the trace says\n"
    "  --window N           of wsclock, in references; default 10\n"
    "  --seed N             of random; default 0\n"
    "  --page-size N        of addresses from lackey; default 4096\n"
    "  --no-stack           simulates lru and opt for each number of frames on its own\n"
    "Ends with 0; with 1 if --compare finds a difference; with 2 after an error.\n";

static uint64_t
number_read(const char *text, const char *option, uint64_t least, uint64_t most, const char **end)
{
    char *stop;
    unsigned long long number;

    errno = 0;
    number = strtoull(text, &stop, 10);
    if (*text < '0' || *text > '9' || errno || number < least || number > most)
        die("%s: a number from %" PRIu64 " to %" PRIu64 " is wanted, not \"%s\"", option, least, most, text);
    if (end)
        *end = stop;
    else if (*stop)
        die("%s: \"%s\" is no number", option, text);
    return number;
}

static void
numbers_add(struct numbers *numbers, uint32_t number)
{
    numbers->values = grow(numbers->values, &numbers->capacity, numbers->count + 1, sizeof(*numbers->values));
    numbers->values[numbers->count++] = number;
}

/* One range or number after another. 0 is refused: no program runs without a frame. */
static void
numbers_read(struct numbers *numbers, const char *text, const char *option)
{
    const char *at = text;

    for (;;) {
        uint32_t first = (uint32_t)number_read(at, option, 1, LIST_MOST, &at), last = first;

        if (*at == '-')
            last = (uint32_t)number_read(at + 1, option, 1, LIST_MOST, &at);
        if (last < first)
            die("%s: \"%s\": a range goes from the smaller number to the larger, %" PRIu32 "-%" PRIu32, option, text, last, first);
        for (uint32_t number = first; number <= last; number++)
            numbers_add(numbers, number);
        if (*at == '\0')
            return;
        if (*at++ != ',')
            die("%s: \"%s\" is no list of numbers and ranges", option, text);
    }
}

static void
policy_add(struct options *options, const struct policy *policy)
{
    for (size_t i = 0; i < options->policy_count; i++)
        if (options->policies[i] == policy)
            return;
    options->policies[options->policy_count++] = policy;
}

static void
policy_unknown(const char *name)
{
    fprintf(stderr, "pagesim: there is no policy \"%s\"; there are:", name);
    for (uint32_t i = 0; i < policy_count; i++)
        fprintf(stderr, " %s", policy_list[i]->name);
    fputc('\n', stderr);
    exit(EXIT_ERROR);
}

static void
policies_read(struct options *options, char *text)
{
    for (char *name = text; name; ) {
        char *comma = strchr(name, ',');

        if (comma)
            *comma++ = '\0';
        if (strcmp(name, "all") == 0)
            for (uint32_t i = 0; i < policy_count; i++)
                policy_add(options, policy_list[i]);
        else if (policy_find(name))
            policy_add(options, policy_find(name));
        else
            policy_unknown(name);
        name = comma;
    }
}

static enum task
convert_read(const char *form)
{
    if (strcmp(form, "text") != 0 && strcmp(form, "binary") != 0)
        die("--convert: text or binary is wanted, not \"%s\"", form);
    return *form == 't' ? TASK_CONVERT_TEXT : TASK_CONVERT_BINARY;
}

static void
option_read(struct options *options, int letter, char *value)
{
    switch (letter) {
    case 'p': policies_read(options, value); break;
    case 'f': numbers_read(&options->frames, value, "--frames"); break;
    case 'e': options->every_step = true; break;
    case 'c': options->task = TASK_COMPARE; break;
    case 'w': options->task = TASK_WORKING_SET; numbers_read(&options->windows, value, "--workingset"); break;
    case 'o': options->task = convert_read(value); break;
    case 'j': options->output = OUTPUT_JSON; break;
    case 'v': options->output = OUTPUT_CSV; break;
    case 't': options->settings.tick_every = (uint32_t)number_read(value, "--tick", 1, UINT32_MAX, NULL); break;
    case 'd':
        options->settings.window = (uint32_t)number_read(value, "--window", 0, UINT32_MAX, NULL);
        options->window_given = true;
        break;
    case 's':
        options->settings.seed = (uint32_t)number_read(value, "--seed", 0, UINT32_MAX, NULL);
        options->seed_given = true;
        break;
    case 'z': options->page_size = number_read(value, "--page-size", 1, UINT32_MAX, NULL); break;
    case 'n': options->stack = false; break;
    case 'h': fputs(usage, stdout); exit(EXIT_SUCCESS);
    default: fputs("pagesim: --help says how\n", stderr); exit(EXIT_ERROR);
    }
}

void
options_read(struct options *options, int count, char **words)
{
    static const struct option names[] = {
        {"policy", required_argument, NULL, 'p'}, {"frames", required_argument, NULL, 'f'}, {"explain", no_argument, NULL, 'e'},
        {"compare", no_argument, NULL, 'c'}, {"workingset", required_argument, NULL, 'w'},
        {"convert", required_argument, NULL, 'o'}, {"json", no_argument, NULL, 'j'}, {"csv", no_argument, NULL, 'v'},
        {"tick", required_argument, NULL, 't'}, {"window", required_argument, NULL, 'd'}, {"seed", required_argument, NULL, 's'},
        {"page-size", required_argument, NULL, 'z'}, {"no-stack", no_argument, NULL, 'n'}, {"help", no_argument, NULL, 'h'}, {0}};
    int letter;

    *options = (struct options){.stack = true, .page_size = DEFAULT_PAGE_SIZE, .settings = {.window = DEFAULT_WINDOW},
                                .policies = allocate(policy_count, sizeof(*options->policies))};
    while ((letter = getopt_long(count, words, "", names, NULL)) != -1)
        option_read(options, letter, optarg);
    if (optind + 1 != count)
        die("%s; --help says how", optind == count ? "a trace is wanted" : "only one trace at a time");
    options->trace = words[optind];
    if (options->every_step && options->task == TASK_SWEEP)
        options->task = TASK_EXPLAIN;
    if (options->policy_count == 0 && options->task == TASK_SWEEP)
        policies_read(options, (char[]){"all"});
    if (options->frames.count == 0 && (options->task == TASK_SWEEP || options->task == TASK_EXPLAIN))
        die("--frames is wanted: how many there are, 3 or 1-64");
    if (options->policy_count == 0 && options->task == TASK_EXPLAIN)
        die("--explain wants a --policy");
}
