/*
 * Frames by how often they were referenced since they came in, for lfu and mfu.
 *
 *     rank of count 1 <-> rank of count 2 <-> rank of count 7
 *      {d g}               {a}                 {b c}
 *
 * Ranks exist only for counts that some frame has, and a reference moves a frame
 * to the next rank, which may have to be made: so everything takes constant time.
 * In a rank the frames stand by the time of their last reference, longest ago first.
 */
#pragma once

#include "mm/policy.h"
#include "mm/policy/ring.h"

/* A frame's value is the index of its rank. */
struct rank {
    uint32_t count;
    uint32_t less, more;        /* the neighbours, by index */
    struct ring frames;
};

/* The state of both policies. Rank 0 is the end on both sides: its `more` is the lowest rank, its `less` the
 * highest. */
struct policy_state {
    const struct policy_environment *world;
    struct rank *ranks;
    uint32_t unused;            /* a chain by `more`; 0 at its end */
};

bool frequency_start(struct policy_state *frequency, const struct policy_environment *world);
void frequency_stop(struct policy_state *frequency);
void frequency_insert(struct policy_state *frequency, uint32_t frame);
void frequency_remove(struct policy_state *frequency, uint32_t frame);
void frequency_reference(struct policy_state *frequency, uint32_t frame);

/* " page=count" for each frame of a rank, until *named has reached the limit. */
void frequency_explain_rank(struct policy_state *frequency, uint32_t rank, uint32_t *named, struct policy_text *text);
