/*
 * Threads come to be in two kinds: kernel threads, which run a C function, and user threads, whose first act is
 * to return to user mode with the registers that their creator put into the frame.
 */
#include "kernel/thread.h"

#include "kernel/panic.h"
#include "kernel/process.h"
#include "kernel/scheduler.h"
#include "kernel/x86/segments.h"
#include "kernel/x86/trap.h"
#include "mm/kmem.h"
#include "mm/user.h"

static struct kmem_cache thread_cache = KMEM_CACHE("thread", sizeof(struct thread), _Alignof(struct thread));

static void
thread_begin_user(void)
{
    struct thread *thread = current_thread();

    scheduler_finish_switch();
    interrupts_enable();
    if (thread->set_child_tid != 0)
        user_write_word(thread->set_child_tid, thread->id);
    trap_return(thread->frame);
}

static void
thread_begin_kernel(void)
{
    scheduler_finish_switch();
    interrupts_enable();
    current_thread()->body();
    thread_exit();
}

/* What both kinds share. `start` must not return. */
static struct thread *
thread_create(struct process *process, void (*start)(void))
{
    struct thread *thread = kmem_cache_allocate(&thread_cache);

    if (thread == NULL)
        return NULL;
    thread->kernel_stack = kmem_stack_allocate();
    if (thread->kernel_stack == NULL) {
        kmem_cache_free(&thread_cache, thread);
        return NULL;
    }
    thread->frame = (struct trap_frame *)(thread->kernel_stack + KERNEL_STACK_BYTES) - 1;
    context_prepare(&thread->context, thread->frame, start);
    thread->process = process;
    thread->id = process->id;
    thread->state = THREAD_RUNNABLE;
    thread->slice = 0;
    thread->woken = false;
    thread->work = 0;
    thread->set_child_tid = 0;
    thread->clear_child_tid = 0;
    thread->robust_list = 0;
    thread->user_ticks = 0;
    thread->system_ticks = 0;
    thread->switches_voluntary = 0;
    thread->switches_involuntary = 0;
    signal_init_thread(thread);
    LIST_INSERT_HEAD(&process->threads, thread, process_link);
    process->thread_count++;
    return thread;
}

struct thread *
thread_create_user(struct process *process)
{
    struct thread *thread = thread_create(process, thread_begin_user);

    if (thread != NULL)
        thread->has_user_state = true;
    return thread;
}

struct thread *
thread_spawn_kernel(struct process *process, void (*body)(void))
{
    struct thread *thread = thread_create(process, thread_begin_kernel);

    if (thread == NULL)
        return NULL;
    thread->has_user_state = false;
    thread->body = body;
    scheduler_add(thread);
    return thread;
}

void
thread_leave_process(struct thread *thread)
{
    process_usage_retire_thread(thread->process, thread);
    LIST_REMOVE(thread, process_link);
    thread->process->thread_count--;
    signal_release_thread(thread);
    thread->process = &process_kernel;
    LIST_INSERT_HEAD(&process_kernel.threads, thread, process_link);
    process_kernel.thread_count++;
}

void
thread_free(struct thread *thread)
{
    thread_leave_process(thread);
    LIST_REMOVE(thread, process_link);
    process_kernel.thread_count--;
    kmem_stack_free(thread->kernel_stack);
    kmem_cache_free(&thread_cache, thread);
}

void
thread_exit(void)
{
    struct thread *thread = current_thread();

    interrupts_disable();
    thread_leave_process(thread);
    thread->has_user_state = false;
    thread->state = THREAD_DEAD;
    schedule();
    panic("a thread runs after its end");
}

void
thread_save_user_state(struct thread *thread)
{
    thread->fs = cpu_read_fs();
    thread->gs = cpu_read_gs();
    fpu_save(&thread->fpu);
}

void
thread_load_user_state(struct thread *thread)
{
    segments_set_kernel_stack((u32)(thread->frame + 1));
    segments_load_tls(thread->tls);
    cpu_load_fs(thread->fs);
    cpu_load_gs(thread->gs);
    fpu_restore(&thread->fpu);
}
