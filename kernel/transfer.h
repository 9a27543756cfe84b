/*
 * One read or write: the memory that bytes go to or come from, and how far they have come.
 *
 * Memory is a list of segments (one for read and write, several for readv and writev), all of them the
 * user's or all of them the kernel's. So whatever can be read (file, pipe, terminal, /proc) is written once and
 * serves every call, and the in-kernel tests too.
 */
#pragma once

#include "kernel/types.h"
#include <linux/uio.h>

struct transfer {
    u32 user;                   /* user address where the current segment goes on; 0 where kernel is set */
    u8 *kernel;                 /* kernel address likewise, NULL for user memory */
    u32 bytes;                  /* bytes left in the current segment */
    u32 remaining;              /* bytes left in all segments together */
    const struct iovec *next;   /* segments after the current one (user addresses) */
    u32 segments;               /* how many */
};

/* The memory of one segment. Nothing is checked yet: a bad address shows when it is touched. */
struct transfer transfer_user(u32 address, u32 bytes);
struct transfer transfer_kernel(void *address, u32 bytes);

/* Several segments of user memory; `segments` stays the caller's until the transfer is over. */
struct transfer transfer_segments(const struct iovec *segments, u32 count);

/*
 * Copies up to `bytes` between `data` and the transfer's memory and moves on behind them. Returns how many were
 * copied: fewer than min(bytes, remaining) only where user memory could not be reached. May sleep (a page may come
 * in).
 */
u32 transfer_out(struct transfer *transfer, const void *data, u32 bytes);
u32 transfer_in(struct transfer *transfer, void *data, u32 bytes);

/* Writes zeroes as transfer_out writes data. */
u32 transfer_out_zeroes(struct transfer *transfer, u32 bytes);

/* Moves on by `bytes`, which must not be more than the current segment has, without copying. */
void transfer_skip(struct transfer *transfer, u32 bytes);
