/*
 * What a process does on each signal. Processes share a table after fork until one changes it, so that fork
 * need not copy it.
 */
#include "kernel/process.h"
#include "kernel/signal.h"
#include "kernel/thread.h"
#include "mm/kmem.h"

#include <asm/errno.h>

static struct kmem_cache signal_actions_cache =
    KMEM_CACHE("signal_actions", sizeof(struct signal_actions), _Alignof(struct signal_actions));

bool
signal_default_ignores(int signal)
{
    return signal == SIGCHLD || signal == SIGCONT || signal == SIGURG || signal == SIGWINCH;
}

/* SIG_DFL is 0: zeroed actions are default actions. */
struct signal_actions *
signal_actions_create(void)
{
    struct signal_actions *actions = kmem_cache_allocate_zeroed(&signal_actions_cache);

    if (actions != NULL) {
        actions->references = 1;
        actions->survives_exec = true;
    }
    return actions;
}

void
signal_actions_release(struct signal_actions *actions)
{
    if (actions != NULL && --actions->references == 0)
        kmem_cache_free(&signal_actions_cache, actions);
}

static struct signal_actions *
signal_actions_copy(const struct signal_actions *from)
{
    struct signal_actions *actions = kmem_cache_allocate(&signal_actions_cache);

    if (actions != NULL) {
        *actions = *from;
        actions->references = 1;
        actions->shared = false;
    }
    return actions;
}

int
signal_actions_unshare(struct process *process)
{
    struct signal_actions *own;

    if (process->signals.actions->references == 1 || process->signals.actions->shared)
        return 0;
    own = signal_actions_copy(process->signals.actions);
    if (own == NULL)
        return -ENOMEM;
    signal_actions_release(process->signals.actions);
    process->signals.actions = own;
    return 0;
}

void
signal_init_process(struct process *process, struct signal_actions *actions)
{
    struct signal_process *signals = &process->signals;

    signals->pending.set = 0;
    TAILQ_INIT(&signals->pending.realtime);
    signals->actions = actions;
    signals->stop_signal = 0;
    signals->stopping = false;
    signals->stop_unreported = false;
    signals->continue_unreported = false;
    signals->unkillable = false;
    signals->places_kept = 0;
}

void
signal_init_thread(struct thread *thread)
{
    struct signal_thread *signals = &thread->signals;

    signals->pending.set = 0;
    TAILQ_INIT(&signals->pending.realtime);
    signals->blocked = 0;
    signals->restore_blocked = false;
    signals->awaited = 0;
    signals->stack = (struct signal_stack){.flags = SS_DISABLE};
}

/* The actions for a child, counted: the parent's own until one of them changes its, unless they are shared; or NULL. */
static struct signal_actions *
signal_actions_fork(struct process *parent, bool share)
{
    struct signal_actions *actions;

    if (share && signal_actions_unshare(parent) < 0)
        return NULL;
    actions = parent->signals.actions;
    if (share)
        actions->shared = true;
    else if (actions->shared)
        return signal_actions_copy(actions);
    actions->references++;
    return actions;
}

int
signal_fork(struct process *child, struct thread *child_thread, const struct thread *parent_thread, bool share)
{
    struct signal_actions *actions = signal_actions_fork(parent_thread->process, share);

    signal_init_process(child, actions);
    child_thread->signals.blocked = parent_thread->signals.blocked;
    child_thread->signals.stack = parent_thread->signals.stack;
    return actions == NULL ? -ENOMEM : 0;
}

void
signal_clone(struct thread *child, const struct thread *creator)
{
    child->signals.blocked = creator->signals.blocked;
}

struct signal_actions *
signal_exec_prepare(const struct process *process)
{
    struct signal_actions *actions = process->signals.actions, *left;

    if (!actions->shared && actions->survives_exec) {
        actions->references++;
        return actions;
    }
    left = signal_actions_create();
    if (left == NULL)
        return NULL;
    for (int signal = 1; signal <= SIGNAL_COUNT; signal++) {
        if (actions->action[signal].handler == (u32)SIG_IGN)
            left->action[signal].handler = (u32)SIG_IGN;
    }
    return left;
}

void
signal_exec_commit(struct process *process, struct signal_actions *actions)
{
    signal_actions_release(process->signals.actions);
    process->signals.actions = actions;
    current_thread()->signals.stack = (struct signal_stack){.flags = SS_DISABLE};
}
