/*
 * Room for a page fault: before it begins, and when it ran short all the same.
 */
#include <asm/signal.h>

#include "kernel/assert.h"
#include "mm/fault_stage.h"
#include "mm/pool_page.h"
#include "mm/pool_trace.h"
#include "mm/reclaim.h"

/* Frames that one fault can need: tables, a page, slabs for anon, chunk, amap and
 * mapping. Below this there is no going on. */
#define FAULT_FRAMES POOL_FAULT_FRAMES
static_assert(PREFETCH_RESERVE >= FAULT_FRAMES - 1, "neighbours leave a fault what it needs beside its page");

int
fault_no_memory(struct fault *fault)
{
    COUNT(fault, fault_no_memory);
    return fault_refuse(fault, SIGKILL, 0);
}

int
fault_starved(struct fault *fault)
{
    if (++fault->tries == FAULT_TRIES || reclaim_ensure(FAULT_FRAMES) < 0)
        return fault_no_memory(fault);
    COUNT(fault, fault_soft);
    return fault_run(fault, NULL);
}

/* The page that resolving the fault will bring into memory, by name; 0 if none. Looked at
 * beforehand, and without changing anything. */
static policy_page_t
fault_arrival(struct fault *fault)
{
    policy_page_t own = pool_page(fault->aspace->number, fault->page.number);
    struct object *object;
    struct anon *anon;
    bool private;
    u32 index;

    fault->region = region_find(&fault->aspace->regions, fault->page);
    if (!fault->region)
        return fault_stack(fault) ? own : 0;
    if (!fault_is_permitted(fault))
        return 0;
    anon = region_anon(fault->region, fault->page);
    if (anon)
        return !anon->frame || (fault->access == FAULT_WRITE && fault_is_shared(fault, anon)) ? own : 0;
    object = fault->region->object;
    if (object->kind == OBJECT_ZERO)
        return own;
    index = region_object_page(fault->region, fault->page);
    if (!object_resident(object, index))
        return !object_contains(object, index) ? 0 : fault->aspace->trace ? own : pool_object_page(object, index);
    private = !(fault->region->flags & REGION_SHARED);
    return private && (fault->access == FAULT_WRITE || fault_is_tail(fault->region, index)) ? own : 0;
}

/* Whether what comes in needs a frame of the quota more: a copy takes the place of what
 * it is copied from. */
static bool
fault_adds_frame(struct fault *fault)
{
    struct frame *source = aspace_frame(fault->aspace, fault->page);

    return fault_arrival(fault) && !(source && source->evictable && pool_charges(pool_current, source));
}

/* Before room is made: the trace and the policy hear which page comes. */
static void
fault_foretell(struct fault *fault)
{
    struct aspace *aspace = fault->aspace;
    policy_page_t arrival = fault_arrival(fault);

    if (aspace->trace)
        trace_fault(aspace->trace, &aspace->pmap, fault->page);
    if (!arrival)
        return;
    if (aspace->trace)
        pool_trace_expect(aspace->trace, fault->page);
    pool_expect(arrival);
}

/* And afterwards, when nothing will sleep any more until it has a frame. */
static void
fault_announce(const struct fault *fault)
{
    pool_announce(&(struct pool_arrival){
        .owner = fault->aspace->number,
        .page = fault->page.number,
        .access = fault_event(fault),
        .trace = fault->aspace->trace,
    });
}

static bool
instruction_is_same(const struct aspace_instruction *noted, const struct trap_frame *frame)
{
    return noted->eip == frame->eip && noted->esp == frame->esp && noted->eax == frame->eax
        && noted->ebx == frame->ebx && noted->ecx == frame->ecx && noted->edx == frame->edx
        && noted->esi == frame->esi && noted->edi == frame->edi && noted->ebp == frame->ebp;
}

/* Notes one more page that the instruction asks for, or the first one of another instruction. */
static void
instruction_note(struct aspace_instruction *noted, const struct trap_frame *frame, page_t page)
{
    if (!instruction_is_same(noted, frame))
        *noted = (struct aspace_instruction){
            frame->eip, frame->esp, frame->eax, frame->ebx, frame->ecx, frame->edx, frame->esi, frame->edi, frame->ebp, 0, {}};
    for (u32 i = 0; i < noted->count; i++)
        if (noted->pages[i].number == page.number)
            return;
    if (noted->count == INSTRUCTION_PAGES)
        noted->count = 0;
    noted->pages[noted->count++] = page;
}

/* The frames that this fault needs while it makes room. */
struct needs {
    u32 count;
    struct frame *frames[INSTRUCTION_PAGES];
};

static void
needs_add(struct needs *needs, struct aspace *aspace, page_t page)
{
    struct frame *frame = aspace_frame(aspace, page);

    if (frame && frame_need_begin(frame))
        needs->frames[needs->count++] = frame;
}

/* The page at hand may still have to be copied: if it went for the copy's frame, it would come
 * in again, and go again, without end. So might the pages that the same instruction asked
 * for before, under a policy that prefers the young as victims; those of a traced one are
 * needed as long as it takes (mm/trace.h). */
static void
needs_begin(struct needs *needs, struct fault *fault, const struct trap_frame *instruction)
{
    struct aspace_instruction *noted = &fault->aspace->instruction;

    needs->count = 0;
    if (!instruction || !trap_from_user(instruction) || fault->aspace->trace) {
        needs_add(needs, fault->aspace, fault->page);
        return;
    }
    instruction_note(noted, instruction, fault->page);
    for (u32 i = 0; i < noted->count; i++)
        needs_add(needs, fault->aspace, noted->pages[i]);
}

static void
needs_end(const struct needs *needs)
{
    for (u32 i = 0; i < needs->count; i++)
        frame_need_end(needs->frames[i]);
}

/* As many frames go as the pool has too many. While one is written out, other threads can take its place;
 * so after RECLAIM_PATIENCE times as many the fault goes on above the quota, and the next one has more to take back. */
static void
fault_make_own_room(struct fault *fault)
{
    u32 patience = RECLAIM_PATIENCE * pool_excess(pool_current);

    for (; patience > 0 && pool_is_full(pool_current) && fault_adds_frame(fault); patience--)
        if (!reclaim_evict_own())
            return;
}

bool
fault_make_room(struct fault *fault, const struct trap_frame *instruction)
{
    struct needs needs;
    bool room;

    if (pool_watchful)
        fault_foretell(fault);
    needs_begin(&needs, fault, instruction);
    fault_make_own_room(fault);
    room = reclaim_ensure_more(FAULT_FRAMES, FAULT_FRAMES + prefetch_pages) == 0;
    needs_end(&needs);
    if (pool_watchful)
        fault_announce(fault);
    return room;
}
