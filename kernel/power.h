/*
 * The end of the machine, with a status for who started it: QEMU's isa-debug-exit device turns v into exit code 2v + 1.
 * Bochs is told to stop. Without either the processor halts.
 */
#pragma once

/* Status 0: exit code 33. Any other: 35. */
void power_off(int status) __attribute__((noreturn));

/* Exit code 37, for panic() only. */
void power_panic(void) __attribute__((noreturn));
