/*
 * Memory for the kernel's own objects, of any size.
 *
 * Small sizes: one slab cache for each power of two (and 1.5 times it would be
 * finer, but nothing here needs it). Large sizes and stacks: ranges of the
 * kernel's area above the direct map,
 *
 *    | guard | page | page | guard | page | page | page | guard | ...
 *
 * each preceded by an unmapped page. Two bits a page say which are taken and
 * which begin a range, so that a range ends where the next bit of either kind says.
 * Stacks that were freed are kept in a short list: most are wanted again soon.
 */
#include "mm/kmem.h"

#include "kernel/assert.h"
#include "kernel/lib/bitmap.h"
#include "kernel/lib/string.h"
#include "mm/failslab.h"
#include "mm/frame.h"
#include "mm/pmap.h"

#define AREA_PAGES ((KERNEL_AREA_END - KERNEL_AREA_START) / PAGE_SIZE)

/* Stacks kept for the next process instead of being unmapped. */
#define STACKS_KEPT 16u

static struct kmem_cache small_caches[] = {
    KMEM_CACHE("kmem-16", 16, 8),     KMEM_CACHE("kmem-32", 32, 8),
    KMEM_CACHE("kmem-64", 64, 8),     KMEM_CACHE("kmem-128", 128, 8),
    KMEM_CACHE("kmem-256", 256, 8),   KMEM_CACHE("kmem-512", 512, 8),
    KMEM_CACHE("kmem-1024", 1016, 8), KMEM_CACHE("kmem-2048", KMEM_SMALL_MAXIMUM, 8),
};

/* Page i of the area: taken (mapped, or a guard), and the first of its range. */
static u32 area_taken[BITMAP_WORDS(AREA_PAGES)];
static u32 area_first[BITMAP_WORDS(AREA_PAGES)];
static u32 area_hint;           /* a search for room begins here */
static u32 area_frames;

static void *kept_stacks[STACKS_KEPT];
static u32 kept_count;
static u32 stack_count;         /* those in use, and those kept */

static page_t
area_page(u32 index)
{
    return page_add(page_of(KERNEL_AREA_START), index);
}

/* The first index, from start on, at which count free pages begin; AREA_PAGES if none. */
static u32
area_search(u32 start, u32 count)
{
    u32 run = 0;

    for (u32 index = start; index < AREA_PAGES; index++) {
        if (index % BITMAP_WORD_BITS == 0 && area_taken[index / BITMAP_WORD_BITS] == 0xFFFFFFFFu) {
            index += BITMAP_WORD_BITS - 1;
            run = 0;
            continue;
        }
        run = bitmap_test(area_taken, index) ? 0 : run + 1;
        if (run == count)
            return index + 1 - count;
    }
    return AREA_PAGES;
}

static void
area_unmap(u32 index, u32 pages)
{
    for (u32 i = 0; i < pages; i++)
        frame_free(pmap_kernel_remove(area_page(index + i)));
    area_frames -= pages;
}

/* Maps pages fresh frames behind a guard page; the address of the first page. */
static void *
area_allocate(u32 pages)
{
    u32 guard = area_search(area_hint, pages + 1);

    if (guard == AREA_PAGES)
        guard = area_search(0, pages + 1);
    if (guard == AREA_PAGES || frame_free_count() < pages)
        return NULL;
    for (u32 i = 1; i <= pages; i++) {
        pmap_kernel_enter(area_page(guard + i), frame_allocate(FRAME_KERNEL));
        bitmap_set(area_taken, guard + i);
    }
    bitmap_set(area_taken, guard);
    bitmap_set(area_first, guard);
    area_frames += pages;
    area_hint = guard + pages + 1;
    return (void *)(uintptr_t)page_address(area_page(guard + 1));
}

static void
area_free(void *memory)
{
    u32 first = ((u32)(uintptr_t)memory - KERNEL_AREA_START) / PAGE_SIZE;
    u32 end = first;

    assert(first > 0 && first < AREA_PAGES && bitmap_test(area_first, first - 1));
    while (end < AREA_PAGES && bitmap_test(area_taken, end) && !bitmap_test(area_first, end))
        bitmap_clear(area_taken, end++);
    bitmap_clear(area_taken, first - 1);
    bitmap_clear(area_first, first - 1);
    area_unmap(first, end - first);
    area_hint = first - 1 < area_hint ? first - 1 : area_hint;
}

void *
kmem_allocate(usize bytes)
{
    for (u32 i = 0; i < ARRAY_SIZE(small_caches); i++)
        if (bytes <= small_caches[i].object_bytes)
            return kmem_cache_allocate(&small_caches[i]);
    if (bytes > KERNEL_AREA_END - KERNEL_AREA_START || failslab_strikes())
        return NULL;
    return area_allocate(pages_for((u32)bytes));
}

void *
kmem_allocate_zeroed(usize bytes)
{
    void *memory = kmem_allocate(bytes);

    if (memory)
        memset(memory, 0, bytes);
    return memory;
}

void
kmem_free(void *memory)
{
    if (!memory)
        return;
    if ((uintptr_t)memory >= KERNEL_AREA_START)
        area_free(memory);
    else
        kmem_cache_free(kmem_cache_of(memory), memory);
}

void *
kmem_stack_allocate(void)
{
    void *stack;

    if (failslab_strikes())
        return NULL;
    if (kept_count)
        return kept_stacks[--kept_count];
    stack = area_allocate(KERNEL_STACK_PAGES);
    stack_count += stack != NULL;
    return stack;
}

void
kmem_stack_free(void *stack)
{
    if (kept_count < STACKS_KEPT) {
        kept_stacks[kept_count++] = stack;
        return;
    }
    area_free(stack);
    stack_count--;
}

u32
kmem_stack_frames(void)
{
    return stack_count * KERNEL_STACK_PAGES;
}

u32
kmem_area_frames(void)
{
    return area_frames;
}
