/*
 * Moving bytes between objects, address spaces and buffers.
 *
 * Objects are read and written through the direct map, a page at a time, with the
 * page's frame pinned: the user's side of the copy may fault, sleep and evict.
 */
#include "mm/transfer.h"

#include <asm/errno.h>

#include "kernel/lib/string.h"
#include "mm/evictable.h"
#include "mm/fault.h"
#include "mm/reclaim.h"
#include "mm/user.h"

/* The other end of a transfer. */
struct end {
    u32 user_address;       /* used if memory is NULL */
    char *memory;
};

/* Copies to or from the end; bytes done. */
static u32
end_copy(struct end *end, void *data, u32 bytes, bool write)
{
    u32 done = bytes;

    if (end->memory) {
        memcpy(write ? data : end->memory, write ? end->memory : data, bytes);
        end->memory += bytes;
        return bytes;
    }
    done = write ? user_copy_in_partial(data, end->user_address, bytes)
                 : user_copy_out_partial(end->user_address, data, bytes);
    end->user_address += done;
    return done;
}

/* The pinned frame of an object's page; for a hole that is only read, the frame
 * of zeroes. */
static int
object_pin_page(struct object *object, u32 index, bool create, struct frame **frame)
{
    enum object_result result;
    u32 turns = 0;

    do {
        /* A page that is here needs no room; making some could take that very page, again and again. */
        if (!object_resident(object, index) && reclaim_ensure(OBJECT_PAGE_FRAMES) < 0)
            return -ENOMEM;
        if (!object_contains(object, index))
            return -EIO;            /* truncated while this slept */
        result = object_page(object, index, create, frame, NULL);
    } while (object_page_again(&result, &turns));
    switch (result) {
    case OBJECT_PAGE_NONE:
        *frame = object_zero_frame;
        break;
    case OBJECT_PAGE_ERROR:
        return -EIO;
    case OBJECT_PAGE_NO_MEMORY:
        return -ENOMEM;
    case OBJECT_PAGE_NO_ROOM:
        return -ENOSPC;
    default:
        prefetch_use(*frame);
    }
    evictable_pin(*frame);
    return 0;
}

static int
object_transfer(struct object *object, u64 offset, struct end *end, u32 bytes, bool write)
{
    u32 done = 0;

    if (offset >= object->bytes)
        return 0;
    if (bytes > object->bytes - offset)
        bytes = (u32)(object->bytes - offset);
    while (done < bytes) {
        u64 position = offset + done;
        u32 within = (u32)position & PAGE_MASK, piece = PAGE_SIZE - within, copied;
        struct frame *frame;
        int error;

        piece = piece < bytes - done ? piece : bytes - done;
        error = object_pin_page(object, (u32)(position >> PAGE_SHIFT), write, &frame);
        if (error)
            return done ? (int)done : error;
        copied = end_copy(end, (char *)frame_data(frame) + within, piece, write);
        frame->dirty |= write;
        evictable_unpin(frame);
        done += copied;
        if (copied < piece)
            return done ? (int)done : -EFAULT;
    }
    return (int)done;
}

int
object_read_user(struct object *object, u64 offset, u32 user_address, u32 bytes)
{
    struct end end = {.user_address = user_address};

    return object_transfer(object, offset, &end, bytes, false);
}

int
object_write_user(struct object *object, u64 offset, u32 user_address, u32 bytes)
{
    struct end end = {.user_address = user_address};

    return object_transfer(object, offset, &end, bytes, true);
}

int
object_read_kernel(struct object *object, u64 offset, void *buffer, u32 bytes)
{
    struct end end = {.memory = buffer};

    return object_transfer(object, offset, &end, bytes, false);
}

int
object_write_kernel(struct object *object, u64 offset, const void *buffer, u32 bytes)
{
    struct end end = {.memory = (char *)buffer};

    return object_transfer(object, offset, &end, bytes, true);
}

int
object_populate(struct object *object, u32 first, u32 end)
{
    struct frame *frame;

    for (u32 index = first; index < end; index++) {
        int error = object_pin_page(object, index, true, &frame);

        if (error)
            return error;
        evictable_unpin(frame);
    }
    return 0;
}

/* Clears a part of a page that the object has. */
static int
object_clear_within(struct object *object, u64 offset, u32 bytes)
{
    struct frame *frame;
    int error = object_pin_page(object, (u32)(offset >> PAGE_SHIFT), false, &frame);

    if (error)
        return error;
    memset((char *)frame_data(frame) + (offset & PAGE_MASK), 0, bytes);
    frame->dirty = true;
    evictable_unpin(frame);
    return 0;
}

int
object_clear(struct object *object, u64 offset, u64 bytes)
{
    u64 room = (u64)object_page_count(object->bytes) << PAGE_SHIFT;
    u64 end = offset + bytes < room ? offset + bytes : room;
    u32 index = (u32)(offset >> PAGE_SHIFT), last = object_page_count(end);
    int error = 0;

    if (offset >= end)
        return 0;
    for (; !error && (index = object_find_page(object, index, last)) < last; index++) {
        u64 start = (u64)index << PAGE_SHIFT, stop = start + PAGE_SIZE;

        start = start > offset ? start : offset;
        stop = stop < end ? stop : end;
        if (stop - start == PAGE_SIZE && !object_is_on_device(object, index))
            object_punch(object, index, index + 1);
        else
            error = object_clear_within(object, start, (u32)(stop - start));
    }
    return error;
}

/* ---- Address spaces ---------------------------------------------------- */

/* The frame behind address, faulted in as often as it takes; NULL if refused. */
static struct frame *
aspace_touch(struct aspace *aspace, u32 address, u32 access)
{
    struct fault_verdict verdict;
    u32 rights;

    for (;;) {
        struct frame *frame = pmap_lookup(&aspace->pmap, page_of(address), &rights);

        if (frame && (access == FAULT_READ || rights & PMAP_WRITE))
            return frame;
        if (fault_resolve(aspace, address, access, &verdict) < 0)
            return NULL;
    }
}

static int
aspace_transfer(struct aspace *aspace, u32 address, char *memory, usize bytes, u32 access)
{
    if (!user_range_ok(address, bytes))
        return -EFAULT;
    while (bytes > 0) {
        u32 within = address & PAGE_MASK;
        usize piece = PAGE_SIZE - within < bytes ? PAGE_SIZE - within : bytes;
        struct frame *frame = aspace_touch(aspace, address, access);

        if (!frame)
            return -EFAULT;
        if (access == FAULT_WRITE) {
            memcpy((char *)frame_data(frame) + within, memory, piece);
            frame->dirty = true;
        } else {
            memcpy(memory, (char *)frame_data(frame) + within, piece);
        }
        address += piece;
        memory += piece;
        bytes -= piece;
    }
    return 0;
}

int
aspace_write(struct aspace *aspace, u32 address, const void *data, usize bytes)
{
    return aspace_transfer(aspace, address, (char *)data, bytes, FAULT_WRITE);
}

int
aspace_read(struct aspace *aspace, u32 address, void *data, usize bytes)
{
    return aspace_transfer(aspace, address, data, bytes, FAULT_READ);
}
