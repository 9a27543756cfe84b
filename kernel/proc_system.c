/*
 * /proc: the texts about the system.
 */
#include "kernel/proc_print.h"

#include "drivers/interrupts.h"
#include "drivers/timer.h"
#include "kernel/command_line.h"
#include "kernel/lib/divide.h"
#include "kernel/load_average.h"
#include "kernel/mount.h"
#include "kernel/pid.h"
#include "kernel/process.h"
#include "kernel/processor_time.h"
#include "kernel/resource.h"
#include "kernel/scheduler.h"
#include "kernel/time.h"
#include "kernel/version.h"
#include "kernel/x86/cpu.h"
#include "mm/report.h"

#define NANOSECONDS_PER_HUNDREDTH (NANOSECONDS_PER_SECOND / 100)

void
proc_print_command_line(struct process *process, struct text_buffer *text)
{
    (void)process;
    text_print(text, "%s\n", command_line_text());
}

void
proc_print_version(struct process *process, struct text_buffer *text)
{
    (void)process;
    text_print(text, "%s version %s %s\n", VERSION_SYSTEM, VERSION_RELEASE, VERSION_BUILD);
}

void
proc_print_filesystems(struct process *process, struct text_buffer *text)
{
    (void)process;
    text_print(text, "nodev\ttmpfs\nnodev\tproc\nnodev\tpipefs\n");
}

void
proc_print_mounts(struct process *process, struct text_buffer *text)
{
    (void)process;
    mount_print(text);
}

void
proc_print_mount_family(struct process *process, struct text_buffer *text)
{
    (void)process;
    mount_print_family(text);
}

/* ---- sys/kernel: what uname says ---- */

void
proc_print_ostype(struct process *process, struct text_buffer *text)
{
    (void)process;
    text_print(text, "%s\n", VERSION_COMPATIBLE_SYSTEM);
}

void
proc_print_osrelease(struct process *process, struct text_buffer *text)
{
    (void)process;
    text_print(text, "%s\n", VERSION_COMPATIBLE_RELEASE);
}

void
proc_print_threads_maximum(struct process *process, struct text_buffer *text)
{
    (void)process;
    text_print(text, "%u\n", resource_threads_maximum());
}

void
proc_print_os_version(struct process *process, struct text_buffer *text)
{
    (void)process;
    text_print(text, "%s %s %s\n", VERSION_SYSTEM, VERSION_RELEASE, VERSION_BUILD);
}

void
proc_print_hostname(struct process *process, struct text_buffer *text)
{
    (void)process;
    text_print(text, "%s\n", VERSION_HOST);
}

/* 1: mapping is not refused for fear that memory might run out. */
void
proc_print_overcommit_memory(struct process *process, struct text_buffer *text)
{
    (void)process;
    text_print(text, "1\n");
}

/* ---- Memory ---- */

void
proc_print_meminfo(struct process *process, struct text_buffer *text)
{
    (void)process;
    report_meminfo(text);
}

void
proc_print_slabinfo(struct process *process, struct text_buffer *text)
{
    (void)process;
    report_slabinfo(text);
}

void
proc_print_swaps(struct process *process, struct text_buffer *text)
{
    (void)process;
    report_swaps(text);
}

/* ---- Processor ---- */

static void
proc_print_cpu_flags(struct text_buffer *text)
{
    text_print(text, "flags\t\t:");
    for (enum cpu_feature feature = 0; feature < CPU_FEATURE_COUNT; feature++) {
        if (cpu_has(feature))
            text_print(text, " %s", cpu_feature_name(feature));
    }
    text_print(text, "\n");
}

void
proc_print_cpuinfo(struct process *process, struct text_buffer *text)
{
    (void)process;
    text_print(text, "processor\t: 0\nvendor_id\t: %s\ncpu family\t: %u\nmodel\t\t: %u\n", cpu_identity.vendor,
               cpu_identity.family, cpu_identity.model);
    text_print(text, "model name\t: %s\nstepping\t: %u\n", cpu_identity.brand, cpu_identity.stepping);
    text_print(text, "fpu\t\t: %s\nwp\t\t: %s\n", cpu_has(CPU_FPU) ? "yes" : "no", cpu_has(CPU_WP) ? "yes" : "no");
    proc_print_cpu_flags(text);
    text_print(text, "\n");
}

void
proc_print_interrupts(struct process *process, struct text_buffer *text)
{
    static const char *const names[IRQ_COUNT] = {
        [IRQ_TIMER] = "timer", [IRQ_KEYBOARD] = "keyboard", [IRQ_CASCADE] = "cascade",
        [IRQ_COM2] = "serial", [IRQ_COM1] = "serial",
    };

    (void)process;
    text_print(text, "           CPU0\n");
    for (u32 irq = 0; irq < IRQ_COUNT; irq++) {
        if (interrupt_counts[irq] > 0)
            text_print(text, "%3u: %10u   XT-PIC   %s\n", irq, interrupt_counts[irq],
                       names[irq] == NULL ? "" : names[irq]);
    }
    text_print(text, "ERR: %10u   unwanted\n", interrupt_unwanted_count);
}

/* ---- Time ---- */

static u64
proc_hundredths(u64 nanoseconds)
{
    return divide_u64(nanoseconds, NANOSECONDS_PER_HUNDREDTH, NULL);
}

void
proc_print_uptime(struct process *process, struct text_buffer *text)
{
    struct processor_time time = processor_time_now();
    u32 hundredths, idle_hundredths;
    u64 seconds = divide_u64(proc_hundredths(timer_nanoseconds()), 100, &hundredths);
    u64 idle_seconds = divide_u64(proc_hundredths(time.idle), 100, &idle_hundredths);

    (void)process;
    text_print(text, "%llu.%02u %llu.%02u\n", seconds, hundredths, idle_seconds, idle_hundredths);
}

/* Processes that could run now. */
static u32
proc_running(void)
{
    struct process *process;
    u32 running = 0;

    process_for_each(process)
        running += process_state_letter(process) == 'R';
    return running;
}

void
proc_print_loadavg(struct process *process, struct text_buffer *text)
{
    (void)process;
    for (u32 i = 0; i < LOAD_AVERAGES; i++) {
        u32 hundredths = (u32)((load_average(i) * 100ull + LOAD_ONE / 2) / LOAD_ONE);

        text_print(text, "%u.%02u ", hundredths / 100, hundredths % 100);
    }
    text_print(text, "%u/%u %u\n", proc_running(), process_count, pid_last());
}

static u64
proc_interrupt_total(void)
{
    u64 total = interrupt_unwanted_count;

    for (u32 irq = 0; irq < IRQ_COUNT; irq++)
        total += interrupt_counts[irq];
    return total;
}

/* In hundredths of a second: user, nice, system, idle, waiting for devices, and what Linux counts besides. */
static void
proc_print_processor(const char *name, const struct processor_time *time, struct text_buffer *text)
{
    text_print(text, "%s %llu 0 %llu %llu %llu 0 0 0 0 0\n", name, proc_hundredths(time->user),
               proc_hundredths(time->system), proc_hundredths(time->idle), proc_hundredths(time->device_wait));
}

void
proc_print_system_stat(struct process *process, struct text_buffer *text)
{
    struct processor_time time = processor_time_now();
    u64 boot_time = divide_u64(time_since_epoch() - timer_nanoseconds(), NANOSECONDS_PER_SECOND, NULL);

    (void)process;
    proc_print_processor("cpu ", &time, text);
    proc_print_processor("cpu0", &time, text);
    text_print(text, "intr %llu\nctxt %llu\nbtime %llu\n", proc_interrupt_total(), scheduler_switches, boot_time);
    text_print(text, "processes %u\nprocs_running %u\nprocs_blocked %u\n", pid_last(), proc_running(),
               processor_time_waiters);
}
