/*
 * Frames that may be evicted, and those that are busy with a device.
 */
#include "mm/evictable.h"

#include "kernel/assert.h"
#include "kernel/command_line.h"
#include "kernel/lib/random.h"
#include "kernel/panic.h"
#include "kernel/wait.h"
#include "mm/kmem.h"
#include "mm/pmap.h"

static const struct policy *const policies[] = {&policy_fifo, &policy_random, &policy_clock};
static unsigned policy_choice = 2;
BOOT_CHOICE(policy, policy_choice, "which page is replaced", "fifo", "random", "clock");

const struct policy *evictable_policy;

/* Whoever waits for any busy frame; there are few, and they look again. */
static struct wait_queue waiters;

static struct random random;

static bool
environment_referenced(u32 number)
{
    return pmap_frame_test_referenced(frame_descriptor((frame_t){number}));
}

static u32
environment_random(void)
{
    return random_next(&random);
}

static void *
environment_allocate(size_t bytes)
{
    return kmem_allocate_zeroed(bytes);
}

void
evictable_start(void)
{
    static struct policy_environment environment = {
        .referenced = environment_referenced,
        .random = environment_random,
        .allocate = environment_allocate,
    };

    random_seed(&random, command_line_seed);
    environment.frames = frame_limit;
    evictable_policy = policies[policy_choice];
    if (!evictable_policy->start(&environment))
        panic("no memory for the tables of policy=%s", evictable_policy->name);
}

void
evictable_insert(struct frame *frame)
{
    if (!evictable_is_candidate(frame) || frame->evictable)
        return;
    frame->evictable = true;
    evictable_policy->insert(frame_number(frame).number);
}

void
evictable_remove(struct frame *frame)
{
    if (!frame->evictable)
        return;
    frame->evictable = false;
    evictable_policy->remove(frame_number(frame).number);
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
