/*
 * The order in which the kernel starts. Up to scheduler_start() everything runs on the boot stack with interrupts
 * disabled and must not wait; the rest runs in a thread of its own, which ends when process 1 is there.
 */
#include "kernel/main.h"

#include "boot/info.h"
#include "drivers/interrupts.h"
#include "drivers/ramdisk.h"
#include "drivers/timer.h"
#include "kernel/bug.h"
#include "kernel/command_line.h"
#include "kernel/console.h"
#include "kernel/control.h"
#include "kernel/cpio.h"
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"
#include "kernel/log.h"
#include "kernel/process.h"
#include "kernel/root.h"
#include "kernel/scheduler.h"
#include "kernel/selftest.h"
#include "kernel/version.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/double_fault.h"
#include "kernel/x86/fpu.h"
#include "mm/check.h"
#include "mm/kmem.h"
#include "mm/start.h"

#define MIB (1024 * 1024)
#define SCREEN_COLUMNS 80

static const char *init_path = "/bin/init";
BOOT_TEXT(init, init_path, "the first program");

static const char *help_wanted;
BOOT_FLAG_TEXT(help, help_wanted, "list these switches", "yes");

/* A line of the banner under construction. */
static char choices[SCREEN_COLUMNS];

static void
show_choices(void)
{
    log_info(" %s", choices);
    choices[0] = '\0';
}

/* Adds " name=value" to the banner if it is one of the ways in which memory can be managed. */
static void
add_choice(const struct boot_switch *boot_switch, const char *value)
{
    bool is_about_memory = strcmp(boot_switch->name, "log") != 0 && strcmp(boot_switch->name, "bug") != 0
        && strcmp(boot_switch->name, "trace.format") != 0;
    usize more = strlen(boot_switch->name) + strlen(value) + sizeof(" =");

    if (boot_switch->kind != BOOT_SWITCH_CHOICE || !is_about_memory)
        return;
    if (strlen(choices) + more >= sizeof(choices))
        show_choices();
    format(choices + strlen(choices), sizeof(choices) - strlen(choices), " %s=%s", boot_switch->name, value);
}

static void
show_banner(void)
{
    log_info("%s %s on %s, %u MiB of memory", VERSION_SYSTEM, VERSION_RELEASE, cpu_identity.vendor,
             (u32)(boot_info.ram_bytes / MIB));
    command_line_for_each(add_choice);
    show_choices();
    if (help_wanted != NULL)
        command_line_show_switches();
}

/*
 * Lays every module but the swap area and a recorded run over the root, in order. What is no archive is named by
 * cpio_unpack.
 */
static void
lay_modules(void)
{
    for (u32 i = 0; i < boot_info.module_count; i++) {
        const struct boot_module *module = &boot_info.modules[i];
        struct block_device *device;

        if (boot_module_is(module, "swap") || mm_is_recording(module))
            continue;
        device = ramdisk_create(module->name, module->start, module->end - module->start);
        if (device == NULL)
            log_warn("module %s: no memory for it", module->name);
        else
            cpio_unpack(device, module->name);
    }
}

/* Number of words in a text, which is left alone. */
static u32
count_words(const char *text)
{
    u32 words = 0;

    for (const char *at = text; *at; at++)
        words += *at != ' ' && (at == text || at[-1] == ' ');
    return words;
}

/* Starts process 1; without one there is nothing to run. */
static void
start_init(void)
{
    const char *text = command_line_init_arguments();
    char *cursor = kmem_allocate(strlen(text) + 1);
    const char **arguments = kmem_allocate_zeroed((count_words(text) + 2) * sizeof(*arguments));
    char *copy = cursor;
    u32 count = 0;
    int error;

    if (cursor == NULL || arguments == NULL)
        boot_refuse("There is no memory for the arguments of init.");
    memcpy(copy, text, strlen(text) + 1);
    arguments[count++] = init_path;
    while ((arguments[count] = command_line_word(&cursor)) != NULL)
        count++;
    error = process_spawn_init(init_path, arguments);
    kmem_free(arguments);
    kmem_free(copy);
    if (error < 0)
        boot_refuse("init=%s cannot be started (error %d): there is nothing to run.", init_path, -error);
}

static void
boot_thread(void)
{
    mm_start_swap();
    root_start();
    lay_modules();
    console_start_input();
    bug_start();
    if (selftest_wanted()) {
        selftest_after_each(check_run);
        selftest_run();
    }
    if (control_apply() < 0)
        log_warn("there is no memory for load control");
    start_init();
}

void
kernel_main(void)
{
    cpu_start();
    show_banner();
    fpu_start();
    mm_start();
    double_fault_use_tables();
    interrupts_start();
    timer_start();
    process_start();
    scheduler_start(boot_thread);
}
