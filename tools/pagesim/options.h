/*
 * What the command line asks for.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "mm/policy.h"
#include "tools/pagesim/simulate.h"

/* A list of numbers, in the order given. */
struct numbers {
    uint32_t *values;
    size_t count, capacity;
};

enum output { OUTPUT_TABLE, OUTPUT_JSON, OUTPUT_CSV };
enum task { TASK_SWEEP, TASK_EXPLAIN, TASK_COMPARE, TASK_WORKING_SET, TASK_CONVERT_TEXT, TASK_CONVERT_BINARY };

struct options {
    enum task task;
    enum output output;
    bool every_step;            /* working sets after each reference */
    bool stack;                 /* use stack algorithms where there are several numbers of frames */
    const struct policy **policies;
    size_t policy_count;
    struct numbers frames, windows;
    struct simulation_settings settings;
    bool seed_given, window_given;
    uint64_t page_size;
    const char *trace;
};

/* Reads the command line; ends the program with a message if it is wrong, and after --help. */
void options_read(struct options *options, int count, char **words);
