/*
 * The policy in force, and how one takes over from another: by name, for all pools, or
 * for one whose policy wants tables of another size.
 */
#include <asm/errno.h>

#include "kernel/command_line.h"
#include "kernel/log.h"
#include "kernel/panic.h"
#include "mm/pool_page.h"
#include "mm/pool_trace.h"
#include "mm/pool_world.h"
#include "mm/replay.h"

/* The order of POLICIES; the default is clock. */
static unsigned policy_choice = 2;
BOOT_CHOICE(policy, policy_choice, "which page is replaced", POLICIES(POLICY_WORD));

const struct policy *pool_policy;

/* Whether the policy cannot start because nobody has recorded the future; says so. */
static bool
lacks_future(const struct policy *policy)
{
    if (!policy->foresees || replay_exists())
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
    pool_watch();
}

/* What that means for a pool: only a process whose future is known can do without clock. */
static const struct policy *
policy_for(const struct pool *pool, const struct policy *policy)
{
    return policy->foresees && !pool->world.next_use ? &policy_clock : policy;
}

/* A new instance for the pool. */
static struct policy_state *
pool_instance(struct pool *pool, const struct policy *policy)
{
    if (policy->expect && !pool_keep_names())
        return NULL;
    return policy_start(policy, &pool->world);
}

bool
pool_begin_policy(struct pool *pool)
{
    pool->policy = policy_for(pool, pool_policy);
    pool->state = pool_instance(pool, pool->policy);
    return pool->state;
}

void
pool_start_policy(void)
{
    const struct policy *wanted = policy_list[policy_choice];

    if (!lacks_future(wanted)) {
        pool_use(wanted);
        if (pool_begin_policy(&pool_global))
            return;
        log_warn("no memory for policy=%s", wanted->name);
    }
    log_warn("policy=%s instead of policy=%s", policy_clock.name, wanted->name);
    pool_use(&policy_clock);
    if (!pool_begin_policy(&pool_global))
        panic("no memory for policy=%s", pool_policy->name);
}

/* Hands a pool's frames over. */
static void
pool_hand_over(struct pool *pool, const struct policy *policy, struct policy_state *state)
{
    u32 moved = policy_move(pool->policy, pool->state, policy, state);

    if (moved != pool->frames)
        panic("policy %s handed over %u frames, and was told of %u", pool->policy->name, moved, pool->frames);
    policy_stop(pool->policy, pool->state, &pool->world);
    pool->policy = policy;
    pool->state = state;
}

/* ---- One pool ---------------------------------------------------------- */

bool
pool_renew(struct pool *pool, const struct policy *policy, u32 capacity)
{
    u32 before = pool->world.capacity;
    struct policy_state *state;

    pool->world.capacity = capacity;
    state = pool->frames <= capacity ? pool_instance(pool, policy) : NULL;
    if (!state) {
        pool->world.capacity = before;
        return false;
    }
    pool_hand_over(pool, policy, state);
    return true;
}

u32
pool_capacity(u32 now, u32 frames)
{
    return policy_capacity(now, frames < frame_limit ? frames : frame_limit);
}

bool
pool_begin_anew(struct pool *pool)
{
    random_seed(&pool->random, command_line_seed);
    return pool_renew(pool, policy_for(pool, pool_policy), pool_capacity(0, pool->quota));
}

void
pool_set_quota(struct pool *pool, u32 quota)
{
    u32 capacity = pool_capacity(pool->world.capacity, quota), before = pool->quota;

    if (capacity != pool->world.capacity)
        pool_renew(pool, pool->policy, capacity);
    pool->quota = quota < pool->world.capacity ? quota : pool->world.capacity;
    if (pool->trace && pool->quota != before)
        pool_trace_frames(pool);
}

/* ---- All pools --------------------------------------------------------- */

/* Gives each pool the instance that is to take over; false if there is no memory. */
static bool
successors_create(const struct policy *policy)
{
    for (struct pool *pool = &pool_global; pool; pool = pool_next(pool)) {
        pool->successor = pool_instance(pool, policy_for(pool, policy));
        if (!pool->successor)
            return false;
    }
    return true;
}

/* The same back: pools up to the one that has none. */
static void
successors_destroy(const struct policy *policy)
{
    for (struct pool *pool = &pool_global; pool->successor; pool = pool_next(pool)) {
        policy_stop(policy_for(pool, policy), pool->successor, &pool->world);
        pool->successor = NULL;
    }
}

static void
pool_succeed(struct pool *pool, const struct policy *policy)
{
    pool_hand_over(pool, policy_for(pool, policy), pool->successor);
    pool->successor = NULL;
    if (pool->trace)
        pool_trace_policy(pool);
}

int
pool_set_policy(const char *name)
{
    const struct policy *policy = policy_find(name);

    if (!policy || lacks_future(policy))
        return -EINVAL;
    if (!successors_create(policy)) {
        successors_destroy(policy);
        return -ENOMEM;
    }
    for (struct pool *pool = &pool_global; pool; pool = pool_next(pool))
        pool_succeed(pool, policy);
    pool_use(policy);
    return 0;
}

int
pool_apply_choice(void)
{
    return pool_set_policy(policy_list[policy_choice]->name);
}
