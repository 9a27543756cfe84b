/*
 * What policies see of the world.
 *
 * Each pool has an environment of its own, which differs from the others' in its
 * capacity, its random sequence and its time; links and values are the same tables for
 * all.
 */
#include "mm/pool_world.h"

#include "drivers/timer.h"
#include "kernel/panic.h"
#include "mm/kmem.h"
#include "mm/pmap.h"
#include "mm/policy/text.h"
#include "mm/pool_page.h"
#include "mm/replay.h"
#include "mm/trace.h"

/* wsclock's working set: pages used within half a second. */
#define WINDOW_TICKS (TIMER_HERTZ / 2)

static struct policy_link *links;
static u32 *values;

static struct pool *
pool_of(const struct policy_environment *world)
{
    return (struct pool *)world;
}

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
    return random_next(&pool_of(world)->random);
}

static u32
world_time(const struct policy_environment *world)
{
    return pool_of(world)->trace ? pool_of(world)->references : (u32)timer_ticks();
}

static u32
world_next_use(const struct policy_environment *world, u32 number)
{
    return replay_next_use(pool_of(world)->trace->replay, pool_frame_page(frame_descriptor((frame_t){number})));
}

static policy_page_t
world_page(const struct policy_environment *world, u32 number)
{
    return pool_name(pool_of(world), frame_descriptor((frame_t){number}));
}

static void
world_describe(const struct policy_environment *world, u32 number, struct policy_text *text)
{
    const struct frame *frame = frame_descriptor((frame_t){number});

    if (pool_of(world)->trace) {
        text_hexadecimal(text, pool_frame_page(frame));
        return;
    }
    text_hexadecimal(text, frame->first.pmap ? frame->first.page.number : number);
    if (!frame->first.pmap)
        text_add(text, "(frame)");
}

static void *
world_allocate(size_t bytes)
{
    return kmem_allocate_zeroed(bytes);
}

void
world_start(void)
{
    links = kmem_allocate(frame_limit * sizeof(*links));
    values = kmem_allocate(frame_limit * sizeof(*values));
    if (!links || !values)
        panic("no memory for the tables of the replacement policy");
}

struct policy_environment
world_create(u32 capacity)
{
    return (struct policy_environment){
        .frames = frame_limit,
        .capacity = capacity,
        .links = links,
        .values = values,
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
}

void
world_follow(struct pool *pool, struct trace *trace)
{
    pool->trace = trace;
    pool->references = 0;
    pool->world.window = WORLD_WINDOW_REFERENCES;
    pool->world.next_use = trace->replay ? world_next_use : NULL;
}
