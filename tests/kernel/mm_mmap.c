/*
 * The calls that change what is mapped: where things go, what is refused, and that a call which fails has changed nothing.
 */
#include <asm/errno.h>
#include <linux/mman.h>

#include "mm/fork.h"
#include "mm/swap.h"
#include "mm/user.h"
#include "tests/kernel/mm_case.h"

#define RW (PROT_READ | PROT_WRITE)
#define PRIVATE (MAP_PRIVATE | MAP_ANONYMOUS)

static int
map_at(struct aspace *aspace, u32 *address, u32 bytes, u32 protection, u32 flags)
{
    struct mmap_request request = {
        .address = *address, .bytes = bytes, .protection = protection, .flags = flags, .maximum = 7};
    int error = mmap_map(aspace, &request);

    if (!error)
        *address = request.address;
    return error;
}

SELFTEST(mm_mmap, refuses_nonsense, "no length, no kind, a fixed address that is not a page's or page 0, more than there is: the errno that Linux gives")
{
    struct aspace *aspace = case_begin();
    u32 none = 0, unaligned = 0x10000010, top = user_top() - PAGE_SIZE, beyond = user_top();

    check_true(aspace != NULL);
    check_equal(map_at(aspace, &none, 0, RW, PRIVATE), -EINVAL);
    check_equal(map_at(aspace, &none, PAGE_SIZE, RW, MAP_ANONYMOUS), -EINVAL);
    check_equal(map_at(aspace, &unaligned, PAGE_SIZE, RW, PRIVATE | MAP_FIXED), -EINVAL);
    check_equal(map_at(aspace, &none, PAGE_SIZE, RW, PRIVATE | MAP_FIXED), -EPERM);
    check_equal(map_at(aspace, &top, 2 * PAGE_SIZE, RW, PRIVATE | MAP_FIXED), -ENOMEM);
    check_equal(map_at(aspace, &beyond, PAGE_SIZE, RW, PRIVATE | MAP_FIXED), -ENOMEM);
    check_equal(map_at(aspace, &none, 0xFFFFFFFF, RW, PRIVATE), -ENOMEM);
    check_equal(map_at(aspace, &none, user_top(), PROT_READ, PRIVATE | MAP_NORESERVE), -ENOMEM);
    check_equal(aspace->regions.count, 0);
    check_equal(map_at(aspace, &top, PAGE_SIZE, RW, PRIVATE | MAP_FIXED), 0);
    check_equal(top, user_top() - PAGE_SIZE);
    case_end();
}

SELFTEST(mm_mmap, refuses_what_cannot_be_kept, "writable private memory beyond all frames and slots together is ENOMEM at once; without a reserve it is not")
{
    struct aspace *aspace = case_begin();
    u32 all = frame_total() + swap_total(), place = 0;

    check_true(aspace != NULL);
    if (all < (user_top() >> PAGE_SHIFT) / 2) {
        check_equal(map_at(aspace, &place, (all + 1) << PAGE_SHIFT, RW, PRIVATE), -ENOMEM);
        check_equal(map_at(aspace, &place, all << PAGE_SHIFT, RW, PRIVATE), 0);
        check_equal(mmap_unmap(aspace, place, all << PAGE_SHIFT), 0);
        check_equal(map_at(aspace, &place, (all + 1) << PAGE_SHIFT, RW, PRIVATE | MAP_NORESERVE), 0);
        check_equal(map_at(aspace, &place, (all + 1) << PAGE_SHIFT, PROT_READ, PRIVATE), 0);
    }
    case_end();
}

SELFTEST(mm_mmap, hints_and_gaps, "a hint is taken if it is free, rounded down; otherwise the highest gap below the stack's room")
{
    struct aspace *aspace = case_begin();
    u32 hint = 0x10000123, again = 0x10000000, anywhere = 0, below = 0;

    check_true(aspace != NULL);
    check_equal(map_at(aspace, &hint, 2 * PAGE_SIZE, RW, PRIVATE), 0);
    check_equal(hint, 0x10000000);
    check_equal(map_at(aspace, &again, PAGE_SIZE, PROT_READ, PRIVATE), 0);
    check_true(again != 0x10000000 && again != 0x10001000);
    check_true(again < aspace->stack_top - (aspace->stack_limit_pages << PAGE_SHIFT));
    check_equal(map_at(aspace, &anywhere, 3 * PAGE_SIZE, RW, PRIVATE), 0);
    check_equal(anywhere + 3 * PAGE_SIZE, again);
    check_equal(map_at(aspace, &below, PAGE_SIZE, PROT_NONE, PRIVATE), 0);
    check_equal(below + PAGE_SIZE, anywhere);
    case_end();
}

SELFTEST(mm_mmap, fixed_replaces, "a fixed mapping replaces what was there, exactly; MAP_FIXED_NOREPLACE refuses")
{
    struct aspace *aspace = case_begin();
    u32 address = case_memory(aspace, 8), middle;

    check_true(address != 0);
    case_fill(aspace, address, 8, 1);
    middle = address + 3 * PAGE_SIZE;
    check_equal(map_at(aspace, &middle, 2 * PAGE_SIZE, RW, PRIVATE | MAP_FIXED_NOREPLACE), -EEXIST);
    check_true(case_holds(aspace, address, 8, 1));
    check_equal(map_at(aspace, &middle, 2 * PAGE_SIZE, RW, PRIVATE | MAP_FIXED), 0);
    check_true(case_holds(aspace, address, 3, 1));
    check_equal(case_get(aspace, middle), 0);
    check_equal(case_get(aspace, middle + PAGE_SIZE), 0);
    check_equal(case_get(aspace, address + 5 * PAGE_SIZE), case_word(5, 1));
    check_equal(aspace->regions.pages, 8);
    case_end();
}

SELFTEST(mm_mmap, unmapping_is_exact, "munmap takes exactly the pages asked for, at once, and complains of bad ranges only")
{
    struct case_usage before = case_usage();
    struct aspace *aspace = case_begin();
    u32 address = case_memory(aspace, 10), word;

    check_true(address != 0);
    case_fill(aspace, address, 10, 1);
    check_equal(user_read_word(&word, address + 4 * PAGE_SIZE), 0);
    check_equal(mmap_unmap(aspace, address + 1, PAGE_SIZE), -EINVAL);
    check_equal(mmap_unmap(aspace, address, 0), -EINVAL);
    check_equal(mmap_unmap(aspace, user_top() - PAGE_SIZE, 2 * PAGE_SIZE), -EINVAL);
    check_true(case_holds(aspace, address, 10, 1));
    check_equal(mmap_unmap(aspace, address + 4 * PAGE_SIZE, PAGE_SIZE + 1), 0);
    check_equal(user_read_word(&word, address + 4 * PAGE_SIZE), -EFAULT);
    check_equal(user_read_word(&word, address + 5 * PAGE_SIZE), -EFAULT);
    check_true(case_holds(aspace, address, 4, 1));
    check_equal(case_get(aspace, address + 6 * PAGE_SIZE), case_word(6, 1));
    check_equal(frame_count(FRAME_ANONYMOUS), before.anonymous + 8);
    check_equal(mmap_unmap(aspace, address + 4 * PAGE_SIZE, PAGE_SIZE), 0);     /* nothing there: no error */
    check_equal(mmap_unmap(aspace, address, 10 * PAGE_SIZE), 0);
    check_true(case_usage_is(&before));
    check_equal(aspace->regions.count, 0);
    case_end();
}

SELFTEST(mm_mmap, protection_holds_at_once, "mprotect takes rights away from pages that were just used, and gives them back")
{
    struct aspace *aspace = case_begin();
    u32 address = case_memory(aspace, 2), word;

    check_true(address != 0);
    check_equal(user_write_word(address, 1), 0);
    check_equal(mmap_protect(aspace, address, PAGE_SIZE, PROT_READ), 0);
    check_equal(user_write_word(address, 2), -EFAULT);
    check_equal(user_read_word(&word, address), 0);
    check_equal(word, 1);
    check_equal(mmap_protect(aspace, address, PAGE_SIZE, PROT_NONE), 0);
    check_equal(user_read_word(&word, address), -EFAULT);
    check_equal(mmap_protect(aspace, address, PAGE_SIZE, RW), 0);
    check_equal(user_write_word(address, 3), 0);
    check_equal(mmap_protect(aspace, address + 1, PAGE_SIZE, RW), -EINVAL);
    check_equal(mmap_protect(aspace, address, 3 * PAGE_SIZE, PROT_READ), -ENOMEM);
    check_equal(mmap_protect(aspace, address, PAGE_SIZE, 0x100), -EINVAL);
    check_equal(user_read_word(&word, address), 0);
    check_equal(word, 3);
    case_end();
}

SELFTEST(mm_mmap, maximum_is_kept, "mprotect cannot grant what the mapping was not opened for")
{
    struct aspace *aspace = case_begin();
    struct mmap_request request = {
        .bytes = PAGE_SIZE, .protection = PROT_READ, .flags = PRIVATE, .maximum = PROT_READ | PROT_EXEC};

    check_true(aspace != NULL);
    check_equal(mmap_map(aspace, &request), 0);
    check_equal(mmap_protect(aspace, request.address, PAGE_SIZE, RW), -EACCES);
    check_equal(mmap_protect(aspace, request.address, PAGE_SIZE, PROT_READ | PROT_EXEC), 0);
    request.protection = RW;
    request.address = 0;
    check_equal(mmap_map(aspace, &request), -EACCES);
    case_end();
}

SELFTEST(mm_mmap, heap_grows_and_shrinks, "brk moves the heap's end to the byte; what it gave up is gone, and zero when it comes back")
{
    struct aspace *aspace = case_begin();
    u32 start = 0x10000000, end;

    check_true(aspace != NULL);
    aspace->heap_start = aspace->heap_end = start;
    check_equal(mmap_brk(aspace, 0), start);
    check_equal(mmap_brk(aspace, start + 100), start + 100);
    case_put(aspace, start, 7);
    end = start + 40 * PAGE_SIZE + 5;
    check_equal(mmap_brk(aspace, end), end);
    check_equal(aspace->regions.count, 1);
    case_fill(aspace, start, 41, 1);
    check_equal(mmap_brk(aspace, start + 2 * PAGE_SIZE + 1), start + 2 * PAGE_SIZE + 1);
    check_true(case_holds(aspace, start, 3, 1));
    check_text(case_fault(aspace, start + 3 * PAGE_SIZE, FAULT_READ), "fault_unmapped");
    check_equal(mmap_brk(aspace, end), end);
    check_equal(case_get(aspace, start + 3 * PAGE_SIZE), 0);
    check_true(case_holds(aspace, start, 3, 1));
    check_equal(mmap_brk(aspace, start - 1), end);
    check_equal(mmap_brk(aspace, user_top() + 1), end);
    aspace->data_limit_pages = 50;
    check_equal(mmap_brk(aspace, start + 51 * PAGE_SIZE), end);
    check_equal(mmap_brk(aspace, start + 50 * PAGE_SIZE), start + 50 * PAGE_SIZE);
    check_equal(mmap_brk(aspace, start), start);
    check_equal(aspace->regions.count, 0);
    case_end();
}

SELFTEST(mm_mmap, heap_stops_at_a_neighbour, "brk stops a page below what is mapped above the heap")
{
    struct aspace *aspace = case_begin();
    u32 start = 0x10000000, neighbour = start + 5 * PAGE_SIZE;

    check_true(aspace != NULL);
    aspace->heap_start = aspace->heap_end = start;
    check_equal(map_at(aspace, &neighbour, PAGE_SIZE, RW, PRIVATE | MAP_FIXED), 0);
    check_equal(mmap_brk(aspace, start + 6 * PAGE_SIZE), start);
    check_equal(mmap_brk(aspace, start + 5 * PAGE_SIZE), start);
    check_equal(mmap_brk(aspace, start + 4 * PAGE_SIZE), start + 4 * PAGE_SIZE);
    check_equal(mmap_brk(aspace, start + 4 * PAGE_SIZE + 1), start + 4 * PAGE_SIZE);
    case_end();
}

SELFTEST(mm_mmap, remap_grows_moves_and_shrinks, "mremap keeps every page's word wherever it goes, copies nothing, and leaves nothing behind")
{
    struct aspace *aspace = case_begin();
    u32 above = case_map(aspace, 1, PROT_READ, MAP_PRIVATE), address = case_memory(aspace, 40), result, anonymous;

    check_true(address != 0);
    check_equal(address + 40 * PAGE_SIZE, above);
    case_fill(aspace, address, 40, 1);
    anonymous = frame_count(FRAME_ANONYMOUS);
    check_equal(mmap_remap(aspace, address, 40 * PAGE_SIZE, 60 * PAGE_SIZE, 0, 0, &result), -ENOMEM);
    check_equal(mmap_remap(aspace, address, 40 * PAGE_SIZE, 2000 * PAGE_SIZE, MREMAP_MAYMOVE, 0, &result), 0);
    check_true(result != address);
    check_true(case_holds(aspace, result, 40, 1));
    check_equal(case_get(aspace, result + 1999 * PAGE_SIZE), 0);
    check_equal(frame_count(FRAME_ANONYMOUS), anonymous);
    check_equal(case_anon(aspace, result)->references, 1);
    check_text(case_fault(aspace, address, FAULT_READ), "fault_unmapped");
    address = result;
    check_equal(mmap_remap(aspace, address, 2000 * PAGE_SIZE, 10 * PAGE_SIZE, 0, 0, &result), 0);
    check_equal(result, address);
    check_true(case_holds(aspace, address, 10, 1));
    check_text(case_fault(aspace, address + 10 * PAGE_SIZE, FAULT_READ), "fault_unmapped");
    check_equal(frame_count(FRAME_ANONYMOUS), anonymous - 30);
    check_equal(mmap_remap(aspace, address, 10 * PAGE_SIZE, 20 * PAGE_SIZE, 0, 0, &result), 0);
    check_true(result == address && case_holds(aspace, address, 10, 1));
    check_equal(mmap_remap(aspace, address, 20 * PAGE_SIZE, 10 * PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, 0x20000000, &result), 0);
    check_equal(result, 0x20000000);
    check_true(case_holds(aspace, result, 10, 1));
    /* To the pages right below and right above: nothing overlaps. */
    check_equal(mmap_remap(aspace, 0x20000000, 10 * PAGE_SIZE, 10 * PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED,
                           0x20000000 - 10 * PAGE_SIZE, &result), 0);
    check_true(case_holds(aspace, result, 10, 1));
    check_equal(mmap_remap(aspace, result, 10 * PAGE_SIZE, 10 * PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, 0x20000000, &result), 0);
    check_true(case_holds(aspace, result, 10, 1));
    case_end();
}

SELFTEST(mm_mmap, remap_keeps_the_place_in_the_file, "mremap of the middle of a file's mapping: each page shows the same part of the file as before")
{
    struct aspace *aspace = case_begin();
    struct object *file = object_file_create(&case_device, 0, 8 * PAGE_SIZE);
    u32 address = case_map_object(aspace, file, 1, 6, RW, MAP_PRIVATE), moved;

    check_true(file != NULL && address != 0);
    check_equal(mmap_remap(aspace, address + 2 * PAGE_SIZE, 2 * PAGE_SIZE, 3 * PAGE_SIZE, MREMAP_MAYMOVE, 0, &moved), 0);
    for (u32 i = 0; i < 3; i++)
        check_equal(case_get(aspace, moved + i * PAGE_SIZE) & 0xFF, case_byte((i + 3) * PAGE_SIZE));
    object_release(file);
    case_end();
}

SELFTEST(mm_mmap, remap_refuses_nonsense, "mremap of what is not mapped, to a place that overlaps, to nothing")
{
    struct aspace *aspace = case_begin();
    u32 address = case_memory(aspace, 4), result;

    check_true(address != 0);
    case_fill(aspace, address, 4, 1);
    check_equal(mmap_remap(aspace, address + 1, PAGE_SIZE, PAGE_SIZE, 0, 0, &result), -EINVAL);
    check_equal(mmap_remap(aspace, address, PAGE_SIZE, 0, 0, 0, &result), -EINVAL);
    check_equal(mmap_remap(aspace, address, 5 * PAGE_SIZE, 6 * PAGE_SIZE, MREMAP_MAYMOVE, 0, &result), -EFAULT);
    check_equal(mmap_remap(aspace, address - PAGE_SIZE, PAGE_SIZE, PAGE_SIZE, MREMAP_MAYMOVE, 0, &result), -EFAULT);
    check_equal(mmap_remap(aspace, address, 2 * PAGE_SIZE, 2 * PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, address + PAGE_SIZE, &result),
                -EINVAL);
    check_equal(mmap_remap(aspace, address, PAGE_SIZE, PAGE_SIZE, MREMAP_FIXED, 0x20000000, &result), -EINVAL);
    check_true(case_holds(aspace, address, 4, 1));
    case_end();
}

SELFTEST(mm_mmap, discarded_pages_are_zero, "madvise(MADV_DONTNEED): private pages are zero afterwards and their memory is free; neighbours stay")
{
    struct aspace *aspace = case_begin();
    u32 address = case_memory(aspace, 10), anonymous, word;

    check_true(address != 0);
    case_fill(aspace, address, 10, 1);
    anonymous = frame_count(FRAME_ANONYMOUS);
    check_equal(user_read_word(&word, address + 3 * PAGE_SIZE), 0);
    check_equal(mmap_advise(aspace, address + 3 * PAGE_SIZE, 4 * PAGE_SIZE, MADV_DONTNEED), 0);
    check_equal(frame_count(FRAME_ANONYMOUS), anonymous - 4);
    check_equal(user_read_word(&word, address + 3 * PAGE_SIZE), 0);
    check_equal(word, 0);
    check_true(case_holds(aspace, address, 3, 1));
    check_equal(case_get(aspace, address + 6 * PAGE_SIZE), 0);
    check_equal(case_get(aspace, address + 7 * PAGE_SIZE), case_word(7, 1));
    check_equal(aspace->regions.count, 1);
    check_equal(mmap_advise(aspace, address, PAGE_SIZE, 0x7777), -EINVAL);
    case_end();
}

SELFTEST(mm_mmap, advice_passes_over_holes, "madvise does what it can on both sides of a hole, and says ENOMEM; locked pages are not discarded: EINVAL")
{
    struct aspace *aspace = case_begin();
    u32 address = case_memory(aspace, 6);

    check_true(address != 0);
    case_fill(aspace, address, 6, 1);
    check_equal(mmap_unmap(aspace, address + 2 * PAGE_SIZE, PAGE_SIZE), 0);
    check_equal(mmap_advise(aspace, address, 5 * PAGE_SIZE, MADV_DONTNEED), -ENOMEM);
    check_equal(case_get(aspace, address + PAGE_SIZE), 0);
    check_equal(case_get(aspace, address + 3 * PAGE_SIZE), 0);
    check_equal(case_get(aspace, address + 4 * PAGE_SIZE), 0);
    check_equal(case_get(aspace, address + 5 * PAGE_SIZE), case_word(5, 1));
    check_equal(mmap_lock(aspace, address + 5 * PAGE_SIZE, PAGE_SIZE), 0);
    check_equal(mmap_advise(aspace, address + 5 * PAGE_SIZE, PAGE_SIZE, MADV_DONTNEED), -EINVAL);
    check_equal(case_get(aspace, address + 5 * PAGE_SIZE), case_word(5, 1));
    case_end();
}

SELFTEST(mm_mmap, incore_tells_memory_from_swap, "mincore: in memory or not, page by page; a bad vector is EFAULT, a hole ENOMEM")
{
    struct aspace *aspace = case_begin();
    u32 address = case_memory(aspace, 4), vector = case_map(aspace, 1, RW, MAP_SHARED);
    u8 bytes[4];

    check_true(address != 0 && vector != 0);
    case_put(aspace, address, 1);
    case_put(aspace, address + 2 * PAGE_SIZE, 1);
    check_equal(mmap_incore(aspace, address, 4 * PAGE_SIZE, vector), 0);
    check_equal(user_copy_in(bytes, vector, sizeof(bytes)), 0);
    check_true((bytes[0] & 1) && !(bytes[1] & 1) && (bytes[2] & 1) && !(bytes[3] & 1));
    if (swap_total() && case_evict(case_anon(aspace, address))) {
        check_equal(mmap_incore(aspace, address, PAGE_SIZE, vector), 0);
        check_equal(user_copy_in(bytes, vector, 1), 0);
        check_equal(bytes[0] & 1, 0);
    }
    check_equal(mmap_incore(aspace, address, PAGE_SIZE, KERNEL_BASE), -EFAULT);
    check_equal(mmap_incore(aspace, address + 1, PAGE_SIZE, vector), -EINVAL);
    check_equal(mmap_incore(aspace, address + 3 * PAGE_SIZE, 2 * PAGE_SIZE, vector), -ENOMEM);
    case_end();
}

SELFTEST(mm_mmap, locking_fills_and_counts, "mlock brings every page in and counts it; munlock and unmapping count down")
{
    struct aspace *aspace = case_begin();
    u32 address = case_memory(aspace, 6);

    check_true(address != 0);
    check_equal(mmap_lock(aspace, address + 100, 3 * PAGE_SIZE), 0);
    check_equal(aspace->locked_pages, 4);
    check_equal(aspace->pmap.resident, 4);
    check_equal(mmap_lock(aspace, address, PAGE_SIZE), 0);
    check_equal(aspace->locked_pages, 4);
    check_equal(mmap_unlock(aspace, address, PAGE_SIZE), 0);
    check_equal(aspace->locked_pages, 3);
    check_equal(mmap_unmap(aspace, address + PAGE_SIZE, PAGE_SIZE), 0);
    check_equal(aspace->locked_pages, 2);
    check_equal(mmap_lock(aspace, address, 3 * PAGE_SIZE), -ENOMEM);
    check_equal(mmap_unlock_all(aspace), 0);
    check_equal(aspace->locked_pages, 0);
    case_end();
}

SELFTEST(mm_mmap, locks_what_is_to_come, "mlockall(MCL_FUTURE): what mmap and brk add from then on is locked and in memory, until munlockall")
{
    struct aspace *aspace = case_begin();
    u32 heap = 0x10000000;

    check_true(case_memory(aspace, 4) != 0);
    aspace->heap_start = aspace->heap_end = heap;
    check_equal(mmap_lock_all(aspace, MCL_FUTURE), 0);
    check_equal(aspace->locked_pages, 0);
    check_true(case_map(aspace, 3, RW, MAP_SHARED) != 0);
    check_equal(aspace->locked_pages, 3);
    check_equal(mmap_brk(aspace, heap + 2 * PAGE_SIZE), heap + 2 * PAGE_SIZE);
    check_equal(aspace->locked_pages, 5);
    check_equal(aspace->pmap.resident, 5);
    check_equal(mmap_unlock_all(aspace), 0);
    check_true(case_map(aspace, 3, PROT_READ, MAP_PRIVATE) != 0);
    check_equal(aspace->locked_pages, 0);
    case_end();
}

SELFTEST(mm_mmap, populated_is_in_memory, "MAP_POPULATE brings in every page; the faults that follow are none")
{
    struct aspace *aspace = case_begin();
    u32 address = case_map(aspace, 20, RW, MAP_PRIVATE | MAP_POPULATE), word;

    check_true(address != 0);
    check_equal(aspace->pmap.resident, 20);
    check_equal(COUNTED(fault_zero_fill), 20);
    for (u32 i = 0; i < 20; i++) {
        check_equal(user_read_word(&word, address + i * PAGE_SIZE), 0);
        check_equal(word, 0);
    }
    check_equal(COUNTED(pgfault), 20);
    case_end();
}

SELFTEST(mm_mmap, size_limit, "RLIMIT_AS holds for mmap, mremap and brk, exactly")
{
    struct aspace *aspace = case_begin();
    u32 place = 0, result;

    check_true(aspace != NULL);
    aspace->size_limit_pages = 10;
    check_equal(map_at(aspace, &place, 11 * PAGE_SIZE, RW, PRIVATE), -ENOMEM);
    check_equal(map_at(aspace, &place, 9 * PAGE_SIZE, RW, PRIVATE), 0);
    check_equal(mmap_remap(aspace, place, 9 * PAGE_SIZE, 11 * PAGE_SIZE, MREMAP_MAYMOVE, 0, &result), -ENOMEM);
    aspace->heap_start = aspace->heap_end = 0x10000000;
    check_equal(mmap_brk(aspace, 0x10000000 + 2 * PAGE_SIZE), 0x10000000);
    check_equal(mmap_brk(aspace, 0x10000000 + PAGE_SIZE), 0x10000000 + PAGE_SIZE);
    check_equal(aspace->regions.pages, 10);
    case_end();
}

SELFTEST(mm_mmap, limit_and_last_page, "what replaces as much as it takes is within the limit, up to the last page of all")
{
    struct aspace *aspace = case_begin();
    u32 last = user_top() - PAGE_SIZE, first = last - PAGE_SIZE;

    check_true(aspace != NULL);
    check_equal(map_at(aspace, &last, PAGE_SIZE, RW, PRIVATE | MAP_FIXED), 0);
    aspace->size_limit_pages = 1;
    check_equal(map_at(aspace, &first, PAGE_SIZE, RW, PRIVATE | MAP_FIXED), -ENOMEM);
    check_equal(map_at(aspace, &last, PAGE_SIZE, RW, PRIVATE | MAP_FIXED), 0);
    check_equal(map_at(aspace, &last, 2 * PAGE_SIZE, RW, PRIVATE | MAP_FIXED), -ENOMEM);
    check_equal(aspace->regions.pages, 1);
    case_end();
}

SELFTEST(mm_mmap, want_of_memory, "with no frame left each call either works or is ENOMEM, and what was there is untouched")
{
    struct aspace *aspace = case_begin();
    u32 above = case_map(aspace, 1, PROT_READ, MAP_PRIVATE), address = case_memory(aspace, 70), place = 0, result, pages;

    check_equal(address + 70 * PAGE_SIZE, above);
    case_fill(aspace, address, 70, 1);
    case_hoard(0);
    for (u32 i = 0; i < 200; i++) {
        int error = mmap_protect(aspace, address + (i % 35 * 2) * PAGE_SIZE, PAGE_SIZE, i < 100 ? PROT_READ : RW);

        if (error != 0)
            check_equal(error, -ENOMEM);
    }
    for (u32 i = 0; i < 20; i++) {
        pages = aspace->regions.pages;
        if (map_at(aspace, &place, 2000 * PAGE_SIZE, PROT_READ, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE) < 0)
            check_equal(aspace->regions.pages, pages);
        place = 0;
    }
    pages = aspace->regions.pages;
    if (mmap_remap(aspace, address + 69 * PAGE_SIZE, PAGE_SIZE, 90 * PAGE_SIZE, MREMAP_MAYMOVE, 0, &result) < 0)
        check_equal(aspace->regions.pages, pages);
    else
        check_equal(mmap_remap(aspace, result, 90 * PAGE_SIZE, PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, address + 69 * PAGE_SIZE, &result), 0);
    case_unhoard();
    check_equal(mmap_protect(aspace, address, 70 * PAGE_SIZE, RW), 0);
    check_true(case_holds(aspace, address, 70, 1));
    case_end();
}
