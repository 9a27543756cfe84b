/* The FPU's registers on the user stack while a handler runs, as Linux lays them out: for signal_frame.c. */
#pragma once

#include "kernel/types.h"

/* Once at boot, after fpu_start. */
void signal_fpu_start(void);

/*
 * Puts the current registers below *stack, a user address, and clears them for the handler; *stack becomes the address
 * of what was put there. 0 or -EFAULT, with *stack changed and the registers cleared all the same. May sleep.
 */
int signal_fpu_push(u32 *stack);

/* Loads what signal_fpu_push left at the address, or a clean state for address 0. 0 or -EFAULT. May sleep. */
int signal_fpu_pop(u32 address);
