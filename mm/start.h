/*
 * Starting virtual memory, once, at boot.
 */
#pragma once

/* Frames, final page tables, kernel memory, objects and the policy. Refuses to
 * boot where there is not enough memory. */
void mm_start(void);

/* The swap area: of swap=SIZE, or the module named "swap". After the block
 * devices have started. */
void mm_start_swap(void);
