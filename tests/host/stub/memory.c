/*
 * Kernel memory on the host's own allocator, so that the sanitizers see every object: used after it was freed, overrun, leaked.
 * And a block device in memory.
 */
#include <stdlib.h>
#include <string.h>

#include <asm/errno.h>
#include <sanitizer/lsan_interface.h>

#include "drivers/block.h"
#include "kernel/scheduler.h"
#include "mm/frame.h"
#include "mm/kmem.h"
#include "mm/kmem_cache.h"
#include "tests/host/host.h"

#define RUBBISH 0xB7

u32 host_allocations_left = HOST_UNLIMITED;
u32 host_objects;

bool
host_may_allocate(void)
{
    if (host_allocations_left == HOST_UNLIMITED)
        return true;
    if (host_allocations_left == 0)
        return false;
    host_allocations_left--;
    return true;
}

/* ---- Slab caches ------------------------------------------------------- */

/* failslab= is never on here: host_allocations_left is how allocations fail. */
void
kmem_cache_count_all(void)
{
}

/* What the processor reads must have a physical address: these objects get a frame each. */
static bool
has_physical_address(const struct kmem_cache *cache)
{
    return strcmp(cache->name, "pae_root") == 0;
}

void *
kmem_cache_allocate(struct kmem_cache *cache)
{
    void *object = NULL;

    if (!host_may_allocate())
        return NULL;
    if (has_physical_address(cache)) {
        struct frame *frame = frame_allocate(FRAME_KERNEL);

        object = frame ? frame_data(frame) : NULL;
    } else {
        object = malloc(cache->object_bytes);
        memset(object, RUBBISH, cache->object_bytes);
    }
    cache->objects += object != NULL;
    host_objects += object != NULL;
    return object;
}

void *
kmem_cache_allocate_zeroed(struct kmem_cache *cache)
{
    void *object = kmem_cache_allocate(cache);

    if (object)
        memset(object, 0, cache->object_bytes);
    return object;
}

void
kmem_cache_free(struct kmem_cache *cache, void *object)
{
    check(cache->objects > 0);
    cache->objects--;
    host_objects--;
    if (has_physical_address(cache))
        frame_free(frame_descriptor(frame_of_address(object)));
    else
        free(object);
}

const char *
kmem_cache_check(void)
{
    return NULL;
}

/* ---- Any size ---------------------------------------------------------- */

void *
kmem_allocate(usize bytes)
{
    void *memory;

    if (!host_may_allocate())
        return NULL;
    memory = malloc(bytes);
    memset(memory, RUBBISH, bytes);
    host_objects++;
    return memory;
}

void *
kmem_allocate_zeroed(usize bytes)
{
    void *memory = kmem_allocate(bytes);

    if (memory)
        memset(memory, 0, bytes);
    return memory;
}

void
kmem_free(void *memory)
{
    host_objects -= memory != NULL;
    free(memory);
}

/* ---- A device ---------------------------------------------------------- */

struct host_device {
    struct block_device device;
    char *memory;
};

void (*host_before_transfer)(void);
bool host_device_fails;

static void
device_wait(void)
{
    void (*hook)(void) = host_before_transfer;

    if (!hook)
        return;
    scheduler_switches++;
    hook();
}

static int
device_read(struct block_device *device, u64 position, const struct block_piece *pieces, u32 count)
{
    const char *memory = container_of(device, struct host_device, device)->memory + position;

    device_wait();
    if (host_device_fails)
        return -EIO;
    for (u32 i = 0; i < count; i++) {
        memcpy(pieces[i].buffer, memory, pieces[i].bytes);
        memory += pieces[i].bytes;
    }
    return 0;
}

static int
device_write(struct block_device *device, u64 position, const struct block_piece *pieces, u32 count)
{
    char *memory = container_of(device, struct host_device, device)->memory + position;

    device_wait();
    if (host_device_fails)
        return -EIO;
    for (u32 i = 0; i < count; i++) {
        memcpy(memory, pieces[i].buffer, pieces[i].bytes);
        memory += pieces[i].bytes;
    }
    return 0;
}

struct block_device *
host_device_create(u64 bytes)
{
    static const struct block_operations operations = {device_read, device_write};
    struct host_device *device = calloc(1, sizeof(*device));

    device->memory = malloc(bytes);
    device->device = (struct block_device){.name = "disk", .bytes = bytes, .operations = &operations};
    __lsan_ignore_object(device);       /* it stays for good */
    return &device->device;
}
