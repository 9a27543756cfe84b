/*
 * The double fault's task. The processor leaves the registers of what was interrupted in the other task's TSS, from
 * where they are shown. Touching the guard page below a kernel stack ends here, since the page fault cannot be pushed
 * on that stack either.
 */
#include "kernel/x86/double_fault.h"

#include "boot/layout.h"
#include "kernel/panic.h"
#include "kernel/types.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/selectors.h"
#include "kernel/x86/trap.h"
#include "kernel/x86/tss.h"

#define STACK_BYTES 4096

struct tss double_fault_tss;
static u8 stack[STACK_BYTES] __attribute__((aligned(16)));

/* The interrupted registers as a trap frame. */
static struct trap_frame
interrupted_frame(const struct tss *tss)
{
    return (struct trap_frame){
        .ebx = tss->ebx, .ecx = tss->ecx, .edx = tss->edx, .esi = tss->esi, .edi = tss->edi, .ebp = tss->ebp,
        .eax = tss->eax, .ds = tss->ds, .es = tss->es, .vector = VECTOR_DOUBLE_FAULT, .eip = tss->eip, .cs = tss->cs,
        .eflags = tss->eflags, .esp = tss->esp, .ss = tss->ss,
    };
}

/* Whether the fault came of pushing onto a full stack: then the last page fault lies just at the stack pointer. */
static bool
is_stack_overflow(u32 esp, u32 fault_address)
{
    return fault_address - (esp - BOOT_PAGE_BYTES) < 2 * BOOT_PAGE_BYTES;
}

static void __attribute__((noreturn))
double_fault_task(void)
{
    struct trap_frame frame = interrupted_frame(&segments_tss);
    u32 first_page_above = (frame.esp | (BOOT_PAGE_BYTES - 1)) + 1;

    if (is_stack_overflow(frame.esp, cpu_read_cr2()))
        panic_at(&frame, first_page_above, "kernel stack overflow");
    panic_at(&frame, frame.esp, "double fault");
}

void
double_fault_start(void)
{
    double_fault_tss = (struct tss){
        .cr3 = cpu_read_cr3(),
        .eip = (u32)double_fault_task,
        .eflags = EFLAGS_ALWAYS_SET,
        .esp = (u32)stack + sizeof(stack),
        .cs = SELECTOR_KERNEL_CODE,
        .ss = SELECTOR_KERNEL_DATA, .ds = SELECTOR_KERNEL_DATA, .es = SELECTOR_KERNEL_DATA,
        .io_map = sizeof(struct tss),
    };
}

void
double_fault_use_tables(void)
{
    double_fault_tss.cr3 = cpu_read_cr3();
}
