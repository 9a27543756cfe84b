/*
 * What the kernel does about each exception and interrupt: a program's becomes a signal; the kernel's own at an
 * instruction that may fault goes on at its landing; any other is a bug and panics.
 */
#include "kernel/x86/trap.h"

#include <asm/siginfo.h>
#include <asm/signal.h>

#include "drivers/interrupts.h"
#include "kernel/assert.h"
#include "kernel/panic.h"
#include "kernel/process.h"
#include "kernel/signal.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/fpu.h"
#include "mm/aspace.h"
#include "mm/fault.h"
#include "mm/units.h"

/* Gates. A trap gate leaves interrupts as they are, an interrupt gate disables them. */
#define GATE_TASK 0x85
#define GATE_INTERRUPT 0x8e
#define GATE_TRAP 0x8f
#define GATE_FOR_USERS 0x60

static_assert(offsetof(struct trap_frame, cs) == TRAP_FRAME_CS && offsetof(struct trap_frame, esp) == TRAP_FRAME_ESP,
              "entry.S relies on it");

struct gate {
    u16 offset_low, selector;
    u8 zero, type;
    u16 offset_high;
};

/* What an exception means to a program. */
struct exception {
    const char *name;
    int signal, code;
    bool at_eip; /* si_addr is the instruction; otherwise 0 */
};

struct fixup {
    u32 fault, landing;
};

/* In entry.S, and called from there. */
extern const u8 trap_stubs[];
void trap_page_fault(struct trap_frame *frame);
void trap_exception(struct trap_frame *frame);
void trap_interrupt(struct trap_frame *frame);
void trap_exit_failed(struct trap_frame *frame);

/* Given by linker.ld. */
extern const struct fixup fixups_start[], fixups_end[];

static struct gate gates[VECTOR_COUNT];

static const struct exception exceptions[VECTOR_IRQ_FIRST] = {
    [VECTOR_DIVIDE] = {"divide error", SIGFPE, FPE_INTDIV, true},
    [VECTOR_DEBUG] = {"debug exception", SIGTRAP, TRAP_TRACE, true},
    [VECTOR_BREAKPOINT] = {"breakpoint", SIGTRAP, SI_KERNEL, false},
    [VECTOR_OVERFLOW] = {"overflow", SIGSEGV, SI_KERNEL, false},
    [VECTOR_BOUND] = {"bound range exceeded", SIGSEGV, SI_KERNEL, false},
    [VECTOR_INVALID_OPCODE] = {"invalid opcode", SIGILL, ILL_ILLOPN, true},
    [VECTOR_NO_FPU] = {"no floating-point unit", SIGILL, ILL_COPROC, true},
    [VECTOR_FPU_OVERRUN] = {"coprocessor segment overrun", SIGFPE, SI_KERNEL, false},
    [VECTOR_INVALID_TSS] = {"invalid TSS", SIGSEGV, SI_KERNEL, false},
    [VECTOR_SEGMENT_MISSING] = {"segment not present", SIGBUS, SI_KERNEL, false},
    [VECTOR_STACK_SEGMENT] = {"stack segment fault", SIGBUS, SI_KERNEL, false},
    [VECTOR_PROTECTION] = {"general protection fault", SIGSEGV, SI_KERNEL, false},
    [VECTOR_FPU_ERROR] = {"floating-point error", SIGFPE, 0, true},
    [VECTOR_ALIGNMENT] = {"alignment check", SIGBUS, BUS_ADRALN, false},
    [VECTOR_SIMD_ERROR] = {"SIMD floating-point error", SIGFPE, 0, true},
};

static void
set_gate(u32 vector, u16 selector, const void *entry, u8 type)
{
    gates[vector] = (struct gate){
        .offset_low = (u16)(u32)entry, .selector = selector, .type = type, .offset_high = (u16)((u32)entry >> 16)};
}

void
trap_start(void)
{
    struct cpu_table idt = {sizeof(gates) - 1, (u32)gates};

    for (u32 vector = 0; vector < VECTOR_COUNT; vector++) {
        set_gate(vector, SELECTOR_KERNEL_CODE, trap_stubs + vector * TRAP_STUB_BYTES,
                 vector < VECTOR_IRQ_FIRST ? GATE_TRAP : GATE_INTERRUPT);
    }
    gates[VECTOR_DEBUG].type = GATE_INTERRUPT;
    gates[VECTOR_NMI].type = GATE_INTERRUPT;
    gates[VECTOR_BREAKPOINT].type |= GATE_FOR_USERS;
    gates[VECTOR_OVERFLOW].type |= GATE_FOR_USERS;
    set_gate(VECTOR_DOUBLE_FAULT, SELECTOR_DOUBLE_FAULT_TSS, NULL, GATE_TASK);
    set_gate(VECTOR_PAGE_FAULT, SELECTOR_KERNEL_CODE, page_fault_entry, GATE_TRAP);
    set_gate(VECTOR_SYSTEM_CALL, SELECTOR_KERNEL_CODE, system_call_entry, GATE_TRAP | GATE_FOR_USERS);
    asm volatile("lidt %0" : : "m"(idt));
}

/* Where an instruction at `eip` goes on if it faults, 0 if it must not. */
static u32
fixup_find(u32 eip)
{
    for (const struct fixup *fixup = fixups_start; fixup < fixups_end; fixup++) {
        if (fixup->fault == eip)
            return fixup->landing;
    }
    return 0;
}

static const char *
access_name(u32 error)
{
    if (error & PAGE_FAULT_FETCH)
        return "execution";
    return error & PAGE_FAULT_WRITE ? "write" : "read";
}

/*
 * The kernel may fault in its door to user memory only. That is found out first, so that a bug elsewhere is never
 * mended by bringing in a page that happens to be there. Who gets no page for want of memory dies for it as in user
 * mode, but first the call comes to its end.
 */
static void
page_fault_in_kernel(struct trap_frame *frame, u32 address)
{
    u32 landing = fixup_find(frame->eip);
    struct fault_verdict verdict;

    if (landing == 0)
        panic_with_frame(frame, "page fault in the kernel: %s at %08x", access_name(frame->error), address);
    if (cpu()->aspace != NULL) {
        if (fault_handle(cpu()->aspace, address, frame, false, &verdict) == 0)
            return;
        if (verdict.signal == SIGKILL)
            signal_force_kill(current_process());
    }
    frame->eip = landing;
}

static inline void
page_fault_in_program(struct trap_frame *frame, u32 address)
{
    struct fault_verdict verdict;

    if (fault_handle(cpu()->aspace, address, frame, true, &verdict) != 0) {
        /* Where the kernel has pages, and where it has none, is its own business. */
        if (address >= KERNEL_BASE)
            frame->error |= PAGE_FAULT_PRESENT;
        signal_fault(verdict.signal, verdict.code, verdict.address);
    }
}

/*
 * The program's instruction touched memory with the kernel's rights. QEMU 7.2 makes a far return's and iret's reads of
 * the stack such an access, and if there is SMAP it can never succeed: to mend the page and return would go on for
 * ever.
 */
static void
page_fault_for_program(struct trap_frame *frame, u32 address)
{
    if (frame->error & PAGE_FAULT_PRESENT)
        signal_fault(SIGSEGV, SEGV_ACCERR, address);
    else
        page_fault_in_program(frame, address);
}

void
trap_page_fault(struct trap_frame *frame)
{
    u32 address = cpu_read_cr2();

    if (frame->error & PAGE_FAULT_USER)
        page_fault_in_program(frame, address);
    else if (trap_from_user(frame))
        page_fault_for_program(frame, address);
    else
        page_fault_in_kernel(frame, address);
}

static void
exception_in_kernel(struct trap_frame *frame)
{
    const char *name = exceptions[frame->vector].name;
    u32 landing = fixup_find(frame->eip);

    if (landing == 0)
        panic_with_frame(frame, "%s in the kernel (exception %u)", name != NULL ? name : "exception", frame->vector);
    frame->eip = landing;
}

void
trap_exception(struct trap_frame *frame)
{
    const struct exception *exception = &exceptions[frame->vector];
    int code = exception->code;

    if (frame->vector == VECTOR_NMI) {
        interrupt_unwanted_count++;
        return;
    }
    if (exception->name == NULL)
        panic_with_frame(frame, "exception %u", frame->vector);
    if (!trap_from_user(frame)) {
        exception_in_kernel(frame);
        return;
    }
    interrupts_enable();
    if (frame->vector == VECTOR_DEBUG && cpu()->aspace->trace != NULL) {
        aspace_step(cpu()->aspace, frame);
        return;
    }
    if (frame->vector == VECTOR_FPU_ERROR || frame->vector == VECTOR_SIMD_ERROR)
        code = fpu_error_code(frame->vector == VECTOR_FPU_ERROR);
    signal_fault(exception->signal, code, exception->at_eip ? frame->eip : 0);
}

void
trap_interrupt(struct trap_frame *frame)
{
    cpu()->interrupted_user = trap_from_user(frame);
    interrupts_dispatch(frame->vector);
    cpu()->interrupted_user = false;
}

/*
 * From entry.S: the frame's selectors or eip could not be loaded. They are replaced by good ones, and the program hears
 * of it.
 */
void
trap_exit_failed(struct trap_frame *frame)
{
    frame->cs = SELECTOR_USER_CODE;
    frame->ss = frame->ds = frame->es = SELECTOR_USER_DATA;
    interrupts_enable();
    signal_fault(SIGSEGV, SI_KERNEL, 0);
}
