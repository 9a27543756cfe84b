/* Regions of real address spaces: cut and joined by the calls that change them, with their pages in place. */
#include <asm/errno.h>
#include <linux/mman.h>

#include "kernel/command_line.h"
#include "kernel/lib/random.h"
#include "mm/region.h"
#include "tests/kernel/mm_case.h"

#define RW (PROT_READ | PROT_WRITE)
#define PAGES 96u

SELFTEST(mm_region, protecting_cuts_and_joins, "mprotect of the middle makes three regions of one, and of all one again; no page changes")
{
    struct aspace *aspace = case_begin();
    u32 address = case_memory(aspace, PAGES);

    check_true(address != 0);
    case_fill(aspace, address, PAGES, 1);
    check_equal(aspace->regions.count, 1);
    check_equal(mmap_protect(aspace, address + 10 * PAGE_SIZE, 20 * PAGE_SIZE, PROT_READ), 0);
    check_equal(aspace->regions.count, 3);
    check_equal(aspace->regions.pages, PAGES);
    check_text(case_fault(aspace, address + 10 * PAGE_SIZE, FAULT_WRITE), "fault_protection");
    check_text(case_fault(aspace, address + 30 * PAGE_SIZE - 1, FAULT_WRITE), "fault_protection");
    check_text(case_fault(aspace, address + 10 * PAGE_SIZE - 1, FAULT_WRITE), "fault_soft");
    check_text(case_fault(aspace, address + 30 * PAGE_SIZE, FAULT_WRITE), "fault_soft");
    check_equal(mmap_protect(aspace, address, PAGES * PAGE_SIZE, RW), 0);
    check_equal(aspace->regions.count, 1);
    check_true(case_holds(aspace, address, PAGES, 1));
    case_fill(aspace, address, PAGES, 2);
    check_true(case_holds(aspace, address, PAGES, 2));
    case_end();
}

SELFTEST(mm_region, neighbours_are_joined, "two mappings that meet and are alike are one region, whichever came first; unlike ones stay apart")
{
    struct aspace *aspace = case_begin();
    u32 high = case_memory(aspace, 4), low = case_memory(aspace, 4);

    check_true(high != 0 && low != 0);
    check_equal(low + 4 * PAGE_SIZE, high);
    check_equal(aspace->regions.count, 1);
    check_true(case_map(aspace, 4, PROT_READ, MAP_PRIVATE) != 0);
    check_equal(aspace->regions.count, 2);
    case_fill(aspace, low, 8, 1);
    check_equal(mmap_unmap(aspace, low + 3 * PAGE_SIZE, 2 * PAGE_SIZE), 0);
    check_equal(aspace->regions.count, 3);
    check_equal(case_get(aspace, low + 2 * PAGE_SIZE), case_word(2, 1));
    check_equal(case_get(aspace, low + 5 * PAGE_SIZE), case_word(5, 1));
    case_end();
}

SELFTEST(mm_region, objects_pages_stay_in_place, "a cut mapping of a file still shows each page of the file at its place")
{
    struct aspace *aspace = case_begin();
    struct object *file = object_file_create(&case_device, 0, 10 * PAGE_SIZE);
    u32 address = case_map_object(aspace, file, 2, 8, RW, MAP_PRIVATE);

    check_true(file != NULL && address != 0);
    check_equal(mmap_protect(aspace, address + 3 * PAGE_SIZE, 2 * PAGE_SIZE, PROT_READ), 0);
    check_equal(mmap_unmap(aspace, address, PAGE_SIZE), 0);
    check_equal(aspace->regions.count, 3);
    for (u32 i = 1; i < 8; i++)
        check_equal(case_get(aspace, address + i * PAGE_SIZE) & 0xFF, case_byte((i + 2) * PAGE_SIZE));
    check_equal(mmap_protect(aspace, address + 3 * PAGE_SIZE, 2 * PAGE_SIZE, RW), 0);
    check_equal(aspace->regions.count, 1);
    for (u32 i = 1; i < 8; i++)
        check_equal(case_get(aspace, address + i * PAGE_SIZE) & 0xFF, case_byte((i + 2) * PAGE_SIZE));
    object_release(file);
    case_end();
}

SELFTEST(mm_region, limits_of_a_new_space, "a new address space has Linux's limits: a stack of 8 MiB, and as much else as there is room")
{
    struct aspace *aspace = case_begin();

    check_true(aspace != NULL);
    check_equal(aspace->stack_limit_pages, 8 * 1024 * 1024 / PAGE_SIZE);
    check_equal(aspace->data_limit_pages, ASPACE_PAGES_UNLIMITED);
    check_equal(aspace->size_limit_pages, ASPACE_PAGES_UNLIMITED);
    case_end();
}

SELFTEST(mm_region, clock_tick_samples_all, "accessed=software: a tick takes away the entries of heap, stack and shared memory too, but not locked ones")
{
    struct aspace *aspace = case_begin();
    u32 stack = case_map(aspace, 1, RW, MAP_PRIVATE | MAP_GROWSDOWN), shared = case_map(aspace, 1, RW, MAP_SHARED);
    u32 locked = case_memory(aspace, 1), heap = 0x10000000;

    check_true(stack != 0 && shared != 0 && locked != 0);
    aspace->heap_start = aspace->heap_end = heap;
    check_equal(mmap_brk(aspace, heap + PAGE_SIZE), heap + PAGE_SIZE);
    check_equal(mmap_lock(aspace, locked, PAGE_SIZE), 0);
    case_fill(aspace, stack, 1, 1);
    case_fill(aspace, shared, 1, 2);
    case_fill(aspace, heap, 1, 3);
    check_equal(aspace->pmap.resident, 4);
    aspace_clock_tick(aspace);
    check_equal(aspace->pmap.resident, pmap_samples_references() ? 1 : 4);
    check_true(case_holds(aspace, stack, 1, 1) && case_holds(aspace, shared, 1, 2) && case_holds(aspace, heap, 1, 3));
    case_end();
}

/* What the model knows of a page. */
static struct {
    bool mapped, writable;
    u32 word;
} model[PAGES];

static bool
agrees(struct aspace *aspace, u32 address)
{
    for (u32 i = 0; i < PAGES; i++) {
        struct region *region = region_find(&aspace->regions, page_of(address + i * PAGE_SIZE));

        if (!selftest_expect_equal(region != NULL, model[i].mapped, "mapped == the model says", __FILE__, __LINE__))
            return false;
        if (!region)
            continue;
        if (!selftest_expect_equal((region->protection & REGION_WRITE) != 0, model[i].writable, "writable == the model says", __FILE__,
                                   __LINE__)
            || !selftest_expect_equal(case_get(aspace, address + i * PAGE_SIZE), model[i].word, "word == the model says", __FILE__,
                                      __LINE__))
            return false;
    }
    return region_check(&aspace->regions) == NULL && pmap_check(&aspace->pmap) == NULL;
}

static void
change(struct aspace *aspace, u32 address, u32 start, u32 end, u32 what)
{
    struct mmap_request request = {
        .address = address + start * PAGE_SIZE, .bytes = (end - start) * PAGE_SIZE, .protection = RW, .maximum = 7,
        .flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
    };
    bool writable = what == 1;

    if (what == 0)
        selftest_expect_equal(mmap_map(aspace, &request), 0, "mmap_map() == 0", __FILE__, __LINE__);
    else if (what < 3)
        mmap_protect(aspace, request.address, request.bytes, writable ? RW : PROT_READ);
    else
        mmap_unmap(aspace, request.address, request.bytes);
    for (u32 i = start; i < end; i++) {
        if ((what == 1 || what == 2) && !model[i].mapped)
            break;          /* mprotect ends at the first hole, with what is before it changed */
        if (what == 0)
            model[i].mapped = model[i].writable = true;
        if (what == 1 || what == 2)
            model[i].writable = writable;
        if (what == 0 || what == 3)
            model[i].word = 0;
        if (what == 3)
            model[i].mapped = false;
    }
}

SELFTEST(mm_region, any_order_agrees_with_a_model, "mapping, protecting, unmapping, writing and evicting in any order agree with a model page by page")
{
    struct aspace *aspace = case_begin();
    u32 address = case_memory(aspace, PAGES);
    struct random random;

    check_true(address != 0);
    random_seed(&random, command_line_seed);
    for (u32 i = 0; i < PAGES; i++) {
        model[i].mapped = model[i].writable = true;
        model[i].word = 0;
    }
    for (u32 step = 0; step < 300; step++) {
        u32 start = random_below(&random, PAGES), end = start + 1 + random_below(&random, PAGES - start < 40 ? PAGES - start : 40);
        u32 page = random_below(&random, PAGES);

        change(aspace, address, start, end, random_below(&random, 4));
        for (u32 i = 0; i < 8; i++, page = random_below(&random, PAGES))
            if (model[page].mapped && model[page].writable) {
                model[page].word = random_next(&random);
                case_put(aspace, address + page * PAGE_SIZE, model[page].word);
            }
        if (random_below(&random, 20) == 0)
            case_evict_all();
        if (random_below(&random, 10) == 0)
            pmap_remove(&aspace->pmap, page_of(address), page_add(page_of(address), PAGES / 2));
        if (step % 10 == 0)
            check_true(agrees(aspace, address));
    }
    check_true(agrees(aspace, address));
    case_end();
}
