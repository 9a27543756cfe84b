/*
 * context_switch: only what the C calling convention makes the callee keep is saved; segment registers, FPU and
 * address space are the scheduler's business. The order of the pushes is known to context_prepare, too.
 * The arguments come in eax, edx and ecx (-mregparm=3).
 */
    .section .text
    .globl context_switch
    .type context_switch, @function
context_switch:
    pushl %ebp
    pushl %ebx
    pushl %esi
    pushl %edi
    movl %esp, (%eax)
    movl (%edx), %esp
    popl %edi
    popl %esi
    popl %ebx
    popl %ebp
    ret
    .size context_switch, . - context_switch

    .globl context_prepare
    .type context_prepare, @function
context_prepare:
    movl %ecx, -4(%edx)                 /* what ret finds: start */
    movl $0, -8(%edx)                   /* ebp: ends backtraces */
    subl $20, %edx                      /* ebx, esi, edi: anything */
    movl %edx, (%eax)
    ret
    .size context_prepare, . - context_prepare

    .section .note.GNU-stack, "", @progbits
