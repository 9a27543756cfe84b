/*
 * Amaps: the private layer of a region.
 *
 * Invariants: chunk.used counts its anons; amap.used counts its chunks; a chunk
 * with no anons is not kept; an amap's chunks reach over all pages of its region.
 * Only a chunk with one reference is changed, and its anons' references count
 * the chunks that hold them.
 */
#include "mm/amap.h"

#include "kernel/assert.h"
#include "kernel/lib/string.h"
#include "mm/counters.h"
#include "mm/kmem.h"

static struct kmem_cache amap_cache = KMEM_CACHE("amap", sizeof(struct amap), 4);
static struct kmem_cache chunk_cache = KMEM_CACHE("chunk", sizeof(struct chunk), 4);

/* ---- Chunks ------------------------------------------------------------ */

static u32
chunk_of(page_t page)
{
    return page.number >> CHUNK_SHIFT;
}

static struct chunk *
chunk_create(void)
{
    struct chunk *chunk = kmem_cache_allocate_zeroed(&chunk_cache);

    if (chunk)
        chunk->references = 1;
    return chunk;
}

static void
chunk_release(struct chunk *chunk)
{
    if (--chunk->references > 0)
        return;
    for (u32 i = 0; chunk->used > 0; i++)
        if (chunk->anons[i]) {
            anon_release(chunk->anons[i]);
            chunk->used--;
        }
    kmem_cache_free(&chunk_cache, chunk);
}

/* A chunk of one's own with the anons of slots [low, high) of chunk. */
static struct chunk *
chunk_copy(const struct chunk *chunk, u32 low, u32 high)
{
    struct chunk *copy = chunk_create();

    if (!copy)
        return NULL;
    for (u32 i = low; i < high; i++)
        if (chunk->anons[i]) {
            anon_hold(chunk->anons[i]);
            copy->anons[i] = chunk->anons[i];
            copy->used++;
        }
    return copy;
}

/* ---- Amaps ------------------------------------------------------------- */

struct amap *
amap_create(page_t start, page_t end)
{
    u32 first = chunk_of(start), count = chunk_of((page_t){end.number - 1}) - first + 1;
    struct amap *amap = kmem_cache_allocate(&amap_cache);
    struct chunk **chunks = kmem_allocate_zeroed(count * sizeof(*chunks));

    if (!amap || !chunks) {
        kmem_free(chunks);
        if (amap)
            kmem_cache_free(&amap_cache, amap);
        return NULL;
    }
    *amap = (struct amap){.first = first, .count = count, .chunks = chunks};
    return amap;
}

void
amap_destroy(struct amap *amap)
{
    for (u32 i = 0; amap->used > 0; i++)
        if (amap->chunks[i]) {
            chunk_release(amap->chunks[i]);
            amap->used--;
        }
    kmem_free(amap->chunks);
    kmem_cache_free(&amap_cache, amap);
}

bool
amap_extend(struct amap *amap, page_t start, page_t end)
{
    u32 first = chunk_of(start), last = chunk_of((page_t){end.number - 1}), old_last, count;
    struct chunk **chunks;

    old_last = amap->first + amap->count - 1;
    first = first < amap->first ? first : amap->first;
    last = last > old_last ? last : old_last;
    count = last - first + 1;
    if (count == amap->count)
        return true;
    /* Growing upwards, room for as much again, so that a heap grown page by page
     * is copied a logarithmic number of times. */
    if (last > old_last && first == amap->first)
        count += amap->count;
    chunks = kmem_allocate_zeroed(count * sizeof(*chunks));
    if (!chunks)
        return false;
    memcpy(chunks + (amap->first - first), amap->chunks, amap->count * sizeof(*chunks));
    kmem_free(amap->chunks);
    amap->chunks = chunks;
    amap->first = first;
    amap->count = count;
    return true;
}

struct amap *
amap_share(const struct amap *amap)
{
    struct amap *copy = kmem_cache_allocate(&amap_cache);

    if (!copy)
        return NULL;
    *copy = *amap;
    copy->chunks = kmem_allocate(amap->count * sizeof(*copy->chunks));
    if (!copy->chunks) {
        kmem_cache_free(&amap_cache, copy);
        return NULL;
    }
    for (u32 i = 0; i < amap->count; i++) {
        struct chunk *chunk = amap->chunks[i];

        copy->chunks[i] = chunk;
        if (chunk)
            chunk->references++;
    }
    return copy;
}

struct chunk *
amap_own_chunk(struct amap *amap, page_t page, bool *split)
{
    struct chunk **place = &amap->chunks[chunk_of(page) - amap->first];
    struct chunk *chunk = *place;

    *split = false;
    if (chunk && chunk->references == 1)
        return chunk;
    if (!chunk) {
        chunk = chunk_create();
        if (!chunk)
            return NULL;
        amap->used++;
        return *place = chunk;
    }
    chunk = chunk_copy(*place, 0, CHUNK_PAGES);
    if (!chunk)
        return NULL;
    (*place)->references--;
    counters.chunk_split++;
    *split = true;
    return *place = chunk;
}

struct anon *
amap_replace(struct chunk *chunk, page_t page, struct anon *anon)
{
    struct anon **slot = &chunk->anons[page.number % CHUNK_PAGES], *old = *slot;

    assert(chunk->references == 1);
    *slot = anon;
    if (!old)
        chunk->used++;
    return old;
}

/* The slots of chunk window index that [start, end) covers. */
static void
window_cut(u32 window, page_t start, page_t end, u32 *low, u32 *high)
{
    u32 base = window << CHUNK_SHIFT;

    *low = start.number > base ? start.number - base : 0;
    *high = end.number - base < CHUNK_PAGES ? end.number - base : CHUNK_PAGES;
}

/* Makes the chunk at place one's own if [start, end) cuts it and it is shared. */
static bool
amap_prepare_cut(struct amap *amap, u32 window, page_t start, page_t end)
{
    struct chunk *chunk = amap->chunks[window - amap->first];
    u32 low, high;
    bool split;

    window_cut(window, start, end, &low, &high);
    if (!chunk || chunk->references == 1 || (low == 0 && high == CHUNK_PAGES))
        return true;
    return amap_own_chunk(amap, (page_t){window << CHUNK_SHIFT}, &split) != NULL;
}

static void
amap_drop_chunk(struct amap *amap, u32 window)
{
    chunk_release(amap->chunks[window - amap->first]);
    amap->chunks[window - amap->first] = NULL;
    amap->used--;
}

/* Empties slots [low, high) of a chunk. */
static void
amap_clear_slots(struct amap *amap, u32 window, u32 low, u32 high)
{
    struct chunk *chunk = amap->chunks[window - amap->first];

    for (u32 i = low; i < high; i++)
        if (chunk->anons[i]) {
            anon_release(chunk->anons[i]);
            chunk->anons[i] = NULL;
            chunk->used--;
        }
    if (chunk->used == 0)
        amap_drop_chunk(amap, window);
}

void
amap_cut(struct amap *amap, page_t start, page_t end)
{
    u32 first = chunk_of(start), last = chunk_of((page_t){end.number - 1});

    for (u32 window = first; window <= last && amap->used > 0; window++) {
        u32 low, high;

        if (!amap->chunks[window - amap->first])
            continue;
        window_cut(window, start, end, &low, &high);
        if (low == 0 && high == CHUNK_PAGES)
            amap_drop_chunk(amap, window);
        else
            amap_clear_slots(amap, window, low, high);
    }
}

bool
amap_remove(struct amap *amap, page_t start, page_t end)
{
    /* Only the two chunks at the ends can be cut in their middle. */
    if (!amap_prepare_cut(amap, chunk_of(start), start, end)
        || !amap_prepare_cut(amap, chunk_of((page_t){end.number - 1}), start, end))
        return false;
    amap_cut(amap, start, end);
    return true;
}

/* Moves slots [low, high) of from, the amap's own, to the empty chunk to. */
static void
chunk_move_slots(struct chunk *from, struct chunk *to, u32 low, u32 high)
{
    for (u32 i = low; i < high; i++)
        if (from->anons[i]) {
            to->anons[i] = from->anons[i];
            to->used++;
            from->anons[i] = NULL;
            from->used--;
        }
}

/* Forgets a chunk that moving has left empty. */
static void
amap_drop_empty(struct amap *amap, u32 window)
{
    struct chunk *chunk = amap->chunks[window - amap->first];

    if (chunk && chunk->used == 0)
        amap_drop_chunk(amap, window);
}

bool
amap_split(struct amap *amap, page_t cut, page_t end, struct amap **upper)
{
    u32 window = chunk_of(cut), low = cut.number % CHUNK_PAGES;
    struct chunk *shared = amap->chunks[window - amap->first], *part = NULL;
    struct amap *split = amap_create(cut, end);

    if (!split)
        return false;
    if (low > 0 && shared) {
        part = chunk_create();
        if (!part || !amap_prepare_cut(amap, window, cut, end)) {
            if (part)
                chunk_release(part);
            amap_destroy(split);
            return false;
        }
        chunk_move_slots(amap->chunks[window - amap->first], part, low, CHUNK_PAGES);
        split->chunks[0] = part;
        split->used++;
        amap_drop_empty(amap, window);
        amap_drop_empty(split, window);
    }
    for (u32 i = low > 0 ? 1 : 0; i < split->count; i++) {
        struct chunk **place = &amap->chunks[split->first + i - amap->first];

        if (*place) {
            split->chunks[i] = *place;
            split->used++;
            *place = NULL;
            amap->used--;
        }
    }
    *upper = split;
    return true;
}

bool
amap_merge(struct amap *lower, struct amap *upper, page_t end)
{
    struct chunk *mine, *theirs;
    bool split;

    if (!amap_extend(lower, (page_t){upper->first << CHUNK_SHIFT}, end))
        return false;
    mine = lower->chunks[upper->first - lower->first];
    theirs = upper->chunks[0];
    if (mine && theirs) {
        page_t window = {upper->first << CHUNK_SHIFT};

        if (!(mine = amap_own_chunk(lower, window, &split))
            || !(theirs = amap_own_chunk(upper, window, &split)))
            return false;
        chunk_move_slots(theirs, mine, 0, CHUNK_PAGES);
        amap_drop_chunk(upper, upper->first);
    }
    for (u32 i = 0; upper->used > 0; i++)
        if (upper->chunks[i]) {
            lower->chunks[upper->first + i - lower->first] = upper->chunks[i];
            lower->used++;
            upper->chunks[i] = NULL;
            upper->used--;
        }
    amap_destroy(upper);
    return true;
}

bool
amap_copy_range(const struct amap *amap, page_t start, page_t end, struct amap *to, page_t place)
{
    bool split;

    for (u32 i = 0; i < end.number - start.number; i++) {
        page_t page = page_add(start, i);
        const struct chunk *source = amap_chunk(amap, page);
        struct anon *anon;
        struct chunk *chunk;

        if (!source) {
            i += CHUNK_PAGES - 1 - page.number % CHUNK_PAGES;
            continue;
        }
        anon = source->anons[page.number % CHUNK_PAGES];
        if (!anon)
            continue;
        chunk = amap_own_chunk(to, page_add(place, i), &split);
        if (!chunk)
            return false;
        anon_hold(anon);
        amap_replace(chunk, page_add(place, i), anon);
    }
    return true;
}

void
amap_count(const struct amap *amap, page_t start, page_t end, u32 *resident, u32 *swapped)
{
    for (u32 page = start.number; page < end.number; page++) {
        struct chunk *chunk = amap_chunk(amap, (page_t){page});
        struct anon *anon;

        if (!chunk) {
            page |= CHUNK_PAGES - 1;
            continue;
        }
        anon = chunk->anons[page % CHUNK_PAGES];
        if (anon && anon->frame)
            ++*resident;
        else if (anon)
            ++*swapped;
    }
}
