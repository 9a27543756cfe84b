/*
 * Open regular files and directories: what read, write and seek do on them.
 */
#pragma once

#include "kernel/file.h"
#include "mm/units.h"

/* The longest file: page numbers of objects have 32 bits, and offsets are signed. */
#define REGULAR_MAXIMUM_BYTES ((u64)UINT32_MAX << PAGE_SHIFT)

/* Whether the current process may make a file so long: 0, or -EFBIG and, at its own limit, SIGXFSZ. */
int regular_check_limit(u64 bytes);

/* The pages are inode->object's. */
extern const struct file_operations regular_operations;

/* Refuses read and write with -EISDIR; the offset is a position in the listing. */
extern const struct file_operations directory_operations;
