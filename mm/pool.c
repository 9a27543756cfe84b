/*
 * Pools: frames that compete with each other for staying in memory.
 *
 * Invariants: pool->frames counts the frames that its policy knows, never more than it
 * has room for; a frame is evictable exactly if the policy of the pool that pool_table
 * names knows it. All instances share one table of links, since no frame is in two pools.
 */
#include "mm/pool.h"

#include <asm/errno.h>

#include "kernel/assert.h"
#include "kernel/command_line.h"
#include "kernel/panic.h"
#include "mm/kmem.h"
#include "mm/pmap.h"
#include "mm/pool_page.h"
#include "mm/pool_trace.h"
#include "mm/pool_world.h"
#include "mm/trace_output.h"

/* Frames whose bits a clock tick can look at in a few percent of its time; so many
 * that no policy knows cost as much as one. */
#define TICK_FRAMES 8192u
#define TICK_UNKNOWN_SHARE 8u

enum { ALLOC_GLOBAL, ALLOC_EQUAL, ALLOC_PROPORTIONAL, ALLOC_PRIORITY };
static unsigned alloc_choice = ALLOC_GLOBAL;
BOOT_CHOICE(alloc, alloc_choice, "how frames are divided among processes", "global", "equal", "proportional",
            "priority");

struct pool pool_global = {.quota = POOL_UNLIMITED, .limit = POOL_UNLIMITED, .grant = POOL_UNLIMITED};
struct pool *pool_current = &pool_global;
u32 pool_alert = POOL_ALERT_FRAMES;
struct pool **pool_table;

static struct kmem_cache pool_cache = KMEM_CACHE("pool", sizeof(struct pool), 4);
struct pool_list pool_list = LIST_HEAD_INITIALIZER(pool_list);

/* ---- Life -------------------------------------------------------------- */

void
pool_watch(void)
{
    pool_watchful = !LIST_EMPTY(&pool_list) || pool_policy->expect || trace_any;
    pool_alert = pool_watchful ? POOL_UNLIMITED : POOL_ALERT_FRAMES;
}

void
pool_start(void)
{
    world_start();
    pool_table = kmem_allocate_zeroed(frame_limit * sizeof(struct pool *));
    if (!pool_table)
        panic("no memory for the tables of the replacement policy");
    pool_global.world = world_create(frame_limit);
    random_seed(&pool_global.random, command_line_seed);
    pool_start_policy();
}

bool
pool_is_local(void)
{
    return alloc_choice != ALLOC_GLOBAL;
}

bool
pool_is_by_priority(void)
{
    return alloc_choice == ALLOC_PRIORITY;
}

/* Frames that the policies know. */
static u32
pool_known(void)
{
    u32 known = pool_global.frames;
    struct pool *pool;

    LIST_FOREACH(pool, &pool_list, link)
        known += pool->frames;
    return known;
}

u32
pool_memory(void)
{
    u32 memory = frame_free_count() + pool_known();

    return memory > POOL_SYSCALL_FRAMES ? memory - POOL_SYSCALL_FRAMES : 0;
}

/* The pools that divide it, and the sum of their weights. */
static void
pool_count(u32 *count, u32 *weights)
{
    struct pool *pool;

    *count = *weights = 0;
    LIST_FOREACH(pool, &pool_list, link) {
        *weights += pool->weight;
        ++*count;
    }
}

/* What the policy of a new pool has room for: until memory is divided anew, an equal share. */
static u32
first_capacity(u32 limit)
{
    u32 count, weights, share;

    pool_count(&count, &weights);
    share = pool_memory() / (count + 1);
    return pool_capacity(0, share < limit ? share : limit);
}

struct pool *
pool_create(u32 limit, u32 grant)
{
    struct pool *pool = kmem_cache_allocate(&pool_cache);

    if (!pool)
        return NULL;
    *pool = (struct pool){
        .world = world_create(first_capacity(limit < grant ? limit : grant)),
        .quota = limit < grant ? limit : grant,
        .limit = limit,
        .grant = grant,
        .weight = 1,
    };
    random_seed(&pool->random, command_line_seed);
    if (!pool_begin_policy(pool)) {
        kmem_cache_free(&pool_cache, pool);
        return NULL;
    }
    LIST_INSERT_HEAD(&pool_list, pool, link);
    pool_watch();
    return pool;
}

void
pool_destroy(struct pool *pool)
{
    pool_unfollow(pool);
    for (u32 number = 0; number < frame_limit; number++)
        if (pool_table[number] == pool)
            pool_adopt(&pool_global, frame_descriptor((frame_t){number}));
    assert(pool->frames == 0);
    policy_stop(pool->policy, pool->state, &pool->world);
    LIST_REMOVE(pool, link);
    pool_watch();
    if (pool_current == pool)
        pool_current = &pool_global;
    kmem_cache_free(&pool_cache, pool);
}

void
pool_adopt(struct pool *pool, struct frame *frame)
{
    bool known = frame->evictable;

    if (known)
        pool_remove(frame);
    pool_table[frame_number(frame).number] = pool;
    if (known)
        pool_insert(frame);
}

/* ---- Frames ------------------------------------------------------------ */

/* Tells the policy of the pool that the frame is charged to. */
static inline void
pool_tell(struct pool *pool, struct frame *frame, u32 number)
{
    frame->evictable = true;
    pool->frames++;
    pool->policy->insert(pool->state, number);
}

/* The same while pool_watchful. The reference that brought it in counts once it is in. */
static void __attribute__((noinline))
pool_insert_watched(struct frame *frame)
{
    bool recorded;
    struct pool *pool = pool_admit(frame, &recorded);

    pool_tell(pool, frame, frame_number(frame).number);
    pool->references += recorded;
}

void
pool_insert(struct frame *frame)
{
    u32 number = frame_number(frame).number;
    struct pool *pool;

    if (pool_watchful) {
        pool_insert_watched(frame);
        return;
    }
    pool = pool_table[number];
    if (!pool)
        pool = pool_table[number] = pool_current;
    pool_tell(pool, frame, number);
}

/* The policy is to forget the frame. */
static inline struct pool *
pool_untell(struct frame *frame)
{
    u32 number = frame_number(frame).number;
    struct pool *pool = pool_table[number];

    frame->evictable = false;
    pool->frames--;
    pool->policy->remove(pool->state, number);
    return pool;
}

void
pool_remove(struct frame *frame)
{
    struct pool *pool = pool_untell(frame);

    if (pool->trace)
        pool_trace_leave(pool, frame);
}

void
pool_evict(struct pool *pool, struct frame *frame)
{
    u32 number = frame_number(frame).number;

    frame->evictable = false;
    pool->frames--;
    pool->last_victim = number;
    if (pool->trace)
        pool_trace_evict(pool, frame);
    policy_evict(pool->policy, pool->state, number);
}

void
pool_set_aside(struct frame *frame)
{
    pool_untell(frame);
}

void
pool_put_back(struct frame *frame)
{
    u32 number = frame_number(frame).number;

    pool_tell(pool_table[number], frame, number);
}

/* What is wrong with a policy's choice among a pool's frames. */
static const char *
choice_wrong(const struct pool *pool, u32 number)
{
    struct frame *frame;

    if (number >= frame_limit)
        return "does not exist";
    frame = frame_descriptor((frame_t){number});
    if (frame->evictable)
        return "is another pool's";
    if (number == pool->last_victim)
        return "was its last victim, and has gone";
    if (frame->state == FRAME_FREE)
        return "is free";
    if (frame->pins)
        return "is pinned";
    if (frame->busy)
        return "is busy";
    if (frame->first.pmap && pmap_frame_is_locked(frame))
        return "is locked";
    return "it was not told of";
}

void
pool_refuse(const struct pool *pool, u32 number)
{
    if (number == POLICY_NONE)
        panic("policy %s chose no frame, although it was told of %u", pool->policy->name, pool->frames);
    panic("policy %s chose frame %u, which %s", pool->policy->name, number, choice_wrong(pool, number));
}

void
pool_explain(struct pool *pool, const struct frame *victim, char *line, usize bytes)
{
    struct policy_text text = {line, bytes - 1};

    *line = '\0';
    if (pool->policy->explain)
        pool->policy->explain(pool->state, frame_number(victim).number, &text);
}

/* ---- Division ---------------------------------------------------------- */

static u32
share_of(const struct pool *pool, u32 memory, u32 count, u32 weights)
{
    u32 share = memory / count;

    if (alloc_choice != ALLOC_EQUAL && weights > 0)
        share = memory / weights * pool->weight + memory % weights * pool->weight / weights;
    return share > POOL_MINIMUM ? share : POOL_MINIMUM;
}

void
pool_divide(void)
{
    u32 count, weights, memory = pool_memory();
    struct pool *pool;

    pool_count(&count, &weights);
    LIST_FOREACH(pool, &pool_list, link) {
        u32 share = pool_is_local() ? share_of(pool, memory, count, weights) : POOL_UNLIMITED;

        pool_set_quota(pool, least(share, least(pool->limit, pool->grant)));
    }
}

struct pool *
pool_fattest(void)
{
    struct pool *pool, *fattest = &pool_global;
    u32 most = 0;

    LIST_FOREACH(pool, &pool_list, link) {
        u32 excess = pool->frames > pool->quota ? pool->frames - pool->quota : 0;

        if (pool->frames > 0 && (excess > most || fattest->frames == 0)) {
            most = excess;
            fattest = pool;
        }
    }
    return fattest;
}

struct pool *
pool_next(struct pool *pool)
{
    return pool == &pool_global ? LIST_FIRST(&pool_list) : LIST_NEXT(pool, link);
}

/* ---- Time -------------------------------------------------------------- */

/* The work of a tick grows with memory; so the more there is, the more ticks pass
 * without any, and what it takes of the time does not grow. */
static bool
tick_is_due(void)
{
    static u32 pause;

    if (pause > 0) {
        pause--;
        return false;
    }
    pause = (pool_known() + frame_limit / TICK_UNKNOWN_SHARE) / TICK_FRAMES;
    return true;
}

static void
pool_tick_policy(struct pool *pool)
{
    if (pool->policy->tick)
        pool->policy->tick(pool->state);
}

void
pool_tick(void)
{
    struct pool *pool;

    if (!tick_is_due())
        return;
    if (trace_any)
        trace_write_tick();
    pool_tick_policy(&pool_global);
    LIST_FOREACH(pool, &pool_list, link)
        pool_tick_policy(pool);
    if (!pool_policy->reference)
        return;
    for (u32 number = 0; number < frame_limit; number++) {
        struct frame *frame = frame_descriptor((frame_t){number});

        pool = pool_table[number];
        if (frame->evictable && pool->policy->reference && !pool->trace && pmap_frame_test_referenced(frame))
            pool->policy->reference(pool->state, number);
    }
}

const char *
pool_check(void)
{
    u32 evictable = 0;
    struct pool *pool;

    LIST_FOREACH(pool, &pool_list, link) {
        if (pool->quota > pool->limit || pool->quota > pool->grant)
            return "a pool's quota is above its limit or its grant";
    }
    for (u32 number = 0; number < frame_limit; number++) {
        const struct frame *frame = frame_descriptor((frame_t){number});

        evictable += frame->evictable;
        if (frame->evictable && !pool_table[number])
            return "a frame is known to the policy but charged to no pool";
        if (frame->state == FRAME_FREE && pool_table[number])
            return "a free frame is charged to a pool";
    }
    return pool_known() == evictable ? NULL : "the pools' counts of frames disagree with the frames";
}
