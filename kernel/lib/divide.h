/* 64-bit division, for which the compiler would call a library that a kernel does not have. Pure. */
#pragma once

#include "kernel/types.h"

/* dividend / divisor; the remainder goes to *remainder unless it is NULL. divisor > 0. */
static inline u64
divide_u64(u64 dividend, u32 divisor, u32 *remainder)
{
#if defined(__i386__)
    u32 high = (u32)(dividend >> 32);
    u32 low = (u32)dividend;
    u32 quotient_high = high / divisor;
    u32 rest = high % divisor;
    u32 quotient_low;

    /* rest < divisor, so that this quotient fits in 32 bits and divl cannot trap. */
    asm("divl %[divisor]" : "=a"(quotient_low), "+d"(rest) : "0"(low), [divisor] "rm"(divisor) : "cc");
    if (remainder)
        *remainder = rest;
    return (u64)quotient_high << 32 | quotient_low;
#else
    if (remainder)
        *remainder = (u32)(dividend % divisor);
    return dividend / divisor;
#endif
}
