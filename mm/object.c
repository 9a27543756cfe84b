/*
 * Objects: where the pages of a region come from.
 *
 * Invariants: frames[i] of a file object, if not NULL, is a frame of state
 * FRAME_OBJECT with the object as its owner and i as its index. An anonymous
 * object's pages are the anons of its amap, at page numbers that are indexes.
 * The contents beyond an object's size within its last page are zero.
 */
#include "mm/object.h"

#include <asm/errno.h>

#include "kernel/assert.h"
#include "kernel/lib/string.h"
#include "kernel/scheduler.h"
#include "mm/evictable.h"
#include "mm/kmem.h"
#include "mm/pagein.h"
#include "mm/pmap.h"

static struct kmem_cache object_cache = KMEM_CACHE("object", sizeof(struct object), 8);
static struct object zero_object = {.kind = OBJECT_ZERO, .references = 1};
struct frame *object_zero_frame;
struct object_list object_all = LIST_HEAD_INITIALIZER(object_all);

static u32
bytes_to_pages(u64 bytes)
{
    return (u32)((bytes + PAGE_MASK) >> PAGE_SHIFT);
}

void
object_start(void)
{
    object_zero_frame = frame_allocate(FRAME_KERNEL);
    assert(object_zero_frame);
    frame_clear(object_zero_frame);
    object_zero_frame->pins = 1;
}

struct object *
object_zero(void)
{
    return &zero_object;
}

struct object *
object_file_create(struct block_device *device, u64 position, u64 bytes)
{
    u32 pages = bytes_to_pages(bytes);
    struct object *object = kmem_cache_allocate_zeroed(&object_cache);
    struct frame **frames = kmem_allocate_zeroed(pages * sizeof(*frames));

    if (!object || !frames) {
        kmem_free(frames);
        if (object)
            kmem_cache_free(&object_cache, object);
        return NULL;
    }
    object->kind = OBJECT_FILE;
    object->references = 1;
    object->bytes = bytes;
    object->file.device = device;
    object->file.position = position;
    object->file.frames = frames;
    object->file.frame_count = pages;
    LIST_INSERT_HEAD(&object_all, object, link);
    return object;
}

struct object *
object_anonymous_create(u64 bytes)
{
    struct object *object = kmem_cache_allocate_zeroed(&object_cache);

    if (!object)
        return NULL;
    object->kind = OBJECT_ANONYMOUS;
    object->references = 1;
    object->bytes = bytes;
    LIST_INSERT_HEAD(&object_all, object, link);
    return object;
}

int
object_set_name(struct object *object, const char *name, u32 inode_number)
{
    usize bytes = strlen(name) + 1;
    char *copy = kmem_allocate(bytes);

    if (!copy)
        return -ENOMEM;
    memcpy(copy, name, bytes);
    kmem_free(object->name);
    object->name = copy;
    object->inode_number = inode_number;
    return 0;
}

void
object_hold(struct object *object)
{
    object->references++;
}

/* Gives up the page of a file object in memory. */
static void
file_drop(struct object *object, u32 index)
{
    struct frame *frame = object->file.frames[index];

    object->file.frames[index] = NULL;
    object->file.resident--;
    pmap_frame_remove(frame);
    evictable_disown(frame);
}

void
object_release(struct object *object)
{
    assert(object->references > 0);
    if (--object->references > 0 || object->kind == OBJECT_ZERO)
        return;
    LIST_REMOVE(object, link);
    if (object->kind == OBJECT_FILE) {
        for (u32 i = 0; object->file.resident > 0; i++)
            if (object->file.frames[i])
                file_drop(object, i);
        kmem_free(object->file.frames);
    } else if (object->amap) {
        amap_destroy(object->amap);
    }
    kmem_free(object->name);
    kmem_cache_free(&object_cache, object);
}

void
object_forget(struct frame *frame)
{
    struct object *object = frame->owner;

    assert(frame->state == FRAME_OBJECT && object->file.frames[frame->index] == frame);
    file_drop(object, frame->index);
}

/* ---- Pages of a file --------------------------------------------------- */

/* Takes a frame for page index, busy until the transfer that it joins is over. */
static bool
file_claim(struct object *object, u32 index, struct cluster *cluster)
{
    struct frame *frame = prefetch_claim(cluster, FRAME_OBJECT, object, index);

    if (!frame)
        return false;
    object->file.frames[index] = frame;
    object->file.resident++;
    return true;
}

static void
file_claim_neighbours(struct object *object, u32 index, struct cluster *cluster, const struct prefetch *prefetch)
{
    while (cluster->count <= prefetch->pages) {
        u32 next = index + cluster->count;

        if (!object_contains(object, next) || object->file.frames[next] || !file_claim(object, next, cluster))
            return;
    }
}

/* Reads pages from index on into the cluster's frames; zeroes behind the file's end. */
static u32
file_read(struct object *object, u32 index, struct cluster *cluster)
{
    u64 offset = (u64)index << PAGE_SHIFT, rest = object->bytes - offset;
    u32 bytes = cluster->count << PAGE_SHIFT;

    return cluster_read(cluster, object->file.device, object->file.position + offset, rest < bytes ? (u32)rest : bytes);
}

static enum object_result
file_page_in(struct object *object, u32 index, struct frame **result, struct prefetch *prefetch)
{
    u64 switches = scheduler_switches;
    struct cluster cluster;
    u32 read;

    cluster.count = 0;
    if (!file_claim(object, index, &cluster))
        return OBJECT_PAGE_NO_MEMORY;
    if (prefetch)
        file_claim_neighbours(object, index, &cluster, prefetch);
    read = file_read(object, index, &cluster);
    if (prefetch && read > 0)
        prefetch->read = read - 1;
    for (u32 i = read; i < cluster.count; i++)
        if (!cluster.frames[i]->orphan)
            file_drop(object, index + i);
    *result = cluster.frames[0];
    if (!prefetch_end(&cluster))
        return read ? OBJECT_PAGE_SLEPT : OBJECT_PAGE_ERROR;
    return scheduler_switches == switches ? OBJECT_PAGE_READ : OBJECT_PAGE_SLEPT;
}

static enum object_result
file_page(struct object *object, u32 index, struct frame **frame, struct prefetch *prefetch)
{
    *frame = object->file.frames[index];
    if (!*frame)
        return file_page_in(object, index, frame, prefetch);
    if (!(*frame)->busy)
        return OBJECT_PAGE_HERE;
    evictable_wait(*frame);
    return OBJECT_PAGE_WAITED;
}

/* ---- Pages of an anonymous object -------------------------------------- */

/* Makes the amap reach over page index. */
static bool
anonymous_reach(struct object *object, u32 index)
{
    page_t first = {0}, end = {index + 1};

    if (object->amap)
        return amap_extend(object->amap, first, end);
    object->amap = amap_create(first, end);
    return object->amap != NULL;
}

/* A page of zeroes where there was none. */
static enum object_result
anonymous_fill(struct object *object, u32 index, struct frame **result)
{
    page_t page = {index};
    struct chunk *chunk;
    struct frame *frame;
    struct anon *anon;
    bool split;

    if (!anonymous_reach(object, index) || !(chunk = amap_own_chunk(object->amap, page, &split)))
        return OBJECT_PAGE_NO_MEMORY;
    frame = frame_allocate_zeroed(FRAME_ANONYMOUS);
    if (!frame)
        return OBJECT_PAGE_NO_MEMORY;
    anon = anon_create(frame);
    if (!anon) {
        frame_free(frame);
        return OBJECT_PAGE_NO_MEMORY;
    }
    amap_replace(chunk, page, anon);
    frame->dirty = true;
    *result = frame;
    return OBJECT_PAGE_CREATED;
}

/* Lets prefetch find the neighbours of page index, which may not reach so far. */
static void
anonymous_aim(const struct object *object, u32 index, struct prefetch *prefetch)
{
    u32 rest = (object->amap->count << CHUNK_SHIFT) - 1 - index;

    prefetch->amap = object->amap;
    prefetch->page = (page_t){index};
    prefetch->pages = prefetch->pages < rest ? prefetch->pages : rest;
}

static enum object_result
anonymous_page(struct object *object, u32 index, bool create, struct frame **frame, struct prefetch *prefetch)
{
    struct anon *anon = object_anon(object, index);

    if (!anon)
        return create ? anonymous_fill(object, index, frame) : OBJECT_PAGE_NONE;
    if (prefetch)
        anonymous_aim(object, index, prefetch);
    switch (pagein_anon(anon, prefetch)) {
    case PAGEIN_HERE:
        *frame = anon->frame;
        return OBJECT_PAGE_HERE;
    case PAGEIN_READ:
        *frame = anon->frame;
        return OBJECT_PAGE_READ;
    case PAGEIN_SLEPT:
        return OBJECT_PAGE_SLEPT;
    case PAGEIN_WAITED:
        return OBJECT_PAGE_WAITED;
    case PAGEIN_ERROR:
        return OBJECT_PAGE_ERROR;
    case PAGEIN_NO_MEMORY:
        break;
    }
    return OBJECT_PAGE_NO_MEMORY;
}

enum object_result
object_page(struct object *object, u32 index, bool create, struct frame **frame, struct prefetch *prefetch)
{
    assert(object->kind != OBJECT_ZERO && object_contains(object, index));
    if (object->kind == OBJECT_FILE)
        return file_page(object, index, frame, prefetch);
    return anonymous_page(object, index, create, frame, prefetch);
}

u32
object_pages(const struct object *object)
{
    u32 resident = 0, swapped = 0;

    if (object->kind == OBJECT_FILE)
        return object->file.frame_count;
    if (object->kind == OBJECT_ANONYMOUS && object->amap)
        amap_count(object->amap, (page_t){0}, (page_t){object->amap->count << CHUNK_SHIFT}, &resident, &swapped);
    return resident + swapped;
}

/* ---- Size -------------------------------------------------------------- */

/* Takes the frames of [first, ...) out of every address space, before they go. */
static void
anonymous_unmap(struct object *object, u32 first)
{
    u32 end = object->amap->count << CHUNK_SHIFT;

    for (u32 index = first; index < end; index++) {
        struct chunk *chunk = amap_chunk(object->amap, (page_t){index});
        struct anon *anon;

        if (!chunk) {
            index |= CHUNK_PAGES - 1;
            continue;
        }
        anon = chunk->anons[index % CHUNK_PAGES];
        if (anon && anon->frame)
            pmap_frame_remove(anon->frame);
    }
}

/* Clears what lies behind the new end in the last page, so that growing again
 * shows zeroes. May sleep. */
static int
anonymous_clear_tail(struct object *object, u64 bytes)
{
    u32 index = (u32)(bytes >> PAGE_SHIFT), offset = (u32)bytes & PAGE_MASK;
    enum object_result result;
    struct frame *frame;

    if (offset == 0)
        return 0;
    do {
        result = anonymous_page(object, index, false, &frame, NULL);
    } while (result == OBJECT_PAGE_SLEPT || result == OBJECT_PAGE_WAITED);
    if (result == OBJECT_PAGE_NONE)
        return 0;
    if (result != OBJECT_PAGE_HERE && result != OBJECT_PAGE_READ)
        return result == OBJECT_PAGE_NO_MEMORY ? -ENOMEM : -EIO;
    memset((char *)frame_data(frame) + offset, 0, PAGE_SIZE - offset);
    frame->dirty = true;
    return 0;
}

int
object_resize(struct object *object, u64 bytes)
{
    u32 pages = bytes_to_pages(bytes);
    int error;

    if (object->kind != OBJECT_ANONYMOUS)
        return -EINVAL;
    if (bytes >= object->bytes || !object->amap) {
        object->bytes = bytes;
        return 0;
    }
    error = anonymous_clear_tail(object, bytes);
    if (error)
        return error;
    if (pages >> CHUNK_SHIFT < object->amap->count) {
        page_t end = {object->amap->count << CHUNK_SHIFT};
        bool removed;

        anonymous_unmap(object, pages);
        removed = amap_remove(object->amap, (page_t){pages}, end);
        assert(removed);        /* an object's chunks are never shared */
    }
    object->bytes = bytes;
    return 0;
}
