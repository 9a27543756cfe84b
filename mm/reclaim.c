/*
 * Making room.
 *
 * A victim is chosen by the policy among the evictable frames. What becomes of
 * it depends on its owner:
 *
 *   file's, clean     a copy is on its device: dropped
 *   file's, dirty     written to its place there
 *   anon, clean       a copy is in its slot: dropped
 *   anon, dirty       written to its slot, or to a new one
 *
 * When the swap area is full, slots of anons that are in memory anyway are taken
 * back first: their copy is a convenience.
 */
#include "mm/reclaim.h"

#include <asm/errno.h>

#include "drivers/timer.h"
#include "kernel/command_line.h"
#include "kernel/log.h"
#include "kernel/wait.h"
#include "mm/anon.h"
#include "mm/counters.h"
#include "mm/evictable.h"
#include "mm/object.h"
#include "mm/pmap.h"
#include "mm/swap.h"
#include "mm/trace_output.h"

enum { EXPLAIN_OFF, EXPLAIN_ON };
unsigned reclaim_explain = EXPLAIN_OFF;
BOOT_CHOICE(explain, reclaim_explain, "whether each eviction is explained in the log", "off", "on");
#define EXPLANATION_BYTES 480u      /* two lists of TEXT_CANDIDATES pages each, and the reason; a line of the log holds little more */

static bool (*kill_somebody)(void);

/* A pool that had nothing to give is searched again when it has grown by one part in so many. */
#define BARREN_PART 64u

void
reclaim_set_killer(bool (*killer)(void))
{
    kill_somebody = killer;
}

/* Takes the slot of some anon in memory, which then counts as dirty. */
static __attribute__((noinline)) bool
slot_take_back(void)
{
    for (u32 i = 0; i < frame_limit; i++) {
        struct frame *frame;
        struct anon *anon;

        frame = frame_descriptor((frame_t){anon_slot_hand});
        anon_slot_hand = anon_slot_hand + 1 < frame_limit ? anon_slot_hand + 1 : 0;
        anon = frame->owner;
        if (frame->state != FRAME_ANONYMOUS || frame->busy || !anon || !anon->slot.number)
            continue;
        anon_drop_slot(anon);
        frame->dirty = true;
        return true;
    }
    anon_slots_to_take = false;
    return false;
}

/* Finds a slot to be written to for an anon that has none. */
static inline bool
anon_find_slot(struct anon *anon)
{
    anon->slot = swap_allocate();
    if (!anon->slot.number && anon_slots_to_take && slot_take_back())
        anon->slot = swap_allocate();
    return anon->slot.number;
}

/* A victim's fate counts for the system when it is known, and for the address space
 * that maps it first, if any does: that before a write, since it may be gone after. */
static void
victim_count(struct counters *of, bool written)
{
    of->pgsteal++;
    if (written)
        of->reclaim_write_back++;
    else
        of->reclaim_clean_drop++;
}

/* Takes the victim from whoever maps it. Whether it must be written. */
static inline bool
victim_revoke(struct frame *frame)
{
    struct counters *owner = frame->first.pmap ? frame->first.pmap->counters : NULL;

    pmap_frame_remove(frame);
    if (owner) {
        victim_count(owner, frame->dirty);
        if (frame->dirty && frame->state == FRAME_ANONYMOUS)
            owner->pswpout++;
    }
    return frame->dirty;
}

/* Writes a dirty anon's page to its slot and frees its frame. False if the device
 * failed. */
static bool
anon_write_out(struct anon *anon, struct frame *frame)
{
    int error;

    evictable_begin(frame);
    error = swap_write(anon->slot, frame);
    if (!evictable_end_leaving(frame))
        return true;            /* the anon went meanwhile, and the frame with it */
    if (error) {
        anon_slots_to_take = true;
        evictable_insert(frame);
        return false;
    }
    anon->frame = NULL;
    evictable_disown(frame);
    return true;
}

static bool
anon_evict(struct frame *frame, bool dirty)
{
    struct anon *anon = frame->owner;

    if (dirty)
        return anon_write_out(anon, frame);
    anon->frame = NULL;
    evictable_disown(frame);
    return true;
}

static bool
object_evict(struct frame *frame, bool dirty)
{
    if (dirty)
        return object_write_out(frame);
    object_forget(frame);
    return true;
}

/* Whether nobody needs the frame at the moment, and there is a place for its contents. */
static inline bool
frame_may_go(struct frame *frame)
{
    struct anon *anon = frame->owner;

    if (frame->needed)
        return false;
    if (frame->state == FRAME_OBJECT || anon->slot.number)
        return true;
    frame->dirty = true;        /* there is no other copy */
    return anon_find_slot(anon);
}

static __attribute__((noinline)) void
victim_explain(struct pool *pool, const struct frame *victim)
{
    char line[EXPLANATION_BYTES];

    pool_explain(pool, victim, line, sizeof(line));
    log_info("%s: %s", pool->policy->name, line);
}

/* The policy's first choice in the pool that may go, taken from the policy; or NULL.
 * Those before it are set aside meanwhile, so that each is asked once. */
static struct frame *
victim_choose(struct pool *pool)
{
    struct frame *victim, *aside = NULL;

    while ((victim = pool_select(pool)) && !frame_may_go(victim)) {
        pool_set_aside(victim);
        victim->aside = aside;
        aside = victim;
    }
    if (victim) {
        if (reclaim_explain == EXPLAIN_ON)
            victim_explain(pool, victim);
        pool_evict(pool, victim);
    }
    for (; aside; aside = aside->aside)
        pool_put_back(aside);
    return victim;
}

/* Evicts a frame that the policy does not know any more. False if the device failed. */
static bool
frame_evict(struct frame *frame)
{
    bool dirty = victim_revoke(frame);

    if (!(frame->state == FRAME_ANONYMOUS ? anon_evict(frame, dirty) : object_evict(frame, dirty)))
        return false;
    victim_count(&counters, dirty);
    return true;
}

void
reclaim_evict(struct frame *frame)
{
    if (!frame->evictable || !frame_may_go(frame))
        return;
    evictable_remove(frame);
    frame_evict(frame);
}

/* ---- Many at once ------------------------------------------------------ */

/* Gives the anon a slot that continues the batch, or any if the batch is empty. False
 * if it has one now that does not continue it, or none at all. */
static bool
batch_find_slot(const struct reclaim_batch *batch, struct anon *anon)
{
    u32 count = batch->cluster.count, wanted = batch->first.number + count;

    if (count && anon->slot.number != wanted)
        anon_drop_slot(anon);
    return (anon->slot.number || anon_find_slot(anon)) && (!count || anon->slot.number == wanted);
}

bool
reclaim_gather(struct reclaim_batch *batch, struct frame *frame)
{
    struct anon *anon = frame->owner;

    if (frame->needed)
        return true;
    if (frame->state == FRAME_ANONYMOUS)
        pmap_frame_harvest_dirty(frame);
    if (frame->state == FRAME_OBJECT || (!frame->dirty && anon->slot.number)) {
        evictable_remove(frame);
        frame_evict(frame);         /* or it stays, if the file's device fails */
        return true;
    }
    frame->dirty = true;
    if (batch->cluster.count == CLUSTER_FRAMES || !batch_find_slot(batch, anon))
        return batch->cluster.count == 0;
    if (batch->cluster.count == 0)
        batch->first = anon->slot;
    evictable_begin(frame);
    victim_revoke(frame);
    batch->cluster.frames[batch->cluster.count++] = frame;
    return true;
}

void
reclaim_write(struct reclaim_batch *batch)
{
    int error = batch->cluster.count ? swap_write_cluster(batch->first, &batch->cluster) : 0;

    for (u32 i = 0; i < batch->cluster.count; i++) {
        struct frame *frame = batch->cluster.frames[i];
        struct anon *anon = frame->owner;
        bool owned = evictable_end_leaving(frame);

        if (owned && error) {
            evictable_insert(frame);
            continue;           /* it stays where it is */
        }
        victim_count(&counters, true);
        if (!owned)
            continue;           /* its anon went meanwhile, and the frame with it */
        anon->frame = NULL;
        evictable_disown(frame);
    }
    batch->cluster.count = 0;
}

/* ---- Whose ------------------------------------------------------------- */

enum eviction { EVICTION_NO_VICTIM, EVICTION_FAILED, EVICTION_DONE };

/* The pool gives up a frame. After a sleep it may be gone. */
static enum eviction
pool_evict_one(struct pool *pool)
{
    struct frame *victim = victim_choose(pool);

    if (!victim)
        return EVICTION_NO_VICTIM;
    return frame_evict(victim) ? EVICTION_DONE : EVICTION_FAILED;
}

/* The same because memory as a whole is short. */
static enum eviction
pool_suffer(struct pool *pool)
{
    if (pool->trace)
        trace_write_process(TRACE_SHORT, pool->trace->process);
    return pool_evict_one(pool);
}

/* The fattest pool suffers; or any other, if all that it has is needed. */
static enum eviction
some_pool_suffer(void)
{
    struct pool *fattest = pool_fattest();
    enum eviction eviction = pool_suffer(fattest);

    for (struct pool *pool = &pool_global; pool && eviction == EVICTION_NO_VICTIM; pool = pool_next(pool))
        if (pool != fattest)
            eviction = pool_suffer(pool);
    return eviction;
}

/* More than one attempt only where a device fails: then each candidate has one. */
static inline bool
evict_one(bool own)
{
    enum eviction eviction;
    u32 attempts = 0;

    do
        eviction = own ? pool_evict_one(pool_current) : some_pool_suffer();
    while (eviction == EVICTION_FAILED && ++attempts < frame_count(FRAME_ANONYMOUS) + frame_count(FRAME_OBJECT));
    return eviction == EVICTION_DONE;
}

/* Whether a pool that had nothing to give has it no more than then. While the swap area is full only pages of files can
 * go; whether there are any since is not looked up at each fault, but when the pool has grown by a part: so that
 * a process is not held up by a search through all that it has for each page that it gets. */
static bool
search_is_vain(const struct pool *pool)
{
    return pool->barren && swap_free_count() == 0 && !anon_slots_to_take && pool->frames >= pool->barren
        && pool->frames - pool->barren <= pool->barren / BARREN_PART;
}

bool
reclaim_evict_own(void)
{
    bool done;

    if (search_is_vain(pool_current))
        return false;
    done = evict_one(true);
    pool_current->barren = done ? 0 : pool_current->frames;
    return done;
}

bool
reclaim_evict_one(void)
{
    return evict_one(false);
}

/* ---- Room -------------------------------------------------------------- */

/* Frames that are kept from all others until there are enough. */
struct kept {
    u32 count;
    struct frame *last;         /* each one's owner is the one before it */
};

static void
kept_add(struct kept *kept)
{
    struct frame *frame = frame_allocate(FRAME_KERNEL);

    if (!frame)
        return;
    frame->owner = kept->last;
    kept->last = frame;
    kept->count++;
}

static void
kept_free(struct kept *kept)
{
    struct frame *frame;

    while ((frame = kept->last)) {
        kept->last = frame->owner;
        frame->owner = NULL;
        frame_free(frame);
    }
}

int
reclaim_try(u32 frames)
{
    u32 free = frame_free_count(), missing = frames > free ? frames - free : 0;
    struct kept kept = {0, NULL};
    bool helped = true;

    for (u32 evicted = 0; helped && frame_free_count() + kept.count < frames; evicted++) {
        helped = reclaim_evict_one();
        if (helped && evicted >= RECLAIM_PATIENCE * missing)
            kept_add(&kept);
    }
    kept_free(&kept);
    return helped ? 0 : -ENOMEM;
}

void
reclaim_share(u32 frames)
{
    u32 free = frame_free_count(), missing = frames > free ? frames - free : 0;
    u32 enough = frames < RECLAIM_LOW ? frames : RECLAIM_LOW;

    for (u32 evicted = 0; frame_free_count() < (evicted < missing ? frames : enough); evicted++)
        if (evicted == RECLAIM_PATIENCE * missing || !reclaim_evict_one())
            return;
}

/* Sleeps for a tick, on a queue that nobody wakes: whoever was killed has to get the
 * processor to give its memory back, and many who only yield would have it in turns. */
static void
wait_for_the_killed(void)
{
    struct wait_queue queue = {0};

    wait_uninterruptible_timeout(&queue, timer_nanoseconds() + TIMER_TICK_NANOSECONDS);
}

int
reclaim_ensure(u32 frames)
{
    while (reclaim_try(frames) < 0) {
        if (!kill_somebody || !kill_somebody())
            return -ENOMEM;
        wait_for_the_killed();
    }
    return 0;
}

int
reclaim_ensure_more(u32 frames, u32 wanted)
{
    reclaim_try(wanted);
    return frame_free_count() >= frames ? 0 : reclaim_ensure(frames);
}

int
reclaim_switch_policy(void)
{
    u32 frames = frame_free_count();
    int error;

    while ((error = pool_apply_choice()) == -ENOMEM)
        if (reclaim_try(frames += POOL_SYSCALL_FRAMES) < 0)
            return error;
    return error;
}
