/* That check_run notices: each inconsistency is planted, must be found, and is undone. */
#include <linux/mman.h>

#include "mm/check.h"
#include "mm/evictable.h"
#include "mm/pmap_table.h"
#include "mm/swap.h"
#include "tests/kernel/mm_case.h"

#define PAGES 40u

static u32 address;

static struct aspace *
begin(void)
{
    struct aspace *aspace = case_begin();

    address = case_memory(aspace, PAGES);
    case_fill(aspace, address, PAGES, 1);
    return aspace;
}

/* Adds one to a field, and whether that is noticed; takes it back. */
#define NOTICES(field)                          \
    ({                                          \
        const char *complaint_;                 \
        (field)++;                              \
        complaint_ = check_run();               \
        (field)--;                              \
        complaint_ != NULL;                     \
    })

SELFTEST(mm_check, finds_nothing_where_nothing_is, "a sound system passes, with pages in memory, shared, dropped and out")
{
    struct aspace *aspace = begin(), *child;

    check_true(aspace != NULL && check_run() == NULL);
    child = case_fork(aspace);
    check_true(child != NULL && check_run() == NULL);
    case_fill(child, address, PAGES / 2, 2);
    check_true(check_run() == NULL);
    case_evict_all();
    check_true(check_run() == NULL);
    case_release(child);
    check_true(check_run() == NULL);
    case_end();
    check_true(check_run() == NULL);
}

SELFTEST(mm_check, notices_wrong_references, "a reference too many of an anon or a chunk, and a wrong count of either")
{
    struct aspace *aspace = begin();
    struct amap *amap;

    check_true(aspace != NULL && case_anon(aspace, address) != NULL);
    amap = region_find(&aspace->regions, page_of(address))->amap;
    check_true(NOTICES(case_anon(aspace, address)->references));
    check_true(NOTICES(amap_chunk(amap, page_of(address))->references));
    check_true(NOTICES(amap_chunk(amap, page_of(address))->used));
    check_true(NOTICES(amap->used));
    check_true(check_run() == NULL);
    case_end();
}

SELFTEST(mm_check, notices_wrong_owners, "a frame whose owner is another anon, nobody, or that is known to the policy though it is pinned")
{
    struct aspace *aspace = begin();
    struct anon *anon = case_anon(aspace, address), *other = case_anon(aspace, address + PAGE_SIZE);

    check_true(anon != NULL && other != NULL);
    anon->frame->owner = other;
    check_true(check_run() != NULL);
    anon->frame->owner = NULL;
    check_true(check_run() != NULL);
    anon->frame->owner = anon;
    if (swap_total() > 0) {     /* without a swap area the policy knows no anon */
        check_true(NOTICES(anon->frame->pins));
        evictable_remove(anon->frame);
        check_true(check_run() != NULL);
        evictable_insert(anon->frame);
    }
    check_true(check_run() == NULL);
    case_end();
}

SELFTEST(mm_check, notices_leaks, "an anon in no chunk, a slot that no anon has, an anon without any page")
{
    struct aspace *aspace = begin();
    struct chunk *chunk;
    struct anon *anon;
    struct frame *frame;

    check_true(aspace != NULL);
    chunk = amap_chunk(region_find(&aspace->regions, page_of(address))->amap, page_of(address));
    anon = chunk->anons[page_of(address).number % CHUNK_PAGES];
    chunk->anons[page_of(address).number % CHUNK_PAGES] = NULL;
    chunk->used--;
    check_true(check_run() != NULL);
    chunk->anons[page_of(address).number % CHUNK_PAGES] = anon;
    chunk->used++;
    frame = anon->frame;
    anon->frame = NULL;
    check_true(check_run() != NULL);
    anon->frame = frame;
    if (swap_free_count() > 0) {
        swap_slot_t slot = swap_allocate();

        check_true(check_run() != NULL);
        swap_free(slot);
        anon->slot = slot;
        check_true(check_run() != NULL);
        anon->slot = SWAP_SLOT_NONE;
    }
    check_true(check_run() == NULL);
    case_end();
}

SELFTEST(mm_check, notices_wrong_tables, "an entry that the reverse map does not know, one in another state's frame, a wrong count of tables or pages")
{
    struct aspace *aspace = begin();
    struct leaf *leaf;
    struct anon *anon;
    table_entry_t entry;

    check_true(aspace != NULL);
    anon = case_anon(aspace, address);
    check_true(NOTICES(aspace->pmap.resident));
    check_true(NOTICES(aspace->pmap.table_count));
    check_true(NOTICES(anon->frame->first.page.number));
    leaf = leaf_find(&aspace->pmap, page_of(address));
    check_true(leaf != NULL);
    check_true(NOTICES(leaf->frame->table.used));
    entry = entry_load(leaf->table, leaf_index(page_of(address)));
    entry_store(leaf->table, leaf_index(page_of(address)), entry_load(leaf->table, leaf_index(page_of(address)) + 1));
    check_true(check_run() != NULL);
    entry_store(leaf->table, leaf_index(page_of(address)), 0);
    check_true(check_run() != NULL);
    entry_store(leaf->table, leaf_index(page_of(address)), (entry & ~ENTRY_FRAME) | physical_of(frame_number(leaf->frame)).value);
    check_true(check_run() != NULL);
    entry_store(leaf->table, leaf_index(page_of(address)), entry);
    check_true(check_run() == NULL);
    case_end();
}

SELFTEST(mm_check, notices_wrong_counts, "a wrong count of free frames, of a list's regions or pages, of kinds of faults")
{
    struct aspace *aspace = begin();
    u32 kinds;

    check_true(aspace != NULL);
    check_true(NOTICES(frame_free_frames));
    check_true(NOTICES(aspace->regions.count));
    check_true(NOTICES(aspace->regions.pages));
    kinds = counters.fault_soft;
    counters.fault_soft = counters.pgfault + 1;
    check_true(check_run() != NULL);
    counters.fault_soft = kinds;
    check_true(check_run() == NULL);
    case_end();
}

SELFTEST(mm_check, notices_wrong_objects, "a file's page whose index is another's")
{
    struct aspace *aspace = case_begin();
    struct object *file = object_file_create(&case_device, 0, 4 * PAGE_SIZE);
    u32 place = case_map_object(aspace, file, 0, 4, PROT_READ, MAP_PRIVATE);
    struct frame *frame;

    check_true(file != NULL && place != 0);
    case_get(aspace, place + PAGE_SIZE);
    frame = object_resident(file, 1);
    check_true(frame != NULL);
    check_true(NOTICES(frame->index));
    file->file.frames[1] = NULL;
    check_true(check_run() != NULL);
    file->file.frames[1] = frame;
    check_true(check_run() == NULL);
    object_release(file);
    case_end();
}
