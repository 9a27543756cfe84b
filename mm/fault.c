/*
 * The page fault handler.
 *
 *   fault_handle ── decode ──> fault_run
 *                                 │
 *                 check           │  find the region, or grow the stack to the page;
 *                                 │  does its protection permit the access?
 *                 upper layer     │  a private page that was written before: an anon
 *                                 │    out of memory          page in
 *                                 │    shared, write          copy
 *                                 │    else                   map it
 *                 lower layer     │  the object's page
 *                                 │    private write          copy into a fresh anon
 *                                 │    zero object, write     a fresh anon of zeroes
 *                                 │    else                   map it
 *                                 v
 *                 enter and count: exactly one kind for each fault
 *
 * Whatever sleeps returns afterwards without having mapped anything: the
 * instruction faults again, and finds the page in memory. So no stage has to
 * doubt what an earlier one found. But the region may be gone by then, unmapped
 * by another thread: who slept looks at the address space alone. A page that
 * prefetch brought in before is in memory like any other: its first fault is
 * fault_file or fault_soft, and no pgmajfault.
 *
 * Each mapping withholds write access where a later write must be seen: shared
 * anon, shared chunk, object page under a private region, dirty=software.
 */
#include "mm/fault.h"

#include <asm/errno.h>
#include <asm/siginfo.h>
#include <asm/signal.h>

#include "kernel/lib/string.h"
#include "kernel/x86/cpu.h"
#include "mm/chaos.h"
#include "mm/check.h"
#include "mm/evictable.h"
#include "mm/fault_stage.h"
#include "mm/pagein.h"
#include "mm/pool_page.h"
#include "mm/pool_trace.h"

/* Free between the stack and what lies below it, as on Linux, unless that is a stack, or inaccessible. */
#define STACK_GAP_PAGES 256u

/* ---- Check ------------------------------------------------------------- */

/* Whether what lies below the stack is far enough away for the stack to begin at page. */
static bool
fault_stack_has_room(struct region *stack, page_t page)
{
    const struct region *below = region_previous(stack);

    return !below || below->flags & REGION_STACK || below->protection == 0
        || page.number - below->end.number >= STACK_GAP_PAGES;
}

struct region *
fault_stack(const struct fault *fault)
{
    struct region_list *regions = &fault->aspace->regions;
    struct region *stack = region_find_from(regions, fault->page);
    u32 more;

    if (!stack || !(stack->flags & REGION_STACK)
        || stack->end.number - fault->page.number > fault->aspace->stack_limit_pages)
        return NULL;
    more = stack->start.number - fault->page.number;
    if (!fault_stack_has_room(stack, fault->page) || more > fault->aspace->size_limit_pages
        || regions->pages > fault->aspace->size_limit_pages - more)
        return NULL;
    return stack;
}

static int
fault_deny(struct fault *fault)
{
    if (!fault->region) {
        COUNT(fault, fault_unmapped);
        return fault_refuse(fault, SIGSEGV, SEGV_MAPERR);
    }
    if (fault->access == FAULT_EXECUTE)
        COUNT(fault, fault_execute);
    else
        COUNT(fault, fault_protection);
    return fault_refuse(fault, SIGSEGV, SEGV_ACCERR);
}

/* Extends the stack above page down to it, if there is one and it may grow. 0, -EFAULT or -ENOMEM. */
static __attribute__((noinline)) int
fault_grow_stack(struct fault *fault)
{
    struct region *stack = fault_stack(fault);
    u32 more = stack ? stack->start.number - fault->page.number : 0;

    if (!stack)
        return fault_deny(fault);
    if (!region_grow(&fault->aspace->regions, stack, fault->page, stack->end))
        return -ENOMEM;
    if (stack->flags & REGION_LOCKED)
        fault->aspace->locked_pages += more;
    COUNT(fault, fault_stack_growth);
    fault->region = stack;
    return 0;
}

/* Finds the region and checks its protection. 0 to go on; -EFAULT: refused; or -ENOMEM. */
static inline int
fault_check(struct fault *fault)
{
    int error;

    fault->region = region_find(&fault->aspace->regions, fault->page);
    if (!fault->region && (error = fault_grow_stack(fault)) < 0)
        return error;
    return fault_is_permitted(fault) ? 0 : fault_deny(fault);
}

/* ---- Entering ---------------------------------------------------------- */

/* mlock: the policy forgets the frame while this entry maps it. */
static __attribute__((noinline)) enum pmap_found
fault_enter_locked(struct fault *fault, struct frame *frame, u32 rights)
{
    enum pmap_found found = pmap_enter(&fault->aspace->pmap, fault->page, frame, rights | PMAP_LOCKED);

    if (found != PMAP_NO_MEMORY)
        evictable_remove(frame);
    return found;
}

/* Maps frame at the fault's page with the region's rights, less writing if that is withheld. */
static inline enum pmap_found
fault_enter(struct fault *fault, struct frame *frame, bool withhold_write)
{
    static const u16 rights_of[] = {
        [REGION_WRITE] = PMAP_WRITE,
        [REGION_WRITE | REGION_READ] = PMAP_WRITE,
        [REGION_EXECUTE] = PMAP_EXECUTE,
        [REGION_EXECUTE | REGION_READ] = PMAP_EXECUTE,
        [REGION_EXECUTE | REGION_WRITE] = PMAP_EXECUTE | PMAP_WRITE,
        [REGION_EXECUTE | REGION_WRITE | REGION_READ] = PMAP_EXECUTE | PMAP_WRITE,
    };
    u32 rights = rights_of[fault->region->protection];

    if (withhold_write && rights & PMAP_WRITE)
        rights ^= PMAP_WRITE | PMAP_WITHHELD;
    if (trace_any && fault->aspace->trace && fault->access != FAULT_WRITE)
        rights &= ~PMAP_WRITE;      /* a write by the same instruction is another reference */
    if (fault->region->flags & REGION_LOCKED)
        return fault_enter_locked(fault, frame, rights);
    return pmap_enter(&fault->aspace->pmap, fault->page, frame, rights);
}

/* A page that was in memory: only the entry, or a right in it, was missing. */
static int
fault_count_soft(struct fault *fault, enum pmap_found found, bool was_dirty)
{
    bool write = fault->access == FAULT_WRITE;

    if (found == PMAP_NO_MEMORY)
        return fault_starved(fault);
    if (write && found == PMAP_FOUND_WITHHELD)
        COUNT(fault, fault_cow_reuse);
    else if (write && found == PMAP_FOUND_SAME && !was_dirty && pmap_traps_first_write())
        COUNT(fault, fault_dirty);
    else if (found == PMAP_FOUND_NOTHING && pmap_samples_references())
        COUNT(fault, fault_accessed);
    else
        COUNT(fault, fault_soft);
    return 0;
}

/* ---- Fresh anons ------------------------------------------------------- */

/* The chunk of the private layer that holds the page, for changing. */
static struct chunk *
fault_own_chunk(struct fault *fault)
{
    struct region *region = fault->region;
    struct chunk *chunk;
    bool split = false;

    if (!region->amap)
        region->amap = amap_create(region->start, region->end);
    chunk = region->amap ? amap_own_chunk(region->amap, fault->page, &split) : NULL;
    if (split)
        fault->aspace->counters.chunk_split++;
    return chunk;
}

/* Puts a fresh anon for frame at the page and maps it. On failure the frame is
 * freed. The anon that was there before loses this reference. */
static bool
fault_place(struct fault *fault, struct frame *frame)
{
    struct chunk *chunk = fault_own_chunk(fault);
    struct anon *anon = chunk ? anon_create(frame) : NULL, *old;

    if (!anon) {
        frame_free(frame);
        return false;
    }
    frame->dirty = true;        /* there is no other copy */
    if (fault_enter(fault, frame, false) == PMAP_NO_MEMORY) {
        anon_release(anon);
        return false;
    }
    old = amap_replace(chunk, fault->page, anon);
    if (old)
        anon_release(old);
    return true;
}

static int
fault_zero_fill(struct fault *fault)
{
    struct frame *frame = frame_allocate_zeroed(FRAME_ANONYMOUS);

    if (!frame || !fault_place(fault, frame))
        return fault_starved(fault);
    COUNT(fault, fault_zero_fill);
    return 0;
}

/* Under a quota nobody pays for two pages where the program has one: what the page was
 * copied from is dropped if it is a file's and nobody maps it, or else everybody's. */
static void
fault_leave_source(struct frame *source)
{
    if (source->state == FRAME_OBJECT && !source->first.pmap && !source->dirty && evictable_is_candidate(source)) {
        object_forget(source);
        return;
    }
    pool_adopt(&pool_global, source);
    evictable_insert(source);
}

/* The page takes frame, a copy of source, which others still hold, or it would not be
 * copied. Under a quota source goes first. On failure frame is freed. */
static bool
fault_place_copy(struct fault *fault, struct frame *frame, struct frame *source)
{
    bool charged = pool_charges(pool_current, source), placed;

    if (charged)
        evictable_remove(source);
    placed = fault_place(fault, frame);
    if (charged && placed)
        fault_leave_source(source);
    else
        evictable_insert(source);   /* which this region may have locked so far */
    return placed;
}

/* Gives the page a private copy of source. The caller counts what kind of fault that was. */
static bool
fault_copy(struct fault *fault, struct frame *source)
{
    struct frame *frame = frame_allocate(FRAME_ANONYMOUS);

    if (!frame)
        return false;
    frame_copy(frame, source);
    return fault_place_copy(fault, frame, source);
}

/* ---- Pages read, by this fault or before ------------------------------- */

/* The page's frame is busy, or was read in anticipation, and rightly so. */
static __attribute__((noinline)) bool
fault_settle(struct fault *fault, struct frame *frame)
{
    if (frame->busy)
        return false;
    fault->aspace->counters.prefetch_useful++;
    prefetch_use(frame);
    return true;
}

/* Whether the page is in memory, ready to be mapped. */
static inline bool
fault_finds(struct fault *fault, struct frame *frame)
{
    return frame && (!frame->unsettled || fault_settle(fault, frame));
}

static void
fault_count_read(struct fault *fault, bool from_file, const struct prefetch *prefetch)
{
    COUNT(fault, pgmajfault);
    fault->aspace->counters.prefetch_read += prefetch->read;
    if (from_file) {
        COUNT(fault, fault_file);
        return;
    }
    COUNT(fault, fault_swap_in);
    fault->aspace->counters.pswpin += 1 + prefetch->read;
}

/* ---- Upper layer: anons ------------------------------------------------ */

/* The anon is in memory. */
static int
fault_anon_here(struct fault *fault, struct anon *anon)
{
    struct frame *frame = anon->frame;
    bool shared = fault_is_shared(fault, anon), was_dirty = frame->dirty;

    if (fault->access == FAULT_WRITE && shared) {
        if (!fault_copy(fault, frame))
            return fault_starved(fault);
        COUNT(fault, fault_cow_copy);
        return 0;
    }
    if (fault->access == FAULT_WRITE)
        frame->dirty = true;
    return fault_count_soft(fault, fault_enter(fault, frame, shared), was_dirty);
}

/* The anon has just been read, without sleeping: maps it. A write to a shared one
 * faults again, and copies then: one fault does one thing. */
static void
fault_anon_read(struct fault *fault, struct anon *anon)
{
    bool shared = fault_is_shared(fault, anon);

    if (fault->access == FAULT_WRITE && !shared)
        anon->frame->dirty = true;
    fault_enter(fault, anon->frame, shared);
}

/* The anon is not in memory, or on its way. */
static __attribute__((noinline)) int
fault_anon_absent(struct fault *fault, struct anon *anon)
{
    struct prefetch prefetch = region_prefetch(fault->region, fault->page);

    switch (pagein_anon(anon, &prefetch)) {
    case PAGEIN_READ:
        fault_count_read(fault, false, &prefetch);
        fault_anon_read(fault, anon);
        return 0;
    case PAGEIN_SLEPT:
        fault_count_read(fault, false, &prefetch);
        return 0;
    case PAGEIN_HERE:
    case PAGEIN_WAITED:
        COUNT(fault, fault_soft);
        return 0;
    case PAGEIN_ERROR:
        COUNT(fault, fault_bus);
        return fault_refuse(fault, SIGBUS, BUS_ADRERR);
    case PAGEIN_NO_MEMORY:
        break;
    }
    return fault_starved(fault);
}

static inline int
fault_anon(struct fault *fault, struct anon *anon)
{
    if (fault_finds(fault, anon->frame))
        return fault_anon_here(fault, anon);
    return fault_anon_absent(fault, anon);
}

/* ---- Lower layer: objects ---------------------------------------------- */

/* A private copy of the tail page, even for reading. */
static int
fault_copy_tail(struct fault *fault, struct frame *source, u32 index)
{
    u64 start = (u64)index << PAGE_SHIFT, end = fault->region->data_end;
    u32 kept = end > start ? (u32)(end - start) : 0;
    struct frame *frame = frame_allocate(FRAME_ANONYMOUS);

    if (!frame)
        return fault_starved(fault);
    memcpy(frame_data(frame), frame_data(source), kept);
    memset((char *)frame_data(frame) + kept, 0, PAGE_SIZE - kept);
    if (!fault_place_copy(fault, frame, source))
        return fault_starved(fault);
    COUNT(fault, fault_file_copy);
    return 0;
}

/* The object's page is in memory: maps it. */
static inline int
fault_map_object(struct fault *fault, struct frame *frame, bool private)
{
    bool was_dirty = frame->dirty;
    enum pmap_found found;

    if (fault->access == FAULT_WRITE)
        object_written(fault->region->object, frame);
    found = fault_enter(fault, frame, private);
    /* fork withholds writing from a table's shared pages in passing: none is copied or reused. */
    if (found == PMAP_FOUND_WITHHELD)
        found = PMAP_FOUND_SAME;
    if (found != PMAP_FOUND_NOTHING)
        return fault_count_soft(fault, found, was_dirty);
    COUNT(fault, fault_file);
    return 0;
}

/* The object's page is in memory: maps or copies it. */
static inline int
fault_object_here(struct fault *fault, struct frame *frame, u32 index)
{
    bool private = !(fault->region->flags & REGION_SHARED);

    if (private && fault_is_tail(fault->region, index))
        return fault_copy_tail(fault, frame, index);
    if (!private || fault->access != FAULT_WRITE)
        return fault_map_object(fault, frame, private);
    if (!fault_copy(fault, frame))
        return fault_starved(fault);
    COUNT(fault, fault_file_copy);
    return 0;
}

/* A page of zeroes was made in an anonymous object. */
static int
fault_object_created(struct fault *fault, struct frame *frame)
{
    bool private = !(fault->region->flags & REGION_SHARED);

    if (!private && fault->access == FAULT_WRITE)
        object_written(fault->region->object, frame);
    if (fault_enter(fault, frame, private) == PMAP_NO_MEMORY)
        return fault_starved(fault);
    COUNT(fault, fault_zero_fill);
    return 0;
}

/* The page has just been read, without sleeping. If the access needs no copy it is
 * mapped at once; else the instruction will fault again. */
static void
fault_object_read(struct fault *fault, struct frame *frame, u32 index)
{
    bool private = !(fault->region->flags & REGION_SHARED);

    if (private && (fault->access == FAULT_WRITE || fault_is_tail(fault->region, index)))
        return;
    if (fault->access == FAULT_WRITE)
        object_written(fault->region->object, frame);
    fault_enter(fault, frame, private);
}

/* The object's page is not in memory, or on its way, or does not exist. */
static __attribute__((noinline)) int
fault_object_absent(struct fault *fault, u32 index)
{
    struct object *object = fault->region->object;
    struct prefetch prefetch = region_prefetch(fault->region, fault->page);
    bool from_file = object_is_on_device(object, index);
    struct frame *frame;

    if (!object_contains(object, index)) {
        COUNT(fault, fault_bus);
        return fault_refuse(fault, SIGBUS, BUS_ADRERR);
    }
    switch (object_page(object, index, true, &frame, &prefetch)) {
    case OBJECT_PAGE_CREATED:
        return fault_object_created(fault, frame);
    case OBJECT_PAGE_READ:
        fault_count_read(fault, from_file, &prefetch);
        fault_object_read(fault, frame, index);
        return 0;
    case OBJECT_PAGE_SLEPT:
        fault_count_read(fault, from_file, &prefetch);
        return 0;
    case OBJECT_PAGE_HERE:
    case OBJECT_PAGE_WAITED:
        COUNT(fault, fault_soft);
        return 0;
    case OBJECT_PAGE_NO_MEMORY:
        return fault_starved(fault);
    case OBJECT_PAGE_ERROR:
    case OBJECT_PAGE_NO_ROOM:
    case OBJECT_PAGE_NONE:
        break;
    }
    COUNT(fault, fault_bus);
    return fault_refuse(fault, SIGBUS, BUS_ADRERR);
}

static inline int
fault_object(struct fault *fault)
{
    u32 index = region_object_page(fault->region, fault->page);
    struct frame *frame = object_resident(fault->region->object, index);

    if (fault_finds(fault, frame))
        return fault_object_here(fault, frame, index);
    return fault_object_absent(fault, index);
}

static int
fault_zero(struct fault *fault)
{
    if (fault->access == FAULT_WRITE || pool_current->quota != POOL_UNLIMITED)
        return fault_zero_fill(fault);      /* under a quota each page has a frame, and counts */
    if (fault_enter(fault, object_zero_frame, true) == PMAP_NO_MEMORY)
        return fault_starved(fault);
    COUNT(fault, fault_zero_map);
    return 0;
}

/* ---- The whole --------------------------------------------------------- */

int
fault_run(struct fault *fault, const struct trap_frame *instruction)
{
    struct anon *anon;
    int error;

    fault->page = page_of(fault->address);
    COUNT(fault, pgfault);
    if (frame_free_count() < pool_alert && !fault_make_room(fault, instruction))
        return fault_no_memory(fault);
    error = fault_check(fault);
    if (error)
        return error == -ENOMEM ? fault_starved(fault) : error;
    /* region_anon, written out: every fault comes this way, and the compiler makes two instructions less of it. */
    anon = fault->region->amap ? amap_lookup(fault->region->amap, fault->page) : NULL;
    if (anon)
        return fault_anon(fault, anon);
    if (fault->region->object->kind == OBJECT_ZERO)
        return fault_zero(fault);
    return fault_object(fault);
}

/* While pool_watchful: nothing is coming in any more, and who wants to know hears which
 * page was used. A fault that slept has mapped nothing; it comes again. */
static __attribute__((noinline)) void
fault_report(struct fault *fault, int result)
{
    struct aspace *aspace = fault->aspace;
    struct frame *frame;
    u32 rights;

    pool_announce(&(struct pool_arrival){.owner = 0});
    if (!trace_any || result != 0 || !(frame = pmap_lookup(&aspace->pmap, fault->page, &rights)))
        return;
    pool_trace_share(frame);
    if (aspace->trace)
        pool_record(aspace->trace, aspace->number, fault->page, frame, fault_event(fault),
                    fault->region->flags & REGION_LOCKED);
}

int
fault_resolve(struct aspace *aspace, u32 address, u32 access, struct fault_verdict *verdict)
{
    struct fault fault = {.aspace = aspace, .address = address, .access = (u16)access, .verdict = verdict};
    int result;

    aspace_charge(aspace);
    result = fault_run(&fault, NULL);
    if (pool_watchful)
        fault_report(&fault, result);
    aspace_charge(cpu()->aspace);
    return result;
}

/* chaos= and check=, after the fault. */
static __attribute__((noinline)) void
fault_disturb(struct aspace *aspace)
{
    chaos_on_fault(aspace);
    check_on_fault();
}

int
fault_handle(struct aspace *aspace, u32 cr2, const struct trap_frame *frame, bool from_user,
             struct fault_verdict *verdict)
{
    struct fault fault;
    int result;

    fault.access = FAULT_WRITE;
    fault.tries = 0;
    if (!(frame->error & PAGE_FAULT_WRITE))
        fault.access = from_user && pmap_is_fetch(&cr2, frame->eip, frame->error) ? FAULT_EXECUTE : FAULT_READ;
    fault.aspace = aspace;
    fault.address = cr2;
    fault.verdict = verdict;
    if (cr2 >= user_top())
        return fault_refuse(&fault, SIGSEGV, SEGV_MAPERR);
    result = fault_run(&fault, frame);
    if (pool_watchful)
        fault_report(&fault, result);
    if (chaos_interval | check_interval)
        fault_disturb(aspace);
    return result;
}
