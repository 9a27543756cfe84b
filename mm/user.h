/*
 * The one door to user memory: nothing else in the kernel follows an address
 * that a program gave it.
 *
 * The copies run on the current address space and take page faults like the
 * program itself: a fault that is refused ends the copy. So each may sleep.
 * An address range that leaves user space is refused before anything is copied.
 */
#pragma once

#include "kernel/types.h"

/* True if [address, address + bytes) lies in user space. */
bool user_range_ok(u32 address, usize bytes);

/* 0, or -EFAULT: then some of the bytes may have been copied. */
int user_copy_in(void *to, u32 from, usize bytes);
int user_copy_out(u32 to, const void *from, usize bytes);

/* Bytes copied before the first one that could not be. */
usize user_copy_in_partial(void *to, u32 from, usize bytes);
usize user_copy_out_partial(u32 to, const void *from, usize bytes);

/* One word; 0 or -EFAULT. */
int user_read_word(u32 *value, u32 address);
int user_write_word(u32 address, u32 value);

/* One word, if it holds `expected`: puts `value` there, as one step that no other thread can come between. *found is
 * what it held. 0 or -EFAULT. */
int user_compare_exchange_word(u32 address, u32 expected, u32 value, u32 *found);

/* A string with its terminator: its length without it, -EFAULT, or -ENAMETOOLONG
 * if it does not end within size bytes. */
int user_copy_string(char *to, u32 from, usize size);
