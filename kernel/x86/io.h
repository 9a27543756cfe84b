/* The processor's input/output ports. */
#pragma once

#include "kernel/types.h"

static inline u8
io_read8(u16 port)
{
    u8 value;

    asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline void
io_write8(u16 port, u8 value)
{
    asm volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}
