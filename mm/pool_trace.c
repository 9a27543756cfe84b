/*
 * What the trace tells of a pool, and what the pool hears from it.
 */
#include "mm/pool_trace.h"

#include "kernel/log.h"
#include "mm/pool_page.h"
#include "mm/pool_world.h"
#include "mm/replay.h"
#include "mm/trace_output.h"

static u32
number_of(const struct frame *frame)
{
    return frame_number(frame).number;
}

/* ---- What happens to pages --------------------------------------------- */

void
pool_trace_return(struct pool *pool, struct frame *frame)
{
    u32 page = pool_frame_page(frame);

    trace_write_page(pool->trace->process, TRACE_RETURN, page, false);
    if (frame->dirty)
        trace_write_page(pool->trace->process, TRACE_DIRTY, page, false);
    frame->referenced = false;
}

void
pool_trace_leave(const struct pool *pool, const struct frame *frame)
{
    trace_write_page(pool->trace->process, TRACE_LEAVE, pool_frame_page(frame), false);
}

void
pool_trace_evict(const struct pool *pool, const struct frame *frame)
{
    trace_write_page(pool->trace->process, TRACE_EVICT, pool_frame_page(frame), false);
}

void
pool_trace_unmap(struct pool *pool, struct trace *trace, page_t page, struct frame *frame)
{
    if (frame && pool && pool_table[number_of(frame)] == pool)
        pool_adopt(&pool_global, frame);
    trace_write_page(trace->process, TRACE_UNMAP, page.number, false);
}

void
pool_trace_share(struct frame *frame)
{
    const struct pool *pool = pool_table[number_of(frame)];

    if (pool && pool->trace && pool != pool_current)
        pool_adopt(&pool_global, frame);
}

void
pool_trace_frames(const struct pool *pool)
{
    trace_write_frames(pool->trace->process, pool->quota < frame_limit ? pool->quota : frame_limit);
}

void
pool_trace_policy(const struct pool *pool)
{
    trace_write_policy(pool->trace->process, pool->policy->name);
}

/* ---- References -------------------------------------------------------- */

/* The process does not do what the recorded one did: the future is not known any more. */
static void
replay_depart(struct trace *trace, struct pool *pool)
{
    if (pool->trace == trace && pool->world.next_use) {
        pool->world.next_use = NULL;
        if (pool->policy->foresees && pool_renew(pool, &policy_clock, pool->world.capacity))
            pool_trace_policy(pool);
    }
    replay_end(trace->replay);
    trace->replay = NULL;
}

void
pool_trace_expect(struct trace *trace, page_t page)
{
    if (trace->replay && !replay_permits(trace->replay, page.number))
        replay_depart(trace, pool_current);
}

/* Before the policy hears of a reference. */
static void
reference_replay(struct trace *trace, page_t page)
{
    pool_trace_expect(trace, page);
    if (trace->replay)
        replay_advance(trace->replay, page.number);
}

void
pool_trace_arrival(struct trace *trace, const struct pool *pool, struct frame *frame, page_t page,
                   enum trace_event access)
{
    bool in_game = pool == pool_current;

    trace->arrived = page.number;
    trace_touch(trace, page, frame, access);
    if (in_game) {
        trace_write_page(trace->process, TRACE_FAULT, page.number, false);
        reference_replay(trace, page);
    }
    trace_reference(trace, page.number, access, !in_game);
}

/* The policy that knows the frame hears that it was used: by its bit, or at once. */
static void
reference_tell(struct frame *frame, bool arrived)
{
    struct pool *pool = frame->evictable ? pool_table[number_of(frame)] : NULL;

    if (!pool || !pool->policy->reference)
        return;
    if (!pool->trace)
        frame->referenced = false;      /* told now, not once more at the next tick, which leaves the pools of traced processes alone */
    if (!arrived)
        pool->policy->reference(pool->state, number_of(frame));
}

static bool
has_other_name(const struct frame *frame, u32 owner, page_t page)
{
    return pool_frame_page(frame) != page.number || pool_frame_owner(frame) != owner;
}

void
pool_record(struct trace *trace, u32 owner, page_t page, struct frame *frame, enum trace_event access, bool locked)
{
    struct pool *pool = pool_current;
    bool own = pool->trace == trace, arrived = trace->arrived == page.number;
    bool in_game = own ? frame->evictable && pool_table[number_of(frame)] == pool : !locked;

    if (own && in_game && has_other_name(frame, owner, page)) {
        pool_rename(frame, owner, page.number);
        frame->referenced = true;
    }
    if (!trace_touch(trace, page, frame, access)) {
        reference_tell(frame, true);
        if (own && in_game && arrived && frame->dirty && access != TRACE_WRITE)
            trace_write_page(trace->process, TRACE_DIRTY, page.number, false);
        return;
    }
    if (in_game)
        reference_replay(trace, page);
    trace_reference(trace, page.number, access, !in_game);
    reference_tell(frame, false);
    pool->references += own && in_game;
}

/* ---- Life -------------------------------------------------------------- */

/* Takes all frames from the policy: a list, by frame->aside. Those that the process alone
 * maps have the names of the pages there. */
static struct frame *
frames_take(struct pool *pool, u32 owner)
{
    struct frame *all = NULL;

    for (u32 number = 0; number < frame_limit; number++) {
        struct frame *frame = frame_descriptor((frame_t){number});

        if (pool_table[number] != pool || !frame->evictable)
            continue;
        pool_remove(frame);
        if (frame->first.pmap)
            pool_rename(frame, owner, frame->first.page.number);
        frame->aside = all;
        all = frame;
    }
    return all;
}

void
pool_follow(struct pool *pool, struct trace *trace, u32 owner)
{
    struct frame *all = frames_take(pool, owner);

    world_follow(pool, trace);
    if (!pool_begin_anew(pool))
        log_warn("trace: no memory to start policy=%s anew for process %u", pool->policy->name, trace->process);
    pool_trace_policy(pool);
    pool_trace_frames(pool);
    for (; all; all = all->aside)
        pool_insert(all);
}

void
pool_unfollow(struct pool *pool)
{
    if (pool->trace)
        trace_write_frames(pool->trace->process, 0);
    pool->trace = NULL;
}
