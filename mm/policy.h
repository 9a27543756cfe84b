/*
 * Page replacement policies.
 *
 * A policy knows frames by dense numbers and learns of them from reclaim alone.
 * It sees the world through the small environment that it is handed, so that
 * the same source runs in the kernel, in host tests and in a simulator
 * (tools/pagesim).
 *
 * Life of a page, as a policy sees it (* may be left out by a policy):
 *
 *     expect*(page)       a page is about to come in: before room is made. While that
 *                         goes on, others can be removed and inserted again
 *     select() = victim   names one of the frames inserted, and moves nobody
 *     explain(victim)     says why, if somebody asks: after select, before evict
 *     evict*(victim)      it goes by force: what is gone may be remembered
 *     insert(frame)       a page has come in. This counts as its first reference
 *     reference*(frame)   each later one, where references are recorded or sampled
 *     remove(frame)       it is freed, or pinned: no candidate any more
 *
 * A new policy is one file, mm/policy/NAME.c, which defines policy_NAME, and one
 * line in POLICIES.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Every policy: what policy=, the simulator and the tests know. */
#define POLICIES(POLICY) \
    POLICY(fifo)         \
    POLICY(random)       \
    POLICY(clock)        \
    POLICY(nru)          \
    POLICY(aging)        \
    POLICY(lfu)          \
    POLICY(mfu)          \
    POLICY(lru)          \
    POLICY(wsclock)      \
    POLICY(2q)           \
    POLICY(arc)          \
    POLICY(opt)

/* "No frame": select's answer when none is inserted. Frame 0 is never inserted. */
#define POLICY_NONE 0u

/* The next use of a page that is not used again. */
#define POLICY_NEVER UINT32_MAX

/* Who a page is, in memory or out: its owner in the upper half and its number
 * there in the lower one, or any other number that is the page's own. Never 0. */
typedef uint64_t policy_page_t;

/* A frame's neighbours in the ring that it stands in (mm/policy/ring.h). */
struct policy_link {
    uint32_t next, previous;
};

/* A line of text under construction: whatever does not fit is cut off. */
struct policy_text {
    char *at;       /* the terminating 0 stands here */
    size_t left;    /* bytes behind it */
};

/* One for each instance, kept by who starts it; it must outlive the instance. A
 * function that a policy does not need may be NULL; which it needs stands at the
 * policy's head. */
struct policy_environment {
    uint32_t frames;            /* frame numbers lie below */
    uint32_t capacity;          /* no more than so many are inserted at a time */
    /* Of what a policy keeps for each frame. Instances that share no frame can share these. */
    struct policy_link *links;
    uint32_t *values;           /* of the policy's own: a counter, a time, a list */
    uint32_t window;            /* wsclock: a page is in the working set until unused for longer than this */
    bool (*referenced)(const struct policy_environment *, uint32_t frame);      /* used since last asked? Clears the bit */
    bool (*dirty)(const struct policy_environment *, uint32_t frame);           /* differs from its copy? */
    uint32_t (*random)(const struct policy_environment *);
    uint32_t (*time)(const struct policy_environment *);                        /* references or ticks so far */
    uint32_t (*next_use)(const struct policy_environment *, uint32_t frame);    /* in references; POLICY_NEVER */
    policy_page_t (*page)(const struct policy_environment *, uint32_t frame);   /* the page that is in it */
    void (*describe)(const struct policy_environment *, uint32_t frame, struct policy_text *);  /* the page's name */
    void *(*allocate)(size_t bytes);                                            /* zeroed; NULL if there is no memory */
    void (*release)(void *memory);
};

/* Each policy's file completes this type in its own way. */
struct policy_state;

struct policy {
    const char *name;
    size_t state_bytes;
    bool foresees;              /* needs next_use: a recorded future */
    /* The state is zeroed. False, and nothing is kept, if there is no memory or the environment lacks what is needed. */
    bool (*start)(struct policy_state *, const struct policy_environment *);
    void (*stop)(struct policy_state *);                            /* NULL: nothing to give back */
    void (*insert)(struct policy_state *, uint32_t frame);
    void (*remove)(struct policy_state *, uint32_t frame);
    uint32_t (*select)(struct policy_state *);
    void (*explain)(struct policy_state *, uint32_t victim, struct policy_text *);
    void (*expect)(struct policy_state *, policy_page_t page);      /* NULL: as good as not known */
    void (*evict)(struct policy_state *, uint32_t frame);           /* NULL: as remove */
    void (*reference)(struct policy_state *, uint32_t frame);       /* NULL: goes by the referenced bits, if by any */
    void (*tick)(struct policy_state *);                            /* NULL: does not heed the clock */
    uint32_t (*first)(struct policy_state *);                       /* for policy_move: one that is inserted, found
                                                                       without asking for bits. NULL: select does */
};

#define POLICY_DECLARE(name) extern const struct policy policy_##name;
POLICIES(POLICY_DECLARE)

/* For a table of the words that name policies, in order. */
#define POLICY_WORD(name) #name,

/* All of them, in the order of POLICIES. */
extern const struct policy *const policy_list[];
extern const uint32_t policy_count;

/* The policy of that name; NULL if there is none. */
const struct policy *policy_find(const char *name);

/* A new instance, with no frame inserted; NULL if there is no memory or the
 * environment lacks what the policy needs. */
struct policy_state *policy_start(const struct policy *policy, const struct policy_environment *environment);

/* Ends an instance, whatever is inserted. */
void policy_stop(const struct policy *policy, struct policy_state *state, const struct policy_environment *environment);

/* The capacity for an instance that is to hold so many frames: somewhat more, since there
 * can be more for a while. What it has now (0: nothing yet) is kept unless that is too
 * little or far too much. */
uint32_t policy_capacity(uint32_t now, uint32_t frames);

/* Hands every frame of one instance over to another, in the order in which they would
 * go. Returns how many. */
uint32_t policy_move(const struct policy *from, struct policy_state *old,
                     const struct policy *to, struct policy_state *new);

/* The victim goes: from the policy's point of view, by its own choice. */
static inline void
policy_evict(const struct policy *policy, struct policy_state *state, uint32_t frame)
{
    (policy->evict ? policy->evict : policy->remove)(state, frame);
}
