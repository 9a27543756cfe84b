/*
 * A disk in memory, with a disk's time if asked for.
 *
 * With a latency, a transfer takes its turn by moving busy_until: it begins when the one before it is over, and its
 * caller sleeps until its own end. Before there are threads nobody can sleep, and transfers are immediate.
 *
 *     time ------------------------------------------->
 *     caller 1  |asks====transfer====|
 *     caller 2      |asks  (queued)  |====transfer====|
 */
#include "drivers/ramdisk.h"

#include "drivers/timer.h"
#include "kernel/assert.h"
#include "kernel/command_line.h"
#include "kernel/lib/string.h"
#include "kernel/wait.h"
#include "kernel/x86/cpu.h"
#include "mm/kmem.h"
#include "mm/units.h"

#define LATENCY_MAX 10000000 /* ten seconds */

static u32 latency;
BOOT_NUMBER(ramdisk.latency, latency, 0, LATENCY_MAX, "microseconds that a transfer from or to a ramdisk takes");

struct ramdisk {
    struct block_device device;
    u8 *memory;
    u64 busy_until; /* timer_nanoseconds() at which the last queued transfer is over */
    struct wait_queue sleepers; /* never woken: each sleeps until its own deadline */
};

/* Queues behind the transfers that were asked for before, and waits until one of ours is over. */
static void
transfer_wait(struct ramdisk *disk)
{
    u64 now, deadline;

    if (latency == 0 || cpu()->thread == NULL)
        return;
    now = timer_nanoseconds();
    deadline = (disk->busy_until > now ? disk->busy_until : now) + (u64)latency * NANOSECONDS_PER_MICROSECOND;
    disk->busy_until = deadline;
    while (timer_nanoseconds() < deadline)
        wait_uninterruptible_timeout(&disk->sleepers, deadline);
}

static int
ramdisk_read(struct block_device *device, u64 position, const struct block_piece *pieces, u32 count)
{
    struct ramdisk *disk = container_of(device, struct ramdisk, device);

    transfer_wait(disk);
    for (u32 i = 0; i < count; i++) {
        memcpy(pieces[i].buffer, disk->memory + position, pieces[i].bytes);
        position += pieces[i].bytes;
    }
    return 0;
}

static int
ramdisk_write(struct block_device *device, u64 position, const struct block_piece *pieces, u32 count)
{
    struct ramdisk *disk = container_of(device, struct ramdisk, device);

    transfer_wait(disk);
    for (u32 i = 0; i < count; i++) {
        memcpy(disk->memory + position, pieces[i].buffer, pieces[i].bytes);
        position += pieces[i].bytes;
    }
    return 0;
}

static const struct block_operations ramdisk_operations = {.read = ramdisk_read, .write = ramdisk_write};

struct block_device *
ramdisk_create(const char *name, u32 physical_start, u32 bytes)
{
    struct ramdisk *disk = kmem_allocate_zeroed(sizeof(*disk));

    assert(physical_start <= DIRECT_MAP_BYTES && bytes <= DIRECT_MAP_BYTES - physical_start);
    if (!disk)
        return NULL;
    disk->memory = (u8 *)direct_map + physical_start;
    disk->device = (struct block_device){.name = name, .bytes = bytes, .operations = &ramdisk_operations};
    return &disk->device;
}

void
ramdisk_destroy(struct block_device *device)
{
    kmem_free(container_of(device, struct ramdisk, device));
}
