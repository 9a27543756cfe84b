/*
 * The pages of an object that have their place on a block device.
 *
 *     frames   [ a |   | b | c ]          memory: read on demand, dirty once written to
 *     device   [ A | B | C | D ]          position + index * 4096, at any alignment
 *
 * Invariants: frames[i], if not NULL, is a frame of state FRAME_OBJECT with the object
 * as its owner and i as its index. The room is not longer than the object, and ends
 * within a page only where the object ends too. A page is read as far as there is room
 * and filled with zeroes, and written as far as there is room: what a mapping has
 * written beyond the end reaches nobody.
 */
#include "mm/object_file.h"

#include "kernel/assert.h"
#include "kernel/lib/string.h"
#include "kernel/scheduler.h"
#include "mm/evictable.h"
#include "mm/kmem.h"
#include "mm/pmap.h"

bool
file_start(struct object *object, struct block_device *device, u64 position)
{
    u32 pages = object_page_count(object->bytes);
    struct frame **frames = kmem_allocate_zeroed(pages * sizeof(*frames));

    if (!frames)
        return false;
    object->file.device = device;
    object->file.position = position;
    object->file.bytes = object->bytes;
    object->file.frames = frames;
    object->file.frame_count = pages;
    return true;
}

/* Gives up the page in memory. */
static void
file_drop(struct object *object, u32 index)
{
    struct frame *frame = object->file.frames[index];

    object->file.frames[index] = NULL;
    object->file.resident--;
    pmap_frame_remove(frame);
    evictable_disown(frame);
}

/* Gives up every page in memory from index first on. */
static void
file_drop_from(struct object *object, u32 first)
{
    for (u32 i = first; i < object->file.frame_count && object->file.resident > 0; i++)
        if (object->file.frames[i])
            file_drop(object, i);
}

void
file_end(struct object *object)
{
    file_drop_from(object, 0);
    kmem_free(object->file.frames);
}

void
object_forget(struct frame *frame)
{
    struct object *object = frame->owner;

    assert(frame->state == FRAME_OBJECT && object->file.frames[frame->index] == frame && !frame->dirty);
    file_drop(object, frame->index);
}

/* Bytes of the device behind count pages from index on. */
static u32
file_bytes(const struct object *object, u32 index, u32 count)
{
    u64 rest = object->file.bytes - ((u64)index << PAGE_SHIFT);

    return rest < (u64)count << PAGE_SHIFT ? (u32)rest : count << PAGE_SHIFT;
}

static u64
file_position(const struct object *object, u32 index)
{
    return object->file.position + ((u64)index << PAGE_SHIFT);
}

/* ---- Reading ----------------------------------------------------------- */

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

        if (!object_is_on_device(object, next) || object->file.frames[next] || !file_claim(object, next, cluster))
            return;
    }
}

/* Reads pages from index on into the cluster's frames; zeroes behind the end of the room. */
static u32
file_read(struct object *object, u32 index, struct cluster *cluster)
{
    return cluster_read(cluster, object->file.device, file_position(object, index),
                        file_bytes(object, index, cluster->count));
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

enum object_result
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

/* ---- Writing ----------------------------------------------------------- */

/* Begins to be busy, and writes the page to its place. Returns 0 or the device's error;
 * then it is dirty. */
static int
file_write(struct object *object, struct frame *frame, u32 index)
{
    int error;

    evictable_begin(frame);
    error = block_write(object->file.device, file_position(object, index), frame_data(frame),
                        file_bytes(object, index, 1));
    if (error)
        frame->dirty = true;
    else
        counters.file_write_back++;
    return error;
}

bool
object_write_out(struct frame *frame)
{
    struct object *object = frame->owner;
    u32 index = frame->index;
    int error;

    assert(!frame->first.pmap);
    error = file_write(object, frame, index);
    if (!evictable_end_leaving(frame))
        return true;            /* the page went meanwhile, and the frame with it */
    if (error) {
        evictable_insert(frame);
        return false;
    }
    file_drop(object, index);
    return true;
}

/* The frame of a page that is in memory, once no transfer is under way; or NULL. */
static struct frame *
file_settled(struct object *object, u32 index)
{
    struct frame *frame;

    while (object_is_on_device(object, index) && (frame = object->file.frames[index])) {
        if (!frame->busy)
            return frame;
        evictable_wait(frame);
    }
    return NULL;
}

int
object_write_back(struct object *object, u32 first, u32 end)
{
    int result = 0, error;

    for (u32 index = first; index < end && object_is_on_device(object, index); index++) {
        struct frame *frame = file_settled(object, index);

        if (!frame || !pmap_frame_test_dirty(frame))
            continue;
        error = file_write(object, frame, index);
        evictable_end(frame);
        result = result ? result : error;
    }
    return result;
}

/* ---- Size -------------------------------------------------------------- */

void
file_clear_tail(struct object *object, u32 index, u32 offset)
{
    struct frame *frame = file_settled(object, index);

    if (frame)
        memset((char *)frame_data(frame) + offset, 0, PAGE_SIZE - offset);
}

void
file_cut(struct object *object, u64 bytes)
{
    u32 pages = object_page_count(bytes);

    if (bytes >= object->file.bytes)
        return;
    file_drop_from(object, pages);
    object->file.bytes = bytes;
    object->file.frame_count = pages;
}
