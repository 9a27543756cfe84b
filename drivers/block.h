/*
 * Block devices: bytes at positions, behind one interface. A transfer may sleep. Memory and devices that are slow look
 * alike to the caller.
 */
#pragma once

#include "kernel/types.h"

struct block_device;

/* A piece of memory that part of a transfer fills, or empties. */
struct block_piece {
    void *buffer;
    usize bytes;
};

/* What a driver provides: both get a range within the device, and return 0 or a negative errno. */
struct block_operations {
    /* One transfer, whose bytes go to one piece after the other, or come from them. */
    int (*read)(struct block_device *device, u64 position, const struct block_piece *pieces, u32 count);
    int (*write)(struct block_device *device, u64 position, const struct block_piece *pieces, u32 count);
};

struct block_device {
    const char *name;
    u64 bytes;                                 /* size */
    u64 transfers_read, transfers_written;     /* counted by block_read and block_write */
    u64 bytes_read, bytes_written;
    const struct block_operations *operations; /* the driver's */
};

/*
 * Reads `bytes` from `position` into kernel memory. Any alignment. 0, or -EIO if the range is not within the device.
 * May sleep.
 */
int block_read(struct block_device *device, u64 position, void *buffer, usize bytes);

/* The same into pieces of memory that lie anywhere, together one range of the device: one transfer and one latency. */
int block_read_pieces(struct block_device *device, u64 position, const struct block_piece *pieces, u32 count);

/* The same from memory to the device. */
int block_write(struct block_device *device, u64 position, const void *buffer, usize bytes);
int block_write_pieces(struct block_device *device, u64 position, const struct block_piece *pieces, u32 count);
