/* How the kernel came to a place, by function names. */
#pragma once

#include "kernel/types.h"

/*
 * Logs the function at `eip` and, from the return addresses that lie from address `stack` upward, its callers. Lines
 * that are not certain end in "?". after_call: eip is a return address.
 */
void backtrace_show(u32 eip, bool after_call, u32 stack);
