/*
 * Slab caches: many objects of one size, carved from single frames.
 *
 * One frame is one slab:  [ header | object | object | ... ]
 * The header finds the cache from any object's address, so that freeing needs
 * no size. Free objects are chained through their first word. A slab whose
 * objects are all free goes back to the frames, except one kept in reserve.
 *
 * Never sleeps, never evicts: NULL when no frame is free. Not for interrupt
 * handlers.
 */
#pragma once

#include <bsd/sys/queue.h>

#include "kernel/types.h"

struct slab;

struct kmem_cache {
    const char *name;
    u32 object_bytes;               /* rounded up to the alignment */
    u32 first_offset;               /* of the first object in its slab */
    u32 objects_per_slab;
    u32 slabs;
    u32 objects;                    /* given out now */
    LIST_HEAD(, slab) partial;      /* slabs with at least one free object */
    LIST_ENTRY(kmem_cache) link;    /* all caches, for /proc and check */
    bool ready;                     /* an allocation need not ask failslab=, nor begin the list */
};

/* A cache defined at compile time; alignment must be a power of two up to 64. */
#define KMEM_CACHE(cache_name, bytes, alignment)                               \
    {                                                                          \
        .name = (cache_name),                                                  \
        .object_bytes = ((bytes) + (alignment) - 1) & ~((alignment) - 1u),     \
        .first_offset = (KMEM_SLAB_HEADER + (alignment) - 1) & ~((alignment) - 1u), \
    }
#define KMEM_SLAB_HEADER (2 * 4 + 4 * sizeof(void *))

/* Contents undefined; NULL when no frame is free. */
void *kmem_cache_allocate(struct kmem_cache *cache);
void *kmem_cache_allocate_zeroed(struct kmem_cache *cache);

/* The object must have come from this cache. */
void kmem_cache_free(struct kmem_cache *cache, void *object);

/* The cache an object came from: asserts that the address is an object's start. */
struct kmem_cache *kmem_cache_of(void *object);

/* failslab= is on from now on: every cache asks it before each allocation. */
void kmem_cache_count_all(void);

/* NULL, or what is wrong with the caches (lists, counts). */
const char *kmem_cache_check(void);

/* Frames that all slabs occupy. */
u32 kmem_cache_frames(void);

/* The caches that were ever used, one after the other: the first behind NULL, and NULL behind the last. */
const struct kmem_cache *kmem_cache_next(const struct kmem_cache *cache);
