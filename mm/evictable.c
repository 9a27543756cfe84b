/*
 * Frames that may be evicted, and those that are busy with a device.
 */
#include "mm/evictable.h"

#include "drivers/timer.h"
#include "kernel/assert.h"
#include "kernel/command_line.h"
#include "kernel/lib/random.h"
#include "kernel/panic.h"
#include "kernel/printk.h"
#include "kernel/wait.h"
#include "mm/kmem.h"
#include "mm/pmap.h"
#include "mm/policy/text.h"

/* wsclock's working set: pages used within half a second. */
#define WINDOW_TICKS (TIMER_HERTZ / 2)

/* The order of POLICIES; the default is clock. */
static unsigned policy_choice = 2;
BOOT_CHOICE(policy, policy_choice, "which page is replaced", POLICIES(POLICY_WORD));

const struct policy *evictable_policy;
struct policy_state *evictable_state;

/* Whoever waits for any busy frame; there are few, and they look again. */
static struct wait_queue waiters;

static struct random random;

static bool
environment_referenced(const struct policy_environment *world, u32 number)
{
    (void)world;
    return pmap_frame_test_referenced(frame_descriptor((frame_t){number}));
}

static bool
environment_dirty(const struct policy_environment *world, u32 number)
{
    struct frame *frame = frame_descriptor((frame_t){number});

    (void)world;
    pmap_frame_harvest_dirty(frame);
    return frame->dirty;
}

static u32
environment_random(const struct policy_environment *world)
{
    (void)world;
    return random_next(&random);
}

static u32
environment_time(const struct policy_environment *world)
{
    (void)world;
    return (u32)timer_ticks();
}

/* An anon is one page, and has no index. */
static policy_page_t
environment_page(const struct policy_environment *world, u32 number)
{
    const struct frame *frame = frame_descriptor((frame_t){number});

    (void)world;
    return (policy_page_t)(usize)frame->owner << 32 | (frame->state == FRAME_OBJECT ? frame->index : 0);
}

static void
environment_describe(const struct policy_environment *world, u32 number, struct policy_text *text)
{
    const struct frame *frame = frame_descriptor((frame_t){number});

    (void)world;
    text_hexadecimal(text, frame->first.pmap ? frame->first.page.number : number);
    if (!frame->first.pmap)
        text_add(text, "(frame)");
}

static void *
environment_allocate(usize bytes)
{
    return kmem_allocate_zeroed(bytes);
}

static struct policy_environment environment = {
    .window = WINDOW_TICKS,
    .referenced = environment_referenced,
    .dirty = environment_dirty,
    .random = environment_random,
    .time = environment_time,
    .page = environment_page,
    .describe = environment_describe,
    .allocate = environment_allocate,
    .release = kmem_free,
};

void
evictable_start(void)
{
    random_seed(&random, command_line_seed);
    environment.frames = environment.capacity = frame_limit;
    environment.links = kmem_allocate(frame_limit * sizeof(*environment.links));
    environment.values = kmem_allocate(frame_limit * sizeof(*environment.values));
    if (!environment.links || !environment.values)
        panic("no memory for the tables of the replacement policy");
    evictable_policy = policy_list[policy_choice];
    evictable_state = policy_start(evictable_policy, &environment);
    if (evictable_state)
        return;
    log_warn("policy=%s cannot start, for want of memory or of a recorded future; clock instead", evictable_policy->name);
    evictable_policy = &policy_clock;
    evictable_state = policy_start(evictable_policy, &environment);
    if (!evictable_state)
        panic("no memory for policy=%s", evictable_policy->name);
}

void
evictable_tick(void)
{
    if (evictable_policy->tick)
        evictable_policy->tick(evictable_state);
    if (!evictable_policy->reference)
        return;
    for (u32 number = 0; number < frame_limit; number++)
        if (frame_descriptor((frame_t){number})->evictable && environment_referenced(&environment, number))
            evictable_policy->reference(evictable_state, number);
}

void
evictable_insert(struct frame *frame)
{
    if (!evictable_is_candidate(frame) || frame->evictable)
        return;
    frame->evictable = true;
    evictable_policy->insert(evictable_state, frame_number(frame).number);
}

void
evictable_remove(struct frame *frame)
{
    if (!frame->evictable)
        return;
    frame->evictable = false;
    evictable_policy->remove(evictable_state, frame_number(frame).number);
}

void
evictable_evict(struct frame *frame)
{
    frame->evictable = false;
    policy_evict(evictable_policy, evictable_state, frame_number(frame).number);
}

void
evictable_pin(struct frame *frame)
{
    evictable_remove(frame);
    frame->pins++;
    assert(frame->pins != 0);
}

void
evictable_unpin(struct frame *frame)
{
    assert(frame->pins > 0);
    frame->pins--;
    if (frame->pins == 0 && frame->orphan && !frame->busy)
        evictable_disown(frame);
    else
        evictable_insert(frame);
}

void
evictable_begin(struct frame *frame)
{
    assert(!frame->busy);
    evictable_remove(frame);
    frame->busy = true;
}

bool
evictable_end(struct frame *frame)
{
    assert(frame->busy);
    frame->busy = false;
    wait_wake_all(&waiters);
    if (frame->orphan) {
        evictable_disown(frame);
        return false;
    }
    evictable_insert(frame);
    return true;
}

void
evictable_wait(const struct frame *frame)
{
    while (frame->busy)
        wait_sleep(&waiters);
}

void
evictable_disown(struct frame *frame)
{
    evictable_remove(frame);
    frame->owner = NULL;
    frame->orphan = frame->busy || frame->pins;
    if (!frame->orphan)
        frame_free(frame);
}
