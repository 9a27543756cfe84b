/*
 * The processor: its state that the kernel keeps (struct cpu), what it can do (cpu_has), and the instructions that C
 * has no words for.
 */
#pragma once

/* Where entry.S finds cpu_local.pending_work. */
#define CPU_PENDING_WORK_OFFSET 8

/*
 * Instructions that become stac and clac where the processor has SMAP; until then a no-op of the same length. See
 * cpu.c.
 */
#define CPU_STAC_LAST_BYTE 0xcb
#define CPU_CLAC_LAST_BYTE 0xca

#ifndef __ASSEMBLER__

#include "kernel/assert.h"
#include "kernel/types.h"
#include "kernel/x86/io.h"

struct thread;
struct aspace;

/* One for each processor. Reached by cpu() only. */
struct cpu {
    struct thread *thread;  /* the running thread, NULL before there are threads; set by the scheduler */
    struct aspace *aspace;  /* whose page tables are loaded, NULL: the kernel's; set by aspace_activate */
    u32 pending_work;       /* bits of scheduler.h: what is to be done before user mode; set by anybody */
    bool interrupted_user;  /* whether an interrupt handler runs that interrupted user mode; set by trap_interrupt */
};

static_assert(offsetof(struct cpu, pending_work) == CPU_PENDING_WORK_OFFSET, "entry.S relies on it");

extern struct cpu cpu_local;

/* The processor that runs this. */
static inline struct cpu *
cpu(void)
{
    return &cpu_local;
}

enum cpu_feature {
    CPU_WP,   /* CR0.WP: write protection holds for the kernel too */
    CPU_FPU,
    CPU_TSC,
    CPU_CMOV,
    CPU_PSE,  /* 4 MiB pages */
    CPU_PAE,
    CPU_PGE,  /* global pages */
    CPU_NX,
    CPU_SMEP,
    CPU_SMAP,
    CPU_FXSR, /* fxsave, fxrstor */
    CPU_SSE,
    CPU_FEATURE_COUNT
};

/* What cpuid says, for /proc/cpuinfo and the log. A processor without cpuid is an "unknown" of family 4 at most. */
struct cpu_identity {
    char vendor[13];
    char brand[49];
    u32 family, model, stepping;
    u32 features_edx, features_ecx; /* leaf 1 */
};

extern struct cpu_identity cpu_identity;

/* One byte for each feature; constant once cpu_start() has run. */
extern bool cpu_features[CPU_FEATURE_COUNT];

static inline bool
cpu_has(enum cpu_feature feature)
{
    return cpu_features[feature];
}

/* Name of a feature as in Linux's /proc/cpuinfo. */
const char *cpu_feature_name(enum cpu_feature feature);

/*
 * Finds out what the processor can do, turns on CR0.WP, and PGE, SMEP and SMAP where they are; refuses a 386. Once,
 * before mm.
 */
void cpu_start(void);

/* Bits of eflags that the kernel has to do with. */
#define EFLAGS_ALWAYS_SET 0x00000002u
#define EFLAGS_TRAP 0x00000100u            /* a debug exception after each instruction */
#define EFLAGS_INTERRUPT 0x00000200u
#define EFLAGS_DIRECTION 0x00000400u
#define EFLAGS_RESUME 0x00010000u
#define EFLAGS_ALIGNMENT_CHECK 0x00040000u /* can be set from the 486 on */
#define EFLAGS_CPUID 0x00200000u           /* can be changed where there is cpuid */

/*
 * Interrupts. interrupts_save turns them off and returns what interrupts_restore needs to bring the former state back.
 */

static inline void
interrupts_disable(void)
{
    asm volatile("cli" : : : "memory");
}

static inline void
interrupts_enable(void)
{
    asm volatile("sti" : : : "memory");
}

/*
 * Enables interrupts, and has those handled that are waiting, even if the next thing is to disable interrupts again:
 * the processor accepts none between sti and the end of the instruction after it (SDM volume 2, STI).
 */
static inline void
interrupts_admit(void)
{
    asm volatile("sti\n\tnop" : : : "memory");
}

static inline u32
cpu_read_eflags(void)
{
    u32 eflags;

    asm volatile("pushfl\n\tpopl %0" : "=r"(eflags) : : "memory");
    return eflags;
}

static inline u32
interrupts_save(void)
{
    u32 eflags = cpu_read_eflags();

    interrupts_disable();
    return eflags;
}

static inline void
interrupts_restore(u32 eflags)
{
    if (eflags & EFLAGS_INTERRUPT)
        interrupts_enable();
}

static inline bool
interrupts_enabled(void)
{
    return cpu_read_eflags() & EFLAGS_INTERRUPT;
}

/* Enables interrupts and sleeps until one has been handled. None that comes in between is missed. */
static inline void
cpu_wait_for_interrupt(void)
{
    asm volatile("sti\n\thlt" : : : "memory");
}

/* Stops for good. */
static inline void __attribute__((noreturn))
cpu_halt(void)
{
    for (;;)
        asm volatile("cli\n\thlt" : : : "memory");
}

/* What lgdt and lidt load. */
struct cpu_table {
    u16 limit;              /* bytes - 1 */
    u32 base;
} __attribute__((packed));

/* Control registers. */
#define CR0_MONITOR_COPROCESSOR 0x00000002
#define CR0_EMULATION 0x00000004
#define CR0_TASK_SWITCHED 0x00000008
#define CR0_NUMERIC_ERROR 0x00000020
#define CR0_WRITE_PROTECT 0x00010000
#define CR0_ALIGNMENT_MASK 0x00040000
#define CR0_PAGING 0x80000000
#define CR4_PAE 0x00000020
#define CR4_PGE 0x00000080
#define CR4_OSFXSR 0x00000200
#define CR4_OSXMMEXCPT 0x00000400
#define CR4_SMEP 0x00100000
#define CR4_SMAP 0x00200000

#define CPU_CONTROL_REGISTER(name)                                     \
    static inline u32 cpu_read_##name(void)                            \
    {                                                                  \
        u32 value;                                                     \
        asm volatile("movl %%" #name ", %0" : "=r"(value) : : "memory"); \
        return value;                                                  \
    }                                                                  \
    static inline void cpu_write_##name(u32 value)                     \
    {                                                                  \
        asm volatile("movl %0, %%" #name : : "r"(value) : "memory");   \
    }

CPU_CONTROL_REGISTER(cr0)
CPU_CONTROL_REGISTER(cr2)
CPU_CONTROL_REGISTER(cr3)
CPU_CONTROL_REGISTER(cr4) /* not on a processor without cpuid */

/* Forgets the translation of the page that holds `address`, also a global one (invlpg). */
static inline void
cpu_flush_page(u32 address)
{
    asm volatile("invlpg (%0)" : : "r"(address) : "memory");
}

/* Model-specific registers; need cpuid's word that the register is there. */
#define MSR_EFER 0xc0000080
#define EFER_NXE 0x800

static inline u64
cpu_read_msr(u32 msr)
{
    u64 value;

    asm volatile("rdmsr" : "=A"(value) : "c"(msr));
    return value;
}

static inline void
cpu_write_msr(u32 msr, u64 value)
{
    asm volatile("wrmsr" : : "c"(msr), "A"(value) : "memory");
}

/* fs and gs hold the user's selectors, also in the kernel. A selector that the processor refuses is loaded as 0. */
static inline u16
cpu_read_fs(void)
{
    u16 value;

    asm volatile("movw %%fs, %0" : "=rm"(value));
    return value;
}

static inline u16
cpu_read_gs(void)
{
    u16 value;

    asm volatile("movw %%gs, %0" : "=rm"(value));
    return value;
}

void cpu_load_fs(u16 selector);
void cpu_load_gs(u16 selector);

/* A no-op of three bytes that cpu_start() overwrites. Not the nop of that length, which a 486 does not know. */
#define CPU_SMAP_SITE(last_byte)                   \
    "661: .byte 0x8d, 0x76, 0x00\n"                \
    ".pushsection .smap_sites, \"a\"\n"            \
    ".long 661b, " #last_byte "\n"                 \
    ".popsection\n"

#define CPU_SMAP_SITE_OF(last_byte) CPU_SMAP_SITE(last_byte)

/*
 * Between these two the kernel may touch user pages where SMAP would forbid it. Only mm/user.c's door; one instruction
 * each.
 */
static inline void
user_access_begin(void)
{
    asm volatile(CPU_SMAP_SITE_OF(CPU_STAC_LAST_BYTE) : : : "memory", "cc");
}

static inline void
user_access_end(void)
{
    asm volatile(CPU_SMAP_SITE_OF(CPU_CLAC_LAST_BYTE) : : : "memory", "cc");
}

#endif
