/*
 * What pagesim can do with a trace.
 */
#pragma once

#include "tools/pagesim/options.h"
#include "tools/pagesim/trace.h"

/* The whole trace, and for each of its references and returns, in order, the place in that order of the next reference to
 * the same page (POLICY_NEVER). */
struct recording {
    struct trace_record *records;
    size_t count, capacity;
    uint32_t *future;
    bool plain;                 /* no page is unmapped, and each instruction makes one reference */
};

void recording_read(struct recording *recording, struct trace *trace);
void recording_free(struct recording *recording);

/* Records read at a time, where the whole trace is not needed. */
#define CHUNK_RECORDS (1u << 15)

/* Room for a chunk. */
struct trace_record *chunk_allocate(void);

/* Each policy with each number of frames. */
void sweep(struct trace *trace, const struct options *options);

/* counts[policy * number of frames + frames], in the order of the options. */
void report(const struct trace *trace, const struct options *options, const struct counts *counts);

/* Step by step, as a textbook's table. */
void explain(struct trace *trace, const struct options *options);

/* Faults and victims against the kernel's. Returns whether they agree. */
bool compare(struct trace *trace, const struct options *options);

void working_set(struct trace *trace, const struct options *options);
