/*
 * Objects: where the pages of a region come from. Pages on a device are the business
 * of object_file.c; here are those that are anons, and what concerns both.
 *
 * Invariants: anons lie in the amap at page numbers that are indexes, and none at an
 * index that is on the device. The contents beyond an object's size within its last
 * page are zero, unless a mapping has written there.
 */
#include "mm/object.h"

#include <asm/errno.h>

#include "kernel/assert.h"
#include "kernel/lib/string.h"
#include "mm/kmem.h"
#include "mm/object_file.h"
#include "mm/pagein.h"
#include "mm/pmap.h"

static struct kmem_cache object_cache = KMEM_CACHE("object", sizeof(struct object), 8);
static struct object zero_object = {.kind = OBJECT_ZERO, .references = 1};
struct frame *object_zero_frame;
struct object_list object_all = LIST_HEAD_INITIALIZER(object_all);

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

static struct object *
object_create(enum object_kind kind, u64 bytes)
{
    struct object *object = kmem_cache_allocate_zeroed(&object_cache);

    if (!object)
        return NULL;
    object->kind = kind;
    object->references = 1;
    object->bytes = bytes;
    LIST_INSERT_HEAD(&object_all, object, link);
    return object;
}

struct object *
object_anonymous_create(u64 bytes)
{
    return object_create(OBJECT_ANONYMOUS, bytes);
}

struct object *
object_file_create(struct block_device *device, u64 position, u64 bytes)
{
    struct object *object = object_create(OBJECT_FILE, bytes);

    if (object && !file_start(object, device, position)) {
        object_release(object);
        return NULL;
    }
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

/* ---- Pages that are anons ---------------------------------------------- */

/* No page from here on is an anon. */
static u32
anonymous_end(const struct object *object)
{
    return object->amap ? object->amap->count << CHUNK_SHIFT : 0;
}

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

    if (object->budget && object->budget->used >= object->budget->limit)
        return OBJECT_PAGE_NO_ROOM;
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
    object->anonymous_pages++;
    if (object->budget)
        object->budget->used++;
    *result = frame;
    return OBJECT_PAGE_CREATED;
}

/* Lets prefetch find the neighbours of page index, which may not reach so far. */
static void
anonymous_aim(const struct object *object, u32 index, struct prefetch *prefetch)
{
    u32 rest = anonymous_end(object) - 1 - index;

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
    if (object_is_on_device(object, index))
        return file_page(object, index, frame, prefetch);
    return anonymous_page(object, index, create, frame, prefetch);
}

u32
object_pages(const struct object *object)
{
    return object->file.frame_count + object->anonymous_pages;
}

u32
object_find_page(const struct object *object, u32 index, u32 end)
{
    u32 reach = anonymous_end(object);

    if (object_is_on_device(object, index))
        return index;
    for (; index < reach && index < end; index++) {
        if (!amap_chunk(object->amap, (page_t){index}))
            index |= CHUNK_PAGES - 1;
        else if (object_anon(object, index))
            return index;
    }
    return end;
}

u32
object_find_hole(const struct object *object, u32 index, u32 end)
{
    if (object_is_on_device(object, index))
        index = object->file.frame_count;
    while (index < end && object_anon(object, index))
        index++;
    return index < end ? index : end;
}

/* ---- Writing back ------------------------------------------------------ */

void
object_write_back_all(void)
{
    struct object *object = LIST_FIRST(&object_all), *next;

    if (object)
        object_hold(object);
    for (; object; object = next) {
        object_write_back(object, 0, UINT32_MAX);
        next = LIST_NEXT(object, link);
        if (next)
            object_hold(next);          /* so that it outlives the sleep within its own writing */
        object_release(object);
    }
}

/* ---- Size -------------------------------------------------------------- */

/* Takes the frames of [first, end) out of every address space, before they go. */
static void
anonymous_unmap(struct object *object, u32 first, u32 end)
{
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
anonymous_clear_tail(struct object *object, u32 index, u32 offset)
{
    enum object_result result;
    struct frame *frame;
    u32 turns = 0;

    do {
        result = anonymous_page(object, index, false, &frame, NULL);
    } while (object_page_again(&result, &turns));
    if (result == OBJECT_PAGE_NONE)
        return 0;
    if (result != OBJECT_PAGE_HERE && result != OBJECT_PAGE_READ)
        return result == OBJECT_PAGE_NO_MEMORY ? -ENOMEM : -EIO;
    memset((char *)frame_data(frame) + offset, 0, PAGE_SIZE - offset);
    frame->dirty = true;
    return 0;
}

/* So many anons count no longer. */
static void
anonymous_uncharge(struct object *object, u32 count)
{
    object->anonymous_pages -= count;
    if (object->budget)
        object->budget->used -= count;
}

/* The anons in [first, end) go. */
static void
anonymous_cut(struct object *object, u32 first, u32 end)
{
    u32 reach = anonymous_end(object), resident = 0, swapped = 0;
    bool removed;

    end = end < reach ? end : reach;
    if (first >= end)
        return;
    anonymous_unmap(object, first, end);
    amap_count(object->amap, (page_t){first}, (page_t){end}, &resident, &swapped);
    anonymous_uncharge(object, resident + swapped);
    removed = amap_remove(object->amap, (page_t){first}, (page_t){end});
    assert(removed);        /* an object's chunks are never shared */
}

void
object_punch(struct object *object, u32 first, u32 end)
{
    assert(first >= object->file.frame_count);
    anonymous_cut(object, first, end);
}

static int
object_shrink(struct object *object, u64 bytes)
{
    u32 index = (u32)(bytes >> PAGE_SHIFT), offset = (u32)bytes & PAGE_MASK;
    int error = 0;

    if (offset && object_is_on_device(object, index))
        file_clear_tail(object, index, offset);
    else if (offset && object->amap)
        error = anonymous_clear_tail(object, index, offset);
    if (error)
        return error;
    file_cut(object, bytes);
    anonymous_cut(object, object_page_count(bytes), UINT32_MAX);
    object->bytes = bytes;
    return 0;
}

/* Makes an anon of the last page of a file that has room for a part of it only. */
static int
object_move_tail(struct object *object)
{
    u32 index = object->file.frame_count - 1;
    struct frame *frame, *copy;
    enum object_result result;
    u32 turns = 0;

    do {
        result = file_page(object, index, &frame, NULL);
    } while (object_page_again(&result, &turns));
    if (result == OBJECT_PAGE_ERROR)
        return -EIO;
    if (result == OBJECT_PAGE_NO_MEMORY || anonymous_fill(object, index, &copy) != OBJECT_PAGE_CREATED)
        return -ENOMEM;
    memcpy(frame_data(copy), frame_data(frame), (u32)object->file.bytes & PAGE_MASK);
    file_cut(object, (u64)index << PAGE_SHIFT);
    return 0;
}

static int
object_grow(struct object *object, u64 bytes)
{
    int error = object->file.bytes & PAGE_MASK ? object_move_tail(object) : 0;

    if (!error)
        object->bytes = bytes;
    return error;
}

int
object_resize(struct object *object, u64 bytes)
{
    if (object->kind == OBJECT_ZERO)
        return -EINVAL;
    return bytes > object->bytes ? object_grow(object, bytes) : object_shrink(object, bytes);
}

/* ---- The end ----------------------------------------------------------- */

void
object_release(struct object *object)
{
    assert(object->references > 0);
    if (--object->references > 0 || object->kind == OBJECT_ZERO)
        return;
    LIST_REMOVE(object, link);
    file_end(object);
    if (object->amap) {
        anonymous_uncharge(object, object->anonymous_pages);
        amap_destroy(object->amap);
    }
    kmem_free(object->name);
    kmem_cache_free(&object_cache, object);
}
