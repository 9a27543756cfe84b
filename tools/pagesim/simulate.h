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
    uint32_t frames;            /* that may be in use */
    bool follows_kernel;        /* as the settings say */
    uint32_t room;              /* frame numbers go from 1 to this: more than frames only where that changes */
    uint32_t resident;          /* in use now */
    uint32_t used;              /* frames [1, used] were used at some time */
    uint32_t *free;             /* those of them that are free again, as a stack */
    uint32_t free_count;
    uint8_t *bits;              /* of a frame: FRAME_REFERENCED, FRAME_DIRTY */
    uint32_t *page_of;          /* a frame's page */
    uint32_t *frame_of;         /* a page's frame; POLICY_NONE */
    size_t page_capacity;
    uint64_t position;          /* in the future: references and returns so far */
    const uint32_t *future;     /* for each reference and return the position of the page's next reference; NULL: not known */
    uint32_t *next_use;         /* of the page in a frame */
    uint32_t instruction[TRACE_INSTRUCTION_PAGES];      /* the pages that it has referenced so far */
    uint32_t instruction_count;
    struct random random;
    /* Called for each victim before it goes, if not NULL; the policy can explain it then. */
    void (*on_evict)(struct simulation *, uint32_t frame);
};

#define FRAME_REFERENCED 1u
#define FRAME_DIRTY 2u

struct simulation_settings {
    uint32_t tick_every, window, seed;
    bool follows_kernel;        /* frames and policy will change, and the policy hears of pages as in the kernel */
};

/* Ends the program if the policy cannot start. The future must outlive the simulation; a policy that needs none gets NULL. */
void simulation_start(struct simulation *simulation, const struct policy *policy, uint32_t frames, const struct trace *trace,
                      const uint32_t *future, const struct simulation_settings *settings);

/* Goes through records, which must begin and end with whole instructions. */
void simulation_run(struct simulation *simulation, const struct trace_record *records, size_t count);

/* Of those that follow the kernel: another number of frames, another policy, and what else the policy hears of pages. The
 * position must be set before each record, if there is a future. */
void simulation_set_frames(struct simulation *simulation, uint32_t frames);
void simulation_set_policy(struct simulation *simulation, const struct policy *policy);
void simulation_hear(struct simulation *simulation, const struct trace_record *record);

void simulation_stop(struct simulation *simulation);
