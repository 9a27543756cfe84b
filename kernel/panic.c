/*
 * Panic. The registers were saved by the caller, or by panic's entry in entry.S, before anything here could change
 * them.
 */
#include "kernel/panic.h"

#include <stdarg.h>

#include "kernel/assert.h"
#include "kernel/backtrace.h"
#include "kernel/lib/format.h"
#include "kernel/log.h"
#include "kernel/power.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/trap.h"

#define MESSAGE_BYTES 256
#define PROCESS_BYTES 64

static void (*describe_process)(char *text, usize size);
static bool panicking;

void
panic_set_process_hook(void (*describe)(char *text, usize size))
{
    describe_process = describe;
}

static void
show_registers(const struct trap_frame *frame, u32 esp)
{
    log_report("eip %08x  cs %04x  eflags %08x", frame->eip, frame->cs & 0xffff, frame->eflags);
    log_report("eax %08x  ebx %08x  ecx %08x  edx %08x", frame->eax, frame->ebx, frame->ecx, frame->edx);
    log_report("esi %08x  edi %08x  ebp %08x  esp %08x", frame->esi, frame->edi, frame->ebp, esp);
    log_report("cr0 %08x  cr2 %08x  cr3 %08x  error %x", cpu_read_cr0(), cpu_read_cr2(), cpu_read_cr3(), frame->error);
}

/* Where a report's registers and its backtrace come from. */
struct origin {
    const struct trap_frame *frame;
    u32 esp;         /* to be shown */
    u32 stack;       /* where the backtrace begins */
    bool after_call; /* the frame's eip is a return address */
};

static void __attribute__((noreturn))
report(const struct origin *origin, const char *fmt, va_list arguments)
{
    char message[MESSAGE_BYTES];
    char process[PROCESS_BYTES] = "none";

    interrupts_disable();
    if (panicking) {
        log_report("panic within a panic");
        power_panic();
    }
    panicking = true;
    vformat(message, sizeof(message), fmt, arguments);
    log_report("panic: %s", message);
    if (describe_process != NULL)
        describe_process(process, sizeof(process));
    log_report("current process: %s", process);
    show_registers(origin->frame, origin->esp);
    log_report("backtrace:");
    backtrace_show(origin->frame->eip, origin->after_call, origin->stack);
    power_panic();
}

/* From panic's entry in entry.S: `stack` is behind the return address, `arguments` behind fmt. */
void panic_report(const struct trap_frame *frame, u32 stack, const char *fmt, va_list arguments)
    __attribute__((noreturn));

void
panic_report(const struct trap_frame *frame, u32 stack, const char *fmt, va_list arguments)
{
    report(&(struct origin){frame, stack, stack, true}, fmt, arguments);
}

void
panic_at(const struct trap_frame *frame, u32 stack, const char *fmt, ...)
{
    va_list arguments;

    va_start(arguments, fmt);
    report(&(struct origin){frame, frame->esp, stack, false}, fmt, arguments);
}

void
panic_with_frame(const struct trap_frame *frame, const char *fmt, ...)
{
    /* A trap within the kernel leaves no esp in the frame: the stack goes on where it would be. */
    u32 stack = (u32)&frame->esp;
    va_list arguments;

    va_start(arguments, fmt);
    report(&(struct origin){frame, trap_from_user(frame) ? frame->esp : stack, stack, false}, fmt, arguments);
}

void
assertion_failed(const char *expression, const char *file, int line)
{
    panic("assertion failed: %s, at %s:%d", expression, file, line);
}
