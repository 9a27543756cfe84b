/* The processor's task state segment, and the two there are: the kernel's only task, and that of a double fault. */
#pragma once

#include "kernel/assert.h"
#include "kernel/types.h"

struct tss {
    u32 previous_task;
    u32 esp0, ss0, esp1, ss1, esp2, ss2; /* stacks for entering the inner rings */
    u32 cr3, eip, eflags;
    u32 eax, ecx, edx, ebx, esp, ebp, esi, edi;
    u32 es, cs, ss, ds, fs, gs;
    u32 ldt;
    u16 trap, io_map;
};

static_assert(sizeof(struct tss) == 104, "the processor defines it");

/* Holds the registers of what a double fault interrupted, from then on. */
extern struct tss segments_tss;

extern struct tss double_fault_tss;
