/*
 * Pipes: bytes, PIPE_BYTES at most unless F_SETPIPE_SZ says otherwise, on their way from writers to readers, who may
 * be any number.
 */
#pragma once

#include "kernel/types.h"
#include "kernel/file.h"
#include "kernel/mutex.h"
#include "kernel/pipe_ring.h"
#include "kernel/wait.h"

#define PIPE_BYTES (PIPE_RING_SLOTS * PAGE_SIZE)
#define PIPE_LARGEST_BYTES (1u << 20)      /* unless root asks: /proc/sys/fs/pipe-max-size on Linux */

/* Only pipe.c and splice.c look inside. */
struct pipe {
    struct mutex busy;                 /* held by whoever reads or writes the ring */
    u32 readers, writers;              /* files that have it open */
    u32 reader_opens, writer_opens;    /* ever: what an open of the other side waits to see grow */
    struct wait_queue queue;           /* sleep until there is something to read or room, or nobody on the other side */
    struct pipe_ring ring;
};

/*
 * A new pipe: ends[0] reads, ends[1] writes, each with one reference. flags may have O_NONBLOCK.
 * 0, -ENOMEM, or -ENFILE where memory is so short that pipes must not take more. Never sleeps.
 */
int pipe_create(u32 flags, struct file *ends[2]);

/*
 * Opens a FIFO inode; waits for the other side unless O_NONBLOCK. For inode operations. 0, -EINVAL,
 * -ENXIO, -ENFILE, -ERESTARTSYS.
 */
int pipe_open(struct inode *inode, struct file *file);

/* ---- For vmsplice, splice and tee ---- */

/* The pipe of an open file, NULL where that is no pipe. */
struct pipe *pipe_of(const struct file *file);

/* Reads, and sends by vmsplice: bytes or -errno. With at_once they answer -EAGAIN rather than wait. May sleep. */
s32 pipe_receive(struct pipe *pipe, struct transfer *transfer, bool at_once);
s32 pipe_lend(struct pipe *pipe, struct transfer *transfer, bool at_once);

/*
 * For the holder of pipe->busy, which is given up meanwhile: waits until there is something to read or no writer
 * left; until a slot is free. 0, -EAGAIN, -ERESTARTSYS, and -EPIPE from the second where there is no reader.
 */
int pipe_wait_bytes(struct pipe *pipe, bool at_once);
int pipe_wait_slot(struct pipe *pipe, bool at_once);

/* SIGPIPE, for the current thread. */
void pipe_signal_broken(void);

/* What the pipe holds, in bytes; set: rounded up to a power of two of pages, -EBUSY, -EPERM, -EINVAL, -ENOMEM. */
s32 pipe_size(const struct pipe *pipe);
s32 pipe_set_size(struct pipe *pipe, u32 bytes);
