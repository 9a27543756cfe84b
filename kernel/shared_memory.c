/*
 * Memory that processes share by a number or by a descriptor: an anonymous object in both cases, whose pages are
 * swapped like others.
 *
 *     key ──► segment (id) ──► object ◄── region of each process that has it attached
 *
 * A segment is removed when IPC_RMID has been said and its last region has gone: the object's references say how
 * many there are, and segments are looked through whenever one may have gone (shared_memory_reap).
 */
#include "kernel/shared_memory.h"

#include "kernel/file.h"
#include "kernel/ipc.h"
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"
#include "kernel/process.h"
#include "kernel/ramfs.h"
#include "kernel/syscall_file.h"
#include "kernel/time.h"
#include "kernel/x86/cpu.h"
#include "mm/frame.h"
#include "mm/kmem.h"
#include "mm/mmap.h"
#include "mm/object.h"
#include "mm/swap.h"
#include "mm/user.h"

#include <asm/errno.h>
#include <asm/shmbuf.h>
#include <linux/fcntl.h>
#include <linux/ipc.h>
#include <linux/limits.h>
#include <linux/memfd.h>
#include <linux/mman.h>
#include <linux/stat.h>

/* <linux/shm.h> cannot be included without a C library. */
#define SHMMAX (UINT32_MAX - (1u << 24))    /* bytes */
#define SHM_HUGETLB 04000u
#define SHM_RDONLY 010000u
#define SHM_RND    020000u
#define SHM_REMAP  040000u
#define SHM_EXEC   0100000u
#define SHM_LOCK   11
#define SHM_UNLOCK 12
#define SHM_STAT   13
#define SHM_INFO   14
#define SHM_DEST   01000u      /* in the mode: the segment goes with its last attachment */

struct shm_info {
    s32 used_ids;
    u32 shm_tot, shm_rss, shm_swp;      /* pages: of all segments, those in memory, those swapped */
    u32 swap_attempts, swap_successes;  /* nothing since Linux 2.4 */
};

#define SEGMENT_NAME_BYTES 32u

struct segment {
    struct ipc_object ipc;      /* first */
    bool removed;               /* IPC_RMID has been said */
    struct object *object;      /* held */
    struct shmid64_ds status;   /* all but shm_nattch and shm_perm */
};

static struct ipc_table segments;

/* ---- Segments ---- */

static u32
segment_attached(const struct segment *segment)
{
    return segment->object->references - 1;
}

static void
segment_free(struct segment *segment)
{
    ipc_remove(&segment->ipc);
    object_release(segment->object);
    kmem_free(segment);
}

void
shared_memory_reap(void)
{
    struct ipc_object *object = LIST_FIRST(&segments.objects), *next;

    for (; object != NULL; object = next) {
        struct segment *segment = (struct segment *)object;

        next = LIST_NEXT(object, link);
        if (segment->removed && segment_attached(segment) == 0)
            segment_free(segment);
    }
}

static struct segment *
segment_find(s32 id)
{
    return (struct segment *)ipc_find(&segments, id);
}

static void
segment_fill(struct segment *segment, __kernel_key_t key, u32 bytes)
{
    struct shmid64_ds *status = &segment->status;
    char name[SEGMENT_NAME_BYTES];

    status->shm_segsz = bytes;
    status->shm_cpid = (s32)current_process()->id;
    status->shm_ctime = time_seconds();
    format(name, sizeof(name), "/SYSV%08x (deleted)", (u32)key);
    object_set_name(segment->object, name, (u32)segment->ipc.id);
}

static s32
segment_create(__kernel_key_t key, u32 bytes, u32 flags)
{
    struct segment *segment;

    if (bytes == 0 || bytes > SHMMAX)
        return -EINVAL;
    /* There are no huge pages. */
    if (flags & SHM_HUGETLB || pages_for(bytes) > frame_total() + swap_total())
        return -ENOMEM;
    segment = kmem_allocate_zeroed(sizeof(*segment));
    if (segment == NULL)
        return -ENOMEM;
    segment->object = object_anonymous_create(bytes);
    if (segment->object == NULL) {
        kmem_free(segment);
        return -ENOMEM;
    }
    ipc_add(&segments, &segment->ipc, key, flags);
    segment_fill(segment, key, bytes);
    return segment->ipc.id;
}

s32
sys_shmget(s32 key, u32 bytes, u32 flags)
{
    struct ipc_object *object;
    int error;

    shared_memory_reap();
    error = ipc_find_key(&segments, key, flags, &object);
    if (error < 0)
        return error;
    if (object == NULL)
        return segment_create(key, bytes, flags);
    if (bytes > ((struct segment *)object)->status.shm_segsz)
        return -EINVAL;
    return ipc_permits_get(object, flags) ? object->id : -EACCES;
}

/* ---- Attaching ---- */

/* Where to attach, from the call's address and flags: 0 or -EINVAL. */
static int
segment_place(u32 address, u32 flags, struct mmap_request *request)
{
    if (address == 0)
        return flags & SHM_REMAP ? -EINVAL : 0;
    if (flags & SHM_RND)
        address &= ~(u32)PAGE_MASK;
    if (address & PAGE_MASK || (!(flags & SHM_REMAP) && request->bytes >= 0 - address))
        return -EINVAL;
    request->address = address;
    request->flags |= flags & SHM_REMAP ? MAP_FIXED : MAP_FIXED_NOREPLACE;
    return 0;
}

static s32
segment_attach(struct segment *segment, u32 address, u32 flags)
{
    u32 protection = PROT_READ | (flags & SHM_RDONLY ? 0 : PROT_WRITE) | (flags & SHM_EXEC ? PROT_EXEC : 0);
    struct mmap_request request = {
        .bytes = segment->status.shm_segsz,
        .protection = protection,
        .maximum = protection | PROT_EXEC,
        .flags = MAP_SHARED,
        .object = segment->object,
    };
    int error = segment_place(address, flags, &request);

    if (error == 0)
        error = mmap_map(cpu()->aspace, &request);
    if (error < 0)
        return error == -EEXIST ? -EINVAL : error;
    segment->status.shm_atime = time_seconds();
    segment->status.shm_lpid = (s32)current_process()->id;
    return (s32)request.address;
}

s32
sys_shmat(s32 id, u32 address, u32 flags)
{
    u32 wanted = flags & SHM_RDONLY ? PERMISSION_READ : PERMISSION_READ | PERMISSION_WRITE;
    struct segment *segment;

    shared_memory_reap();
    segment = segment_find(id);
    if (segment == NULL)
        return -EINVAL;
    if (!ipc_permits(&segment->ipc, wanted))
        return -EACCES;
    return segment_attach(segment, address, flags);
}

static struct segment *
segment_of(const struct object *object)
{
    struct ipc_object *segment;

    LIST_FOREACH(segment, &segments.objects, link) {
        if (((struct segment *)segment)->object == object)
            return (struct segment *)segment;
    }
    return NULL;
}

/*
 * The next part, from page on, of what was attached at the address, since the program may have unmapped some of it: a
 * part lies as far from there as it does within its segment. NULL: there is none.
 */
static struct region *
segment_find_part(u32 address, page_t page)
{
    struct region *region = region_find_from(&cpu()->aspace->regions, page);

    while (region != NULL && (region->start.number - page_of(address).number != region->object_page
                              || segment_of(region->object) == NULL))
        region = region_next(region);
    return region;
}

s32
sys_shmdt(u32 address)
{
    struct region *region = segment_find_part(address, page_of(address));
    struct segment *segment = region == NULL ? NULL : segment_of(region->object);

    if (segment == NULL || address & PAGE_MASK)
        return -EINVAL;
    while (region != NULL && segment_of(region->object) == segment) {
        page_t start = region->start, end = region->end;
        int error = mmap_unmap(cpu()->aspace, page_address(start), (end.number - start.number) << PAGE_SHIFT);

        if (error < 0)
            return error;
        region = segment_find_part(address, end);
    }
    segment->status.shm_dtime = time_seconds();
    segment->status.shm_lpid = (s32)current_process()->id;
    shared_memory_reap();
    return 0;
}

/* ---- Control ---- */

static s32
segment_status(const struct ipc_object *object, u32 address)
{
    const struct segment *segment = (const struct segment *)object;
    struct shmid64_ds status = segment->status;

    if (!ipc_permits(&segment->ipc, PERMISSION_READ))
        return -EACCES;
    status.shm_nattch = segment_attached(segment);
    status.shm_perm = segment->ipc.permission;
    status.shm_perm.mode |= segment->removed ? SHM_DEST : 0;
    return user_copy_out(address, &status, sizeof(status));
}

static s32
segment_change(struct segment *segment, u32 address)
{
    struct shmid64_ds status;
    int error;

    if (user_copy_in(&status, address, sizeof(status)) < 0)
        return -EFAULT;
    error = ipc_change(&segment->ipc, &status.shm_perm);
    if (error == 0)
        segment->status.shm_ctime = time_seconds();
    return error;
}

/* IPC_INFO: what the limits are. It returns the last place, as SHM_INFO does. */
static s32
segments_limits(u32 address)
{
    struct shminfo64 limits = {.shmmax = SHMMAX, .shmmin = 1, .shmmni = INT32_MAX, .shmseg = INT32_MAX, .shmall = SHMMAX};

    return user_copy_out(address, &limits, sizeof(limits)) < 0 ? -EFAULT : ipc_last(&segments);
}

/* SHM_INFO: what there is. */
static s32
segments_info(u32 address)
{
    struct shm_info info = {.used_ids = (s32)ipc_count(&segments)};
    const struct ipc_object *object;

    LIST_FOREACH(object, &segments.objects, link) {
        const struct segment *segment = (const struct segment *)object;

        info.shm_tot += pages_for((u32)segment->object->bytes);
        object_count_anons(segment->object, &info.shm_rss, &info.shm_swp);
    }
    return user_copy_out(address, &info, sizeof(info)) < 0 ? -EFAULT : ipc_last(&segments);
}

s32
sys_shmctl(s32 id, u32 command, u32 address)
{
    struct segment *segment;

    shared_memory_reap();
    segment = segment_find(id);
    command &= ~(u32)IPC_64;
    if (command == IPC_INFO)
        return segments_limits(address);
    if (command == SHM_INFO)
        return segments_info(address);
    if (command == SHM_STAT)
        return ipc_status_at(&segments, id, address, segment_status);
    if (segment == NULL)
        return -EINVAL;
    switch (command) {
    case IPC_STAT:
        return segment_status(&segment->ipc, address);
    case IPC_SET:
        return segment_change(segment, address);
    case IPC_RMID:
        if (!ipc_is_own(&segment->ipc))
            return -EPERM;
        segment->removed = true;
        segment->ipc.permission.key = IPC_PRIVATE;
        shared_memory_reap();
        return 0;
    case SHM_LOCK:
    case SHM_UNLOCK:
        return ipc_is_own(&segment->ipc) ? 0 : -EPERM;
    default:
        return -EINVAL;
    }
}

/* ---- memfd_create ---- */

static s32
memory_file_open(const char *name, u32 flags)
{
    struct inode *inode;
    struct file *file;
    s32 result = ramfs_create_unnamed(name, &inode);

    if (result < 0)
        return result;
    if (flags & MFD_ALLOW_SEALING)
        inode->seals = 0;
    result = file_open_inode(inode, O_RDWR, &file);
    inode_release(inode);
    return result < 0 ? result : descriptor_install(file, 0, flags & MFD_CLOEXEC);
}

/* Linux: "memfd:" and the name fit into NAME_MAX bytes. */
#define MEMORY_FILE_NAME_BYTES (NAME_MAX - 6 + 1)

s32
sys_memfd_create(u32 name_address, u32 flags)
{
    static const char prefix[] = "/memfd:", suffix[] = " (deleted)";
    char *name;
    s32 result;

    if (flags & ~(u32)(MFD_CLOEXEC | MFD_ALLOW_SEALING))
        return -EINVAL;
    name = kmem_allocate(sizeof(prefix) + MEMORY_FILE_NAME_BYTES + sizeof(suffix));
    if (name == NULL)
        return -ENOMEM;
    memcpy(name, prefix, sizeof(prefix));
    result = user_copy_string(name + strlen(prefix), name_address, MEMORY_FILE_NAME_BYTES);
    if (result >= 0) {
        memcpy(name + strlen(name), suffix, sizeof(suffix));
        result = memory_file_open(name, flags);
    } else if (result == -ENAMETOOLONG) {
        result = -EINVAL;
    }
    kmem_free(name);
    return result;
}
