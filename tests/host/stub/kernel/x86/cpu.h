/*
 * On the host: the processor as mm sees it. What loads and flushes translations goes to the simulated one of
 * tests/host/stub/machine.h.
 */
#pragma once

#include "kernel/assert.h"
#include "kernel/types.h"

struct thread;
struct aspace;

struct cpu {
    struct thread *thread;
    struct aspace *aspace;
};

extern struct cpu cpu_local;

static inline struct cpu *
cpu(void)
{
    return &cpu_local;
}

enum cpu_feature { CPU_PAE, CPU_PGE, CPU_NX };

/* The simulated processor has everything. */
static inline bool
cpu_has(enum cpu_feature feature)
{
    (void)feature;
    return true;
}

#define EFLAGS_TRAP 0x00000100u
#define CR4_PAE 0x00000020
#define MSR_EFER 0xc0000080
#define EFER_NXE 0x800

u32 cpu_read_cr3(void);
void cpu_write_cr3(u32 value);
void cpu_flush_page(u32 address);

u32 cpu_read_cr4(void);
void cpu_write_cr4(u32 value);
u64 cpu_read_msr(u32 msr);
void cpu_write_msr(u32 msr, u64 value);
