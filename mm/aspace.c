/*
 * Address spaces: making and ending them, unmapping; their traces; the pools that give
 * them their share of frames; their processor time and working sets.
 */
#include "mm/aspace.h"

#include <asm/errno.h>

#include "drivers/timer.h"
#include "kernel/assert.h"
#include "kernel/log.h"
#include "kernel/x86/cpu.h"
#include "mm/evictable.h"
#include "mm/kmem_cache.h"
#include "mm/pool_page.h"
#include "mm/pool_trace.h"
#include "mm/pool_world.h"
#include "mm/replay.h"
#include "mm/trace_output.h"

/* Linux's default limit for the stack. */
#define STACK_LIMIT_PAGES ((8u << 20) >> PAGE_SHIFT)

struct aspace_list aspace_all = LIST_HEAD_INITIALIZER(aspace_all);
static u32 next_number = POOL_NAMELESS + 1;     /* of the next address space */

static struct kmem_cache aspace_cache = KMEM_CACHE("aspace", sizeof(struct aspace), 8);

struct aspace *
aspace_create(void)
{
    struct aspace *aspace = kmem_cache_allocate_zeroed(&aspace_cache);

    if (!aspace)
        return NULL;
    if (!pmap_create(&aspace->pmap)) {
        kmem_cache_free(&aspace_cache, aspace);
        return NULL;
    }
    aspace->pmap.counters = &aspace->counters;
    aspace->references = 1;
    aspace->number = next_number++;
    aspace->stack_top = user_top();
    aspace->stack_limit_pages = STACK_LIMIT_PAGES;
    aspace->data_limit_pages = ASPACE_PAGES_UNLIMITED;
    aspace->size_limit_pages = ASPACE_PAGES_UNLIMITED;
    aspace->lock_limit_pages = ASPACE_PAGES_UNLIMITED;
    aspace->weight = ASPACE_WEIGHT_DEFAULT;
    LIST_INSERT_HEAD(&aspace_all, aspace, link);
    if (pool_is_local())
        aspace->pool = pool_create(POOL_UNLIMITED, POOL_UNLIMITED);
    return aspace;
}

/* The trace is no longer this address space's. */
static struct trace *
aspace_take_trace(struct aspace *aspace)
{
    struct trace *trace = aspace->trace;

    aspace->trace = NULL;
    if (aspace->pool)
        pool_unfollow(aspace->pool);
    return trace;
}

static void
aspace_end_trace(struct aspace *aspace)
{
    struct trace *trace = aspace_take_trace(aspace);

    if (!trace)
        return;
    trace_write_process(TRACE_EXIT, trace->process);
    if (trace->replay)
        replay_end(trace->replay);
    trace_end(trace);
}

void
aspace_forget_entries(struct aspace *aspace, const struct region *region, page_t start, page_t end)
{
    if (!(region->flags & REGION_LOCKED)) {
        pmap_remove(&aspace->pmap, start, end);
        return;
    }
    /* Also what has no entry just now, as most pages of a traced process: it may go again. */
    for (page_t page = start; page.number < end.number; page = page_add(page, 1)) {
        struct frame *frame = region_frame(region, page);

        pmap_remove(&aspace->pmap, page, page_add(page, 1));
        if (frame && frame->state >= FRAME_ANONYMOUS)
            evictable_insert(frame);
    }
}

/* Takes a region out of the address space. What was written through it to a file goes to
 * the device, which may sleep: true if it could have. */
static inline bool
aspace_drop(struct aspace *aspace, struct region *region)
{
    bool writes = region_writes_file(region);

    aspace_forget_entries(aspace, region, region->start, region->end);
    region_unlink(&aspace->regions, region);
    if (writes)
        region_write_back(region, region->start, region->end);
    region_destroy(region);
    return writes;
}

static void
aspace_destroy(struct aspace *aspace)
{
    struct region *region;

    aspace_end_trace(aspace);
    if (cpu()->aspace == aspace)
        aspace_activate(NULL);
    while ((region = region_first(&aspace->regions)))
        aspace_drop(aspace, region);
    pmap_destroy(&aspace->pmap);
    if (aspace->pool)
        pool_destroy(aspace->pool);
    if (aspace->pmap.working_set)
        working_set_destroy(aspace->pmap.working_set);
    LIST_REMOVE(aspace, link);
    kmem_cache_free(&aspace_cache, aspace);
}

/* What the address space does is in the trace from now on. */
static void
aspace_follow(struct aspace *aspace, struct trace *trace)
{
    aspace->trace = trace;
    if (aspace->pool)
        pool_follow(aspace->pool, trace, aspace->number);
    trace_forget_all(&aspace->pmap);
}

void
aspace_trace(struct aspace *aspace, u32 process, const char *path)
{
    struct trace *trace = aspace->trace || !pool_keep_names() ? NULL : trace_start(process);

    if (!trace)
        return;
    trace->replay = replay_start(process);
    trace_write_header(process, path, aspace->pool ? aspace->pool->quota : 0, pool_policy->name,
                       WORLD_WINDOW_REFERENCES);
    pool_watch();
    aspace_follow(aspace, trace);
}

void
aspace_trace_exec(struct aspace *aspace, struct aspace *left)
{
    struct trace *trace = aspace_take_trace(left);

    trace_write_process(TRACE_EXEC, trace->process);
    aspace_follow(aspace, trace);
}

void
aspace_end_traces(void)
{
    struct aspace *aspace;

    LIST_FOREACH(aspace, &aspace_all, link)
        aspace_end_trace(aspace);
}

void
aspace_release(struct aspace *aspace)
{
    assert(aspace->references > 0);
    if (--aspace->references == 0)
        aspace_destroy(aspace);
}

void
aspace_activate(struct aspace *aspace)
{
    cpu()->aspace = aspace;
    counters.aspace_switch++;
    aspace_charge(aspace);
    pmap_activate(aspace ? &aspace->pmap : NULL);
}

void
aspace_mend(struct aspace *aspace, page_t start, page_t end)
{
    struct region *region = region_find(&aspace->regions, start);

    if (region)
        region_merge(&aspace->regions, region);
    region = region_find(&aspace->regions, (page_t){end.number - 1});
    if (region)
        region_merge(&aspace->regions, region);
}

bool
aspace_cut(struct aspace *aspace, page_t start, page_t end)
{
    struct region *region = region_find(&aspace->regions, start);

    if (region && region->start.number < start.number && region->end.number > end.number
        && aspace->regions.count >= region_limit)
        return false;
    if (region && region->start.number < start.number
        && !region_split(&aspace->regions, region, start))
        return false;
    region = region_find(&aspace->regions, (page_t){end.number - 1});
    if (!region || region->end.number <= end.number || region_split(&aspace->regions, region, end))
        return true;
    aspace_mend(aspace, start, end);
    return false;
}

void
aspace_trace_unmap(struct aspace *aspace, const struct region *region, page_t start, page_t end)
{
    for (page_t page = start; page.number < end.number; page = page_add(page, 1)) {
        struct frame *frame = region_frame(region, page);

        if (frame || region_anon(region, page))
            pool_trace_unmap(aspace->pool, aspace->trace, page, frame);
    }
}

int
aspace_unmap(struct aspace *aspace, page_t start, page_t end)
{
    struct region *region, *next;
    bool slept;

    aspace_note_peak(aspace);
    do {
        if (!aspace_cut(aspace, start, end))
            return -ENOMEM;
        slept = false;
        region = region_find(&aspace->regions, start);
        if (!region)
            region = region_find_from(&aspace->regions, start);
        for (; region && region->start.number < end.number && !slept; region = next) {
            next = region_next(region);
            if (aspace->trace)
                aspace_trace_unmap(aspace, region, region->start, region->end);
            if (region->flags & REGION_LOCKED)
                aspace->locked_pages -= region->end.number - region->start.number;
            slept = aspace_drop(aspace, region);
        }
    } while (slept);        /* another thread may have mapped something there meanwhile */
    return 0;
}

/* ---- Truncation -------------------------------------------------------- */

/* Where the pages of the region begin that lie beyond the object's end; the region's end if none does. */
static page_t
region_object_end(const struct region *region)
{
    u32 pages = object_page_count(region->object->bytes), first = region->object_page;

    if (pages <= first)
        return region->start;
    if (pages - first >= region->end.number - region->start.number)
        return region->end;
    return page_add(region->start, pages - first);
}

static void
copies_unmap(struct aspace *aspace, struct region *region, page_t start, page_t end)
{
    if (aspace->trace)
        aspace_trace_unmap(aspace, region, start, end);
    aspace_forget_entries(aspace, region, start, end);
    aspace->regions.changes++;
}

static void
copies_remove(struct aspace *aspace, struct region *region, page_t start, page_t end)
{
    (void)aspace;
    amap_cut(region->amap, start, end);
}

/* Visits what regions with private pages have beyond the object's end. */
static void
copies_visit(const struct object *object, void (*visit)(struct aspace *, struct region *, page_t, page_t))
{
    struct aspace *aspace;

    LIST_FOREACH(aspace, &aspace_all, link)
        for (struct region *region = region_first(&aspace->regions); region; region = region_next(region))
            if (region->object == object && region->amap && region_object_end(region).number < region->end.number)
                visit(aspace, region, region_object_end(region), region->end);
}

void
aspace_cut_copies(const struct object *object)
{
    if (object->references == 1)
        return;                         /* who calls this holds it, and no region does */
    /* Chunks may be shared since a fork: nobody may map a page any more when it goes. */
    copies_visit(object, copies_unmap);
    copies_visit(object, copies_remove);
}

/* ---- Figures ----------------------------------------------------------- */

u32
aspace_swapped_pages(struct aspace *aspace)
{
    u32 resident = 0, swapped = 0;
    struct region *region;

    for (region = region_first(&aspace->regions); region; region = region_next(region))
        if (region->amap)
            amap_count(region->amap, region->start, region->end, &resident, &swapped);
    return swapped;
}

struct frame *
aspace_frame(struct aspace *aspace, page_t page)
{
    struct region *region = region_find(&aspace->regions, page);

    return region ? region_frame(region, page) : NULL;
}

/* Whether the address space alone uses the frame, as far as can be seen. Of a traced
 * one's pages, few are mapped; but they have names. What a page was copied from has its name too. */
static bool
aspace_owns_frame(struct aspace *aspace, const struct frame *frame)
{
    if (frame->state < FRAME_ANONYMOUS || frame->first.next)
        return false;
    if (frame->first.pmap || !aspace->trace)
        return frame->first.pmap == &aspace->pmap;
    return frame->evictable && pool_frame_owner(frame) == aspace->number
        && aspace_frame(aspace, (page_t){pool_frame_page(frame)}) == frame;
}

/* Charges to the address space's pool what it alone maps. */
static void
aspace_adopt_frames(struct aspace *aspace)
{
    for (u32 number = 0; number < frame_limit; number++) {
        struct frame *frame = frame_descriptor((frame_t){number});

        if (aspace_owns_frame(aspace, frame))
            pool_adopt(aspace->pool, frame);
    }
}

/* Gives the address space a pool of its own. */
static bool
aspace_make_pool(struct aspace *aspace, u32 limit, u32 grant)
{
    aspace->pool = pool_create(limit, grant);
    if (!aspace->pool)
        return false;
    if (aspace->trace)
        pool_follow(aspace->pool, aspace->trace, aspace->number);
    aspace_adopt_frames(aspace);
    if (cpu()->aspace == aspace)
        pool_current = aspace->pool;
    return true;
}

/* Without any limit it has none of its own. */
static void
aspace_drop_pool(struct aspace *aspace)
{
    if (pool_is_local() || aspace->pool->limit != POOL_UNLIMITED || aspace->pool->grant != POOL_UNLIMITED)
        return;
    pool_destroy(aspace->pool);
    aspace->pool = NULL;
}

/* Another limit and grant. False without memory for a pool. */
static bool
aspace_bound_frames(struct aspace *aspace, u32 limit, u32 grant)
{
    if (!aspace->pool && limit == POOL_UNLIMITED && grant == POOL_UNLIMITED)
        return true;
    if (!aspace->pool && !aspace_make_pool(aspace, limit, grant))
        return false;
    aspace->pool->limit = limit;
    aspace->pool->grant = grant;
    aspace_drop_pool(aspace);
    pool_divide();
    return true;
}

void
aspace_limit_frames(struct aspace *aspace, u32 pages)
{
    u32 minimum = POOL_MINIMUM > aspace->locked_pages ? POOL_MINIMUM - aspace->locked_pages : 1;
    u32 limit = pages > minimum ? pages : minimum;

    if (!aspace_bound_frames(aspace, limit, aspace->pool ? aspace->pool->grant : POOL_UNLIMITED))
        log_warn("no memory to limit the frames of a process to %u", pages);
}

bool
aspace_grant_frames(struct aspace *aspace, u32 pages)
{
    u32 grant = pages > POOL_MINIMUM ? pages : POOL_MINIMUM;

    return aspace_bound_frames(aspace, aspace->pool ? aspace->pool->limit : POOL_UNLIMITED, grant);
}

/* ---- Time -------------------------------------------------------------- */

void
aspace_charge_time(struct aspace *aspace, u32 nanoseconds)
{
    u32 rest = aspace->processor_time_rest + nanoseconds % NANOSECONDS_PER_MILLISECOND;

    aspace->processor_time += nanoseconds / NANOSECONDS_PER_MILLISECOND + rest / NANOSECONDS_PER_MILLISECOND;
    aspace->processor_time_rest = rest % NANOSECONDS_PER_MILLISECOND;
    if (aspace->pmap.working_set)
        aspace->pmap.working_set->time = aspace->processor_time;
}

bool
aspace_measure(struct aspace *aspace)
{
    if (!aspace->pmap.working_set)
        aspace->pmap.working_set = working_set_create(aspace->processor_time);
    return aspace->pmap.working_set != NULL;
}

bool
aspace_measure_resident(struct aspace *aspace)
{
    if (aspace->pmap.working_set)
        return true;
    if (!aspace_measure(aspace))
        return false;
    pmap_presume_used(&aspace->pmap);
    return true;
}

/* With accessed=software: so that the next use is seen. A traced process has no
 * entries but those of its current instruction. */
static void
aspace_forget_all_entries(struct aspace *aspace)
{
    if (!pmap_samples_references() || aspace->trace)
        return;
    for (struct region *region = region_first(&aspace->regions); region; region = region_next(region))
        if (!(region->flags & REGION_LOCKED))
            pmap_remove(&aspace->pmap, region->start, region->end);
}

const char *
aspace_policy(const struct aspace *aspace)
{
    return (aspace->pool ? aspace->pool : &pool_global)->policy->name;
}

u32
aspace_working_set(struct aspace *aspace)
{
    if (!aspace->pmap.working_set)
        return 0;
    pmap_sample(&aspace->pmap);
    aspace_forget_all_entries(aspace);
    return working_set_pages(aspace->pmap.working_set);
}

static bool
page_needs_frame(void *context, page_t page)
{
    struct aspace *aspace = context;
    struct region *region = region_find(&aspace->regions, page);
    struct frame *frame;

    if (!region || region->flags & REGION_LOCKED
        || (region->object->kind == OBJECT_ZERO && !region_anon(region, page)))
        return false;
    frame = region_frame(region, page);
    return !frame || !frame->first.pmap || frame->first.pmap == &aspace->pmap;
}

u32
aspace_needed_frames(struct aspace *aspace)
{
    if (aspace_working_set(aspace) == 0)
        return 0;
    return working_set_select(aspace->pmap.working_set, page_needs_frame, aspace);
}

/* The shares of memory that alloc= gives: by size or by priority. */
static void
aspace_divide_memory(void)
{
    struct aspace *aspace;

    LIST_FOREACH(aspace, &aspace_all, link)
        if (aspace->pool)
            aspace->pool->weight = pool_is_by_priority() ? aspace->weight : aspace->regions.pages;
    pool_divide();
}

void
aspace_clock_tick(struct aspace *aspace)
{
    pool_tick();
    if (pool_is_local())
        aspace_divide_memory();
    if (aspace->pmap.working_set && (pmap_samples_references() || working_set_is_due(aspace->pmap.working_set)))
        pmap_sample(&aspace->pmap);
    aspace_forget_all_entries(aspace);
}
