/* Amaps as processes use them: which chunk is whose, through fork, writing, cutting and exit. */
#include <linux/mman.h>

#include "mm/amap.h"
#include "mm/region.h"
#include "tests/kernel/mm_case.h"

#define PAGES (4 * CHUNK_PAGES)

static struct amap *
amap_of(struct aspace *aspace, u32 address)
{
    return region_find(&aspace->regions, page_of(address))->amap;
}

static struct chunk *
chunk_of(struct aspace *aspace, u32 address)
{
    return amap_chunk(amap_of(aspace, address), page_of(address));
}

SELFTEST(mm_amap, made_by_the_first_write, "a region has no amap, and a window no chunk, before its first write")
{
    struct aspace *aspace = case_begin();
    u32 address = case_memory(aspace, PAGES);

    check_true(address != 0);
    check_equal(case_get(aspace, address), 0);
    check_true(amap_of(aspace, address) == NULL);
    case_put(aspace, address + 3 * PAGE_SIZE, 1);
    check_true(amap_of(aspace, address) != NULL);
    check_equal(amap_of(aspace, address)->used, 1);
    check_equal(chunk_of(aspace, address + 3 * PAGE_SIZE)->used, 1);
    case_put(aspace, address + (PAGES - 1) * PAGE_SIZE, 1);
    check_equal(amap_of(aspace, address)->used, 2);
    case_end();
}

SELFTEST(mm_amap, chunks_are_counted, "each sharer counts each chunk once; a write splits one chunk, and exit counts down")
{
    struct aspace *parent = case_begin(), *child, *grandchild;
    u32 address = case_memory(parent, PAGES), middle;

    check_true(address != 0);
    middle = address + PAGES / 2 * PAGE_SIZE;
    case_fill(parent, address, PAGES, 1);
    child = case_fork(parent);
    grandchild = case_fork(child);
    check_true(child != NULL && grandchild != NULL);
    if (COUNTED(fork_lazy)) {
        check_true(chunk_of(child, middle) == chunk_of(parent, middle));
        check_equal(chunk_of(parent, middle)->references, 3);
        check_equal(case_anon(parent, middle)->references, 1);
        case_put(child, middle, 2);
        check_equal(COUNTED(chunk_split), 1);
        check_equal(child->counters.chunk_split, 1);
        check_true(chunk_of(child, middle) != chunk_of(parent, middle));
        check_equal(chunk_of(child, middle)->references, 1);
        check_equal(chunk_of(parent, middle)->references, 2);
        check_equal(chunk_of(parent, address)->references, 3);
        /* The page written is the child's own; its neighbour is held by two chunks. */
        check_equal(case_anon(child, middle)->references, 1);
        check_equal(case_anon(parent, middle)->references, 1);
        check_equal(case_anon(child, middle + PAGE_SIZE)->references, 2);
        case_release(grandchild);
        check_equal(chunk_of(parent, middle)->references, 1);
        check_equal(chunk_of(parent, address)->references, 2);
        case_release(child);
        check_equal(chunk_of(parent, address)->references, 1);
        check_equal(case_anon(parent, middle + PAGE_SIZE)->references, 1);
    }
    check_true(case_holds(parent, address, PAGES, 1));
    case_end();
}

SELFTEST(mm_amap, cutting_a_shared_chunk, "unmapping the middle of a shared chunk leaves the other process's pages alone")
{
    struct aspace *parent = case_begin(), *child;
    u32 address = case_memory(parent, PAGES);

    check_true(address != 0);
    case_fill(parent, address, PAGES, 1);
    child = case_fork(parent);
    check_true(child != NULL);
    check_equal(mmap_unmap(child, address + 5 * PAGE_SIZE, 7 * PAGE_SIZE), 0);
    check_equal(mmap_protect(parent, address + 8 * PAGE_SIZE, 50 * PAGE_SIZE, PROT_READ), 0);
    check_true(case_holds(parent, address, PAGES, 1));
    check_true(case_holds(child, address, 5, 1));
    check_equal(case_get(child, address + 12 * PAGE_SIZE), case_word(12, 1));
    check_text(case_fault(child, address + 5 * PAGE_SIZE, FAULT_READ), "fault_unmapped");
    check_text(case_fault(child, address + 11 * PAGE_SIZE, FAULT_READ), "fault_unmapped");
    case_release(child);
    check_true(case_holds(parent, address, PAGES, 1));
    check_equal(case_anon(parent, address + 6 * PAGE_SIZE)->references, 1);
    case_end();
}

SELFTEST(mm_amap, neighbours_in_one_window, "two regions that meet inside a chunk's window keep their pages apart, and together again")
{
    struct aspace *aspace = case_begin();
    u32 address = case_memory(aspace, PAGES), cut;

    check_true(address != 0);
    cut = address + 45 * PAGE_SIZE;
    case_fill(aspace, address, PAGES, 1);
    check_equal(mmap_protect(aspace, cut, (PAGES - 45) * PAGE_SIZE, PROT_READ), 0);
    check_true(amap_of(aspace, cut) != amap_of(aspace, cut - PAGE_SIZE));
    check_true(case_holds(aspace, address, PAGES, 1));
    check_equal(mmap_protect(aspace, cut, (PAGES - 45) * PAGE_SIZE, PROT_READ | PROT_WRITE), 0);
    check_true(amap_of(aspace, cut) == amap_of(aspace, cut - PAGE_SIZE));
    check_equal(aspace->regions.count, 1);
    check_true(case_holds(aspace, address, PAGES, 1));
    case_fill(aspace, address, PAGES, 2);
    check_true(case_holds(aspace, address, PAGES, 2));
    case_end();
}
