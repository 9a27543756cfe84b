/*
 * mm's part of /proc, in Linux's formats.
 */
#include "mm/report.h"

#include "mm/frame.h"
#include "mm/kmem.h"
#include "mm/swap.h"
#include "mm/usage.h"

/* Column where Linux puts a mapping's name. */
#define NAME_COLUMN 49

static const char *
region_name(struct aspace *aspace, const struct region *region)
{
    if (region->flags & REGION_STACK && page_address(region->end) == aspace->stack_top)
        return "[stack]";
    if (region->flags & REGION_HEAP)
        return "[heap]";
    if (region->object->name)
        return region->object->name;
    return region->object->kind == OBJECT_ANONYMOUS ? "/dev/zero (deleted)" : NULL;
}

void
report_mapping(struct aspace *aspace, const struct region *region, struct text_buffer *text)
{
    const char *name = region_name(aspace, region);
    bool from_object = region->object->kind != OBJECT_ZERO;
    usize start = text->length;

    text_print(text, "%08x-%08x %c%c%c%c %08llx %02x:%02x %u ", page_address(region->start),
               page_address(region->end), region->protection & REGION_READ ? 'r' : '-',
               region->protection & REGION_WRITE ? 'w' : '-', region->protection & REGION_EXECUTE ? 'x' : '-',
               region->flags & REGION_SHARED ? 's' : 'p',
               from_object ? (u64)region->object_page << PAGE_SHIFT : 0, 0, from_object ? 1 : 0,
               from_object ? region->object->inode_number : 0);
    while (name && text->length - start < NAME_COLUMN && !text->failed)
        text_print(text, " ");
    text_print(text, "%s\n", name ? name : "");
}

void
report_maps(struct aspace *aspace, struct text_buffer *text)
{
    for (struct region *region = region_first(&aspace->regions); region; region = region_next(region))
        report_mapping(aspace, region, text);
}

/* Bits of Linux's /proc/PID/pagemap. */
#define PAGEMAP_PRESENT   (1ull << 63)
#define PAGEMAP_SWAPPED   (1ull << 62)
#define PAGEMAP_FILE      (1ull << 61)
#define PAGEMAP_EXCLUSIVE (1ull << 56)
#define PAGEMAP_SWAP_OFFSET_SHIFT 5

/* A private page is where its anon says, whether or not an entry maps it just now: entries are a cache. Of an object's
 * pages only the mapped ones count, as on Linux. */
u64
report_pagemap(struct aspace *aspace, u32 number)
{
    page_t page = {number};
    struct region *region = region_find(&aspace->regions, page);
    struct anon *anon = region ? region_anon(region, page) : NULL;
    bool from_object = region && !anon && region->object->kind != OBJECT_ZERO;
    struct frame *frame;
    u64 bits = 0;
    u32 rights;

    if (anon && !anon->frame)
        return PAGEMAP_SWAPPED | (u64)anon->slot.number << PAGEMAP_SWAP_OFFSET_SHIFT;
    frame = anon ? anon->frame : pmap_lookup(&aspace->pmap, page, &rights);
    if (!frame)
        return 0;
    if (from_object)
        bits |= PAGEMAP_FILE;
    if (anon ? !amap_is_shared(region->amap, page, anon) : from_object && !frame->first.next)
        bits |= PAGEMAP_EXCLUSIVE;
    return PAGEMAP_PRESENT | bits | frame_number(frame).number;
}

/* Pages in memory of anonymous objects, and of what files have grown by. Linear in them if anything is swapped. */
static u32
shared_memory_pages(void)
{
    bool all_here = swap_free_count() == swap_total();
    u32 resident = 0, swapped = 0;
    struct object *object;

    LIST_FOREACH(object, &object_all, link) {
        if (all_here)
            resident += object->anonymous_pages;
        else
            object_count_anons(object, &resident, &swapped);
    }
    return resident;
}

void
report_memory(struct report_memory *memory)
{
    *memory = (struct report_memory){
        .total = frame_total(),
        .free = frame_free_count(),
        .files = frame_count(FRAME_OBJECT),
        .shared = shared_memory_pages(),
        .swap_total = swap_total(),
        .swap_free = swap_free_count(),
    };
}

void
report_meminfo(struct text_buffer *text)
{
    struct report_memory memory;

    report_memory(&memory);
    text_print(text, "MemTotal:       %8u kB\n", pages_in_kib(memory.total));
    text_print(text, "MemFree:        %8u kB\n", pages_in_kib(memory.free));
    text_print(text, "MemAvailable:   %8u kB\n", pages_in_kib(memory.free + memory.files));
    text_print(text, "Buffers:        %8u kB\n", 0);
    text_print(text, "Cached:         %8u kB\n", pages_in_kib(memory.files + memory.shared));
    text_print(text, "SwapCached:     %8u kB\n", 0);
    text_print(text, "SwapTotal:      %8u kB\n", pages_in_kib(memory.swap_total));
    text_print(text, "SwapFree:       %8u kB\n", pages_in_kib(memory.swap_free));
    text_print(text, "AnonPages:      %8u kB\n", pages_in_kib(frame_count(FRAME_ANONYMOUS) - memory.shared));
    text_print(text, "Shmem:          %8u kB\n", pages_in_kib(memory.shared));
    text_print(text, "Slab:           %8u kB\n", pages_in_kib(kmem_cache_frames()));
    text_print(text, "SReclaimable:   %8u kB\n", 0);
    text_print(text, "SUnreclaim:     %8u kB\n", pages_in_kib(kmem_cache_frames()));
    text_print(text, "KernelStack:    %8u kB\n", pages_in_kib(kmem_stack_frames()));
    text_print(text, "PageTables:     %8u kB\n", pages_in_kib(frame_count(FRAME_TABLE)));
    text_print(text, "VmallocTotal:   %8u kB\n", pages_in_kib((KERNEL_AREA_END - KERNEL_AREA_START) >> PAGE_SHIFT));
    text_print(text, "VmallocUsed:    %8u kB\n", pages_in_kib(kmem_area_frames()));
}

void
report_slabinfo(struct text_buffer *text)
{
    text_print(text, "slabinfo - version: 2.1\n# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>"
                     " : tunables <limit> <batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>\n");
    for (const struct kmem_cache *cache = NULL; (cache = kmem_cache_next(cache));)
        text_print(text, "%-17s %6u %6u %6u %4u %4u : tunables    0    0    0 : slabdata %6u %6u      0\n", cache->name,
                   cache->objects, cache->slabs * cache->objects_per_slab, cache->object_bytes, cache->objects_per_slab, 1,
                   cache->slabs, cache->slabs);
}

void
report_swaps(struct text_buffer *text)
{
    text_print(text, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
    if (swap_device_name())
        text_print(text, "/dev/%-34s partition\t%u\t\t%u\t\t-2\n", swap_device_name(), pages_in_kib(swap_total()),
                   pages_in_kib(swap_total() - swap_free_count()));
}

static void
report_counters(const struct counters *set, struct text_buffer *text)
{
#define PRINT_COUNTER(name) text_print(text, #name " %u\n", set->name);
    COUNTERS(PRINT_COUNTER)
#undef PRINT_COUNTER
}

void
report_vmstat(struct aspace *aspace, struct text_buffer *text)
{
    if (aspace) {
        text_print(text, "nr_resident %u\n", aspace_resident_pages(aspace));
        text_print(text, "nr_swapped %u\n", aspace_swapped_pages(aspace));
        text_print(text, "nr_page_table_pages %u\n", aspace->pmap.table_count);
        report_counters(&aspace->counters, text);
        return;
    }
    text_print(text, "nr_free_pages %u\n", frame_free_count());
    text_print(text, "nr_zero_pool %u\n", frame_zeroed_frames);
    text_print(text, "nr_anon_pages %u\n", frame_count(FRAME_ANONYMOUS));
    text_print(text, "nr_file_pages %u\n", frame_count(FRAME_OBJECT));
    text_print(text, "nr_page_table_pages %u\n", frame_count(FRAME_TABLE));
    text_print(text, "nr_slab_pages %u\n", kmem_cache_frames());
    text_print(text, "nr_swap_free %u\n", swap_free_count());
    text_print(text, "nr_swap_total %u\n", swap_total());
    report_counters(&counters, text);
}

void
report_size(struct aspace *aspace, struct report_size *size)
{
    u32 code = pages_for(aspace->code_end) - page_of(aspace->code_start).number, executable = 0, peak;
    struct usage usage = usage_of(aspace);

    aspace_note_peak(aspace);
    peak = aspace->peak_resident;
    *size = (struct report_size){
        .total = aspace->regions.pages,
        .resident = usage.resident,
        .anonymous = usage.anonymous,
        .shared_memory = usage.shared_memory,
        .swapped = aspace_swapped_pages(aspace),
        .locked = aspace->locked_pages,
        .code = code,
        .tables = aspace->pmap.table_count,
        .peak_total = aspace->peak_pages,
        .peak_resident = peak > usage.resident ? peak : usage.resident,
    };
    for (struct region *region = region_first(&aspace->regions); region; region = region_next(region)) {
        u32 pages = region->end.number - region->start.number;

        if (region->flags & REGION_STACK)
            size->stack += pages;
        else if (region_is_data(region))
            size->data += pages;
        else if (region->protection & REGION_EXECUTE && !(region->protection & REGION_WRITE))
            executable += pages;
    }
    size->libraries = executable > code ? executable - code : 0;
}
