/*
 * The hash table behind the numbers of pages: open addressing, at most half full.
 */
#include "tools/pagesim/pages.h"

#include <stdlib.h>

#include "tools/pagesim/common.h"

#define SLOTS_AT_FIRST 1024u

static void
slot_fill(struct pages *pages, uint32_t page)
{
    size_t slot = pages_slot(pages, pages->names[page]);

    while (pages->slots[slot])
        slot = (slot + 1) & (pages->slot_count - 1);
    pages->slots[slot] = page + 1;
}

static void
slots_double(struct pages *pages)
{
    free(pages->slots);
    pages->slot_count = pages->slot_count ? pages->slot_count * 2 : SLOTS_AT_FIRST;
    pages->slots = allocate(pages->slot_count, sizeof(*pages->slots));
    for (size_t page = 0; page < pages->count; page++)
        slot_fill(pages, (uint32_t)page);
}

uint32_t
pages_add(struct pages *pages, struct page_name name)
{
    uint32_t page = (uint32_t)pages->count;

    if (pages->count == UINT32_MAX)
        die("more than %u pages", UINT32_MAX);
    if (2 * (pages->count + 1) > pages->slot_count)
        slots_double(pages);
    pages->names = grow(pages->names, &pages->capacity, pages->count + 1, sizeof(*pages->names));
    pages->names[pages->count++] = name;
    slot_fill(pages, page);
    return page;
}
