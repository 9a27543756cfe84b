/* Exceptions, interrupts, and what the processor is made of. */
#include <asm/ldt.h>

#include "drivers/interrupts.h"
#include "kernel/lib/string.h"
#include "kernel/selftest.h"
#include "kernel/symbols.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/fpu.h"
#include "kernel/x86/segments.h"
#include "kernel/x86/trap.h"

SELFTEST(traps, fixup, "an instruction with a landing goes on there when it faults, all other registers unharmed")
{
    u32 landed = 0;
    u32 ecx = 0x12345678;

    asm volatile("1: ud2\n"
                 "jmp 3f\n"
                 "2: incl %0\n"
                 "3:\n" TRAP_FIXUP("1b", "2b")
                 : "+r"(landed), "+c"(ecx) : : "cc");
    check_equal(landed, 1);
    check_equal(ecx, 0x12345678);
}

SELFTEST(traps, page_fault_fixup, "a page fault in the kernel at such an instruction lands there, too")
{
    u32 landed = 0;

    asm volatile("1: movl %%eax, (%1)\n"
                 "jmp 3f\n"
                 "2: incl %0\n"
                 "3:\n" TRAP_FIXUP("1b", "2b")
                 : "+r"(landed) : "r"(0) : "memory", "cc");
    check_equal(landed, 1);
}

SELFTEST(traps, read_only_text, "the kernel cannot write to its own text")
{
    u32 landed = 0;

    asm volatile("1: movb %%al, (%1)\n"
                 "jmp 3f\n"
                 "2: incl %0\n"
                 "3:\n" TRAP_FIXUP("1b", "2b")
                 : "+r"(landed) : "r"(kernel_text_start) : "memory", "cc");
    check_equal(landed, 1);
}

SELFTEST(traps, protections, "what the processor has to keep the kernel from user memory is turned on")
{
    u32 wanted = (cpu_has(CPU_SMEP) ? CR4_SMEP : 0) | (cpu_has(CPU_SMAP) ? CR4_SMAP : 0) | (cpu_has(CPU_PGE) ? CR4_PGE : 0);

    check_true(cpu_read_cr0() & CR0_WRITE_PROTECT);
    check_true(cpu_read_cr0() & CR0_ALIGNMENT_MASK);
    if (wanted != 0)
        check_equal(cpu_read_cr4() & wanted, wanted);
}

SELFTEST(traps, bad_selector, "a bad selector in fs or gs is loaded as 0")
{
    cpu_load_gs(0x7f8);
    check_equal(cpu_read_gs(), 0);
    cpu_load_fs(SELECTOR_USER_DATA);
    check_equal(cpu_read_fs(), SELECTOR_USER_DATA);
    cpu_load_fs(0);
    check_equal(cpu_read_fs(), 0);
}

SELFTEST(traps, unwanted_interrupts, "an interrupt that nobody wants is counted and does no harm")
{
    u32 before = interrupt_unwanted_count;

    asm volatile("int $0x26" : : : "memory");
    asm volatile("int $0x27" : : : "memory");
    asm volatile("int $0x2f" : : : "memory");
    asm volatile("int $0xf0" : : : "memory");
    asm volatile("int $2" : : : "memory");      /* the vector of NMI */
    check_equal(interrupt_unwanted_count - before, 5);
}

/* A line that no device has. */
#define FREE_IRQ 5

static u32 eflags_of_handler;

static void
note_eflags(void)
{
    eflags_of_handler = cpu_read_eflags();
}

SELFTEST(traps, entry_clears_flags, "whatever the interrupted program set: the kernel copies forwards, and may not touch user memory")
{
    u32 flags = EFLAGS_DIRECTION | (cpu_has(CPU_SMAP) ? EFLAGS_ALIGNMENT_CHECK : 0);

    irq_register(FREE_IRQ, note_eflags);
    asm volatile("pushfl\n"
                 "pushfl\n"
                 "orl %0, (%%esp)\n"
                 "popfl\n"
                 "int %1\n"
                 "popfl" : : "r"(flags), "i"(VECTOR_IRQ_FIRST + FREE_IRQ) : "memory", "cc");
    check_equal(eflags_of_handler & flags, 0);
}

SELFTEST(traps, interrupt_flag, "interrupts_save nests")
{
    u32 outer = interrupts_save();
    u32 inner = interrupts_save();

    interrupts_restore(inner);
    check_true(!interrupts_enabled());
    interrupts_restore(outer);
    check_equal(interrupts_enabled(), (outer & EFLAGS_INTERRUPT) != 0);
}

SELFTEST(traps, symbols, "an address in a function has that function's name")
{
    u32 offset;
    const struct kernel_symbol *symbol = symbol_find((u32)symbol_find + 1, &offset);

    check_true(symbol != NULL);
    check_text(symbol->name, "symbol_find");
    check_equal(offset, 1);
    check_true(symbol_find(0, &offset) == NULL && symbol_find((u32)kernel_end, &offset) == NULL);
}

SELFTEST(traps, tls_descriptors, "a thread's descriptor tells back what it was made of")
{
    struct user_desc request = {.base_addr = 0x12345678, .limit = 0xfffff, .seg_32bit = 1, .limit_in_pages = 1, .useable = 1};
    struct user_desc answer = {0};
    struct user_desc empty = {.read_exec_only = 1, .seg_not_present = 1};

    segments_describe_tls(segments_make_tls(&request), &answer);
    check_equal(memcmp(&answer, &request, sizeof(request)), 0);
    check_equal(segments_make_tls(&empty), 0);
}

SELFTEST(traps, fpu_state, "the floating-point registers survive being saved and restored")
{
    struct fpu_state state;
    u32 out = 0;
    u32 in = 12345;

    if (!cpu_has(CPU_FPU))
        return;
    asm volatile("fninit\n\tfildl %0" : : "m"(in));
    fpu_save(&state);
    asm volatile("fninit");
    fpu_restore(&state);
    asm volatile("fistpl %0" : "=m"(out));
    fpu_init_state(&state);
    fpu_restore(&state);
    check_equal(out, in);
}
