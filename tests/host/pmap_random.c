/*
 * Page tables against a naive model: three address spaces and a few frames, any operation in any order. After each, every lookup, right,
 * count and list agrees with the model, pmap_check is content, and the processor caches nothing that is no longer so.
 */
#include "tests/host/host.h"

#include <string.h>

#include "mm/pmap.h"
#include "tests/host/stub/machine.h"

#define MEMORY_FRAMES 2048u
#define SPACES 3u
#define FRAMES 6u
#define STEPS 3000u

/* Pages at the borders of tables, of directories and of user space, in order. The last depends on the format. */
static u32 pages[] = {1, 2, 3, 510, 511, 512, 513, 1022, 1023, 1024, 1025, 0x3FFFE, 0x3FFFF, 0x40000, 0x40001, 0};
#define PAGES ARRAY_SIZE(pages)

/* What the model knows of one page. */
struct entry {
    u32 frame;              /* index + 1; 0: not mapped */
    u32 rights;
};

static struct pmap spaces[SPACES];
static struct entry model[SPACES][PAGES];
static struct frame *frames[FRAMES];
static bool dirty[FRAMES], referenced[FRAMES];
static u32 loaded;

/* ---- Operations, on both ----------------------------------------------- */

static struct entry *
some_entry(u32 *space, u32 *page)
{
    *space = host_below(SPACES);
    *page = host_below(PAGES);
    return &model[*space][*page];
}

static u32
some_rights(void)
{
    u32 rights = (host_below(2) ? PMAP_WRITE : 0) | (host_below(2) ? PMAP_EXECUTE : 0) | (host_below(8) ? 0 : PMAP_LOCKED);

    return rights & PMAP_WRITE || host_below(2) ? rights : rights | PMAP_WITHHELD;
}

static void
do_enter(void)
{
    u32 space, page, frame = host_below(FRAMES), rights = some_rights();
    struct entry *entry = some_entry(&space, &page), old = *entry;
    enum pmap_found found;

    if (pmap_traps_first_write() && rights & PMAP_WRITE && host_below(2))
        frames[frame]->dirty = dirty[frame] = true;
    found = pmap_enter(&spaces[space], (page_t){pages[page]}, frames[frame], rights);
    if (!old.frame)
        check_equal(found, PMAP_FOUND_NOTHING);
    else if (old.frame != frame + 1)
        check_equal(found, PMAP_FOUND_OTHER);
    else
        check_equal(found, old.rights & PMAP_WITHHELD ? PMAP_FOUND_WITHHELD : PMAP_FOUND_SAME);
    if (pmap_traps_first_write() && !dirty[frame])
        rights &= ~PMAP_WRITE;
    referenced[frame] |= pmap_samples_references();
    *entry = (struct entry){frame + 1, rights};
}

static void
some_range(u32 *start, u32 *end)
{
    *start = host_below(PAGES);
    *end = *start + host_below(PAGES + 1 - *start);
}

/* The page number where a range ends that holds pages[..end). */
static u32
end_of(u32 end)
{
    return end == PAGES ? user_top() >> PAGE_SHIFT : pages[end];
}

static void
do_remove(void)
{
    u32 space = host_below(SPACES), start, end;

    some_range(&start, &end);
    pmap_remove(&spaces[space], (page_t){pages[start]}, (page_t){end_of(end)});
    for (; start < end; start++)
        model[space][start].frame = 0;
}

static void
do_protect(void)
{
    u32 space = host_below(SPACES), start, end, rights = some_rights();

    some_range(&start, &end);
    pmap_protect(&spaces[space], (page_t){pages[start]}, (page_t){end_of(end)}, rights);
    for (; start < end; start++) {
        u32 lost = (rights & PMAP_WRITE ? 0 : PMAP_WRITE | PMAP_WITHHELD) | (rights & PMAP_EXECUTE ? 0 : PMAP_EXECUTE);

        model[space][start].rights &= ~lost;
    }
}

static void
do_revoke(void)
{
    u32 space = host_below(SPACES);

    pmap_revoke_write(&spaces[space]);
    for (u32 page = 0; page < PAGES; page++)
        if (model[space][page].rights & PMAP_WRITE)
            model[space][page].rights ^= PMAP_WRITE | PMAP_WITHHELD;
}

static void
do_access(void)
{
    u32 page = host_below(PAGES), access = host_below(3), physical;
    const struct entry *entry = &model[loaded][page];
    bool permitted = entry->frame && (access == FAULT_READ || (access == FAULT_WRITE && entry->rights & PMAP_WRITE)
                                      || (access == FAULT_EXECUTE && entry->rights & PMAP_EXECUTE));
    struct machine_fault fault;

    check_equal(machine_access(pages[page] << PAGE_SHIFT, access, true, &physical, &fault), permitted);
    if (!permitted)
        return;
    check_equal(physical >> PAGE_SHIFT, frame_number(frames[entry->frame - 1]).number);
    referenced[entry->frame - 1] |= !pmap_samples_references();
    dirty[entry->frame - 1] |= access == FAULT_WRITE;
}

static void
do_frame_remove(void)
{
    u32 frame = host_below(FRAMES);

    pmap_frame_remove(frames[frame]);
    for (u32 space = 0; space < SPACES; space++)
        for (u32 page = 0; page < PAGES; page++)
            if (model[space][page].frame == frame + 1)
                model[space][page].frame = 0;
}

static void
do_test_referenced(void)
{
    u32 frame = host_below(FRAMES);

    check_equal(pmap_frame_test_referenced(frames[frame]), referenced[frame]);
    referenced[frame] = false;
}

static void
do_harvest_dirty(void)
{
    u32 frame = host_below(FRAMES);

    pmap_frame_harvest_dirty(frames[frame]);
    check_equal(frames[frame]->dirty, dirty[frame]);
}

/* The frame has been written out: it is clean, and must not be mapped meanwhile. */
static void
do_clean(void)
{
    u32 frame = host_below(FRAMES);

    pmap_frame_remove(frames[frame]);
    check_equal(frames[frame]->dirty, dirty[frame]);
    frames[frame]->dirty = dirty[frame] = false;
    for (u32 space = 0; space < SPACES; space++)
        for (u32 page = 0; page < PAGES; page++)
            if (model[space][page].frame == frame + 1)
                model[space][page].frame = 0;
}

static void
do_activate(void)
{
    loaded = host_below(SPACES);
    pmap_activate(&spaces[loaded]);
}

static void
do_recreate(void)
{
    u32 space = host_below(SPACES);

    if (space == loaded)
        return;
    pmap_remove(&spaces[space], (page_t){0}, page_of(user_top()));
    pmap_destroy(&spaces[space]);
    check(pmap_create(&spaces[space]));
    memset(model[space], 0, sizeof(model[space]));
}

static void
do_drop(void)
{
    u32 space = host_below(SPACES), dropped = 0, rights;

    pmap_drop_random(&spaces[space], &host_random);
    for (u32 page = 0; page < PAGES; page++) {
        struct entry *entry = &model[space][page];

        if (entry->frame && !pmap_lookup(&spaces[space], (page_t){pages[page]}, &rights)) {
            check(!(entry->rights & PMAP_LOCKED));
            entry->frame = 0;
            dropped++;
        }
    }
    check(dropped <= 1);
}

/* ---- Comparing --------------------------------------------------------- */

static void
compare_space(u32 space)
{
    u32 resident = 0;

    for (u32 page = 0; page < PAGES; page++) {
        const struct entry *entry = &model[space][page];
        u32 rights;
        struct frame *frame = pmap_lookup(&spaces[space], (page_t){pages[page]}, &rights);

        check(frame == (entry->frame ? frames[entry->frame - 1] : NULL));
        if (frame)
            check_equal(rights & (PMAP_WRITE | PMAP_EXECUTE), entry->rights & (PMAP_WRITE | PMAP_EXECUTE));
        resident += frame != NULL;
    }
    check_equal(spaces[space].resident, resident);
    check_sound(pmap_check(&spaces[space]));
}

static void
compare_reverse_map(u32 frame)
{
    u32 expected = 0, listed = 0;
    bool locked = false;

    for (u32 space = 0; space < SPACES; space++)
        for (u32 page = 0; page < PAGES; page++)
            if (model[space][page].frame == frame + 1) {
                expected++;
                locked |= (model[space][page].rights & PMAP_LOCKED) != 0;
            }
    for (const struct mapping *mapping = &frames[frame]->first; mapping && mapping->pmap; mapping = mapping->next)
        listed++;
    check_equal(listed, expected);
    check_equal(pmap_frame_is_locked(frames[frame]), locked);
}

static void
agrees_with_the_model(void)
{
    static void (*const operations[])(void) = {
        do_enter, do_enter, do_enter, do_enter, do_remove, do_protect, do_revoke, do_access, do_access, do_access, do_access,
        do_frame_remove, do_test_referenced, do_harvest_dirty, do_clean, do_activate, do_recreate, do_drop,
    };

    machine_start(MEMORY_FRAMES);
    pmap_start(MEMORY_FRAMES);
    pages[PAGES - 1] = (user_top() >> PAGE_SHIFT) - 1;
    for (u32 i = 0; i < SPACES; i++)
        check(pmap_create(&spaces[i]));
    for (u32 i = 0; i < FRAMES; i++)
        frames[i] = frame_allocate(FRAME_ANONYMOUS);
    pmap_activate(&spaces[0]);
    for (u32 step = 0; step < STEPS; step++) {
        operations[host_below(ARRAY_SIZE(operations))]();
        check_sound(machine_stale());
        for (u32 i = 0; i < SPACES; i++)
            compare_space(i);
        for (u32 i = 0; i < FRAMES; i++)
            compare_reverse_map(i);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        HOST_BOTH(agrees_with_the_model),
        HOST_CASE(agrees_with_the_model, "paging=2level dirty=software"),
        HOST_CASE(agrees_with_the_model, "paging=pae dirty=software accessed=software"),
        HOST_CASE(agrees_with_the_model, "paging=2level accessed=software"),
    };

    return host_run(tests);
}
