/*
 * The way back from a handler whose program did not say how (no SA_RESTORER): a few bytes of code that make the
 * system call. They lie in a page of the program, which is mapped when the first such handler is called; on the
 * stack, where they once stood, code is not executed any more.
 */
#pragma once

#include "kernel/types.h"

#define SIGNAL_RETURN_BYTES 8u

struct signal_return_code {
    u8 bytes[SIGNAL_RETURN_BYTES];
};

/* What debuggers recognise a signal frame by: without SA_SIGINFO and with it. */
extern const struct signal_return_code signal_return_code[2];

/* The user address of signal_return_code[with_info] in the current process; 0 if there is no memory. May sleep. */
u32 signal_return_address(bool with_info);
