/*
 * Amaps: the private layer of a region, saying which of its pages have become
 * anons.
 *
 *    region ──> amap { first, [ · | · | · ] }         an array of references
 *                               │       │             to chunks
 *                               v       v
 *                            chunk    chunk {references, anon * [32]}
 *                               ^
 *    region ──> amap { ...      ┘ }                    (after fork)
 *
 * Both levels are shared copy-on-write. fork copies the array alone and counts
 * the chunks up; the first write through a shared chunk splits that chunk alone.
 * So the cost of fork does not grow with touched memory.
 *
 * Chunks are aligned by virtual page number: two regions which meet inside one
 * chunk's window have a chunk of their own each, with disjoint slots.
 */
#pragma once

#include "kernel/types.h"
#include "mm/anon.h"
#include "mm/units.h"

#define CHUNK_SHIFT 5
#define CHUNK_PAGES (1u << CHUNK_SHIFT)

struct chunk {
    u32 references;                     /* from amaps */
    u32 used;                           /* slots that hold an anon */
    u32 seen;                           /* references that check has met; check.c only */
    struct anon *anons[CHUNK_PAGES];    /* by page number modulo CHUNK_PAGES */
};

struct amap {
    u32 first;              /* page number of the first chunk's window / CHUNK_PAGES */
    u32 count;              /* chunk references in the array */
    u32 used;               /* chunk references that are not NULL */
    struct chunk **chunks;
};

/* An empty amap that can hold pages [start, end); NULL if there is no memory. */
struct amap *amap_create(page_t start, page_t end);

/* Releases every chunk. The pages must not be mapped any more. */
void amap_destroy(struct amap *amap);

/* Makes room for [start, end) in addition; false if there is no memory. */
bool amap_extend(struct amap *amap, page_t start, page_t end);

/* fork: a copy that shares every chunk; NULL if there is no memory. */
struct amap *amap_share(const struct amap *amap);

/* The chunk whose window holds page, or NULL; page must lie in the amap's reach. */
static inline struct chunk *
amap_chunk(const struct amap *amap, page_t page)
{
    return amap->chunks[(page.number >> CHUNK_SHIFT) - amap->first];
}

/* The anon at page, or NULL. */
static inline struct anon *
amap_lookup(const struct amap *amap, page_t page)
{
    struct chunk *chunk = amap_chunk(amap, page);

    return chunk ? chunk->anons[page.number % CHUNK_PAGES] : NULL;
}

/* Whether others have the anon at page as well: by a reference of their own, or with the chunk. */
static inline bool
amap_is_shared(const struct amap *amap, page_t page, const struct anon *anon)
{
    return anon->references > 1 || amap_chunk(amap, page)->references > 1;
}

/* The chunk at page, for changing: created if there is none, split if it is
 * shared. *split tells which. NULL if there is no memory, nothing changed. */
struct chunk *amap_own_chunk(struct amap *amap, page_t page, bool *split);

/* Puts anon at page (taking over the caller's reference), in a chunk that
 * amap_own_chunk returned. Returns the anon that was there, with its reference. */
struct anon *amap_replace(struct chunk *chunk, page_t page, struct anon *anon);

/* Releases the anons in [start, end), which must not be mapped any more. Needs
 * memory where a shared chunk is cut in its middle: false, and nothing changed. */
bool amap_remove(struct amap *amap, page_t start, page_t end);

/* The same without splitting chunks that are shared: all sharers lose these anons. For a
 * caller who takes them from every sharer. Needs no memory. */
void amap_cut(struct amap *amap, page_t start, page_t end);

/* Moves the anons in [cut, end), where end is the region's, into a new amap, *upper, for
 * splitting the region. False if there is no memory, nothing changed. */
bool amap_split(struct amap *amap, page_t cut, page_t end, struct amap **upper);

/* Moves all of upper's anons into lower, which reaches up to end from then on; upper is
 * destroyed. False if there is no memory, and then no page has moved. */
bool amap_merge(struct amap *lower, struct amap *upper, page_t end);

/* Gives the anons of [start, end) a second reference in to, from page place on, where
 * the slots are empty. False if there is no memory: then some have it already. For
 * mremap, which releases the first reference afterwards, and fork=cow. */
bool amap_copy_range(const struct amap *amap, page_t start, page_t end, struct amap *to, page_t place);

/* Adds the anons in [start, end) to *resident, if in memory, or to *swapped. */
void amap_count(const struct amap *amap, page_t start, page_t end, u32 *resident, u32 *swapped);
