/*
 * The first process. It is made like any other, but in place of a fork its thread begins in the kernel, runs
 * exec, and goes on to user mode when that has worked; the boot thread waits to hear whether it has.
 */
#include "kernel/exec.h"
#include "kernel/file.h"
#include "kernel/inode.h"
#include "kernel/path.h"
#include "kernel/process.h"
#include "kernel/resource.h"
#include "kernel/x86/trap.h"
#include "mm/failslab.h"

#include <asm/errno.h>

#define DEFAULT_FILE_MODE_MASK 022u
#define STANDARD_FILES 3u

static const char *const init_environment[] = {"HOME=/", "PATH=/bin:/test", "TERM=linux", NULL};

/* What the two threads tell each other. */
static struct {
    const char *path;
    const char *const *arguments;
    bool done;
    int result;
    struct wait_queue queue;
} init_request;

static int
init_exec(void)
{
    struct exec_strings strings;
    int result = exec_strings_copy(&strings, init_request.arguments, init_environment);

    if (result == 0)
        result = exec_run(init_request.path, &strings);
    exec_strings_release(&strings);
    return result;
}

static void
init_run(void)
{
    init_request.result = init_exec();
    failslab_start();
    init_request.done = true;
    wait_wake_all(&init_request.queue);
    if (init_request.result == 0)
        trap_return(current_thread()->frame);
}

static int
init_open_console(struct process *process)
{
    struct file *console = file_open_console();
    int result = 0;

    if (console == NULL)
        return -ENOMEM;
    for (u32 descriptor = 0; descriptor < STANDARD_FILES && result >= 0; descriptor++) {
        result = file_install(process->files, file_hold(console), descriptor, false);
        if (result < 0)
            file_release(console);
    }
    file_release(console);
    return result < 0 ? result : 0;
}

/* Everything of process 1 but its program. */
static int
init_fill(struct process *process)
{
    struct signal_actions *actions = signal_actions_create();

    if (actions == NULL)
        return -ENOMEM;
    signal_init_process(process, actions);
    process->signals.unkillable = true;
    process->identity = (struct identity){0};
    process->nice = 0;
    process->left_terminal = false;
    process->no_new_privileges = false;
    process->start_time = 0;
    process->file_mode_mask = DEFAULT_FILE_MODE_MASK;
    process_set_name(process, init_request.path);
    resource_initialize_limits(process);
    process->directory = inode_hold(path_root);
    process->files = file_table_create();
    return process->files != NULL ? init_open_console(process) : -ENOMEM;
}

int
process_spawn_init(const char *path, const char *const *arguments)
{
    struct process *process = process_allocate();
    int result;

    if (process == NULL)
        return -ENOMEM;
    init_request.path = path;
    init_request.arguments = arguments;
    result = init_fill(process);
    if (result < 0)
        return result;
    process_link(process, &process_kernel, process->pid, process->pid);
    if (thread_spawn_kernel(process, init_run) == NULL)
        return -ENOMEM;
    while (!init_request.done)
        wait_sleep(&init_request.queue);
    return init_request.result;
}
