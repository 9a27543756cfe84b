/*
 * Objects: where the pages of a region come from.
 *
 *   zero        plain anonymous memory: every page is the one shared frame of
 *               zeroes, until a write makes an anon of it
 *   file        pages have their place on a block device: they are read when
 *               first touched, stay in memory until evicted, and go back to their
 *               place if they were written to
 *   anonymous   shared memory and files in memory: its pages are anons in an
 *               amap of its own, so that they can be swapped
 *
 * A file has room on its device for as much as it was long at first, less what it
 * was cut by since. What it grows beyond that are anons, as in an anonymous object:
 *
 *     page          0      1      2      3      4      5
 *     file      [  on the device      |pt]
 *     grown     [  on the device   ][  anons               ]
 *
 * The last page, with room for a part of it only, becomes an anon when the file grows.
 *
 * Counted references: from regions, inodes, and whoever holds one.
 */
#pragma once

#include <bsd/sys/queue.h>

#include "drivers/block.h"
#include "drivers/timer.h"
#include "kernel/types.h"
#include "mm/amap.h"
#include "mm/frame.h"
#include "mm/pagein.h"
#include "mm/prefetch.h"

enum object_kind { OBJECT_ZERO, OBJECT_FILE, OBJECT_ANONYMOUS };

/* Pages that several objects may have together: a tmpfs's, whose size= this is. */
struct object_budget {
    u32 used;               /* anons of these objects; object.c only */
    u32 limit;              /* so many may be used; its owner's */
};

struct object {
    enum object_kind kind;
    u32 references;
    u64 bytes;                          /* pages beyond raise SIGBUS; the zero object has no end */
    u32 writable_regions;               /* regions through which memory may be written to it; region.c only */
    char *name;                         /* for /proc/PID/maps; may be NULL; owned */
    u32 inode_number;                   /* likewise */
    u64 written;                        /* timer_tick_nanoseconds() when it was last written to through a mapping;
                                         * 0: not since its owner looked */
    LIST_ENTRY(object) link;            /* all objects but the zero object, for check */
    struct {                            /* OBJECT_FILE; object.c and object_file.c only */
        struct block_device *device;
        u64 position;                   /* of the first byte on the device */
        u64 bytes;                      /* room there */
        struct frame **frames;          /* by page index; NULL: not in memory */
        u32 frame_count;                /* pages that have their place on the device */
        u32 resident;                   /* of these, in memory */
    } file;
    struct amap *amap;                  /* the pages that are anons, page index as page number; NULL: none */
    u32 anonymous_pages;                /* how many these are; object.c only */
    struct object_budget *budget;       /* what these count against, or NULL; set by its owner before there are any */
};

LIST_HEAD(object_list, object);
extern struct object_list object_all;

/* A page of it is being written to through a mapping. */
static inline void
object_written(struct object *object, struct frame *frame)
{
    frame->dirty = true;
    object->written = timer_tick_nanoseconds();
}

/* Adds its pages that are anons to *resident, if in memory, or to *swapped. Linear in them. */
static inline void
object_count_anons(const struct object *object, u32 *resident, u32 *swapped)
{
    if (object->amap)
        amap_count(object->amap, (page_t){0}, (page_t){object->amap->count << CHUNK_SHIFT}, resident, swapped);
}

/* Sets up the zero object. Once, at boot. */
void object_start(void);

/* The one zero object; hold and release are needless but harmless. */
struct object *object_zero(void);

/* The shared frame of zeroes: pinned, and outside the reverse map. */
extern struct frame *object_zero_frame;

/* Pages are bytes [position, position + bytes) of device, which belong to this object
 * alone: it writes there. NULL if no memory. */
struct object *object_file_create(struct block_device *device, u64 position, u64 bytes);

/* All zero at first. NULL if no memory. */
struct object *object_anonymous_create(u64 bytes);

/* The name and inode number that /proc/PID/maps shows; the name is copied.
 * -ENOMEM if there is no memory. */
int object_set_name(struct object *object, const char *name, u32 inode_number);

void object_hold(struct object *object);

/* With the last reference all pages go. */
void object_release(struct object *object);

/* Changes the size. Shrinking unmaps and frees the pages beyond and clears the rest
 * of the last one; a file gives up its room beyond. The caller sees to it that nobody
 * writes or resizes meanwhile. 0, -ENOMEM or -EIO with nothing changed, or -EINVAL
 * for the zero object. May sleep. */
int object_resize(struct object *object, u64 bytes);

/* How object_page ended. */
enum object_result {
    OBJECT_PAGE_HERE,       /* *frame is it; nothing slept */
    OBJECT_PAGE_CREATED,    /* the same: a page of zeroes where there was none */
    OBJECT_PAGE_READ,       /* the same, and the device was read for it, without sleeping */
    OBJECT_PAGE_SLEPT,      /* read, but it took a sleep: look at everything again */
    OBJECT_PAGE_WAITED,     /* slept until somebody else's transfer was over: look again */
    OBJECT_PAGE_NONE,       /* a hole (create was false) */
    OBJECT_PAGE_ERROR,      /* the device failed */
    OBJECT_PAGE_NO_MEMORY,
    OBJECT_PAGE_NO_ROOM,    /* the budget is used up */
};

/* The frame of page index of a file or anonymous object, brought into memory if
 * need be. The index must be within the size. Among the anons, create makes a page
 * of zeroes where there is none. Takes frames, never evicts: ask
 * reclaim_ensure(OBJECT_PAGE_FRAMES) first. May sleep if the device has latency.
 * With prefetch (which may be NULL), pages that follow come with it in the same
 * transfer: those that the object has, up to the first that is in memory, as far as
 * frames are free. */
enum object_result object_page(struct object *object, u32 index, bool create, struct frame **frame,
                               struct prefetch *prefetch);
#define OBJECT_PAGE_FRAMES 4u

/* Whether to ask object_page again, since it slept; turns counts, from 0, up to
 * PAGEIN_PATIENCE. Then the result is OBJECT_PAGE_NO_MEMORY. */
static inline bool
object_page_again(enum object_result *result, u32 *turns)
{
    if (*result != OBJECT_PAGE_SLEPT && *result != OBJECT_PAGE_WAITED)
        return false;
    if (++*turns < PAGEIN_PATIENCE)
        return true;
    *result = OBJECT_PAGE_NO_MEMORY;
    return false;
}

/* reclaim: the page of this frame, which is clean, is dropped from its file. */
void object_forget(struct frame *frame);

/* reclaim: the same for a dirty one, in no page table any more, after writing it to its
 * place on the device. False, and it is still there and dirty, if the device failed.
 * May sleep. */
bool object_write_out(struct frame *frame);

/* Writes those of the pages [first, end) to their places on the device that are in
 * memory and dirty; they stay in memory, clean. 0, or -EIO: then those that could not
 * be written are still dirty. What is an anon stays where it is. The caller holds the
 * object. May sleep. */
int object_write_back(struct object *object, u32 first, u32 end);

/* The same for all pages of all files. */
void object_write_back_all(void);

/* Makes a hole of the pages [first, end), none of which may be on the device: they read
 * as zero from now on. Never sleeps. */
void object_punch(struct object *object, u32 first, u32 end);

/* The first page in [index, end) that the object really has, or that is a hole; end if
 * there is none. */
u32 object_find_page(const struct object *object, u32 index, u32 end);
u32 object_find_hole(const struct object *object, u32 index, u32 end);

/* Pages that the object really has: those with a place on the device, and the anons. */
u32 object_pages(const struct object *object);

/* Pages that so many bytes take. */
static inline u32
object_page_count(u64 bytes)
{
    return (u32)((bytes + PAGE_MASK) >> PAGE_SHIFT);
}

static inline bool
object_contains(const struct object *object, u32 index)
{
    return object->kind == OBJECT_ZERO || index < (object->bytes + PAGE_MASK) >> PAGE_SHIFT;
}

/* Whether the page has its place on a device; else it is an anon or a hole. */
static inline bool
object_is_on_device(const struct object *object, u32 index)
{
    return index < object->file.frame_count;
}

/* The anon of a page that is not on a device, or NULL. */
static inline struct anon *
object_anon(const struct object *object, u32 index)
{
    if (!object->amap || index >> CHUNK_SHIFT >= object->amap->count)
        return NULL;
    return amap_lookup(object->amap, (page_t){index});
}

/* The frame of a page that is in memory, or NULL. The frame may be busy. No page
 * beyond the object's end is in memory. */
static inline struct frame *
object_resident(const struct object *object, u32 index)
{
    struct anon *anon;

    if (object_is_on_device(object, index))
        return object->file.frames[index];
    anon = object_anon(object, index);
    return anon ? anon->frame : NULL;
}
