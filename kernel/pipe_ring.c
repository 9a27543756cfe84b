/*
 * The ring of a pipe.
 */
#include "kernel/pipe_ring.h"

#include "kernel/lib/string.h"
#include "kernel/reserve.h"
#include "kernel/x86/cpu.h"
#include "mm/evictable.h"
#include "mm/failslab.h"
#include "mm/frame.h"
#include "mm/kmem.h"
#include "mm/move.h"

#include <asm/errno.h>

/* ---- Slots ---- */

static u32
ring_used(const struct pipe_ring *ring)
{
    return ring->put - ring->taken;
}

static u8 *
slot_data(const struct pipe_slot *slot)
{
    return frame_data(slot->frame);
}

/* Bytes that the last slot that is filled still takes. */
static u32
ring_tail_room(const struct pipe_ring *ring)
{
    const struct pipe_slot *last = &ring->slots[(ring->put - 1) & (ring->count - 1)];

    return ring->put == ring->taken || last->loan.anon != NULL ? 0 : PAGE_SIZE - last->end;
}

/* Free slots that have a frame already: what may still be filled when memory is short. */
static u32 __attribute__((noinline))
ring_reserved_slots(const struct pipe_ring *ring)
{
    u32 slots = 0;

    while (slots < ring->count - ring_used(ring)
           && ring->slots[(ring->put + slots) & (ring->count - 1)].frame != NULL)
        slots++;
    return slots;
}

static inline u32
ring_free_slots(const struct pipe_ring *ring)
{
    return reserve_is_reached() ? ring_reserved_slots(ring) : ring->count - ring_used(ring);
}

u32
pipe_ring_free_slots(const struct pipe_ring *ring)
{
    return ring_free_slots(ring);
}

/* Of a write of so many bytes, those that go into the last slot that is filled. */
static inline u32
ring_merge(const struct pipe_ring *ring, u32 bytes)
{
    u32 rest = bytes % PAGE_SIZE;

    return rest <= ring_tail_room(ring) ? rest : 0;
}

u32
pipe_ring_room(const struct pipe_ring *ring, u32 bytes)
{
    u32 slots = ring_free_slots(ring) * PAGE_SIZE, merged;

    if (bytes <= slots)
        return bytes;
    merged = ring_merge(ring, bytes);
    return bytes - merged < slots ? bytes : slots + merged;
}

static bool
slot_find_frame(struct pipe_slot *slot)
{
    if (slot->frame == NULL && !failslab_strikes())
        slot->frame = frame_allocate(FRAME_KERNEL);
    return slot->frame != NULL;
}

bool
pipe_ring_start(struct pipe_ring *ring)
{
    ring->slots = ring->initial;
    ring->count = PIPE_RING_SLOTS;
    return slot_find_frame(&ring->slots[0]);
}

void
pipe_ring_end(struct pipe_ring *ring)
{
    for (u32 i = 0; i < ring->count; i++) {
        struct pipe_slot *slot = &ring->slots[i];

        if (slot->loan.anon != NULL)
            move_drop(&slot->loan);
        if (slot->frame != NULL)
            frame_free(slot->frame);
    }
    if (ring->slots != ring->initial)
        kmem_free(ring->slots);
}

void
pipe_ring_filled(struct pipe_ring *ring, u32 start, u32 end)
{
    struct pipe_slot *slot = pipe_ring_next(ring);

    slot->start = start;
    slot->end = end;
    ring->bytes += end - start;
    ring->put++;
}

/*
 * Takes away the first bytes of the first slot. Small messages stay in the first page: an empty ring starts there
 * again.
 */
static inline void
ring_skip(struct pipe_ring *ring, struct pipe_slot *slot, u32 bytes)
{
    slot->start += bytes;
    ring->bytes -= bytes;
    if (slot->start < slot->end)
        return;
    if (slot->loan.anon != NULL)
        move_drop(&slot->loan);
    if (++ring->taken == ring->put)
        ring->taken = ring->put = 0;
}

void
pipe_ring_skip(struct pipe_ring *ring, u32 bytes)
{
    ring_skip(ring, pipe_ring_first(ring), bytes);
}

/* ---- Copying in ---- */

/* Counts the pages that one call has copied. */
static inline void
ring_count_copies(u32 bytes)
{
    if (bytes >= PAGE_SIZE && cpu()->aspace != NULL) {
        counters.pages_copied += bytes / PAGE_SIZE;
        cpu()->aspace->counters.pages_copied += bytes / PAGE_SIZE;
    }
}

/* Copies into a slot behind what it has; whether all came. */
static inline bool
slot_append(struct pipe_slot *slot, struct transfer *transfer, u32 bytes)
{
    if (transfer_in(transfer, slot_data(slot) + slot->end, bytes) < bytes)
        return false;
    slot->end += bytes;
    return true;
}

/* The next slot, empty and with a frame of its own; NULL if memory is short. */
static inline struct pipe_slot *
ring_begin_slot(struct pipe_ring *ring)
{
    struct pipe_slot *slot = pipe_ring_next(ring);

    if (!slot_find_frame(slot))
        return NULL;
    slot->start = slot->end = 0;
    return slot;
}

/* Fills new slots with bytes; how many, until memory runs out (then *error says so) or cannot be read. */
static inline u32
ring_fill_slots(struct pipe_ring *ring, struct transfer *transfer, u32 bytes, s32 *error)
{
    u32 done = 0;

    while (done < bytes) {
        u32 piece = bytes - done < PAGE_SIZE ? bytes - done : PAGE_SIZE;
        struct pipe_slot *slot = ring_begin_slot(ring);

        *error = slot == NULL ? -ENOMEM : -EFAULT;
        if (slot == NULL || !slot_append(slot, transfer, piece))
            break;
        ring->put++;
        done += piece;
    }
    return done;
}

s32
pipe_ring_write(struct pipe_ring *ring, struct transfer *transfer, u32 bytes)
{
    u32 done = ring_merge(ring, bytes);
    s32 error = 0;

    if (done > 0) {
        if (!slot_append(&ring->slots[(ring->put - 1) & (ring->count - 1)], transfer, done))
            return -EFAULT;
    }
    done += ring_fill_slots(ring, transfer, bytes - done, &error);
    ring->bytes += done;
    ring_count_copies(done);
    return done > 0 ? (s32)done : error;
}

/* ---- Copying and moving out ---- */

/* Copies from a lent page, which may have to come in first. */
static s32
loan_copy_out(struct pipe_slot *slot, struct transfer *transfer, u32 bytes)
{
    struct frame *frame;
    u32 copied;
    int error = move_pin(&slot->loan, &frame);

    if (error < 0)
        return error;
    copied = transfer_out(transfer, (u8 *)frame_data(frame) + slot->start, bytes);
    evictable_unpin(frame);
    return copied < bytes ? -EFAULT : (s32)bytes;
}

/* Whether the lent page fills a page of the reader's, and has been put there. */
static bool
loan_move(struct pipe_slot *slot, struct transfer *transfer, u32 bytes)
{
    if (bytes < PAGE_SIZE || transfer->kernel != NULL || transfer->bytes < PAGE_SIZE
        || transfer->user % PAGE_SIZE != 0 || !move_in(cpu()->aspace, transfer->user, &slot->loan))
        return false;
    transfer_skip(transfer, PAGE_SIZE);
    return true;
}

/* Bytes of a slot with a lent page that went to the transfer, or -errno. */
static s32 __attribute__((noinline))
loan_read(struct pipe_slot *slot, struct transfer *transfer, u32 bytes)
{
    s32 copied;

    if (loan_move(slot, transfer, bytes))
        return (s32)bytes;
    copied = loan_copy_out(slot, transfer, bytes);
    if (copied > 0)
        ring_count_copies(copied);
    return copied;
}

s32
pipe_ring_read(struct pipe_ring *ring, struct transfer *transfer)
{
    u32 wanted = transfer->remaining < ring->bytes ? transfer->remaining : ring->bytes;
    u32 done = 0, copied = 0;
    s32 error = 0;

    while (done < wanted) {
        struct pipe_slot *slot = pipe_ring_first(ring);
        u32 there = slot->end - slot->start, piece = there < wanted - done ? there : wanted - done;

        if (slot->loan.anon != NULL)
            error = loan_read(slot, transfer, piece);
        else if (transfer_out(transfer, slot_data(slot) + slot->start, piece) < piece)
            error = -EFAULT;
        else
            copied += piece;
        if (error < 0)
            break;
        ring_skip(ring, slot, piece);
        done += piece;
    }
    ring_count_copies(copied);
    return done > 0 ? (s32)done : error;
}

/* ---- Lending and sharing ---- */

s32
pipe_ring_lend(struct pipe_ring *ring, struct transfer *transfer)
{
    u32 start = transfer->user % PAGE_SIZE;
    u32 bytes = PAGE_SIZE - start < transfer->bytes ? PAGE_SIZE - start : transfer->bytes;

    if (!move_out(cpu()->aspace, transfer->user, &pipe_ring_next(ring)->loan))
        return pipe_ring_write(ring, transfer, bytes);
    pipe_ring_filled(ring, start, start + bytes);
    transfer_skip(transfer, bytes);
    return (s32)bytes;
}

s32
pipe_ring_share(struct pipe_ring *to, const struct pipe_slot *from, u32 bytes)
{
    struct pipe_slot *slot = pipe_ring_next(to);
    u32 there = from->end - from->start;

    bytes = bytes < there ? bytes : there;
    if (from->loan.anon != NULL) {
        anon_hold(from->loan.anon);
        anon_lend(&slot->loan, from->loan.anon);
        pipe_ring_filled(to, from->start, from->start + bytes);
        return (s32)bytes;
    }
    if (!slot_find_frame(slot))
        return -ENOMEM;
    memcpy(slot_data(slot), slot_data(from) + from->start, bytes);
    ring_count_copies(bytes);
    pipe_ring_filled(to, 0, bytes);
    return (s32)bytes;
}

/* ---- Size ---- */

/* Moves a slot's contents to another place; the loans' list has to follow. */
static void
slot_move(struct pipe_slot *to, struct pipe_slot *from)
{
    *to = (struct pipe_slot){.frame = from->frame, .start = from->start, .end = from->end};
    if (from->loan.anon != NULL)
        anon_lend(&to->loan, anon_take_back(&from->loan));
    from->frame = NULL;
}

int
pipe_ring_resize(struct pipe_ring *ring, u32 count)
{
    struct pipe_slot *slots, *old = ring->slots;
    u32 used = ring_used(ring);

    if (count < used)
        return -EBUSY;
    slots = kmem_allocate_zeroed(count * sizeof(*slots));
    if (slots == NULL)
        return -ENOMEM;
    for (u32 i = 0; i < ring->count; i++) {
        struct pipe_slot *from = &old[(ring->taken + i) & (ring->count - 1)];

        if (i < count)
            slot_move(&slots[i], from);
        else if (from->frame != NULL)
            frame_free(from->frame);
    }
    if (old != ring->initial)
        kmem_free(old);
    ring->slots = slots;
    ring->count = count;
    ring->taken = 0;
    ring->put = used;
    return 0;
}
