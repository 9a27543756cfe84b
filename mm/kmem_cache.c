/*
 * Slab caches: many objects of one size, carved from single frames.
 *
 *   frame:  [ struct slab | pad | object 0 | object 1 | ... ]
 *
 * Invariants: a slab is in its cache's partial list exactly while it has a free
 * object; its free chain has objects_per_slab - used elements; at most one slab
 * of a cache is wholly free.
 */
#include "mm/kmem_cache.h"

#include "kernel/assert.h"
#include "kernel/lib/string.h"
#include "mm/failslab.h"
#include "mm/frame.h"

#define SLAB_MAGIC 0x51ab51abu

struct slab {
    u32 magic;
    u32 used;                       /* objects given out */
    struct kmem_cache *cache;
    void *free;                     /* chain through the objects' first word */
    LIST_ENTRY(slab) link;
};

static_assert(sizeof(struct slab) == KMEM_SLAB_HEADER, "the header's size is part of KMEM_CACHE");

LIST_HEAD(kmem_cache_list, kmem_cache);
static struct kmem_cache_list caches = LIST_HEAD_INITIALIZER(caches);

static struct slab *
slab_of(const void *object)
{
    return (struct slab *)((uintptr_t)object & ~(uintptr_t)PAGE_MASK);
}

/* The rest of a cache's fields, when it is first used. */
static void
kmem_cache_start(struct kmem_cache *cache)
{
    cache->objects_per_slab = (PAGE_SIZE - cache->first_offset) / cache->object_bytes;
    assert(cache->objects_per_slab > 0 && cache->object_bytes >= sizeof(void *));
    LIST_INIT(&cache->partial);
    LIST_INSERT_HEAD(&caches, cache, link);
}

/* An allocation from a cache that is not ready. False if failslab= has it fail. */
static __attribute__((noinline)) bool
kmem_cache_prepare(struct kmem_cache *cache)
{
    if (cache->objects_per_slab == 0)
        kmem_cache_start(cache);
    cache->ready = !failslab_on;
    return !failslab_strikes();
}

void
kmem_cache_count_all(void)
{
    struct kmem_cache *cache;

    LIST_FOREACH(cache, &caches, link)
        cache->ready = false;
}

/* A fresh slab, its objects chained in address order. */
static __attribute__((noinline)) struct slab *
slab_create(struct kmem_cache *cache)
{
    struct frame *frame = frame_allocate(FRAME_KERNEL);
    struct slab *slab;
    char *object;

    if (!frame)
        return NULL;
    slab = frame_data(frame);
    *slab = (struct slab){.magic = SLAB_MAGIC, .cache = cache};
    object = (char *)slab + cache->first_offset;
    slab->free = object;
    for (u32 i = 1; i < cache->objects_per_slab; i++) {
        *(void **)object = object + cache->object_bytes;
        object += cache->object_bytes;
    }
    *(void **)object = NULL;
    cache->slabs++;
    LIST_INSERT_HEAD(&cache->partial, slab, link);
    return slab;
}

void *
kmem_cache_allocate(struct kmem_cache *cache)
{
    struct slab *slab;
    void *object;

    if (!cache->ready && !kmem_cache_prepare(cache))
        return NULL;
    slab = LIST_FIRST(&cache->partial);
    if (!slab && !(slab = slab_create(cache)))
        return NULL;
    object = slab->free;
    slab->free = *(void **)object;
    slab->used++;
    cache->objects++;
    if (!slab->free)
        LIST_REMOVE(slab, link);
    return object;
}

void *
kmem_cache_allocate_zeroed(struct kmem_cache *cache)
{
    void *object = kmem_cache_allocate(cache);

    if (object)
        memset(object, 0, cache->object_bytes);
    return object;
}

struct kmem_cache *
kmem_cache_of(void *object)
{
    struct slab *slab = slab_of(object);
    struct kmem_cache *cache = slab->cache;
    u32 offset = (u32)((char *)object - (char *)slab);

    assert(slab->magic == SLAB_MAGIC);
    assert(offset >= cache->first_offset && (offset - cache->first_offset) % cache->object_bytes == 0);
    return cache;
}

/* Gives a wholly free slab back, unless it is the cache's last with room. */
static void
slab_retire(struct kmem_cache *cache, struct slab *slab)
{
    if (LIST_FIRST(&cache->partial) == slab && !LIST_NEXT(slab, link))
        return;
    LIST_REMOVE(slab, link);
    cache->slabs--;
    slab->magic = 0;
    frame_free(frame_descriptor(frame_of_address(slab)));
}

void
kmem_cache_free(struct kmem_cache *cache, void *object)
{
    struct slab *slab = slab_of(object);

    assert(slab->magic == SLAB_MAGIC && slab->cache == cache && slab->used > 0);
    assert(slab->free != object);
    if (!slab->free)
        LIST_INSERT_HEAD(&cache->partial, slab, link);
    *(void **)object = slab->free;
    slab->free = object;
    cache->objects--;
    if (--slab->used == 0)
        slab_retire(cache, slab);
}

static const char *
slab_check(struct kmem_cache *cache, struct slab *slab, u32 *used)
{
    u32 available = 0;

    if (slab->magic != SLAB_MAGIC || slab->cache != cache)
        return "a slab's header is overwritten";
    for (void *object = slab->free; object; object = *(void **)object) {
        if (slab_of(object) != slab)
            return "a free object's chain leaves its slab: written after it was freed";
        if (++available > cache->objects_per_slab)
            return "a slab's free chain has a loop: an object was freed twice";
    }
    if (available == 0 || available + slab->used != cache->objects_per_slab)
        return "a slab's free chain and its count disagree";
    *used += slab->used;
    return NULL;
}

const char *
kmem_cache_check(void)
{
    struct kmem_cache *cache;

    LIST_FOREACH(cache, &caches, link) {
        struct slab *slab;
        u32 partial = 0, used = 0;

        LIST_FOREACH(slab, &cache->partial, link) {
            const char *wrong = slab_check(cache, slab, &used);

            if (wrong)
                return wrong;
            partial++;
        }
        if (used + (cache->slabs - partial) * cache->objects_per_slab != cache->objects)
            return "a slab cache's count of objects disagrees with its slabs";
    }
    return NULL;
}

u32
kmem_cache_frames(void)
{
    struct kmem_cache *cache;
    u32 frames = 0;

    LIST_FOREACH(cache, &caches, link)
        frames += cache->slabs;
    return frames;
}

const struct kmem_cache *
kmem_cache_next(const struct kmem_cache *cache)
{
    return cache ? LIST_NEXT(cache, link) : LIST_FIRST(&caches);
}
