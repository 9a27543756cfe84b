/*
 * Pools: frames that compete with each other for staying in memory.
 *
 * Under global allocation there is one pool for all. Under local allocation
 * (alloc=), with a limit of its own (setrlimit RLIMIT_RSS), or with what control=pff
 * grants it, an address space has a pool with a quota: when it is full, a page that
 * comes in replaces one of the same pool.
 *
 *   alloc=global         one pool, whoever needs a frame takes the policy's choice
 *   alloc=equal          each address space the same share
 *   alloc=proportional   shares by size
 *   alloc=priority       shares by 20 - nice
 *
 * A frame is charged to the pool in use when it first becomes evictable, until it
 * is freed: so the text of a program that many run is charged once. Each pool has an
 * instance of the policy in force. Locked, pinned and busy frames are in no policy,
 * and do not count.
 */
#pragma once

#include <bsd/sys/queue.h>

#include "kernel/lib/random.h"
#include "mm/cluster.h"
#include "mm/frame.h"
#include "mm/policy.h"
#include "mm/trace.h"

#define POOL_UNLIMITED 0xFFFFFFFFu

/* The least quota: what one instruction needs. */
#define POOL_MINIMUM INSTRUCTION_PAGES

struct pool {
    struct policy_environment world;    /* first: policies call back with its address */
    const struct policy *policy;        /* pool_policy, or clock where that one needs a future that nobody recorded */
    struct policy_state *state;
    struct policy_state *successor;     /* takes over while the policy is changed; else NULL. pool_policy.c only */
    struct random random;       /* policy=random's */
    u32 frames;                 /* known to the policy now, never more than world.capacity; pool.c only */
    u32 quota;                  /* of them; POOL_UNLIMITED in the global pool */
    u32 limit;                  /* the quota is never above this: RLIMIT_RSS */
    u32 grant;                  /* nor above this: what control=pff gives */
    u32 barren;                 /* frames it had when a search found none that may go; 0: none did. reclaim.c only */
    u32 weight;                 /* share of memory that alloc= gives it, against the others' */
    u32 loads;                  /* pages that came in while pool_watchful; in a pool of one's own that is always */
    u32 last_victim;            /* the frame of the latest page that it lost by replacement; 0: none yet */
    u32 references;             /* recorded, of its pages: the time that wsclock goes by in a traced process */
    struct trace *trace;        /* of the process that it belongs to, or NULL; never in the global pool */
    LIST_ENTRY(pool) link;
};

/* The policy in force. */
extern const struct policy *pool_policy;
extern struct pool pool_global;

/* Where frames that come in now are charged: the running address space's. */
extern struct pool *pool_current;

/* Below this many free frames a fault must ask for room: what it and the pages that
 * prefetch may bring along can need, or any number while pools with quotas exist. */
#define POOL_FAULT_FRAMES 16u
#define POOL_ALERT_FRAMES (POOL_FAULT_FRAMES + CLUSTER_FRAMES)
extern u32 pool_alert;

/* So many free frames a system call asks for, if there are too few. They are kept for all,
 * so that they are no part of what there is to divide. */
#define POOL_SYSCALL_FRAMES 96u

/* The pool that each frame is charged to, by frame number; NULL: none yet. */
extern struct pool **pool_table;

/* Starts the policy that policy= names; refuses to boot without memory for it. */
void pool_start(void);

/* Whether alloc= gives each address space a pool. */
bool pool_is_local(void);

/* Whether it divides memory by priority: weights are the address spaces' own. */
bool pool_is_by_priority(void);

/* A new pool with this limit and grant; NULL if there is no memory. */
struct pool *pool_create(u32 limit, u32 grant);

/* Its frames are the global pool's from now on. */
void pool_destroy(struct pool *pool);

/* Charges a frame of another pool to this one. */
void pool_adopt(struct pool *pool, struct frame *frame);

/* Divides memory among the pools by their weights, limits and grants. */
void pool_divide(void);

/* Frames that there are to divide: those in pools, and those that are free beyond
 * POOL_SYSCALL_FRAMES. */
u32 pool_memory(void);

/* Another policy, by its name, from now on: every frame is handed over. 0; -EINVAL if
 * there is none of that name, or if it needs a recorded future and there is none (the log
 * says so); -ENOMEM. After an error nothing has changed. */
int pool_set_policy(const char *name);

/* The same for the policy that policy= names now (/proc/sys/vm/policy). */
int pool_apply_choice(void);

/* The pool that is to give up a frame when memory as a whole is short: the one most
 * above its quota. */
struct pool *pool_fattest(void);

/* All pools: the one after this one, of which the global one is the first; NULL at the end. */
struct pool *pool_next(struct pool *pool);

/* Whether the policy or the division of memory changes with time. */
static inline bool
pool_heeds_time(void)
{
    return pool_policy->tick || pool_policy->reference || pool_is_local();
}

/* The clock tick, for policies that heed it. To those that go by references, each
 * page used since the last tick is reported once. Linear in memory; so, where there is
 * much, only one tick in some does anything: 8192 known frames make it one in two, twice
 * as many one in three. Process context. */
void pool_tick(void);

/* The policy learns of a frame, forgets it, or loses it as a victim of its pool. */
void pool_insert(struct frame *frame);
void pool_remove(struct frame *frame);
void pool_evict(struct pool *pool, struct frame *frame);

/* While a victim is looked for: the policy forgets a frame that may not go, and learns of
 * it again. */
void pool_set_aside(struct frame *frame);
void pool_put_back(struct frame *frame);

/* The frame is freed: it is nobody's. */
static inline void
pool_forget(const struct frame *frame)
{
    pool_table[frame_number(frame).number] = NULL;
}

/* Writes into line why the pool's policy chose this victim: the candidates considered,
 * their bits or counters, the hand, the reason. Between pool_select and pool_evict. */
void pool_explain(struct pool *pool, const struct frame *victim, char *line, usize bytes);

/* The policy named what it must not: a panic that says what, and why not. */
void pool_refuse(const struct pool *pool, u32 number) __attribute__((noreturn, cold));

/* The pool's next victim; NULL if there is no candidate. A policy that names anything but
 * a frame that it was told of, or none although it was told of some, is refused. */
static inline struct frame *
pool_select(struct pool *pool)
{
    u32 number = pool->policy->select(pool->state);
    struct frame *frame = frame_descriptor((frame_t){number});

    if (number < frame_limit && pool_table[number] == pool && frame->evictable)
        return frame;
    if (number != POLICY_NONE || pool->frames > 0)
        pool_refuse(pool, number);
    return NULL;
}

/* Whether the frame counts against the quota of the pool. */
static inline bool
pool_charges(const struct pool *pool, const struct frame *frame)
{
    return pool != &pool_global && pool_table[frame_number(frame).number] == pool;
}

static inline bool
pool_is_full(const struct pool *pool)
{
    return pool->frames >= pool->quota;
}

/* How many must go before one more has a place. */
static inline u32
pool_excess(const struct pool *pool)
{
    return pool_is_full(pool) ? pool->frames - pool->quota + 1 : 0;
}

/* NULL, or what is wrong: counts against the frames known. */
const char *pool_check(void);
