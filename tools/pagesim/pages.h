/*
 * Pages by dense numbers: the first page that a trace names is 0, the next new one 1, and so on.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* A page as traces name it. */
struct page_name {
    uint64_t number;
    uint32_t process;
};

struct pages {
    struct page_name *names;    /* by dense number */
    size_t count, capacity;
    uint32_t *slots;            /* a hash table of dense numbers + 1; 0: empty */
    size_t slot_count;          /* a power of two, more than twice count */
};

#define HASH_FACTOR 0x9e3779b97f4a7c15u     /* 2^64 divided by the golden ratio */

/* Where the search for a page begins. */
static inline size_t
pages_slot(const struct pages *pages, struct page_name name)
{
    return ((name.number ^ (uint64_t)name.process << 40) * HASH_FACTOR >> 32) & (pages->slot_count - 1);
}

/* Gives a page that is not there a number. */
uint32_t pages_add(struct pages *pages, struct page_name name);

/* The dense number of a page, which is a new one if need be. */
static inline uint32_t
pages_number(struct pages *pages, struct page_name name)
{
    if (pages->slot_count == 0)
        return pages_add(pages, name);
    for (size_t slot = pages_slot(pages, name); pages->slots[slot]; slot = (slot + 1) & (pages->slot_count - 1)) {
        const struct page_name *there = &pages->names[pages->slots[slot] - 1];

        if (there->number == name.number && there->process == name.process)
            return pages->slots[slot] - 1;
    }
    return pages_add(pages, name);
}
