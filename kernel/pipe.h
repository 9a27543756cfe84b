/*
 * Pipes: PIPE_BYTES of bytes on their way from writers to readers, who may be any number.
 */
#pragma once

#include "kernel/types.h"
#include "kernel/file.h"

#define PIPE_BYTES 65536u

/*
 * A new pipe: ends[0] reads, ends[1] writes, each with one reference. flags may have O_NONBLOCK.
 * 0, -ENOMEM, or -ENFILE where memory is so short that pipes must not take more. Never sleeps.
 */
int pipe_create(u32 flags, struct file *ends[2]);

/*
 * Opens a FIFO inode; waits for the other side unless O_NONBLOCK. For inode operations. 0, -ENXIO, -ENFILE,
 * -ERESTARTSYS.
 */
int pipe_open(struct inode *inode, struct file *file);

/* Bytes that wait in a FIFO inode, for fstat and FIONREAD. */
u32 pipe_bytes(const struct inode *inode);
