/*
 * Seals: what nobody may do any more to a file that several processes share, so that whoever is handed it can rely on
 * it (memfd_create, fcntl F_ADD_SEALS). A tmpfs file cannot be sealed unless it was made for that.
 */
#pragma once

#include "kernel/inode.h"

struct file;

/*
 * fcntl: adds seals. 0, -EPERM (not open for writing, or sealed against sealing), -EINVAL (unknown seals, or a file
 * that has none), -EBUSY (writing is to be forbidden, and somebody has it mapped for that).
 */
s32 seal_add(struct file *file, u32 seals);

/* The seals, or -EINVAL. */
s32 seal_get(const struct file *file);

/* Whether the file may get this size: 0 or -EPERM. */
int seal_check_size(const struct inode *inode, u64 bytes);

/* Whether bytes may be written at start, which cuts them where the file may not grow: 0 or -EPERM. */
int seal_check_write(const struct inode *inode, u64 start, u32 *bytes);

/* Whether nobody may write to the file, or begin to. */
bool seal_forbids_writing(const struct inode *inode);
