/*
 * Open files that have no name and no place in any tree, but a descriptor only: epoll's, counters of events. /proc
 * calls each "anon_inode:[KIND]", as Linux does.
 */
#pragma once

#include "kernel/types.h"

struct file_operations;
struct inode;
struct file;
struct inode_operations;

/*
 * A file, for reading and writing, of an inode that has just been created for it, which it takes over; NULL stands for
 * one that could not be had. Of the flags O_NONBLOCK counts. One reference, or NULL if memory is short.
 */
struct file *anonymous_file_create(struct inode *inode, const struct file_operations *operations, void *data, u32 flags);

/*
 * Opens one and gives it the lowest free descriptor. Of the flags O_NONBLOCK and O_CLOEXEC count. `data`, of
 * kmem_allocate, becomes file->data; NULL stands for one that could not be had. The descriptor; or -EMFILE or -ENOMEM,
 * and the data has been freed, by the operations' release if it came so far. `kind` has at least a label and anonymous_file_refuse_open.
 */
s32 anonymous_file_install(const struct inode_operations *kind, const struct file_operations *operations, void *data, u32 flags);

/* For inode_operations.open: it cannot be opened once more through /proc/self/fd. -ENXIO. */
int anonymous_file_refuse_open(struct inode *inode, struct file *file);
