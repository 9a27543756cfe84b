/*
 * Programs that do what they must not: each gets its proper signal, and nobody
 * else notices. Every mistake is made twice in a child of its own, once without a
 * handler, where the wait status must tell, and once with one on a stack of its
 * own, where si_code and si_addr must tell.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/ucontext.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/check.h"

#define KERNEL   ((char *) 0xC0100000) /* in the kernel's text */
#define ANYWHERE ((void *) -2)         /* si_addr says nothing that could be compared */

enum {
    ANY_CODE = -1000,                  /* si_code may differ from machine to machine */
    RETURN_FAULT = 64,                 /* for a signal: SIGSEGV, or SIGILL as on i386 Linux, where iret itself faulted */
    HANDLER_STACK = 4 * PAGE_SIZE,
    UNHARMED = 11,                     /* exit status of a child that did not get any signal */
};

/* What the handler was told, in memory that the parent sees. */
static struct {
    volatile int told;
    siginfo_t information;
} *report;

/* One assembler instruction that should trap. Clobbers what it likes: the child ends here. */
#define INSTRUCTION(name, text) static void name(void) { __asm__ volatile(text); }

/* ---- Memory ---------------------------------------------------------------------------------------------------- */

static void kernel_read(void) { (void) *(volatile char *) KERNEL; }
static void kernel_write(void) { *(volatile char *) KERNEL = 1; }
static void kernel_call(void) { ((void (*)(void)) KERNEL)(); }
static void top_call(void) { ((void (*)(void)) 0xFFFFF000)(); }
static void null_read(void) { (void) *(volatile char *) NULL; }
static void null_write(void) { *(volatile char *) NULL = 1; }
static void null_call(void) { ((void (*)(void)) NULL)(); }
static void text_write(void) { *(volatile char *) kernel_read = 0; }

__attribute__((noinline)) static unsigned
stack_descend(unsigned depth)
{
    volatile char array[1024];
    array[0] = depth;
    return depth == UINT_MAX ? 0 : stack_descend(depth + 1) + array[0];
}

static void stack_overflow(void) { stack_descend(0); }

INSTRUCTION(stack_in_kernel_push, "mov $0xC0100000, %esp; push %eax")
INSTRUCTION(stack_in_kernel_trap, "mov $0xC0100000, %esp; ud2")
INSTRUCTION(stack_null_trap, "xor %esp, %esp; ud2")

/* ---- Selectors ------------------------------------------------------------------------------------------------- */

INSTRUCTION(data_selector_bad, "mov $0x1230, %eax; mov %eax, %ds")
INSTRUCTION(data_selector_kernel, "mov $0x10, %eax; mov %eax, %ds")
INSTRUCTION(data_selector_local, "mov $0x17, %eax; mov %eax, %es")
INSTRUCTION(thread_selector_bad, "mov $0x1233, %eax; mov %eax, %gs")
INSTRUCTION(stack_selector_null, "xor %eax, %eax; mov %eax, %ss")
INSTRUCTION(data_selector_null, "xor %eax, %eax; mov %eax, %ds; mov %eax, (%esp)")
INSTRUCTION(far_jump_bad, "ljmp $0x1233, $0")
INSTRUCTION(far_jump_kernel, "ljmp $0x8, $0xC0100000")

/*
 * These two read the stack, which QEMU's TCG does in the kernel's name: with SMAP on, that is a page
 * fault of a user program whose error code says "kernel". It must be neither retried nor a panic.
 */
INSTRUCTION(far_return_kernel, "push $0x8; push $0xC0100000; lret")
INSTRUCTION(interrupt_return_kernel, "pushf; push $0x8; push $0xC0100000; iret")
INSTRUCTION(task_return, "pushf; orl $0x4000, (%esp); popf; iret")

/* ---- Instructions ---------------------------------------------------------------------------------------------- */

INSTRUCTION(divide_by_zero, "xor %ecx, %ecx; xor %edx, %edx; mistake_divide: div %ecx")
INSTRUCTION(divide_overflow, "mov $0x80000000, %eax; cltd; mov $-1, %ecx; idiv %ecx")
INSTRUCTION(undefined, "mistake_undefined: ud2")
INSTRUCTION(breakpoint, "int3")
INSTRUCTION(overflow, "mov $0x7f, %al; add $1, %al; into")
INSTRUCTION(single_step, "pushf; orl $0x100, (%esp); popf; nop; nop")
INSTRUCTION(interrupts_off, "cli")
INSTRUCTION(interrupts_on, "sti")
INSTRUCTION(halt, "hlt")
INSTRUCTION(port_read, "in $0x60, %al")
INSTRUCTION(port_write, "out %al, $0xf4")
INSTRUCTION(directory_set, "xor %eax, %eax; mov %eax, %cr3")
INSTRUCTION(control_read, "mov %cr0, %eax")
INSTRUCTION(debug_set, "mov %eax, %dr7")
INSTRUCTION(table_load, "lgdt (%esp)")
INSTRUCTION(task_load, "mov $0x28, %eax; ltr %ax")
INSTRUCTION(task_switched_clear, "clts")
INSTRUCTION(translation_drop, "invlpg (%esp)")
INSTRUCTION(register_write, "mov $0x174, %ecx; wrmsr")
INSTRUCTION(gate_of_page_fault, "int $0x0e")
INSTRUCTION(gate_of_double_fault, "int $0x08")
INSTRUCTION(gate_of_timer, "int $0x20")
INSTRUCTION(gate_without_use, "int $0xff")

/*
 * A system call in the last bytes of the stack's last page, getppid: it would go on at the end of user space, which lies
 * beyond the code segment where that has a limit (paging=2level).
 */
static void
call_at_the_end(void)
{
    char *page = (char *) (getauxval(AT_EXECFN) & -PAGE_SIZE);
    unsigned char *call = (unsigned char *) page + PAGE_SIZE - 2;

    mprotect(page, PAGE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC);
    call[0] = 0xcd;
    call[1] = 0x80;
    __asm__ volatile("jmp *%0" : : "r"(call), "a"(SYS_getppid));
}

/* ---- Signal frames --------------------------------------------------------------------------------------------- */

static void (*forge)(mcontext_t *registers);

static void
frame_forge(int signal, siginfo_t *information, void *context)
{
    (void) signal;
    (void) information;
    forge(&((ucontext_t *) context)->uc_mcontext);
}

/* Returns from a handler with registers that `how` has changed. */
static void
return_forged(void (*how)(mcontext_t *registers))
{
    struct sigaction action = { .sa_sigaction = frame_forge, .sa_flags = SA_SIGINFO };

    forge = how;
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
}

static void forge_code_segment(mcontext_t *registers) { registers->gregs[REG_CS] = 0x08; }
static void forge_high_code_segment(mcontext_t *registers) { registers->gregs[REG_CS] = 0xFFFB; }
static void forge_stack_segment(mcontext_t *registers) { registers->gregs[REG_SS] = 0x10; }
static void forge_null_stack_segment(mcontext_t *registers) { registers->gregs[REG_SS] = 0; }
static void forge_data_segment(mcontext_t *registers) { registers->gregs[REG_DS] = 0x10; }
static void forge_instruction(mcontext_t *registers) { registers->gregs[REG_EIP] = (greg_t) KERNEL; }
static void forge_high_instruction(mcontext_t *registers) { registers->gregs[REG_EIP] = -4096; }
static void forge_floating_point(mcontext_t *registers) { registers->fpregs = (fpregset_t) KERNEL; }

/* Privilege level 3 for ports, no interrupts, nested task, virtual 8086 mode, virtual interrupts. */
static void forge_flags(mcontext_t *registers) { registers->gregs[REG_EFL] ^= 0x3000 | 0x200 | 0x4000 | 0x20000 | 0x100000; }

static void code_segment_forged(void) { return_forged(forge_code_segment); }
static void high_code_segment_forged(void) { return_forged(forge_high_code_segment); }
static void stack_segment_forged(void) { return_forged(forge_stack_segment); }
static void null_stack_segment_forged(void) { return_forged(forge_null_stack_segment); }
static void data_segment_forged(void) { return_forged(forge_data_segment); _exit(UNHARMED); }
static void instruction_forged(void) { return_forged(forge_instruction); }
static void high_instruction_forged(void) { return_forged(forge_high_instruction); }
static void floating_point_forged(void) { return_forged(forge_floating_point); }
static void flags_forged(void) { return_forged(forge_flags); _exit(UNHARMED); }
static void flags_forged_port(void) { return_forged(forge_flags); port_read(); }
static void flags_forged_interrupts(void) { return_forged(forge_flags); interrupts_off(); }

/* sigreturn without a frame: with the stack where nothing is. */
INSTRUCTION(frame_missing, "mov $0xC0100000, %esp; mov $119, %eax; int $0x80")
INSTRUCTION(real_time_frame_missing, "mov $0x1000, %esp; mov $173, %eax; int $0x80")

/* ---- What becomes of each ------------------------------------------------------------------------------------- */

extern const char mistake_divide[], mistake_undefined[];

static const struct mistake {
    const char *what;
    void (*make)(void);
    int signal, code;  /* 0 and 0: none, the child goes on */
    const void *address;
} mistakes[] = {
    { "read the kernel", kernel_read, SIGSEGV, SEGV_MAPERR, KERNEL },
    { "write the kernel", kernel_write, SIGSEGV, SEGV_MAPERR, KERNEL },
    { "call the kernel", kernel_call, SIGSEGV, ANY_CODE, ANYWHERE },
    { "call the end of all addresses", top_call, SIGSEGV, ANY_CODE, ANYWHERE },
    { "read null", null_read, SIGSEGV, SEGV_MAPERR, NULL },
    { "write null", null_write, SIGSEGV, SEGV_MAPERR, NULL },
    { "call null", null_call, SIGSEGV, SEGV_MAPERR, NULL },
    { "write its own text", text_write, SIGSEGV, SEGV_ACCERR, kernel_read },
    { "overflow the stack", stack_overflow, SIGSEGV, SEGV_MAPERR, ANYWHERE },
    { "push to a stack in the kernel", stack_in_kernel_push, SIGSEGV, SEGV_MAPERR, KERNEL - 4 },
    { "trap with the stack in the kernel", stack_in_kernel_trap, SIGILL, ILL_ILLOPN, ANYWHERE },
    { "trap with the stack at null", stack_null_trap, SIGILL, ILL_ILLOPN, ANYWHERE },

    { "load %ds with a selector beyond the table", data_selector_bad, SIGSEGV, SI_KERNEL, NULL },
    { "load %ds with the kernel's selector", data_selector_kernel, SIGSEGV, ANY_CODE, ANYWHERE },
    { "load %es with a local selector", data_selector_local, SIGSEGV, SI_KERNEL, NULL },
    { "load %gs with a selector beyond the table", thread_selector_bad, SIGSEGV, SI_KERNEL, NULL },
    { "load %ss with the null selector", stack_selector_null, SIGSEGV, SI_KERNEL, NULL },
    { "use %ds with the null selector in it", data_selector_null, SIGSEGV, ANY_CODE, ANYWHERE },
    { "jump through a selector beyond the table", far_jump_bad, SIGSEGV, SI_KERNEL, NULL },
    { "jump through the kernel's selector", far_jump_kernel, SIGSEGV, SI_KERNEL, NULL },
    { "return through the kernel's selector", far_return_kernel, SIGSEGV, ANY_CODE, ANYWHERE },
    { "interrupt return through the kernel's selector", interrupt_return_kernel, SIGSEGV, ANY_CODE, ANYWHERE },
    { "interrupt return from a task that was never called", task_return, SIGSEGV, ANY_CODE, ANYWHERE },
    { "a system call at the end of user space", call_at_the_end, SIGSEGV, ANY_CODE, ANYWHERE },

    { "divide by zero", divide_by_zero, SIGFPE, FPE_INTDIV, mistake_divide },
    { "divide with overflow", divide_overflow, SIGFPE, FPE_INTDIV, ANYWHERE },
    { "ud2", undefined, SIGILL, ILL_ILLOPN, mistake_undefined },
    { "int3", breakpoint, SIGTRAP, SI_KERNEL, NULL },
    { "into", overflow, SIGSEGV, SI_KERNEL, NULL },
    { "single step", single_step, SIGTRAP, TRAP_TRACE, ANYWHERE },
    { "cli", interrupts_off, SIGSEGV, SI_KERNEL, NULL },
    { "sti", interrupts_on, SIGSEGV, SI_KERNEL, NULL },
    { "hlt", halt, SIGSEGV, SI_KERNEL, NULL },
    { "in", port_read, SIGSEGV, SI_KERNEL, NULL },
    { "out", port_write, SIGSEGV, SI_KERNEL, NULL },
    { "mov to cr3", directory_set, SIGSEGV, SI_KERNEL, NULL },
    { "mov from cr0", control_read, SIGSEGV, SI_KERNEL, NULL },
    { "mov to dr7", debug_set, SIGSEGV, SI_KERNEL, NULL },
    { "lgdt", table_load, SIGSEGV, SI_KERNEL, NULL },
    { "ltr", task_load, SIGSEGV, SI_KERNEL, NULL },
    { "clts", task_switched_clear, SIGSEGV, SI_KERNEL, NULL },
    { "invlpg", translation_drop, SIGSEGV, SI_KERNEL, NULL },
    { "wrmsr", register_write, SIGSEGV, SI_KERNEL, NULL },
    { "int 0x0e", gate_of_page_fault, SIGSEGV, SI_KERNEL, NULL },
    { "int 0x08", gate_of_double_fault, SIGSEGV, SI_KERNEL, NULL },
    { "int 0x20", gate_of_timer, SIGSEGV, SI_KERNEL, NULL },
    { "int 0xff", gate_without_use, SIGSEGV, SI_KERNEL, NULL },

    { "sigreturn with the kernel's code segment", code_segment_forged, RETURN_FAULT, ANY_CODE, ANYWHERE },
    { "sigreturn with a code segment beyond the table", high_code_segment_forged, RETURN_FAULT, ANY_CODE, ANYWHERE },
    { "sigreturn with the kernel's stack segment", stack_segment_forged, RETURN_FAULT, ANY_CODE, ANYWHERE },
    { "sigreturn with a null stack segment", null_stack_segment_forged, RETURN_FAULT, ANY_CODE, ANYWHERE },
    { "sigreturn with EIP in the kernel", instruction_forged, SIGSEGV, ANY_CODE, ANYWHERE },
    { "sigreturn with EIP above all", high_instruction_forged, SIGSEGV, ANY_CODE, ANYWHERE },
    { "sigreturn with floating-point state in the kernel", floating_point_forged, SIGSEGV, ANY_CODE, ANYWHERE },
    { "sigreturn with the kernel's data segment", data_segment_forged, 0, 0, NULL },
    { "sigreturn with forged flags: they are not taken", flags_forged, 0, 0, NULL },
    { "sigreturn with forged flags, then in", flags_forged_port, SIGSEGV, SI_KERNEL, NULL },
    { "sigreturn with forged flags, then cli", flags_forged_interrupts, SIGSEGV, SI_KERNEL, NULL },
    { "sigreturn from a stack in the kernel", frame_missing, SIGSEGV, ANY_CODE, ANYWHERE },
    { "rt_sigreturn from a stack that is not there", real_time_frame_missing, SIGSEGV, ANY_CODE, ANYWHERE },
};

static const struct mistake *current;

static void
mistake_note(int signal, siginfo_t *information, void *context)
{
    (void) signal;
    (void) context;
    report->information = *information;
    report->told = 1;
    _exit(EXIT_SUCCESS);
}

static void
plain_body(void)
{
    current->make();
    _exit(UNHARMED);
}

static void
handled_body(void)
{
    static char stack[HANDLER_STACK];
    static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP };
    stack_t other = { .ss_sp = stack, .ss_size = sizeof stack };
    struct sigaction action = { .sa_sigaction = mistake_note, .sa_flags = SA_SIGINFO | SA_ONSTACK };

    sigaltstack(&other, NULL);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaction(signals[i], &action, NULL);
    plain_body();
}

static bool
signal_right(const struct mistake *mistake, int signal)
{
    return mistake->signal == RETURN_FAULT ? signal == SIGSEGV || signal == SIGILL : signal == mistake->signal;
}

static bool
report_right(const struct mistake *mistake)
{
    const siginfo_t *told = &report->information;
    bool right = report->told && signal_right(mistake, told->si_signo)
        && (mistake->code == ANY_CODE || told->si_code == mistake->code)
        && (mistake->address == ANYWHERE || told->si_addr == mistake->address);
    if (!right)
        check_note("told %d: signal %d, code %d, address %p", report->told, told->si_signo, told->si_code,
                   told->si_addr);
    return right;
}

static void
mistake_check(const struct mistake *mistake)
{
    current = mistake;
    int status = check_child(plain_body);
    if (mistake->signal == 0) {
        check_that(WIFEXITED(status) && WEXITSTATUS(status) == UNHARMED, "%s", mistake->what);
        return;
    }
    check_that(WIFSIGNALED(status) && signal_right(mistake, WTERMSIG(status)), "%s: killed, wait status %#x",
               mistake->what, status);
    memset(report, 0, sizeof *report);
    check_child(handled_body);
    check_that(report_right(mistake), "%s: the handler is told why and where", mistake->what);
}

int
main(void)
{
    report = check_shared(sizeof *report);
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++)
        mistake_check(&mistakes[i]);
    return check_end();
}
