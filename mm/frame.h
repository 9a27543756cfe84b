/*
 * Physical page frames: one descriptor each, and a free list.
 *
 * A frame is free, or belongs to exactly one owner:
 *
 *   state             owner            index
 *   FRAME_KERNEL      -                -
 *   FRAME_TABLE       struct pmap      number of the first page it maps
 *   FRAME_ANONYMOUS   struct anon      -
 *   FRAME_OBJECT      struct object    page index in the object
 *
 * Some free frames, the zero pool, were cleared while the processor was idle. A
 * fault that needs zeroes takes one of these first; who needs any frame takes
 * them last.
 *
 * Two frames never share an owner and index. Allocating never evicts and never
 * sleeps: whoever needs frames asks mm/reclaim.h first.
 */
#pragma once

#include <bsd/sys/queue.h>

#include "kernel/types.h"
#include "mm/units.h"

struct pmap;

enum frame_state {
    FRAME_ABSENT,   /* no memory there, or the firmware's */
    FRAME_FREE,
    FRAME_KERNEL,
    FRAME_TABLE,
    FRAME_ANONYMOUS,
    FRAME_OBJECT,
};

/* One place where a frame is mapped: an element of the reverse map. */
struct mapping {
    struct pmap *pmap;      /* NULL: not mapped (only in a frame's first) */
    page_t page;
    struct mapping *next;
};

/* What the pmap layer remembers of a page table in its own frame's descriptor. */
struct table_use {
    u16 used;               /* entries in use */
    u16 low, high;          /* every entry in use lies in [low, high) */
    u8 level;               /* of the walk that reads this table; the root's is 0 */
    bool write_revoked;     /* its directory entry forbids writing (fork) */
    LIST_ENTRY(frame) link; /* the pmap's tables */
};

struct frame {
    u8 state;               /* enum frame_state; frame.c only */
    bool dirty;             /* differs from its copy in swap or file, as harvested so far */
    bool referenced;        /* used since the policy last asked, as harvested so far */
    bool evictable;         /* the policy knows it; reclaim only */
    union {
        struct {
            bool busy : 1;          /* being read or written by a device; waiters sleep in reclaim */
            bool prefetched : 1;    /* read in anticipation, and not used so far */
            bool orphan : 1;        /* its owner went while it was busy or pinned: freed when that is over */
        };
        u8 unsettled;       /* 0: none of these, so that a fault has one byte to look at */
    };
    u8 needed;              /* instructions under way that need what is in it: no victim meanwhile; frame_need_* only */
    u16 pins;               /* while not 0 it is not evicted */
    void *owner;
    u32 index;              /* see above; the next free frame when free */
    union {
        struct {                        /* ANONYMOUS, OBJECT */
            struct mapping first;       /* the reverse map; pmap.c only */
            struct frame *aside;        /* the next one that reclaim has set aside */
        };
        struct table_use table;         /* TABLE; pmap.c only */
    };
} __attribute__((aligned(32)));

/* So many can be counted at a time. One more is not, and must do without. */
#define FRAME_NEEDED_MAX UINT8_MAX

/* A range of physical memory. */
struct frame_range {
    frame_t start;
    u32 frames;
};

/* Lays the descriptors for frames [0, limit) at storage (frame_storage_bytes(limit)
 * bytes, zeroed); all are absent until frame_add. Boot only. */
void frame_start(void *storage, u32 limit);
usize frame_storage_bytes(u32 limit);

/* Gives a range to the free list. Boot only. */
void frame_add(struct frame_range range);

/* Takes count frames, contiguous, from the free ones: for the swap area's
 * ramdisk. Linear in memory. Boot only. FRAME_NONE if there is no such range. */
frame_t frame_take_range(u32 count);

/* One frame with no owner yet, contents undefined, not dirty, not mapped; NULL
 * when none is free. */
struct frame *frame_allocate(enum frame_state state);

/* The same, but filled with zeroes: one of the zero pool if there is one, else cleared now. */
struct frame *frame_allocate_zeroed(enum frame_state state);

/* Clears one free frame and puts it into the zero pool; false if that has enough, or
 * no other frame is free. For the idle thread: takes about as long as a fault. */
bool frame_fill_zero_pool(void);

/* The frame must not be mapped, pinned, busy or known to the policy. */
void frame_free(struct frame *frame);

extern struct frame *frame_table;
extern u32 frame_limit;         /* frames have numbers below this */
extern u32 frame_free_frames;   /* the zero pool's included; read by everybody, written by frame.c */
extern u32 frame_zeroed_frames; /* in the zero pool; written by frame.c */

static inline u32
frame_free_count(void)
{
    return frame_free_frames;
}

static inline struct frame *
frame_descriptor(frame_t frame)
{
    return &frame_table[frame.number];
}

static inline frame_t
frame_number(const struct frame *frame)
{
    return (frame_t){(u32)(frame - frame_table)};
}

/* One more instruction under way needs what is in the frame, a page of its own, while others
 * are brought in for it. It gives that up by frame_need_end, whoever has the frame by then.
 * False if too many need it already: then there is nothing to give up. */
static inline bool
frame_need_begin(struct frame *frame)
{
    if (frame->needed == FRAME_NEEDED_MAX)
        return false;
    frame->needed++;
    return true;
}

static inline void
frame_need_end(struct frame *frame)
{
    frame->needed--;
}

/* The kernel's view of the frame's bytes. */
static inline void *
frame_data(const struct frame *frame)
{
    return frame_address(frame_number(frame));
}

/* Fills or copies a whole frame, a word at a time. */
void frame_clear(struct frame *frame);
void frame_copy(struct frame *to, const struct frame *from);

/* Frames in each state, for /proc and check. */
u32 frame_count(enum frame_state state);
u32 frame_total(void);
