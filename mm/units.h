/*
 * The units of memory, kept apart by the compiler.
 *
 *   physical_t   byte address on the memory bus
 *   frame_t      number of a physical page frame   (physical address / 4096)
 *   page_t       number of a virtual page          (virtual address / 4096)
 *   swap_slot_t  number of a page-sized slot in the swap area
 *
 * A virtual address of a user program is a plain u32: it is an integer to the
 * kernel, since only the door in mm/user.h may follow it. Only this file
 * converts between the units.
 *
 * The direct map: physical memory from 0 on appears at DIRECT_MAP, so a frame
 * that the kernel owns needs no mapping of its own to be read or written.
 */
#pragma once

#include "boot/layout.h"
#include "kernel/types.h"

#define PAGE_SHIFT 12
#define PAGE_SIZE  (1u << PAGE_SHIFT)
#define PAGE_MASK  (PAGE_SIZE - 1)

/* The kernel's half of every address space begins here. */
#define KERNEL_BASE ((u32)BOOT_KERNEL_BASE)

/* So much physical memory is mapped from KERNEL_BASE on; the 128 MiB above that
 * are for mappings that must be contiguous where memory is not. */
#define DIRECT_MAP_BYTES ((u32)BOOT_DIRECT_MAP_BYTES)
#define KERNEL_AREA_START (KERNEL_BASE + DIRECT_MAP_BYTES)
#define KERNEL_AREA_END   0xFFC00000u

/* The page at address 0 is never given to anybody, so that a null pointer faults. */
#define USER_BOTTOM PAGE_SIZE

/* The most pages that one instruction needs at a time: its own bytes, what it reads and what
 * it writes may each lie on two, and so may what it has on the stack. */
#define INSTRUCTION_PAGES 8u

typedef struct { u32 value; } physical_t;
typedef struct { u32 number; } frame_t;
typedef struct { u32 number; } page_t;
typedef struct { u32 number; } swap_slot_t;

/* Frame 0 holds the firmware's vectors and slot 0 is never used: both serve as "none". */
#define FRAME_NONE ((frame_t){0})
#define SWAP_SLOT_NONE ((swap_slot_t){0})

/* Where the direct map begins: KERNEL_BASE, or malloc'd memory in a host test. */
#ifdef HOST_TEST
extern char *direct_map;
#else
#define direct_map ((char *)KERNEL_BASE)
#endif

static inline frame_t
frame_of(physical_t address)
{
    return (frame_t){address.value >> PAGE_SHIFT};
}

static inline physical_t
physical_of(frame_t frame)
{
    return (physical_t){frame.number << PAGE_SHIFT};
}

/* The kernel's view of a frame's 4096 bytes. */
static inline void *
frame_address(frame_t frame)
{
    return direct_map + ((usize)frame.number << PAGE_SHIFT);
}

/* The frame behind an address inside the direct map. */
static inline frame_t
frame_of_address(const void *address)
{
    return (frame_t){(u32)(((const char *)address - direct_map) >> PAGE_SHIFT)};
}

static inline page_t
page_of(u32 virtual_address)
{
    return (page_t){virtual_address >> PAGE_SHIFT};
}

static inline u32
page_address(page_t page)
{
    return page.number << PAGE_SHIFT;
}

static inline page_t
page_add(page_t page, u32 pages)
{
    return (page_t){page.number + pages};
}

static inline u32
pages_in_kib(u32 pages)
{
    return pages << (PAGE_SHIFT - 10);
}

/* Bytes to whole pages, rounding up; bytes near 4 GiB do not wrap. */
static inline u32
pages_for(u32 bytes)
{
    return (bytes >> PAGE_SHIFT) + ((bytes & PAGE_MASK) != 0);
}
