/*
 * The memory system calls: Linux i386, arguments as they come in the registers.
 */
#pragma once

#include "kernel/types.h"

s32 sys_brk(u32 address);
s32 sys_mmap(u32 arguments);
s32 sys_mmap2(u32 address, u32 bytes, u32 protection, u32 flags, s32 descriptor, u32 page_offset);
s32 sys_munmap(u32 address, u32 bytes);
s32 sys_mprotect(u32 address, u32 bytes, u32 protection);
s32 sys_mremap(u32 address, u32 old_bytes, u32 new_bytes, u32 flags, u32 new_address);
s32 sys_madvise(u32 address, u32 bytes, u32 advice);
s32 sys_mincore(u32 address, u32 bytes, u32 vector);
s32 sys_msync(u32 address, u32 bytes, u32 flags);
s32 sys_mlock(u32 address, u32 bytes);
s32 sys_mlock2(u32 address, u32 bytes, u32 flags);
s32 sys_munlock(u32 address, u32 bytes);
s32 sys_mlockall(u32 flags);
s32 sys_munlockall(void);
