/*
 * Character devices by number.
 */
#include "kernel/device.h"

#include "kernel/entropy.h"
#include "kernel/panic.h"
#include "kernel/path.h"
#include "kernel/ramfs.h"
#include "kernel/signal.h"
#include "kernel/terminal.h"
#include "kernel/thread.h"

#include <asm/errno.h>
#include <linux/fcntl.h>
#include <linux/major.h>
#include <linux/stat.h>

/* ---- null, zero, full ---- */

static s32
null_read(struct file *file, struct transfer *transfer, u64 *offset)
{
    (void)file;
    (void)transfer;
    (void)offset;
    return 0;
}

static s32
null_write(struct file *file, struct transfer *transfer, u64 *offset)
{
    (void)file;
    (void)offset;
    return transfer->remaining;
}

#define DEVICE_PIECE_BYTES 65536u   /* made between two looks for signals */

/*
 * Reads from a device that never ends: piece by piece, so that a signal can end a long one. fill puts up to `bytes`
 * into the transfer and returns how many it could.
 */
static s32
device_read_endless(struct transfer *transfer, u32 (*fill)(struct transfer *transfer, u32 bytes))
{
    u32 wanted = transfer->remaining;

    while (transfer->remaining > 0) {
        u32 piece = transfer->remaining < DEVICE_PIECE_BYTES ? transfer->remaining : DEVICE_PIECE_BYTES;

        if (fill(transfer, piece) < piece || signal_pending(current_thread()))
            break;
    }
    return transfer->remaining == wanted && wanted > 0 ? -EFAULT : (s32)(wanted - transfer->remaining);
}

static s32
zero_read(struct file *file, struct transfer *transfer, u64 *offset)
{
    (void)file;
    (void)offset;
    return device_read_endless(transfer, transfer_out_zeroes);
}

static s32
full_write(struct file *file, struct transfer *transfer, u64 *offset)
{
    (void)file;
    (void)transfer;
    (void)offset;
    return -ENOSPC;
}

/* Seeking is allowed on these and leads nowhere. */
static u64
null_size(struct file *file)
{
    (void)file;
    return 0;
}

static int
zero_mmap_object(struct file *file, u32 protection, u32 flags, struct object **object)
{
    (void)file;
    (void)protection;
    (void)flags;
    *object = NULL;
    return 0;
}

static const struct file_operations null_operations = {
    .read = null_read, .write = null_write, .size = null_size, .splice_write = true,
};
static const struct file_operations zero_operations = {
    .read = zero_read, .write = null_write, .size = null_size, .mmap_object = zero_mmap_object,
};
static const struct file_operations full_operations = {.read = zero_read, .write = full_write, .size = null_size};

/* ---- Random ---- */

#define RANDOM_COPY_BYTES 64u       /* taken at a time: lies on the kernel stack */

static s32
random_read(struct file *file, struct transfer *transfer, u64 *offset)
{
    (void)file;
    (void)offset;
    return device_read_endless(transfer, entropy_transfer);
}

/* What is written would be mixed in; it is looked at. */
static s32
random_write(struct file *file, struct transfer *transfer, u64 *offset)
{
    u8 bytes[RANDOM_COPY_BYTES];
    u32 done = 0, copied;

    (void)file;
    (void)offset;
    while (transfer->remaining > 0) {
        copied = transfer_in(transfer, bytes, sizeof(bytes));
        if (copied == 0)
            return done > 0 ? (s32)done : -EFAULT;
        done += copied;
    }
    return (s32)done;
}

static const struct file_operations random_operations = {
    .read = random_read, .write = random_write, .size = null_size, .splice_read = true, .splice_write = true,
};

/* ---- The table ---- */

struct device {
    const char *name;     /* in /dev */
    u32 major, minor;     /* as on Linux */
    u32 mode;             /* permission bits */
    const struct file_operations *operations;
};

static const struct device devices[] = {
    {"null", MEM_MAJOR, 3, 0666, &null_operations},
    {"zero", MEM_MAJOR, 5, 0666, &zero_operations},
    {"full", MEM_MAJOR, 7, 0666, &full_operations},
    {"random", MEM_MAJOR, 8, 0666, &random_operations},
    {"urandom", MEM_MAJOR, 9, 0666, &random_operations},
    {"ttyS0", TTY_MAJOR, 64, 0620, &terminal_operations},
    {"ttyS1", TTY_MAJOR, 65, 0660, &terminal_operations},
    {"tty", TTYAUX_MAJOR, 0, 0666, &terminal_operations},
    {"console", TTYAUX_MAJOR, 1, 0600, &terminal_operations},
};

static const char *const device_links[][2] = {
    {"fd", "/proc/self/fd"},
    {"stdin", "/proc/self/fd/0"},
    {"stdout", "/proc/self/fd/1"},
    {"stderr", "/proc/self/fd/2"},
};

/* A device number as st_rdev and mknod have it: minor bits 0 to 7 and 20 up, major between. */
static u32
device_number(const struct device *device)
{
    return device->major << 8 | device->minor;
}

int
device_open(struct inode *inode, struct file *file)
{
    for (u32 i = 0; i < ARRAY_SIZE(devices); i++) {
        const struct device *device = &devices[i];

        if (device_number(device) != inode->device)
            continue;
        if (device->operations == &terminal_operations)
            return terminal_open(file, inode->device);
        file->operations = device->operations;
        return 0;
    }
    return -ENXIO;
}

/* ---- /dev ---- */

/* The tree is built at boot, when memory cannot be short for long. */
static void
device_must(int error, const char *name)
{
    if (error < 0)
        panic("cannot make /dev/%s: error %d", name, -error);
}

void
device_start(void)
{
    struct inode *directory, *inode;

    device_must(ramfs_create(path_root, "dev", S_IFDIR | 0755, 0, &directory), "");
    for (u32 i = 0; i < ARRAY_SIZE(devices); i++) {
        const struct device *device = &devices[i];

        device_must(ramfs_create(directory, device->name, S_IFCHR | device->mode, device_number(device), &inode),
                    device->name);
        inode_release(inode);
    }
    for (u32 i = 0; i < ARRAY_SIZE(device_links); i++) {
        device_must(ramfs_create_link(directory, device_links[i][0], device_links[i][1], &inode), device_links[i][0]);
        inode_release(inode);
    }
    inode_release(directory);
}
