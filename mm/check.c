/*
 * Whether everything mm believes agrees.
 *
 * Each amap is met once from its region or object, each chunk as often as amaps
 * refer to it, each anon as often as chunks and loans do: counting these meetings in the
 * seen fields and comparing with the references finds a leak, a double free and
 * a chunk changed while shared.
 */
#include "mm/check.h"

#include "kernel/command_line.h"
#include "kernel/panic.h"
#include "mm/aspace.h"
#include "mm/evictable.h"
#include "mm/kmem_cache.h"
#include "mm/object.h"
#include "mm/swap.h"
#include "mm/trace.h"

u32 check_interval;
BOOT_NUMBER(check, check_interval, 0, 1000000, "verify all of mm after every N-th fault");

/* What one pass over all amaps has met. */
static struct {
    u32 anons;
    u32 slots;
    u32 frames;
} met;

/* ---- Every amap -------------------------------------------------------- */

typedef const char *amap_visit_t(struct amap *amap);

static const char *
for_each_amap(amap_visit_t *visit)
{
    struct aspace *aspace;
    struct object *object;
    const char *wrong = NULL;

    LIST_FOREACH(aspace, &aspace_all, link)
        for (struct region *region = region_first(&aspace->regions); region && !wrong; region = region_next(region))
            wrong = region->amap ? visit(region->amap) : NULL;
    LIST_FOREACH(object, &object_all, link)
        if (!wrong && object->amap)
            wrong = visit(object->amap);
    return wrong;
}

static const char *
amap_forget_seen(struct amap *amap)
{
    for (u32 i = 0; i < amap->count; i++) {
        struct chunk *chunk = amap->chunks[i];

        if (!chunk)
            continue;
        chunk->seen = 0;
        for (u32 j = 0; j < CHUNK_PAGES; j++)
            if (chunk->anons[j])
                chunk->anons[j]->seen = 0;
    }
    return NULL;
}

static const char *
amap_meet(struct amap *amap)
{
    u32 used = 0;

    for (u32 i = 0; i < amap->count; i++) {
        struct chunk *chunk = amap->chunks[i];
        u32 anons = 0;

        if (!chunk)
            continue;
        used++;
        if (chunk->seen++ > 0)
            continue;
        for (u32 j = 0; j < CHUNK_PAGES; j++)
            if (chunk->anons[j]) {
                chunk->anons[j]->seen++;
                anons++;
            }
        if (anons != chunk->used)
            return "a chunk's count of anons is wrong";
    }
    return used == amap->used ? NULL : "an amap's count of chunks is wrong";
}

/* The anon is met for the first time if its seen still equals its references. */
static const char *
anon_check(struct anon *anon)
{
    if (anon->seen == 0)
        return NULL;                    /* looked at already */
    if (anon->seen != anon->references)
        return "an anon's references differ from the chunks and loans that hold it";
    anon->seen = 0;
    met.anons++;
    if (!anon->frame && !anon->slot.number)
        return "an anon has neither a frame nor a swap slot";
    if (anon->slot.number) {
        met.slots++;
        if (!swap_is_taken(anon->slot))
            return "an anon's swap slot is marked free";
    }
    if (!anon->frame)
        return NULL;
    met.frames++;
    if (anon->frame->state != FRAME_ANONYMOUS || anon->frame->owner != anon)
        return "an anon's frame belongs to somebody else";
    return NULL;
}

static const char *
amap_compare(struct amap *amap)
{
    for (u32 i = 0; i < amap->count; i++) {
        struct chunk *chunk = amap->chunks[i];
        const char *wrong = NULL;

        if (!chunk)
            continue;
        if (chunk->seen != chunk->references)
            return "a chunk's references differ from the amaps that refer to it";
        for (u32 j = 0; j < CHUNK_PAGES && !wrong; j++)
            wrong = chunk->anons[j] ? anon_check(chunk->anons[j]) : NULL;
        if (wrong)
            return wrong;
    }
    return NULL;
}

/* ---- Every loan -------------------------------------------------------- */

static void
loans_forget_seen(void)
{
    struct anon_loan *loan;

    LIST_FOREACH(loan, &anon_loans, link)
        loan->anon->seen = 0;
}

static void
loans_meet(void)
{
    struct anon_loan *loan;

    LIST_FOREACH(loan, &anon_loans, link)
        loan->anon->seen++;
}

static const char *
loans_compare(void)
{
    struct anon_loan *loan;
    const char *wrong = NULL;

    LIST_FOREACH(loan, &anon_loans, link)
        wrong = wrong ? wrong : anon_check(loan->anon);
    return wrong;
}

/* ---- Every anon -------------------------------------------------------- */

static const char *
check_amaps(void)
{
    const char *wrong;

    met.anons = met.slots = met.frames = 0;
    for_each_amap(amap_forget_seen);
    loans_forget_seen();
    wrong = for_each_amap(amap_meet);
    loans_meet();
    if (!wrong)
        wrong = for_each_amap(amap_compare);
    if (!wrong)
        wrong = loans_compare();
    if (wrong)
        return wrong;
    if (met.anons != anon_count())
        return "an anon is in no chunk and not lent: leaked";
    if (met.slots != swap_total() - swap_free_count())
        return "a swap slot is taken that no anon has: leaked";
    return NULL;
}

/* ---- Every frame ------------------------------------------------------- */

static const char *
mappings_check(struct frame *frame)
{
    for (struct mapping *mapping = &frame->first; mapping && mapping->pmap; mapping = mapping->next) {
        u32 rights;

        if (pmap_lookup(mapping->pmap, mapping->page, &rights) != frame)
            return "the reverse map names a page that maps another frame";
        if (rights & PMAP_WRITE && !frame->dirty && pmap_traps_first_write())
            return "under dirty=software a clean frame is mapped writable";
    }
    return NULL;
}

static const char *
owned_frame_check(struct frame *frame, u32 *anonymous, u32 *prefetched)
{
    struct object *object = frame->owner;

    if (frame->evictable && !evictable_is_candidate(frame))
        return "the policy knows a frame that is no candidate for eviction";
    /* A trace takes locked entries away, but what they locked stays locked. */
    if (!frame->evictable && evictable_is_candidate(frame) && !trace_any)
        return "the policy does not know a frame that is a candidate for eviction";
    *prefetched += frame->prefetched;
    if (frame->orphan != !frame->owner)
        return "a frame has lost its owner";
    if (frame->state == FRAME_ANONYMOUS)
        *anonymous += frame->owner != NULL;
    else if (object && (!object_is_on_device(object, frame->index)
                        || object->file.frames[frame->index] != frame))
        return "an object's frame is not where its index says";
    return mappings_check(frame);
}

static const char *
check_frames(void)
{
    u32 states[FRAME_OBJECT + 1] = {0}, anonymous = 0, prefetched = 0;

    for (u32 number = 0; number < frame_limit; number++) {
        struct frame *frame = frame_descriptor((frame_t){number});
        const char *wrong = frame->state >= FRAME_ANONYMOUS ? owned_frame_check(frame, &anonymous, &prefetched) : NULL;

        if (wrong)
            return wrong;
        states[frame->state]++;
    }
    for (u32 state = 0; state <= FRAME_OBJECT; state++)
        if (states[state] != frame_count(state))
            return "the count of frames in some state is wrong";
    if (states[FRAME_FREE] != frame_free_count())
        return "the count of free frames is wrong";
    if (prefetched != counters.prefetch_read - counters.prefetch_useful - counters.prefetch_useless)
        return "a prefetched page is neither used nor useless nor still waiting for its use";
    if (anonymous != met.frames)
        return "an anonymous frame is owned by an anon that is nowhere";
    return NULL;
}

/* ---- Every object ------------------------------------------------------ */

static const char *
check_objects(void)
{
    struct object *object;

    LIST_FOREACH(object, &object_all, link) {
        u32 resident = 0, swapped = 0;

        object_count_anons(object, &resident, &swapped);
        if (resident + swapped != object->anonymous_pages)
            return "the count of an object's anons is wrong";
    }
    return NULL;
}

/* ---- Every address space ----------------------------------------------- */

/* Each fault has exactly one kind. */
static const char *
kinds_check(const struct counters *set)
{
    u32 kinds = set->fault_zero_fill + set->fault_zero_map + set->fault_file + set->fault_file_copy
                + set->fault_cow_copy + set->fault_cow_reuse + set->fault_swap_in + set->fault_soft
                + set->fault_dirty + set->fault_accessed + set->fault_protection + set->fault_execute
                + set->fault_unmapped + set->fault_bus + set->fault_no_memory;

    /* Faults that somebody is still asleep in have no kind yet. */
    return kinds <= set->pgfault ? NULL : "more kinds of faults were counted than faults";
}

static const char *
check_aspaces(void)
{
    struct aspace *aspace;
    const char *wrong = kinds_check(&counters);

    LIST_FOREACH(aspace, &aspace_all, link) {
        if (!wrong)
            wrong = region_check(&aspace->regions);
        if (!wrong)
            wrong = pmap_check(&aspace->pmap);
        if (!wrong)
            wrong = kinds_check(&aspace->counters);
        if (!wrong && aspace->pmap.working_set)
            wrong = working_set_check(aspace->pmap.working_set);
    }
    return wrong;
}

const char *
check_run(void)
{
    const char *wrong = kmem_cache_check();

    if (!wrong)
        wrong = check_amaps();
    if (!wrong)
        wrong = check_frames();
    if (!wrong)
        wrong = check_objects();
    if (!wrong)
        wrong = pool_check();
    if (!wrong)
        wrong = check_aspaces();
    return wrong;
}

void
check_assert(void)
{
    const char *wrong = check_run();

    if (wrong)
        panic("check: %s", wrong);
}
