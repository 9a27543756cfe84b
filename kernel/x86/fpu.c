/*
 * The floating-point unit. What a new program finds is recorded once, at boot; a processor without an FPU gets CR0.EM,
 * so that its programs' floating-point instructions trap.
 */
#include "kernel/x86/fpu.h"

#include <asm/siginfo.h>

#include "kernel/lib/string.h"
#include "kernel/x86/cpu.h"

/* Places in the fxsave area. */
#define MXCSR_OFFSET 24
#define MXCSR_MASK_OFFSET 28
#define MXCSR_MASK_OLD 0xffbf /* what a mask of 0 means: a processor from before there was one */

/* Exceptions in the status words, and how far up their masks are. */
#define EXCEPTION_INVALID 0x01
#define EXCEPTION_DENORMAL 0x02
#define EXCEPTION_DIVIDE 0x04
#define EXCEPTION_OVERFLOW 0x08
#define EXCEPTION_UNDERFLOW 0x10
#define EXCEPTION_PRECISION 0x20
#define MXCSR_MASK_SHIFT 7

static struct fpu_state initial;

void
fpu_start(void)
{
    u32 cr0 = cpu_read_cr0() & ~(CR0_EMULATION | CR0_TASK_SWITCHED);

    if (!cpu_has(CPU_FPU)) {
        cpu_write_cr0(cr0 | CR0_EMULATION);
        return;
    }
    cpu_write_cr0(cr0 | CR0_MONITOR_COPROCESSOR | CR0_NUMERIC_ERROR);
    if (cpu_has(CPU_FXSR))
        cpu_write_cr4(cpu_read_cr4() | CR4_OSFXSR | (cpu_has(CPU_SSE) ? CR4_OSXMMEXCPT : 0));
    asm volatile("fninit");
    fpu_save(&initial);
}

void
fpu_init_state(struct fpu_state *state)
{
    memcpy(state, &initial, sizeof(*state));
}

void
fpu_save(struct fpu_state *state)
{
    if (cpu_has(CPU_FXSR))
        asm volatile("fxsave %0" : "=m"(*state));
    else if (cpu_has(CPU_FPU))
        asm volatile("fnsave %0\n\tfwait" : "=m"(*state));
}

void
fpu_restore(const struct fpu_state *state)
{
    if (cpu_has(CPU_FXSR))
        asm volatile("fxrstor %0" : : "m"(*state));
    else if (cpu_has(CPU_FPU))
        asm volatile("frstor %0" : : "m"(*state));
}

void
fpu_clean_state(struct fpu_state *state)
{
    u32 *mxcsr = (u32 *)(state->bytes + MXCSR_OFFSET);
    u32 mask = *(const u32 *)(initial.bytes + MXCSR_MASK_OFFSET);

    if (cpu_has(CPU_FXSR))
        *mxcsr &= mask ? mask : MXCSR_MASK_OLD;
}

/* The exceptions that are raised and not masked. */
static u32
pending_exceptions(bool x87)
{
    u16 status, control;
    u32 mxcsr;

    if (x87) {
        asm volatile("fnstsw %0\n\tfnstcw %1" : "=m"(status), "=m"(control));
        return status & ~(u32)control;
    }
    asm volatile("stmxcsr %0" : "=m"(mxcsr));
    return mxcsr & ~(mxcsr >> MXCSR_MASK_SHIFT);
}

int
fpu_error_code(bool x87)
{
    u32 pending = pending_exceptions(x87);

    if (pending & EXCEPTION_INVALID)
        return FPE_FLTINV;
    if (pending & EXCEPTION_DIVIDE)
        return FPE_FLTDIV;
    if (pending & EXCEPTION_OVERFLOW)
        return FPE_FLTOVF;
    if (pending & (EXCEPTION_DENORMAL | EXCEPTION_UNDERFLOW))
        return FPE_FLTUND;
    if (pending & EXCEPTION_PRECISION)
        return FPE_FLTRES;
    return FPE_FLTUNK;
}
