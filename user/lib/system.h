/*
 * What a program can find out about the machine it runs on: the switches the
 * kernel was booted with, how much memory there is, which frame lies behind a
 * page, and how many instructions have been executed.
 *
 * Everything is read from where Linux keeps it, so that the same program asks
 * the same questions there.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The value of the boot switch `name` ("fork", "paging", ...), or `otherwise`
 * where the command line does not mention it. The string lives as long as the
 * program; the last mention on the line wins, as in the kernel.
 */
const char *switch_value(const char *name, const char *otherwise);

/* Whether the boot switch `name` has the value `value`, `otherwise` being what it is by default. */
bool switch_is(const char *name, const char *otherwise, const char *value);

/* Whether this is Belady: for what it promises and Linux does not. */
bool system_is_belady(void);

/* Bytes named by a line of /proc/meminfo ("MemFree", "SwapFree", ...); 0 where there is no such line. */
uint64_t memory_bytes(const char *name);

/*
 * Locks memory until about so many frames are free. It is not for children that are forked, and stays locked until the
 * program ends. Returns whether that could be done.
 */
bool memory_leave(size_t frames);

/* Allows this process so many frames at a time (RLIMIT_RSS). Linux does not heed it. */
#define FRAMES_UNLIMITED (~0u)
void frames_limit(unsigned frames);

/* Executed instructions under QEMU's -icount shift=0; elsewhere some clock that runs evenly. */
static inline uint64_t
instructions_now(void)
{
    return __builtin_ia32_rdtsc();
}

/* One entry of /proc/self/pagemap, in Linux's layout. */
#define PAGEMAP_PRESENT (1ULL << 63)
#define PAGEMAP_SWAPPED (1ULL << 62)
#define PAGEMAP_FRAME   ((1ULL << 55) - 1)

/* The entry for the page that holds `address`; 0 where there is none or the file cannot be read. */
uint64_t pagemap_entry(const void *address);

/*
 * The number of the frame behind `address`, or 0 where that may not be known. The page is read for it,
 * since an entry may have been dropped from the table though the page is in memory.
 */
uint64_t pagemap_frame(const void *address);

/* How many of the `pages` pages from `address` on have an entry in the page tables just now. */
size_t pagemap_present(const void *address, size_t pages);

/* The whole of a text file with a zero byte behind it, to be freed by the caller; NULL where it cannot be read. */
char *file_text(const char *path);

/* Writes a value to a file of /proc/sys. Returns whether it was taken; errno says why not. */
bool setting_write(const char *path, const char *value);
