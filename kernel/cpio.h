/*
 * Archives in the formats newc (070701) and crc (070702), as boot modules bring them.
 */
#pragma once

#include "kernel/types.h"
#include "drivers/block.h"

/*
 * Lays an archive over the root: directories merge, anything else replaces what has its name; missing parents are
 * made. A regular file's bytes stay on the device and are read when they are touched; the device must stay. The whole
 * archive is checked before the first change. A damaged one is named with the reason in a warning and nothing of it
 * is applied: -ENOEXEC (no archive at all) or -EINVAL (damaged). An entry that finds a directory where it would be a
 * file, or the other way round, is named in a warning and left out. -ENOMEM and -EIO end it half-way. May sleep. At
 * boot only, by kernel/main.c.
 */
int cpio_unpack(struct block_device *device, const char *module_name);

/* What is wrong with an archive, and where. */
struct cpio_damage {
    const char *what;       /* a constant text */
    u32 entry;              /* which entry it is, counted from 1 */
    u32 position;           /* the byte of the archive where that begins */
    char name[64];          /* its name, as much as there is room for; "" if that could not be read */
};

/* The check alone: whether all is well, and if not, what is wrong. For cpio_unpack and the tests. */
bool cpio_check(struct block_device *device, struct cpio_damage *damage);
