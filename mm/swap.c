/*
 * The swap area: slots on a block device, and the bitmap that says which are
 * taken.
 *
 * The search for a free slot goes on where the last one ended: pages that are
 * evicted one after the other get neighbouring slots.
 */
#include "mm/swap.h"

#include "kernel/assert.h"
#include "kernel/lib/bitmap.h"
#include "mm/counters.h"
#include "mm/kmem.h"

static struct block_device *area;
static u32 *taken;          /* a bit for each slot */
static u32 slots;           /* on the device, slot 0 included */
u32 swap_slots;
static u32 free_slots;
static u32 next_slot;       /* the search begins here */

bool
swap_start(struct block_device *device)
{
    u32 pages = (u32)(device->bytes >> PAGE_SHIFT);

    if (pages < 2 || !(taken = kmem_allocate_zeroed(BITMAP_WORDS(pages) * sizeof(u32))))
        return false;
    area = device;
    slots = pages;
    swap_slots = free_slots = pages - 1;
    next_slot = 1;
    bitmap_set(taken, 0);
    /* Bits beyond the last slot are taken for good. */
    for (u32 slot = pages; slot < BITMAP_WORDS(pages) * BITMAP_WORD_BITS; slot++)
        bitmap_set(taken, slot);
    return true;
}

swap_slot_t
swap_allocate(void)
{
    u32 word = next_slot / BITMAP_WORD_BITS, available, slot;

    if (free_slots == 0)
        return SWAP_SLOT_NONE;
    available = ~taken[word] & ~0u << (next_slot % BITMAP_WORD_BITS);
    while (!available) {
        word = (word + 1) * BITMAP_WORD_BITS < slots ? word + 1 : 0;
        available = ~taken[word];
    }
    slot = word * BITMAP_WORD_BITS + (u32)__builtin_ctz(available);
    bitmap_set(taken, slot);
    free_slots--;
    next_slot = slot + 1 < slots ? slot + 1 : 1;
    return (swap_slot_t){slot};
}

bool
swap_is_taken(swap_slot_t slot)
{
    return slot.number > 0 && slot.number < slots && bitmap_test(taken, slot.number);
}

void
swap_free(swap_slot_t slot)
{
    assert(swap_is_taken(slot));
    bitmap_clear(taken, slot.number);
    free_slots++;
}

u32
swap_read(swap_slot_t first, struct cluster *cluster)
{
    u32 read;

    for (u32 i = 0; i < cluster->count; i++)
        assert(swap_is_taken((swap_slot_t){first.number + i}));
    read = cluster_read(cluster, area, (u64)first.number << PAGE_SHIFT, cluster->count << PAGE_SHIFT);
    counters.pswpin += read;
    return read;
}

int
swap_write(swap_slot_t slot, const struct frame *frame)
{
    int error;

    assert(swap_is_taken(slot));
    error = block_write(area, (u64)slot.number << PAGE_SHIFT, frame_data(frame), PAGE_SIZE);
    counters.pswpout += error == 0;
    return error;
}

int
swap_write_cluster(swap_slot_t first, const struct cluster *cluster)
{
    int error;

    for (u32 i = 0; i < cluster->count; i++)
        assert(swap_is_taken((swap_slot_t){first.number + i}));
    error = cluster_write(cluster, area, (u64)first.number << PAGE_SHIFT);
    if (!error)
        counters.pswpout += cluster->count;
    return error;
}

u32
swap_free_count(void)
{
    return free_slots;
}

const char *
swap_device_name(void)
{
    return area ? area->name : NULL;
}
