/*
 * The pages of an object that have their place on a block device. For mm/object.c only;
 * what reclaim and others call of object_file.c stands in mm/object.h.
 */
#pragma once

#include "mm/object.h"

/* Gives a new object of this size its place on the device. False if no memory. */
bool file_start(struct object *object, struct block_device *device, u64 position);

/* The last reference has gone: all pages go. */
void file_end(struct object *object);

/* As object_page, for a page that is on the device. */
enum object_result file_page(struct object *object, u32 index, struct frame **frame, struct prefetch *prefetch);

/* Clears the page from offset on, where it is in memory. May sleep until it is not busy. */
void file_clear_tail(struct object *object, u32 index, u32 offset);

/* Gives up the room beyond bytes, if there is any, and the pages that lie there. Never sleeps. */
void file_cut(struct object *object, u64 bytes);
