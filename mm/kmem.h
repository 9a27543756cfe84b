/*
 * Memory for the kernel's own objects, of any size.
 *
 * Up to KMEM_SMALL_MAXIMUM bytes come from slab caches of powers of two; larger
 * ones get whole frames, made contiguous in the kernel's area above the direct
 * map, with an unmapped guard page after each. Kernel stacks are such ranges
 * whose guard page lies below.
 *
 * Never sleeps, never evicts: NULL when frames or the area are exhausted.
 * Process context only.
 */
#pragma once

#include "kernel/types.h"
#include "mm/kmem_cache.h"
#include "mm/units.h"

#define KMEM_SMALL_MAXIMUM 2032u
#define KERNEL_STACK_PAGES 2u
#define KERNEL_STACK_BYTES (KERNEL_STACK_PAGES * PAGE_SIZE)

/* Contents undefined. A size of 0 gives a distinct object. */
void *kmem_allocate(usize bytes);
void *kmem_allocate_zeroed(usize bytes);

/* memory must come from kmem_allocate*, or be NULL. Anything else panics. */
void kmem_free(void *memory);

/* The lowest address of a stack of KERNEL_STACK_BYTES; touching the page below
 * it faults, which the double fault handler reports as an overflow. */
void *kmem_stack_allocate(void);
void kmem_stack_free(void *stack);

/* Frames behind stacks; and behind these and all large allocations. */
u32 kmem_stack_frames(void);
u32 kmem_area_frames(void);
