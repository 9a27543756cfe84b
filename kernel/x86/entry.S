/*
 * The ways into the kernel, and the one way out. See trap.h for what they call.
 *
 * Every entry leaves the stack like this, which is a struct trap_frame:
 *
 *     ss esp            only from user mode   \
 *     eflags cs eip                            | by the processor
 *     error                                   /  or a 0 in its place; for a system call, eax
 *     vector
 *     es ds
 *     eax ... edi       pushal                <- esp
 *
 * A system call and a page fault, the two that matter for speed, have entries of their own; all other vectors come
 * through an array of stubs. What they call gets the frame's address as its argument, in eax (-mregparm=3).
 */
#include "kernel/x86/cpu.h"
#include "kernel/x86/trap.h"

/* stac or clac, where the processor has SMAP: see cpu.c. */
.macro SMAP_SITE last_byte
661:    .byte 0x8d, 0x76, 0x00
        .pushsection .smap_sites, "a"
        .long 661b, \last_byte
        .popsection
.endm

.macro FIXUP fault, landing
        .pushsection .fixup, "a"
        .long \fault, \landing
        .popsection
.endm

/* Saves the registers and gives the kernel its own segments. Changes eax. */
.macro SAVE_REGISTERS
        pushl   %es
        pushl   %ds
        pushal
        movl    $SELECTOR_KERNEL_DATA, %eax
        movl    %eax, %ds
        movl    %eax, %es
        cld
        SMAP_SITE CPU_CLAC_LAST_BYTE
.endm

.macro FUNCTION name
        .globl  \name
        .type   \name, @function
\name:
.endm

        .section .text

FUNCTION system_call_entry
        pushl   %eax
        pushl   $VECTOR_SYSTEM_CALL
        SAVE_REGISTERS
        movl    %esp, %eax
        call    syscall_dispatch
        /* Fall through. */

/* To user mode. Nothing must come between the test and the way out, hence cli; iret brings the program's flag back. */
FUNCTION trap_exit_to_user
        cli
        cmpl    $0, cpu_local + CPU_PENDING_WORK_OFFSET
        jne     pending_work
restore_registers:
        popal
restore_ds:
        popl    %ds
restore_es:
        popl    %es
        addl    $8, %esp
restore_user:
        iret
        .size   system_call_entry, . - system_call_entry

pending_work:
        movl    %esp, %eax
        call    process_return_to_user
        jmp     trap_exit_to_user

FUNCTION page_fault_entry
        pushl   $VECTOR_PAGE_FAULT
        SAVE_REGISTERS
        movl    %esp, %eax
        call    trap_page_fault
        testl   $SELECTOR_PRIVILEGE_MASK, TRAP_FRAME_CS(%esp)
        jnz     trap_exit_to_user
        jmp     restore_registers
        .size   page_fault_entry, . - page_fault_entry

FUNCTION exception_entry
        SAVE_REGISTERS
        movl    %esp, %eax
        call    trap_exception
        jmp     exit_anywhere

FUNCTION interrupt_entry
        SAVE_REGISTERS
        movl    %esp, %eax
        call    trap_interrupt
exit_anywhere:
        testl   $SELECTOR_PRIVILEGE_MASK, TRAP_FRAME_CS(%esp)
        jz      restore_registers
        jmp     trap_exit_to_user
        .size   interrupt_entry, . - interrupt_entry

/*
 * The program's data selectors can have become bad since it loaded them, by set_thread_area: it finds null selectors
 * then, as on Linux. Its code selector or eip can be bad: then the processor faults at the iret, in the kernel. What is
 * still on the stack is what it failed to load; all registers before that are the program's again. Make a new frame of
 * that, as if the program had trapped.
 */
exit_ds_failed:
        movl    $0, (%esp)
        jmp     restore_ds
exit_es_failed:
        movl    $0, (%esp)
        jmp     restore_es
exit_iret_failed:
        pushl   $0
        pushl   $VECTOR_PROTECTION
        SAVE_REGISTERS
        movl    %esp, %eax
        call    trap_exit_failed
        jmp     exit_anywhere

        FIXUP   restore_ds, exit_ds_failed
        FIXUP   restore_es, exit_es_failed
        FIXUP   restore_user, exit_iret_failed

/* void trap_return(struct trap_frame *frame): to the program whose frame it is. */
FUNCTION trap_return
        movl    %eax, %esp
        jmp     trap_exit_to_user
        .size   trap_return, . - trap_return

/*
 * void panic(const char *fmt, ...): the caller's registers as a frame, before C changes any of them. The return address
 * lies where esp would be in the frame; the backtrace begins behind it.
 */
FUNCTION panic
        pushfl
        pushl   %cs
        pushl   8(%esp)
        pushl   $0
        pushl   $0
        pushl   %es
        pushl   %ds
        pushal
        movl    %esp, %eax
        leal    TRAP_FRAME_ESP + 4(%esp), %edx
        movl    (%edx), %ecx
        leal    4(%edx), %ebx
        pushl   %ebx
        call    panic_report
        .size   panic, . - panic

/* One stub for each vector. */
        .balign TRAP_STUB_BYTES
FUNCTION trap_stubs
        vector = 0
        .rept   VECTOR_COUNT
        .balign TRAP_STUB_BYTES
        /* The processor pushes an error code for these itself. */
        .if     !(vector == VECTOR_DOUBLE_FAULT || (vector >= VECTOR_INVALID_TSS && vector <= VECTOR_PAGE_FAULT) \
                  || vector == VECTOR_ALIGNMENT || vector == VECTOR_CONTROL_PROTECTION)
        pushl   $0
        .endif
        pushl   $vector
        .if     vector < VECTOR_IRQ_FIRST
        jmp     exception_entry
        .else
        jmp     interrupt_entry
        .endif
        vector = vector + 1
        .endr
        .size   trap_stubs, . - trap_stubs

        .section .note.GNU-stack, "", @progbits
