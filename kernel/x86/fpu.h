/*
 * The state of the floating-point unit and of SSE, switched eagerly with the thread. Without FXSR it has fnsave's
 * format, without an FPU nothing is done.
 */
#pragma once

#include "kernel/types.h"

#define FPU_STATE_BYTES 512

struct fpu_state {
    u8 bytes[FPU_STATE_BYTES];
} __attribute__((aligned(16)));

/* Turns the unit on as the processor has it. Once, after cpu_start(). */
void fpu_start(void);

/* Makes *state what a new program finds. */
void fpu_init_state(struct fpu_state *state);

/* Saves the registers to *state; they are undefined afterwards. */
void fpu_save(struct fpu_state *state);

/* Loads the registers from *state. The state must be one saved here, or pass fpu_check_state(). */
void fpu_restore(const struct fpu_state *state);

/*
 * Makes a state that came from user memory one that fpu_restore() can load without a fault: clears the reserved bits.
 */
void fpu_clean_state(struct fpu_state *state);

/* si_code of SIGFPE for the pending x87 or SSE exception; x87: the unit's, otherwise SSE's. Clears nothing. */
int fpu_error_code(bool x87);
