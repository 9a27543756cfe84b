/*
 * One policy with one number of frames, going through a trace step by step as the kernel would.
 */
#pragma once

#include "kernel/lib/random.h"
#include "mm/policy.h"
#include "tools/pagesim/trace.h"

/* What is counted. */
struct counts {
    uint64_t references, faults, write_backs;
};

struct simulation {
    struct policy_environment world;    /* first: the policy's callbacks get its address */
    const struct policy *policy;
    struct policy_state *state;
    const struct trace *trace;
    struct counts counts;
    uint64_t ticks;
    uint32_t tick_every;        /* so many references; 0: at the trace's ticks */
    uint32_t frames;            /* numbered from 1 */
    uint32_t used;              /* frames [1, used] were used at some time */
    uint32_t *free;             /* those of them that are free again, as a stack */
    uint32_t free_count;
    uint8_t *bits;              /* of a frame: FRAME_REFERENCED, FRAME_DIRTY */
    uint32_t *page_of;          /* a frame's page */
    uint32_t *frame_of;         /* a page's frame; POLICY_NONE */
    size_t page_capacity;
    const uint32_t *future;     /* for each reference the number of the next one to its page; NULL: not known */
    uint32_t *next_use;         /* of the page in a frame */
    struct random random;
    /* Called for each victim before it goes, if not NULL; the policy can explain it then. */
    void (*on_evict)(struct simulation *, uint32_t frame);
};

#define FRAME_REFERENCED 1u
#define FRAME_DIRTY 2u

struct simulation_settings {
    uint32_t tick_every, window, seed;
};

/* Ends the program if the policy cannot start. The future must outlive the simulation; a policy that needs none gets NULL. */
void simulation_start(struct simulation *simulation, const struct policy *policy, uint32_t frames, const struct trace *trace,
                      const uint32_t *future, const struct simulation_settings *settings);

/* Goes through records, which must begin and end with whole instructions. */
void simulation_run(struct simulation *simulation, const struct trace_record *records, size_t count);

void simulation_stop(struct simulation *simulation);
