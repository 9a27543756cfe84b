/*
 * Entering and leaving the kernel: exceptions, interrupts and system calls.
 *
 * entry.S saves the registers as a struct trap_frame on the kernel stack and calls one of
 *     syscall_dispatch(frame)     int 0x80; interrupts stay enabled          (kernel/syscall.h)
 *     trap_page_fault(frame)      #PF; interrupts stay as they were
 *     trap_exception(frame)       every other exception; likewise
 *     trap_interrupt(frame)       vectors from 32 on; interrupts disabled
 * The way out is one for all. Going back to user mode with cpu()->pending_work set, it calls
 * process_return_to_user(frame) with interrupts disabled, again and again until nothing is pending.
 */
#pragma once

#include "kernel/x86/selectors.h"

#define VECTOR_DIVIDE 0
#define VECTOR_DEBUG 1
#define VECTOR_NMI 2
#define VECTOR_BREAKPOINT 3
#define VECTOR_OVERFLOW 4
#define VECTOR_BOUND 5
#define VECTOR_INVALID_OPCODE 6
#define VECTOR_NO_FPU 7
#define VECTOR_DOUBLE_FAULT 8
#define VECTOR_FPU_OVERRUN 9
#define VECTOR_INVALID_TSS 10
#define VECTOR_SEGMENT_MISSING 11
#define VECTOR_STACK_SEGMENT 12
#define VECTOR_PROTECTION 13
#define VECTOR_PAGE_FAULT 14
#define VECTOR_FPU_ERROR 16
#define VECTOR_ALIGNMENT 17
#define VECTOR_SIMD_ERROR 19
#define VECTOR_CONTROL_PROTECTION 21
#define VECTOR_IRQ_FIRST 32
#define VECTOR_SYSTEM_CALL 0x80
#define VECTOR_COUNT 256

/* A page fault's error code. Intel SDM volume 3, 4.7. FETCH only where NX or SMEP is on. */
#define PAGE_FAULT_PRESENT 0x01
#define PAGE_FAULT_WRITE 0x02
#define PAGE_FAULT_USER 0x04
#define PAGE_FAULT_FETCH 0x10

/* Where entry.S finds two registers in a struct trap_frame; the last is where a trap from user mode has its esp. */
#define TRAP_FRAME_CS 52
#define TRAP_FRAME_ESP 60

/* From one stub of entry.S to the next; there is one for each vector. */
#define TRAP_STUB_BYTES 16

/*
 * An instruction that may fault in the kernel, and where it goes on then. For assembler text in C:
 *     asm("1: movl (%1), %0\n2:\n" TRAP_FIXUP("1b", "2b"))
 * A page fault of the kernel at any other instruction is a bug and panics.
 */
#define TRAP_FIXUP(fault, landing)      \
    ".pushsection .fixup, \"a\"\n"      \
    ".long " fault ", " landing "\n"    \
    ".popsection\n"

#ifndef __ASSEMBLER__

#include "kernel/types.h"

/* The registers of what was interrupted, lowest address first. fs and gs stay in the processor. */
struct trap_frame {
    u32 edi, esi, ebp, pushed_esp, ebx, edx, ecx, eax; /* as pushal leaves them; pushed_esp means nothing */
    u32 ds, es;
    u32 vector;
    u32 error;       /* the processor's error code, 0 if it gives none; for a system call eax as it was (orig_eax) */
    u32 eip, cs, eflags;
    u32 esp, ss;     /* only there if trap_from_user(frame) */
};

/* Whether the frame's registers are a user program's. */
static inline bool
trap_from_user(const struct trap_frame *frame)
{
    return (frame->cs & SELECTOR_PRIVILEGE_MASK) != 0;
}

/* Fills the interrupt descriptor table. Needs segments_start(). Interrupts stay disabled. */
void trap_start(void);

/* Goes to user mode by the common way out. The program's frame lies at the top of the current kernel stack. */
void trap_return(struct trap_frame *frame) __attribute__((noreturn));

/* The entries of entry.S, for the descriptor table and for backtraces. */
void system_call_entry(void);
void page_fault_entry(void);
void exception_entry(void);
void interrupt_entry(void);

/*
 * kernel/process.c: called with interrupts disabled on the way to user mode while cpu()->pending_work != 0. Does the
 * work (switch threads, deliver signals, exit) and clears its bits. May sleep; returns with interrupts disabled.
 */
void process_return_to_user(struct trap_frame *frame);

#endif
