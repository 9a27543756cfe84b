/*
 * Anticipatory paging: which neighbours come with a page and which do not, in one transfer, and that each is counted once, as useful or
 * as useless.
 */
#include <linux/mman.h>

#include "kernel/command_line.h"
#include "kernel/lib/random.h"
#include "kernel/lib/string.h"
#include "mm/counters.h"
#include "mm/prefetch.h"
#include "mm/reclaim.h"
#include "mm/swap.h"
#include "mm/transfer.h"
#include "tests/kernel/mm_case.h"

#define RW (PROT_READ | PROT_WRITE)
#define PAGES 24u
#define FILE_PAGES (CASE_DEVICE_BYTES / PAGE_SIZE)
#define PAGE(address, index) ((address) + ((index) << PAGE_SHIFT))

/* Where nothing is left to evict: the free frames that a fault needs, and those that neighbours leave alone. */
#define FEW_FRAMES (PREFETCH_RESERVE + 1)

/* N is in force until the end. */
static struct aspace *
begin(u32 neighbours)
{
    struct aspace *aspace = case_begin();

    case_prefetch(neighbours);
    case_evict_all();
    case_count();
    return aspace;
}

static bool
slots_follow(struct aspace *aspace, u32 address, u32 pages)
{
    u32 first = case_anon(aspace, address)->slot.number;

    for (u32 i = 0; i < pages; i++) {
        const struct anon *anon = case_anon(aspace, PAGE(address, i));

        if (anon->frame || anon->slot.number != first + i)
            return false;
    }
    return true;
}

/* Written pages, all out of memory, in slots that follow one another; 0 where the swap area has no room for them. */
static u32
swapped_pages(struct aspace *aspace, u32 pages)
{
    u32 address = case_memory(aspace, pages);

    if (!address || swap_free_count() < 4 * pages)
        return 0;
    /* Where the area's end came between, the second time begins at its start. */
    for (u32 tries = 0; tries < 2; tries++) {
        mmap_advise(aspace, address, pages << PAGE_SHIFT, MADV_DONTNEED);
        case_fill(aspace, address, pages, 1);
        mmap_advise(aspace, address, pages << PAGE_SHIFT, MADV_PAGEOUT);
        if (slots_follow(aspace, address, pages))
            break;
    }
    case_count();
    return slots_follow(aspace, address, pages) ? address : 0;
}

/* Pages that are in memory. */
static u32
resident(struct aspace *aspace, u32 address, u32 pages)
{
    u32 count = 0;

    for (u32 i = 0; i < pages; i++)
        count += case_anon(aspace, PAGE(address, i))->frame != NULL;
    return count;
}

SELFTEST(prefetch, off_nothing_comes_unasked, "with prefetch=0 each page of a file and of the swap area comes alone")
{
    struct aspace *aspace = begin(0);
    struct object *file = object_file_create(&case_device, 0, CASE_DEVICE_BYTES);
    u32 mapped = case_map_object(aspace, file, 0, FILE_PAGES, PROT_READ, MAP_PRIVATE), swapped = swapped_pages(aspace, PAGES);

    check_true(mapped != 0);
    check_text(case_fault(aspace, mapped, FAULT_READ), "fault_file");
    check_equal(file->file.resident, 1);
    if (swapped) {
        check_text(case_fault(aspace, swapped, FAULT_READ), "fault_swap_in");
        check_equal(resident(aspace, swapped, PAGES), 1);
    }
    check_equal(COUNTED(prefetch_read), 0);
    object_release(file);
    case_end();
}

SELFTEST(prefetch, neighbours_in_a_file, "N pages that follow come in the same transfer, unmapped; the first use of each is useful and no wait, the rest useless")
{
    struct aspace *aspace = begin(3);
    struct object *file = object_file_create(&case_device, 0, CASE_DEVICE_BYTES);
    u32 address = case_map_object(aspace, file, 0, FILE_PAGES, PROT_READ, MAP_PRIVATE);
    u64 transfers = case_device.transfers_read;
    u32 rights;

    check_true(address != 0);
    check_text(case_fault(aspace, PAGE(address, 2), FAULT_READ), "fault_file");
    check_equal(case_device.transfers_read - transfers, 1);
    check_equal(file->file.resident, 4);
    check_true(pmap_lookup(&aspace->pmap, page_of(PAGE(address, 3)), &rights) == NULL);
    check_equal(COUNTED(prefetch_read), 3);
    check_equal(aspace->counters.prefetch_read, 3);
    for (u32 round = 0; round < 2; round++) {
        check_equal(case_get(aspace, PAGE(address, 4)) & 0xFF, case_byte(PAGE(0, 4)));
        check_equal(COUNTED(prefetch_useful), 1);
    }
    check_equal(COUNTED(pgmajfault), 1);
    check_equal(COUNTED(fault_file), 2);
    check_equal(case_device.transfers_read - transfers, 1);
    case_evict_all();
    check_equal(COUNTED(prefetch_useful), 1);
    check_equal(COUNTED(prefetch_useless), 2);
    object_release(file);
    case_end();
}

SELFTEST(prefetch, the_file_ends, "no page beyond the end of the file comes, and the last one is zero behind it")
{
    struct aspace *aspace = begin(8);
    struct object *file = object_file_create(&case_device, 0, 5 * PAGE_SIZE + 100);
    u32 address = case_map_object(aspace, file, 0, 6, PROT_READ, MAP_PRIVATE);

    check_true(address != 0);
    case_soil_frames();
    check_text(case_fault(aspace, PAGE(address, 3), FAULT_READ), "fault_file");
    check_equal(COUNTED(prefetch_read), 2);
    check_equal(file->file.resident, 3);
    check_equal(case_get(aspace, PAGE(address, 5) + 96) >> 24, case_byte(PAGE(0, 5) + 99));
    check_equal(case_get(aspace, PAGE(address, 5) + 100), 0);
    check_equal(case_get(aspace, PAGE(address, 5) + PAGE_SIZE - 4), 0);
    object_release(file);
    case_end();
    check_equal(COUNTED(prefetch_useful), 1);
    check_equal(COUNTED(prefetch_useless), 1);
}

SELFTEST(prefetch, the_region_ends, "no page beyond the region comes, of a file or from the swap area")
{
    struct aspace *aspace = begin(8);
    struct object *file = object_file_create(&case_device, 0, CASE_DEVICE_BYTES);
    u32 mapped = case_map_object(aspace, file, 0, 4, PROT_READ, MAP_PRIVATE), swapped = swapped_pages(aspace, PAGES);

    check_true(mapped != 0);
    check_text(case_fault(aspace, PAGE(mapped, 1), FAULT_READ), "fault_file");
    check_equal(COUNTED(prefetch_read), 2);
    check_text(case_fault(aspace, mapped, FAULT_READ), "fault_file");
    check_equal(COUNTED(prefetch_read), 2);
    if (swapped) {
        check_equal(mmap_protect(aspace, PAGE(swapped, 3), PAGE_SIZE, PROT_READ), 0);
        check_text(case_fault(aspace, PAGE(swapped, 1), FAULT_READ), "fault_swap_in");
        check_equal(resident(aspace, swapped, PAGES), 2);
        check_text(case_fault(aspace, PAGE(swapped, 3), FAULT_READ), "fault_swap_in");
        check_equal(resident(aspace, swapped, PAGES), 3);
    }
    object_release(file);
    case_end();
}

SELFTEST(prefetch, a_page_in_memory_ends_it, "neighbours come up to the first one that is in memory already")
{
    struct aspace *aspace = begin(0);
    struct object *file = object_file_create(&case_device, 0, CASE_DEVICE_BYTES);
    u32 address = case_map_object(aspace, file, 0, FILE_PAGES, PROT_READ, MAP_PRIVATE);

    check_true(address != 0);
    check_text(case_fault(aspace, PAGE(address, 5), FAULT_READ), "fault_file");
    prefetch_pages = 8;
    check_text(case_fault(aspace, PAGE(address, 3), FAULT_READ), "fault_file");
    check_equal(COUNTED(prefetch_read), 1);
    object_release(file);
    case_end();
}

SELFTEST(prefetch, neighbours_in_the_swap_area, "private pages whose slots follow come in the same transfer; used, each is only mapped")
{
    struct aspace *aspace = begin(4);
    u32 address = swapped_pages(aspace, PAGES);

    if (address) {
        check_text(case_fault(aspace, address, FAULT_READ), "fault_swap_in");
        check_equal(resident(aspace, address, PAGES), 5);
        check_equal(COUNTED(device_read), 1);
        check_equal(COUNTED(pswpin), 5);
        check_equal(aspace->counters.pswpin, 5);
        check_text(case_fault(aspace, PAGE(address, 1), FAULT_READ), case_soft());
        check_text(case_fault(aspace, PAGE(address, 2), FAULT_WRITE), case_soft());
        check_true(case_anon(aspace, PAGE(address, 2))->frame->dirty && !case_anon(aspace, PAGE(address, 3))->frame->dirty);
        check_equal(COUNTED(prefetch_useful), 2);
        check_equal(aspace->counters.prefetch_useful, 2);
        check_equal(COUNTED(device_read), 1);
        check_true(case_holds(aspace, address, PAGES, 1));
        check_equal(COUNTED(device_read), (PAGES + 4) / 5);
        check_equal(COUNTED(prefetch_useful), COUNTED(prefetch_read));
    }
    case_end();
}

SELFTEST(prefetch, only_slots_that_follow, "a neighbour whose slot lies elsewhere ends it")
{
    struct aspace *aspace = begin(0);
    u32 address = swapped_pages(aspace, PAGES);

    if (address) {
        struct anon *anon = case_anon(aspace, PAGE(address, 2));

        case_put(aspace, PAGE(address, 2), 77);
        anon_drop_slot(anon);
        check_true(case_evict(anon));
        prefetch_pages = 4;
        if (anon->slot.number != case_anon(aspace, address)->slot.number + 2) {
            check_text(case_fault(aspace, address, FAULT_READ), "fault_swap_in");
            check_equal(resident(aspace, address, PAGES), 2);
            check_equal(case_get(aspace, PAGE(address, 2)), 77);
        }
    }
    case_end();
}

SELFTEST(prefetch, shared_memory_too, "pages of shared memory come back together with those that follow")
{
    struct aspace *aspace = begin(4);
    struct object *object = object_anonymous_create(PAGES << PAGE_SHIFT);
    u32 address = case_map_object(aspace, object, 0, PAGES, RW, MAP_SHARED);

    check_true(address != 0);
    if (swap_free_count() > 4 * PAGES) {
        case_fill(aspace, address, PAGES, 1);
        check_equal(mmap_advise(aspace, address, PAGES << PAGE_SHIFT, MADV_PAGEOUT), 0);
        case_count();
        check_text(case_fault(aspace, address, FAULT_READ), "fault_swap_in");
        check_text(case_fault(aspace, PAGE(address, 1), FAULT_READ), COUNTED(prefetch_read) ? "fault_file" : "fault_swap_in");
        check_true(case_holds(aspace, address, PAGES, 1));
        check_equal(COUNTED(pswpin), PAGES);
        check_equal(COUNTED(fault_swap_in), COUNTED(device_read));
        check_equal(COUNTED(prefetch_useful), COUNTED(prefetch_read));
    }
    object_release(object);
    case_end();
}

SELFTEST(prefetch, released_unused, "pages that are unmapped before their use are useless, and their frames come back")
{
    struct case_usage usage = case_usage();
    struct aspace *aspace = begin(6);
    u32 address = swapped_pages(aspace, PAGES);

    if (address) {
        check_text(case_fault(aspace, address, FAULT_READ), "fault_swap_in");
        check_equal(mmap_unmap(aspace, PAGE(address, 1), 2 * PAGE_SIZE), 0);
        check_equal(COUNTED(prefetch_useless), 2);
        case_end();
        check_equal(COUNTED(prefetch_useless), 6);
        check_equal(frame_count(FRAME_ANONYMOUS), usage.anonymous);
    }
    case_end();
}

SELFTEST(prefetch, reading_is_a_use, "read() of a page that came along is its use, and brings none along itself")
{
    struct aspace *aspace = begin(2);
    struct object *file = object_file_create(&case_device, 0, CASE_DEVICE_BYTES);
    u32 address = case_map_object(aspace, file, 0, FILE_PAGES, PROT_READ, MAP_PRIVATE), word;

    check_true(address != 0);
    check_text(case_fault(aspace, address, FAULT_READ), "fault_file");
    check_equal(object_read_kernel(file, PAGE_SIZE, &word, sizeof(word)), sizeof(word));
    check_equal(COUNTED(prefetch_useful), 1);
    check_equal(object_read_kernel(file, 5 * PAGE_SIZE, &word, sizeof(word)), sizeof(word));
    check_equal(COUNTED(prefetch_read), 2);
    object_release(file);
    case_end();
}

SELFTEST(prefetch, the_device_fails, "a neighbour that cannot be read does the page no harm; with the page itself broken nothing stays behind")
{
    struct aspace *aspace = begin(2);
    struct object *file = object_file_create(&case_device, CASE_DEVICE_BYTES - PAGE_SIZE, 3 * PAGE_SIZE);
    u32 address = case_map_object(aspace, file, 0, 3, PROT_READ, MAP_PRIVATE);

    check_true(address != 0);
    check_text(case_fault(aspace, address, FAULT_READ), "fault_file");
    check_equal(file->file.resident, 1);
    check_equal(COUNTED(prefetch_read), 0);
    check_equal(case_get(aspace, address) & 0xFF, case_byte(CASE_DEVICE_BYTES - PAGE_SIZE));
    case_evict_all();
    case_device_broken = true;
    check_text(case_fault(aspace, address, FAULT_READ), "fault_bus");
    check_equal(file->file.resident, 0);
    object_release(file);
    case_end();
}

SELFTEST(prefetch, the_reserve_is_left, "neighbours take only frames that are free above the reserve")
{
    struct aspace *aspace = begin(8);
    struct object *file = object_file_create(&case_device, 0, CASE_DEVICE_BYTES);
    u32 address = case_map_object(aspace, file, 0, FILE_PAGES, PROT_READ, MAP_PRIVATE);

    check_true(address != 0);
    case_hoard(FEW_FRAMES + 2);
    check_text(case_fault(aspace, address, FAULT_READ), "fault_file");
    check_equal(COUNTED(prefetch_read), 2);
    case_unhoard();
    case_evict_all();
    case_count();
    case_hoard(FEW_FRAMES);
    check_text(case_fault(aspace, address, FAULT_READ), "fault_file");
    check_equal(COUNTED(prefetch_read), 0);
    case_unhoard();
    object_release(file);
    case_end();
}

SELFTEST(prefetch, room_is_made, "with few frames free, as many are evicted as the page and its neighbours need")
{
    struct aspace *aspace = begin(8);
    struct object *file = object_file_create(&case_device, 0, CASE_DEVICE_BYTES);
    u32 address = case_map_object(aspace, file, 0, FILE_PAGES, PROT_READ, MAP_PRIVATE), others = case_memory(aspace, 2 * PAGES);

    check_true(address != 0 && others != 0);
    if (swap_free_count() > 4 * PAGES) {
        case_fill(aspace, others, 2 * PAGES, 5);
        case_count();
        case_hoard(FEW_FRAMES);
        check_text(case_fault(aspace, address, FAULT_READ), "fault_file");
        check_equal(COUNTED(prefetch_read), 8);
        check_equal(COUNTED(pgsteal), 8);
        case_unhoard();
        check_true(case_holds(aspace, others, 2 * PAGES, 5));
    }
    object_release(file);
    case_end();
}

SELFTEST(prefetch, random_use_under_pressure, "pages touched at random, with little memory and changing N, keep their words, and every page read is accounted for")
{
    struct aspace *aspace = begin(0);
    const u32 pages = 300;
    u32 address = case_memory(aspace, pages);
    struct random random;

    check_true(address != 0);
    if (swap_free_count() > 2 * pages) {
        random_seed(&random, command_line_seed);
        case_hoard(2 * RECLAIM_LOW);
        case_fill(aspace, address, pages, 3);
        for (u32 i = 0; i < 4 * pages; i++) {
            u32 page = random_below(&random, pages);

            prefetch_pages = random_below(&random, CLUSTER_FRAMES);
            check_equal(case_get(aspace, PAGE(address, page)), case_word(page, 3));
        }
        case_unhoard();
        check_true(case_holds(aspace, address, pages, 3));
    }
    case_end();
}
