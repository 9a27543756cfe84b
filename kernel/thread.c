/*
 * Threads come to be in two kinds: kernel threads, which run a C function, and user threads, whose first act is
 * to return to user mode with the registers that their creator put into the frame.
 */
#include "kernel/thread.h"

#include "kernel/panic.h"
#include "kernel/pid.h"
#include "kernel/process.h"
#include "kernel/scheduler.h"
#include "kernel/x86/segments.h"
#include "kernel/x86/trap.h"
#include "mm/kmem.h"
#include "mm/user.h"

#include <linux/sched.h>

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

struct thread *
thread_find(u32 id)
{
    struct pid *pid = pid_find(id);

    return pid != NULL ? pid->thread : NULL;
}

/* It bears the number; pid NULL: none, as kernel threads. */
static void
thread_take_number(struct thread *thread, struct pid *pid)
{
    thread->pid = pid;
    thread->id = pid != NULL ? pid->number : 0;
    if (pid != NULL)
        pid->thread = thread;
}

static void
thread_give_up_number(struct thread *thread)
{
    struct pid *pid = thread->pid;

    if (pid == NULL)
        return;
    thread->pid = NULL;
    pid->thread = NULL;
    if (pid != thread->process->pid)
        pid_release(pid);
}

static void
thread_enter_process(struct thread *thread, struct process *process)
{
    u32 interrupts = interrupts_save();

    thread->process = process;
    TAILQ_INSERT_TAIL(&process->threads, thread, process_link);
    process->thread_count++;
    interrupts_restore(interrupts);
}

/* What both kinds share. `start` must not return. */
static struct thread *
thread_create(struct process *process, struct pid *pid, void (*start)(void))
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
    thread->state = THREAD_RUNNABLE;
    thread->slice = 0;
    thread->policy = SCHED_NORMAL;
    thread->timer_slack = thread->timer_slack_default = THREAD_TIMER_SLACK;
    thread->exiting = false;
    thread->woken = false;
    thread->work = 0;
    thread->restart.resume = NULL;
    thread->set_child_tid = 0;
    thread->clear_child_tid = 0;
    thread->robust_list = 0;
    thread->acts_as = NULL;
    thread->user_ticks = 0;
    thread->system_ticks = 0;
    thread->switches_voluntary = 0;
    thread->switches_involuntary = 0;
    signal_init_thread(thread);
    thread_enter_process(thread, process);
    thread_take_number(thread, pid);
    return thread;
}

struct thread *
thread_create_user(struct process *process, struct pid *pid)
{
    struct thread *thread = thread_create(process, pid, thread_begin_user);

    if (thread != NULL)
        thread->has_user_state = true;
    return thread;
}

struct thread *
thread_spawn_kernel(struct process *process, void (*body)(void))
{
    struct thread *thread = thread_create(process, process->pid, thread_begin_kernel);

    if (thread == NULL)
        return NULL;
    thread->has_user_state = false;
    thread->body = body;
    scheduler_add(thread);
    return thread;
}

static void
thread_unlink(struct thread *thread)
{
    u32 interrupts = interrupts_save();

    TAILQ_REMOVE(&thread->process->threads, thread, process_link);
    thread->process->thread_count--;
    interrupts_restore(interrupts);
}

void
thread_leave_process(struct thread *thread)
{
    u32 interrupts;

    if (thread->process == &process_kernel)
        return;
    interrupts = interrupts_save();
    process_usage_retire_thread(thread->process, thread);
    thread_give_up_number(thread);
    signal_release_thread(thread);
    thread_unlink(thread);
    thread_enter_process(thread, &process_kernel);
    interrupts_restore(interrupts);
}

char *
thread_name(struct thread *thread)
{
    return thread->pid == thread->process->pid ? thread->process->name : thread->name;
}

void
thread_become_first(struct thread *thread)
{
    if (thread->pid == thread->process->pid)
        return;
    thread_give_up_number(thread);
    thread_take_number(thread, thread->process->pid);
}

void
thread_free(struct thread *thread)
{
    thread_leave_process(thread);
    thread_unlink(thread);
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
