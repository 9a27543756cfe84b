/*
 * Page tables on the processor itself. The address space has no regions here, so that an access which the tables do not permit is
 * refused, and each change of the tables shows at the next access or not at all: touch, change, touch again.
 */
#include <asm/errno.h>

#include "kernel/symbols.h"
#include "kernel/x86/cpu.h"
#include "mm/evictable.h"
#include "mm/pmap_table.h"
#include "mm/user.h"
#include "tests/kernel/mm_case.h"

/* Where pages are mapped: away from any table's border. */
#define PLACE 0x08123000u
#define PAGE page_of(PLACE)

static struct frame *frames[2];
static struct object *object;       /* whose pages these frames are */

/* An active address space, and two frames whose first words are 0x1000 and 0x1001. */
static struct pmap *
begin(void)
{
    struct aspace *aspace = case_begin();

    object = object_file_create(&case_device, 0, CASE_DEVICE_BYTES);
    for (u32 i = 0; i < ARRAY_SIZE(frames); i++) {
        bool read = object && object_page(object, i, false, &frames[i], NULL) == OBJECT_PAGE_READ;

        if (!selftest_expect(read, "a page can be read", __FILE__, __LINE__))
            return NULL;
        evictable_pin(frames[i]);       /* the tests map it without telling the policy */
        *(u32 *)frame_data(frames[i]) = 0x1000 + i;
        frames[i]->dirty = pmap_traps_first_write();    /* so that it may be mapped writable */
    }
    return aspace ? &aspace->pmap : NULL;
}

static void
end(struct pmap *pmap)
{
    pmap_remove(pmap, page_of(USER_BOTTOM), page_of(user_top()));
    for (u32 i = 0; i < ARRAY_SIZE(frames); i++)
        evictable_unpin(frames[i]);
    object_release(object);
    case_end();
}

/* Locked, so that chaos= does not drop what no fault could bring back. */
static enum pmap_found
enter(struct pmap *pmap, page_t page, struct frame *frame, u32 rights)
{
    return pmap_enter(pmap, page, frame, rights | PMAP_LOCKED);
}

/* The word at PLACE as user memory, 0 if it cannot be read. */
static u32
read_place(void)
{
    u32 word;

    return user_read_word(&word, PLACE) == 0 ? word : 0;
}

static bool
write_place(u32 word)
{
    return user_write_word(PLACE, word) == 0;
}

/* The entry of page as the processor has it, all bits. */
static u64
raw_entry(struct pmap *pmap, page_t page)
{
    u32 last = page_format.levels - 1;
    table_entry_t directory;
    const void *table;

    if (!pmap_walk_level(pmap, page, last - 1, &directory) || !(directory & ENTRY_PRESENT))
        return 0;
    table = frame_address(entry_frame(directory));
    if (page_format.entry_bytes == sizeof(u64))
        return ((const u64 *)table)[leaf_index(page)];
    return ((const u32 *)table)[leaf_index(page)];
}

SELFTEST(mm_pmap, enters, "an entry leads to its frame, with the rights given and no more")
{
    struct pmap *pmap = begin();

    check_true(pmap != NULL);
    check_equal(read_place(), 0);
    check_equal(enter(pmap, PAGE, frames[0], 0), PMAP_FOUND_NOTHING);
    check_equal(read_place(), 0x1000);
    check_true(!write_place(1));
    check_equal(enter(pmap, PAGE, frames[0], PMAP_WRITE), PMAP_FOUND_SAME);
    check_true(write_place(0x2000));
    check_equal(*(u32 *)frame_data(frames[0]), 0x2000);
    end(pmap);
}

SELFTEST(mm_pmap, forgets_at_once, "a page that was touched and then removed is gone at the next touch")
{
    struct pmap *pmap = begin();

    check_true(pmap != NULL);
    enter(pmap, PAGE, frames[0], PMAP_WRITE);
    check_true(write_place(3));
    pmap_remove(pmap, PAGE, page_add(PAGE, 1));
    check_equal(read_place(), 0);
    enter(pmap, PAGE, frames[0], 0);
    check_equal(read_place(), 3);
    pmap_frame_remove(frames[0]);
    check_equal(read_place(), 0);
    end(pmap);
}

SELFTEST(mm_pmap, replaces_at_once, "another frame in the place of one that was touched is seen at the next touch")
{
    struct pmap *pmap = begin();

    check_true(pmap != NULL);
    enter(pmap, PAGE, frames[0], PMAP_WRITE);
    check_equal(read_place(), 0x1000);
    check_equal(enter(pmap, PAGE, frames[1], PMAP_WRITE), PMAP_FOUND_OTHER);
    check_equal(read_place(), 0x1001);
    check_true(write_place(5));
    check_equal(*(u32 *)frame_data(frames[0]), 0x1000);
    end(pmap);
}

SELFTEST(mm_pmap, protects_at_once, "a page that was written and then protected cannot be written any more, but read")
{
    struct pmap *pmap = begin();

    check_true(pmap != NULL);
    enter(pmap, PAGE, frames[0], PMAP_WRITE);
    check_true(write_place(7));
    pmap_protect(pmap, PAGE, page_add(PAGE, 1), 0);
    check_true(!write_place(8));
    check_equal(read_place(), 7);
    enter(pmap, PAGE, frames[0], PMAP_WRITE);
    check_true(write_place(9));
    enter(pmap, PAGE, frames[0], 0);
    check_true(!write_place(10));
    end(pmap);
}

SELFTEST(mm_pmap, revokes_at_once, "fork's revocation holds at the next write, and one page gets its right back without the others")
{
    struct pmap *pmap = begin();

    check_true(pmap != NULL);
    enter(pmap, PAGE, frames[0], PMAP_WRITE);
    enter(pmap, page_add(PAGE, 1), frames[1], PMAP_WRITE);
    check_true(write_place(11) && user_write_word(PLACE + PAGE_SIZE, 12) == 0);
    pmap_revoke_write(pmap);
    check_true(!write_place(13));
    check_equal(read_place(), 11);
    check_equal(enter(pmap, PAGE, frames[0], PMAP_WRITE), PMAP_FOUND_WITHHELD);
    check_true(write_place(14));
    check_equal(user_write_word(PLACE + PAGE_SIZE, 15), -EFAULT);
    check_equal(enter(pmap, page_add(PAGE, 1), frames[1], PMAP_WRITE), PMAP_FOUND_WITHHELD);
    end(pmap);
}

SELFTEST(mm_pmap, dirty_bit_is_the_processors, "the first write is found in the entry's dirty bit, a read is not; the frame keeps it")
{
    struct pmap *pmap = begin();

    check_true(pmap != NULL);
    if (!pmap_traps_first_write()) {
        enter(pmap, PAGE, frames[0], PMAP_WRITE);
        check_true(read_place() != 0);
        check_true(!(raw_entry(pmap, PAGE) & ENTRY_DIRTY));
        pmap_frame_harvest_dirty(frames[0]);
        check_true(!frames[0]->dirty);
        check_true(write_place(1));
        check_true(raw_entry(pmap, PAGE) & ENTRY_DIRTY);
        pmap_frame_harvest_dirty(frames[0]);
        check_true(frames[0]->dirty);
        frames[0]->dirty = false;
        pmap_remove(pmap, PAGE, page_add(PAGE, 1));
        check_true(frames[0]->dirty);
    }
    end(pmap);
}

SELFTEST(mm_pmap, accessed_bit_is_seen_each_time, "after the reference bit is taken, the next touch sets it again: nothing stale is cached")
{
    struct pmap *pmap = begin();

    check_true(pmap != NULL);
    if (!pmap_samples_references()) {
        enter(pmap, PAGE, frames[0], PMAP_WRITE);
        check_true(!pmap_frame_test_referenced(frames[0]));
        for (u32 round = 0; round < 3; round++) {
            check_true(read_place() != 0);
            check_true(raw_entry(pmap, PAGE) & ENTRY_ACCESSED);
            check_true(pmap_frame_test_referenced(frames[0]));
            check_true(!(raw_entry(pmap, PAGE) & ENTRY_ACCESSED));
            check_true(!pmap_frame_test_referenced(frames[0]));
        }
    }
    end(pmap);
}

SELFTEST(mm_pmap, software_bits, "dirty=software maps a clean frame read-only, accessed=software counts entering")
{
    struct pmap *pmap = begin();

    check_true(pmap != NULL);
    frames[0]->dirty = false;
    enter(pmap, PAGE, frames[0], PMAP_WRITE);
    check_equal(write_place(1), !pmap_traps_first_write());
    if (pmap_samples_references()) {
        check_true(pmap_frame_test_referenced(frames[0]));
        check_true(read_place() != 0);
        check_true(!pmap_frame_test_referenced(frames[0]));
    }
    end(pmap);
}

SELFTEST(mm_pmap, execution_is_forbidden, "exactly the pages with execute permission have what each format needs for a fetch")
{
    struct pmap *pmap = begin();
    u64 no_execute = (u64)page_format.no_execute << 32;

    check_true(pmap != NULL);
    enter(pmap, PAGE, frames[0], PMAP_WRITE);
    enter(pmap, page_add(PAGE, 1), frames[1], PMAP_EXECUTE);
    if (page_format.mirror_pages) {
        u64 mirror = raw_entry(pmap, page_add(PAGE, 1 + page_format.mirror_pages));

        check_equal(raw_entry(pmap, page_add(PAGE, page_format.mirror_pages)), 0);
        check_true(mirror & ENTRY_PRESENT && mirror & ENTRY_USER && !(mirror & ENTRY_WRITE));
        check_equal(mirror & ENTRY_FRAME, physical_of(frame_number(frames[1])).value);
    } else {
        check_equal(raw_entry(pmap, PAGE) & (1ull << 63), no_execute);
        check_equal(raw_entry(pmap, page_add(PAGE, 1)) & (1ull << 63), 0);
    }
    pmap_protect(pmap, PAGE, page_add(PAGE, 2), 0);
    if (page_format.mirror_pages)
        check_equal(raw_entry(pmap, page_add(PAGE, 1 + page_format.mirror_pages)), 0);
    else
        check_equal(raw_entry(pmap, page_add(PAGE, 1)) & (1ull << 63), no_execute);
    end(pmap);
}

SELFTEST(mm_pmap, fetches_are_recognised, "a refused fetch is told from a read, and leads to the page's own address")
{
    u32 base = page_format.mirror_pages << PAGE_SHIFT, address = PLACE + base + 2;
    const u32 fetch_error = 0x15, read_error = 0x5;

    if (base) {
        check_true(pmap_is_fetch(&address, PLACE, read_error));
        check_equal(address, PLACE + 2);
        check_true(!pmap_is_fetch(&address, PLACE, read_error));
    } else {
        check_equal(pmap_is_fetch(&address, PLACE + 2, fetch_error), page_format.no_execute != 0);
        check_true(!pmap_is_fetch(&address, PLACE + 2, read_error));
        check_equal(address, PLACE + 2);
    }
}

SELFTEST(mm_pmap, reverse_map_finds_all, "a frame mapped in many places is taken out of all of them")
{
    struct pmap *pmap = begin();
    struct aspace *other = case_another();

    check_true(pmap != NULL && other != NULL);
    for (u32 i = 0; i < 5; i++) {
        enter(pmap, page_add(PAGE, i * 700), frames[0], PMAP_EXECUTE);
        pmap_enter(&other->pmap, page_add(PAGE, i * 3), frames[0], 0);
    }
    check_equal(pmap->resident + other->pmap.resident, 10);
    check_true(pmap_check(pmap) == NULL && pmap_check(&other->pmap) == NULL);
    pmap_frame_remove(frames[0]);
    check_equal(pmap->resident + other->pmap.resident, 0);
    check_true(frames[0]->first.pmap == NULL);
    check_equal(read_place(), 0);
    end(pmap);
}

SELFTEST(mm_pmap, tables_come_back, "a table without entries is given back, and none but the root and PAE's directories stay")
{
    struct pmap *pmap = begin();
    u32 alloc = counters.table_alloc, freed = counters.table_free;

    check_true(pmap != NULL);
    check_equal(pmap->table_count, 1);
    for (u32 i = 0; i < 8; i++)
        enter(pmap, page_add(PAGE, i << 10), frames[0], PMAP_EXECUTE);
    check_true(counters.table_alloc - alloc >= 8);
    pmap_remove(pmap, PAGE, page_add(PAGE, 8 << 10));
    check_true(pmap->table_count <= 1 + 4);
    check_equal(pmap->table_count - 1, counters.table_alloc - alloc - (counters.table_free - freed));
    end(pmap);
}

SELFTEST(mm_pmap, tables_are_clean, "a table made of a frame that was used before maps nothing but what is entered")
{
    struct pmap *pmap;
    table_entry_t entry;

    case_soil_frames();
    pmap = begin();
    check_true(pmap != NULL);
    for (u32 i = 0; i < 40; i++)        /* more than the spare tables */
        enter(pmap, page_add(PAGE, i << 10), frames[0], PMAP_EXECUTE);
    for (u32 i = 0; i < 40 << 10; i += 1) {
        bool walked = pmap_walk_level(pmap, page_add(PAGE, i), page_format.levels - 1, &entry);

        check_true(i % 1024 == 0 ? walked && entry : !walked || !entry);
    }
    check_true(pmap_check(pmap) == NULL);
    end(pmap);
}

SELFTEST(mm_pmap, user_cannot_reach_the_kernel, "no entry of the kernel's half is the user's; the identity map is gone")
{
    struct pmap *pmap = begin();
    table_entry_t entry;

    check_true(pmap != NULL);
    for (u32 i = 0; i < frame_limit; i += 1 + frame_limit / 64) {
        page_t page = page_add(page_of(KERNEL_BASE), i);

        check_true(pmap_walk_level(pmap, page, page_format.levels - 1, &entry));
        check_true(entry & ENTRY_PRESENT && !(entry & ENTRY_USER));
        check_equal(entry_frame(entry).number, i);
    }
    check_true(!pmap_walk_level(NULL, (page_t){0x100}, page_format.levels - 1, &entry) || !entry);
    end(pmap);
}

SELFTEST(mm_pmap, kernel_text_is_constant, "kernel text is mapped read-only; what is not text is not executable, if the format can say so")
{
    u64 entry = raw_entry(NULL, page_of((u32)kernel_text_start)), data = raw_entry(NULL, page_of((u32)&cpu_local));

    check_true(entry & ENTRY_PRESENT && !(entry & ENTRY_WRITE));
    check_true(data & ENTRY_PRESENT && data & ENTRY_WRITE);
    check_equal(entry >> 63, 0);
    if (page_format.entry_bytes == sizeof(u64))
        check_equal(data >> 63, page_format.no_execute != 0);
}

SELFTEST(mm_pmap, want_of_memory, "without a frame for a table nothing is entered; with the frames promised it is")
{
    struct pmap *pmap = begin();
    struct frame *table;
    u32 rights;

    check_true(pmap != NULL);
    case_hoard(0);
    /* Use up the spare tables. */
    for (u32 i = 0; i < 64; i++)
        enter(pmap, (page_t){0x100 + (i << 10)}, frames[0], 0);
    check_equal(enter(pmap, (page_t){0x100 + (64 << 10)}, frames[1], 0), PMAP_NO_MEMORY);
    check_true(pmap_lookup(pmap, (page_t){0x100 + (64 << 10)}, &rights) == NULL);
    check_true(frames[1]->first.pmap == NULL);
    check_true(pmap_check(pmap) == NULL);
    case_unhoard();
    table = frame_allocate(FRAME_KERNEL);
    check_true(table != NULL);
    frame_free(table);
    case_hoard(pmap_enter_frames());
    check_equal(enter(pmap, (page_t){0x100 + (65 << 10)}, frames[1], PMAP_EXECUTE), PMAP_FOUND_NOTHING);
    case_unhoard();
    end(pmap);
}
