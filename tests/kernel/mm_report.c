/* What /proc says of a process's pages, in the bits of Linux's pagemap. */
#include <linux/mman.h>

#include "mm/report.h"
#include "mm/swap.h"
#include "tests/kernel/mm_case.h"

#define RW (PROT_READ | PROT_WRITE)

/* Documentation/admin-guide/mm/pagemap.rst */
#define PRESENT (1ull << 63)
#define SWAPPED (1ull << 62)
#define FILE_PAGE (1ull << 61)
#define EXCLUSIVE (1ull << 56)
#define NUMBER ((1ull << 55) - 1)
#define SWAP_TYPE_BITS 5

static u64
bits_of(struct aspace *aspace, u32 address)
{
    return report_pagemap(aspace, address >> PAGE_SHIFT);
}

SELFTEST(mm_report, pagemap_of_private_memory, "a page is absent, then one's own, then shared after fork, or in a slot of the swap area")
{
    struct aspace *aspace = case_begin(), *child;
    u32 address = case_memory(aspace, 2);
    struct anon *anon;
    bool alone;

    check_true(address != 0);
    check_true(bits_of(aspace, address) == 0);
    case_put(aspace, address, 1);
    anon = case_anon(aspace, address);
    check_true(bits_of(aspace, address) == (PRESENT | EXCLUSIVE | frame_number(anon->frame).number));
    child = case_fork(aspace);
    check_true(child != NULL);
    /* fork=copy leaves nothing shared. */
    alone = case_anon(child, address) != anon;
    check_true(bits_of(aspace, address) == (PRESENT | (alone ? EXCLUSIVE : 0) | frame_number(anon->frame).number));
    check_true(alone || bits_of(child, address) == bits_of(aspace, address));
    if (swap_total() > 0 && case_evict(anon))
        check_true(bits_of(aspace, address) == (SWAPPED | (u64)anon->slot.number << SWAP_TYPE_BITS));
    case_end();
}

SELFTEST(mm_report, pagemap_of_files, "a file's page and one of shared memory are marked as such; a private copy is not")
{
    struct aspace *aspace = case_begin();
    struct object *file = object_file_create(&case_device, 0, 2 * PAGE_SIZE);
    u32 private = case_map_object(aspace, file, 0, 2, RW, MAP_PRIVATE), shared = case_map(aspace, 1, RW, MAP_SHARED);

    check_true(file != NULL && private != 0 && shared != 0);
    case_get(aspace, private);
    case_put(aspace, private + PAGE_SIZE, 1);
    case_put(aspace, shared, 1);
    check_true((bits_of(aspace, private) & ~NUMBER) == (PRESENT | FILE_PAGE | EXCLUSIVE));
    check_true((bits_of(aspace, private + PAGE_SIZE) & ~NUMBER) == (PRESENT | EXCLUSIVE));
    check_true((bits_of(aspace, shared) & ~NUMBER) == (PRESENT | FILE_PAGE | EXCLUSIVE));
    object_release(file);
    case_end();
}

SELFTEST(mm_report, pagemap_of_a_file_in_memory, "mapped privately, its pages are told apart from the copies, also where no copy is near")
{
    struct aspace *aspace = case_begin();
    struct object *file = object_anonymous_create(2 * CHUNK_PAGES * PAGE_SIZE);
    u32 shared = case_map_object(aspace, file, 0, 2 * CHUNK_PAGES, RW, MAP_SHARED);
    u32 private = case_map_object(aspace, file, 0, 2 * CHUNK_PAGES, RW, MAP_PRIVATE), far = private + CHUNK_PAGES * PAGE_SIZE;

    check_true(file != NULL && shared != 0 && private != 0);
    case_put(aspace, shared + CHUNK_PAGES * PAGE_SIZE, 1);
    check_true(bits_of(aspace, far) == 0);
    case_put(aspace, private, 1);
    check_true(bits_of(aspace, far) == 0);
    case_get(aspace, far);
    check_true((bits_of(aspace, far) & ~NUMBER) == (PRESENT | FILE_PAGE));
    check_true((bits_of(aspace, private) & ~NUMBER) == (PRESENT | EXCLUSIVE));
    object_release(file);
    case_end();
}

static u32
shared_now(void)
{
    struct report_memory memory;

    report_memory(&memory);
    return memory.shared;
}

SELFTEST(mm_report, shared_memory_in_memory, "shared memory counts while it is in memory, and not in the swap area")
{
    struct aspace *aspace = case_begin();
    u32 before = shared_now(), address = case_map(aspace, 3, RW, MAP_SHARED);
    const struct region *region = region_find(&aspace->regions, page_of(address));
    const struct anon *anon;

    case_put(aspace, address, 1);
    case_put(aspace, address + PAGE_SIZE, 1);
    check_equal(shared_now(), before + 2);
    anon = amap_lookup(region->object->amap, (page_t){0});
    if (swap_total() > 0 && case_evict(anon)) {
        check_true(shared_now() < before + 2);
        case_get(aspace, address);
    }
    case_end();
    check_true(shared_now() <= before);
}
