/*
 * Pools: frames that compete with each other for staying in memory.
 *
 * Invariants: pool->frames counts the frames that its policy knows; a frame is
 * evictable exactly if the policy of the pool that pool_table names knows it. All
 * instances share one table of links, since no frame is in two pools.
 */
#include "mm/pool.h"

#include <asm/errno.h>

#include "drivers/timer.h"
#include "kernel/assert.h"
#include "kernel/command_line.h"
#include "kernel/lib/random.h"
#include "kernel/panic.h"
#include "kernel/printk.h"
#include "mm/kmem.h"
#include "mm/pmap.h"
#include "mm/policy/text.h"

/* wsclock's working set: pages used within half a second. */
#define WINDOW_TICKS (TIMER_HERTZ / 2)

/* The order of POLICIES; the default is clock. */
static unsigned policy_choice = 2;
BOOT_CHOICE(policy, policy_choice, "which page is replaced", POLICIES(POLICY_WORD));

enum { ALLOC_GLOBAL, ALLOC_EQUAL, ALLOC_PROPORTIONAL, ALLOC_PRIORITY };
static unsigned alloc_choice = ALLOC_GLOBAL;
BOOT_CHOICE(alloc, alloc_choice, "how frames are divided among processes", "global", "equal", "proportional",
            "priority");

const struct policy *pool_policy;
struct pool pool_global = {.quota = POOL_UNLIMITED, .limit = POOL_UNLIMITED, .grant = POOL_UNLIMITED};
struct pool *pool_current = &pool_global;
u32 pool_alert = POOL_ALERT_FRAMES;
struct pool **pool_table;

static struct kmem_cache pool_cache = KMEM_CACHE("pool", sizeof(struct pool), 4);
static LIST_HEAD(, pool) pools = LIST_HEAD_INITIALIZER(pools);     /* all but the global one */
static struct random random;

/* ---- What policies see of the world ------------------------------------ */

static bool
world_referenced(const struct policy_environment *world, u32 number)
{
    (void)world;
    return pmap_frame_test_referenced(frame_descriptor((frame_t){number}));
}

static bool
world_dirty(const struct policy_environment *world, u32 number)
{
    struct frame *frame = frame_descriptor((frame_t){number});

    (void)world;
    if (!frame->dirty)
        pmap_frame_harvest_dirty(frame);
    return frame->dirty;
}

static u32
world_random(const struct policy_environment *world)
{
    (void)world;
    return random_next(&random);
}

static u32
world_time(const struct policy_environment *world)
{
    (void)world;
    return (u32)timer_ticks();
}

/* An anon is one page, and has no index. */
static policy_page_t
world_page(const struct policy_environment *world, u32 number)
{
    const struct frame *frame = frame_descriptor((frame_t){number});

    (void)world;
    return (policy_page_t)(usize)frame->owner << 32 | (frame->state == FRAME_OBJECT ? frame->index : 0);
}

static void
world_describe(const struct policy_environment *world, u32 number, struct policy_text *text)
{
    const struct frame *frame = frame_descriptor((frame_t){number});

    (void)world;
    text_hexadecimal(text, frame->first.pmap ? frame->first.page.number : number);
    if (!frame->first.pmap)
        text_add(text, "(frame)");
}

static void *
world_allocate(size_t bytes)
{
    return kmem_allocate_zeroed(bytes);
}

static struct policy_environment world = {
    .window = WINDOW_TICKS,
    .referenced = world_referenced,
    .dirty = world_dirty,
    .random = world_random,
    .time = world_time,
    .page = world_page,
    .describe = world_describe,
    .allocate = world_allocate,
    .release = kmem_free,
};

/* ---- Life -------------------------------------------------------------- */

/* Whether the policy cannot start because nobody has recorded the future; says so. */
static bool
lacks_future(const struct policy *policy)
{
    if (!policy->foresees || world.next_use)
        return false;
    log_warn("policy=%s needs a recorded future, and there is none", policy->name);
    return true;
}

/* The policy in force, which policy= names from now on. */
static void
pool_use(const struct policy *policy)
{
    pool_policy = policy;
    for (policy_choice = 0; policy_list[policy_choice] != policy; policy_choice++)
        ;
}

void
pool_start(void)
{
    random_seed(&random, command_line_seed);
    world.frames = world.capacity = frame_limit;
    world.links = kmem_allocate(frame_limit * sizeof(*world.links));
    world.values = kmem_allocate(frame_limit * sizeof(*world.values));
    pool_table = kmem_allocate_zeroed(frame_limit * sizeof(struct pool *));
    if (!world.links || !world.values || !pool_table)
        panic("no memory for the tables of the replacement policy");
    pool_policy = policy_list[policy_choice];
    pool_global.state = policy_start(pool_policy, &world);
    if (pool_global.state)
        return;
    if (!lacks_future(pool_policy))
        log_warn("no memory for policy=%s", pool_policy->name);
    log_warn("policy=%s instead of policy=%s", policy_clock.name, pool_policy->name);
    pool_use(&policy_clock);
    pool_global.state = policy_start(pool_policy, &world);
    if (!pool_global.state)
        panic("no memory for policy=%s", pool_policy->name);
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

struct pool *
pool_create(void)
{
    struct pool *pool = kmem_cache_allocate(&pool_cache);

    if (!pool)
        return NULL;
    *pool = (struct pool){
        .state = policy_start(pool_policy, &world),
        .quota = POOL_UNLIMITED,
        .limit = POOL_UNLIMITED,
        .grant = POOL_UNLIMITED,
        .weight = 1,
    };
    if (!pool->state) {
        kmem_cache_free(&pool_cache, pool);
        return NULL;
    }
    LIST_INSERT_HEAD(&pools, pool, link);
    pool_alert = POOL_UNLIMITED;
    return pool;
}

void
pool_destroy(struct pool *pool)
{
    for (u32 number = 0; number < frame_limit; number++)
        if (pool_table[number] == pool)
            pool_adopt(&pool_global, frame_descriptor((frame_t){number}));
    assert(pool->frames == 0);
    policy_stop(pool_policy, pool->state, &world);
    LIST_REMOVE(pool, link);
    if (LIST_EMPTY(&pools))
        pool_alert = POOL_ALERT_FRAMES;
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

void
pool_insert(struct frame *frame)
{
    u32 number = frame_number(frame).number;
    struct pool *pool = pool_table[number];

    if (!pool) {
        pool = pool_table[number] = pool_current;
        pool->loads++;
    }
    frame->evictable = true;
    pool->frames++;
    pool_policy->insert(pool->state, number);
}

void
pool_remove(struct frame *frame)
{
    struct pool *pool = pool_table[frame_number(frame).number];

    frame->evictable = false;
    pool->frames--;
    pool_policy->remove(pool->state, frame_number(frame).number);
}

void
pool_evict(struct frame *frame)
{
    struct pool *pool = pool_table[frame_number(frame).number];

    frame->evictable = false;
    pool->frames--;
    pool->victims++;
    pool->last_victim = frame_number(frame).number;
    if (pool->trace)
        trace_victim(pool->trace, frame);
    policy_evict(pool_policy, pool->state, frame_number(frame).number);
}

void
pool_reference(struct frame *frame, bool loaded)
{
    u32 number = frame_number(frame).number;

    if (!pool_policy->reference)
        return;
    frame->referenced = false;      /* told now, not once more at the next tick */
    if (frame->evictable && !loaded)
        pool_policy->reference(pool_table[number]->state, number);
}

/* What is wrong with a policy's choice among a pool's frames; NULL: nothing. */
static const char *
choice_wrong(const struct pool *pool, u32 number)
{
    struct frame *frame;

    if (number >= frame_limit)
        return "does not exist";
    frame = frame_descriptor((frame_t){number});
    if (frame->evictable)
        return pool_table[number] == pool ? NULL : "is another pool's";
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

u32
pool_select(struct pool *pool)
{
    u32 number = pool_policy->select(pool->state);
    const char *wrong;

    if (number == POLICY_NONE && pool->frames > 0)
        panic("policy %s chose no frame, although it was told of %u", pool_policy->name, pool->frames);
    wrong = number == POLICY_NONE ? NULL : choice_wrong(pool, number);
    if (wrong)
        panic("policy %s chose frame %u, which %s", pool_policy->name, number, wrong);
    return number;
}

void
pool_explain(struct pool *pool, const struct frame *victim, char *line, usize bytes)
{
    struct policy_text text = {line, bytes - 1};

    *line = '\0';
    if (pool_policy->explain)
        pool_policy->explain(pool->state, frame_number(victim).number, &text);
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

static u32
least(u32 a, u32 b)
{
    return a < b ? a : b;
}

u32
pool_memory(void)
{
    u32 memory = frame_free_count() + pool_global.frames;
    struct pool *pool;

    LIST_FOREACH(pool, &pools, link)
        memory += pool->frames;
    return memory;
}

void
pool_divide(void)
{
    u32 memory = pool_memory(), count = 0, weights = 0;
    struct pool *pool;

    LIST_FOREACH(pool, &pools, link) {
        weights += pool->weight;
        count++;
    }
    LIST_FOREACH(pool, &pools, link) {
        u32 share = pool_is_local() ? share_of(pool, memory, count, weights) : POOL_UNLIMITED;

        pool->quota = least(share, least(pool->limit, pool->grant));
    }
}

struct pool *
pool_fattest(void)
{
    struct pool *pool, *fattest = &pool_global;
    u32 most = 0;

    LIST_FOREACH(pool, &pools, link) {
        u32 excess = pool->frames > pool->quota ? pool->frames - pool->quota : 0;

        if (pool->frames > 0 && (excess > most || fattest->frames == 0)) {
            most = excess;
            fattest = pool;
        }
    }
    return fattest;
}

/* ---- Another policy ---------------------------------------------------- */

/* Starts an instance of policy for every pool, the global one first, into states;
 * false, and none is left, without memory. */
static bool
states_start(const struct policy *policy, struct policy_state **states, u32 count)
{
    for (u32 i = 0; i < count; i++) {
        states[i] = policy_start(policy, &world);
        if (states[i])
            continue;
        while (i-- > 0)
            policy_stop(policy, states[i], &world);
        return false;
    }
    return true;
}

/* Hands a pool's frames over. */
static void
pool_hand_over(struct pool *pool, const struct policy *policy, struct policy_state *state)
{
    u32 moved = policy_move(pool_policy, pool->state, policy, state);

    if (moved != pool->frames)
        panic("policy %s handed over %u frames, and was told of %u", pool_policy->name, moved, pool->frames);
    policy_stop(pool_policy, pool->state, &world);
    pool->state = state;
}

int
pool_set_policy(const char *name)
{
    const struct policy *policy = policy_find(name);
    struct policy_state **states;
    struct pool *pool;
    u32 count = 1;

    if (!policy || lacks_future(policy))
        return -EINVAL;
    LIST_FOREACH(pool, &pools, link)
        count++;
    states = kmem_allocate(count * sizeof(*states));
    if (!states || !states_start(policy, states, count)) {
        kmem_free(states);
        return -ENOMEM;
    }
    pool_hand_over(&pool_global, policy, states[--count]);
    LIST_FOREACH(pool, &pools, link)
        pool_hand_over(pool, policy, states[--count]);
    kmem_free(states);
    pool_use(policy);
    return 0;
}

int
pool_apply_choice(void)
{
    return pool_set_policy(policy_list[policy_choice]->name);
}

/* ---- Time -------------------------------------------------------------- */

void
pool_tick(void)
{
    struct pool *pool;

    if (pool_policy->tick) {
        pool_policy->tick(pool_global.state);
        LIST_FOREACH(pool, &pools, link)
            pool_policy->tick(pool->state);
    }
    if (!pool_policy->reference)
        return;
    for (u32 number = 0; number < frame_limit; number++)
        if (frame_descriptor((frame_t){number})->evictable && world_referenced(&world, number))
            pool_policy->reference(pool_table[number]->state, number);
}

const char *
pool_check(void)
{
    struct pool *pool;
    u32 known = pool_global.frames, evictable = 0;

    LIST_FOREACH(pool, &pools, link) {
        known += pool->frames;
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
    return known == evictable ? NULL : "the pools' counts of frames disagree with the frames";
}
