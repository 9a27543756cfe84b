/*
 * Physical page frames: the descriptor array, the free list and the zero pool.
 *
 * The free list is a stack, so the frame freed last is used next: on a real
 * machine it is likely to be in the cache still. The zero pool is a list of the same
 * kind. Invariant: frame_free_frames is the length of both together,
 * frame_zeroed_frames that of the zero pool, and counts[] agrees with the states.
 */
#include "mm/frame.h"

#include "kernel/assert.h"
#include "kernel/lib/string.h"
#include "mm/counters.h"

/* The zero pool may take this part of memory: one frame in so many. */
#define ZERO_POOL_DIVISOR 16u

struct frame *frame_table;
u32 frame_limit;
u32 frame_free_frames;
u32 frame_zeroed_frames;

static u32 free_head;       /* frame number, 0 when the list is empty */
static u32 zero_pool_head;  /* likewise */
static u32 counts[FRAME_OBJECT + 1];

usize
frame_storage_bytes(u32 limit)
{
    return limit * sizeof(struct frame);
}

void
frame_start(void *storage, u32 limit)
{
    frame_table = storage;
    frame_limit = limit;
    counts[FRAME_ABSENT] = limit;
}

/* A free frame's descriptor is all zero but for state and link, so that taking it
 * has little to set; and but for needed, which whoever counted there counts down. */
static inline void
frame_push(struct frame *frame)
{
    counts[frame->state]--;
    counts[FRAME_FREE]++;
    if (frame->state == FRAME_TABLE)
        frame->table = (struct table_use){0};
    frame->state = FRAME_FREE;
    if (frame->unsettled) {
        counters.prefetch_useless += frame->prefetched;
        frame->unsettled = 0;
    }
    frame->dirty = frame->referenced = false;
    frame->owner = NULL;
    frame->index = free_head;
    free_head = frame_number(frame).number;
    frame_free_frames++;
}

void
frame_add(struct frame_range range)
{
    /* Backwards, so that low frames are given out first. */
    for (u32 i = range.frames; i-- > 0;) {
        struct frame *frame = frame_descriptor((frame_t){range.start.number + i});

        assert(frame->state == FRAME_ABSENT && frame != frame_table);
        frame_push(frame);
    }
}

/* The first frame of a list that is not empty. */
static inline struct frame *
list_take(u32 *head, enum frame_state state)
{
    struct frame *frame = frame_descriptor((frame_t){*head});

    assert(frame->state == FRAME_FREE);
    *head = frame->index;
    frame_free_frames--;
    counts[FRAME_FREE]--;
    counts[state]++;
    frame->state = (u8)state;
    frame->index = 0;
    return frame;
}

static struct frame *
zero_pool_take(enum frame_state state)
{
    if (zero_pool_head == 0)
        return NULL;
    frame_zeroed_frames--;
    return list_take(&zero_pool_head, state);
}

struct frame *
frame_allocate(enum frame_state state)
{
    return free_head ? list_take(&free_head, state) : zero_pool_take(state);
}

struct frame *
frame_allocate_zeroed(enum frame_state state)
{
    struct frame *frame = zero_pool_take(state);

    if (frame) {
        counters.zero_pool_hit++;
        return frame;
    }
    frame = frame_allocate(state);
    if (frame) {
        counters.zero_pool_miss++;
        frame_clear(frame);
    }
    return frame;
}

bool
frame_fill_zero_pool(void)
{
    u32 number = free_head;
    struct frame *frame = frame_descriptor((frame_t){number});

    if (number == 0 || frame_zeroed_frames >= frame_total() / ZERO_POOL_DIVISOR)
        return false;
    frame_clear(frame);
    free_head = frame->index;
    frame->index = zero_pool_head;
    zero_pool_head = number;
    frame_zeroed_frames++;
    return true;
}

void
frame_free(struct frame *frame)
{
    assert(frame->state > FRAME_FREE);
    assert(frame->pins == 0 && !frame->busy && !frame->evictable);
    assert(frame->state == FRAME_TABLE || frame->first.pmap == NULL);
    frame_push(frame);
}

/* Takes those of frames [start, start + count) that are in a list out of it, in one
 * pass. Returns how many they were. */
static u32
list_unlink_range(u32 *link, u32 start, u32 count)
{
    u32 found = 0;

    while (*link != 0) {
        struct frame *frame = frame_descriptor((frame_t){*link});

        if (*link - start >= count) {
            link = &frame->index;
            continue;
        }
        *link = frame->index;
        *frame = (struct frame){.state = FRAME_KERNEL};
        found++;
    }
    return found;
}

static void
frame_unlink_range(u32 start, u32 count)
{
    list_unlink_range(&free_head, start, count);
    frame_zeroed_frames -= list_unlink_range(&zero_pool_head, start, count);
    frame_free_frames -= count;
    counts[FRAME_FREE] -= count;
    counts[FRAME_KERNEL] += count;
}

frame_t
frame_take_range(u32 count)
{
    u32 run = 0;

    /* From the top, away from what the kernel uses first. */
    for (u32 number = frame_limit; number-- > 1;) {
        run = frame_table[number].state == FRAME_FREE ? run + 1 : 0;
        if (run == count) {
            frame_unlink_range(number, count);
            return (frame_t){number};
        }
    }
    return FRAME_NONE;
}

void
frame_clear(struct frame *frame)
{
    memset(frame_data(frame), 0, PAGE_SIZE);
}

void
frame_copy(struct frame *to, const struct frame *from)
{
    memcpy(frame_data(to), frame_data(from), PAGE_SIZE);
}

u32
frame_count(enum frame_state state)
{
    return counts[state];
}

u32
frame_total(void)
{
    return frame_limit - counts[FRAME_ABSENT];
}
