/* The system calls on signals. */
#include "kernel/process.h"
#include "kernel/signal.h"
#include "kernel/syscall.h"
#include "kernel/thread.h"
#include "kernel/time.h"
#include "kernel/x86/trap.h"
#include "mm/user.h"

#include <asm/errno.h>

/* The size that rt_ calls must give for a set. */
#define SIGNAL_SET_BYTES sizeof(signal_set)

/* Other flags are taken away, so that a program can ask which there are. */
#define ACTION_FLAGS                                                                                               \
    (SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_EXPOSE_TAGBITS | SA_RESTORER | SA_ONSTACK | SA_RESTART | SA_NODEFER \
     | SA_RESETHAND)

static bool
signal_is_valid(u32 signal)
{
    return signal >= 1 && signal <= SIGNAL_COUNT;
}

/* ---- Sending ---- */

/* SIGCONT may be sent to all of one's session besides. */
static bool
kill_is_permitted(const struct process *target, u32 signal)
{
    const struct identity *own = &current_process()->identity;
    const struct identity *other = &target->identity;

    return own->user.effective == IDENTITY_ROOT
        || own->user.real == other->user.real || own->user.real == other->user.saved
        || own->user.effective == other->user.real || own->user.effective == other->user.saved
        || (signal == SIGCONT && target->session == current_process()->session);
}

/*
 * Signal 0 only asks whether sending would be allowed. What is no signal is found out last: first there must be
 * somebody to get it.
 */
static int
kill_process(struct process *target, u32 signal, const struct signal_info *info)
{
    if (signal > SIGNAL_COUNT)
        return -EINVAL;
    if (!kill_is_permitted(target, signal))
        return -EPERM;
    return signal == 0 ? 0 : signal_send(target, (int)signal, info);
}

/* 0 if it could be sent to at least one member. */
static int
kill_group(u32 number, u32 signal, const struct signal_info *info)
{
    struct pid *group = pid_find(number);
    struct process *member;
    int result = -ESRCH;

    if (group == NULL)
        return -ESRCH;
    LIST_FOREACH(member, &group->group, group_link) {
        int one = kill_process(member, signal, info);

        if (result != 0)
            result = one;
    }
    return result;
}

/* All but init and the caller. Those who may not be signalled are passed over, and are no error, as on Linux. */
static int
kill_everybody(u32 signal, const struct signal_info *info)
{
    struct process *process;
    int result = -ESRCH;

    process_for_each(process) {
        if (process->id > PID_INIT && process != current_process()) {
            int one = kill_process(process, signal, info);

            result = one == -EPERM ? 0 : one;
        }
    }
    return result;
}

s32
sys_kill(u32 id, u32 signal)
{
    struct signal_info info = signal_info_from_current(SI_USER);
    struct process *target;
    s32 number = (s32)id;

    if (number == 0)
        return kill_group(current_process()->group->number, signal, &info);
    if (number == -1)
        return kill_everybody(signal, &info);
    if (number < 0)
        return kill_group(0u - id, signal, &info);
    target = process_find_by_thread(id);
    return target != NULL ? kill_process(target, signal, &info) : -ESRCH;
}

/*
 * To the thread of this number, which is one of the process. Its first is there as long as the process is; what is sent
 * after its end comes nowhere.
 */
static s32
kill_thread(u32 id, const struct process *process, u32 signal, const struct signal_info *info)
{
    struct thread *target = thread_find(id);

    if (process == NULL)
        return -ESRCH;
    if (signal > SIGNAL_COUNT)
        return -EINVAL;
    if (!kill_is_permitted(process, signal))
        return -EPERM;
    return signal == 0 || target == NULL ? 0 : signal_send_thread(target, (int)signal, info);
}

/* The process of a thread's number, if the process has that number. */
static const struct process *
process_find_of(u32 thread, u32 id)
{
    const struct process *process = process_find_by_thread(thread);

    return process != NULL && process->id == id ? process : NULL;
}

s32
sys_tkill(u32 thread, u32 signal)
{
    struct signal_info info = signal_info_from_current(SI_TKILL);

    if ((s32)thread <= 0)
        return -EINVAL;
    return kill_thread(thread, process_find_by_thread(thread), signal, &info);
}

s32
sys_tgkill(u32 process, u32 thread, u32 signal)
{
    struct signal_info info = signal_info_from_current(SI_TKILL);

    if ((s32)process <= 0 || (s32)thread <= 0)
        return -EINVAL;
    return kill_thread(thread, process_find_of(thread, process), signal, &info);
}

/* What the sender says of itself. Nobody may pretend that the kernel or kill sent it, except to itself. */
static int
queueinfo_read(u32 info_address, u32 id, struct signal_info *info)
{
    siginfo_t given;

    if (user_copy_in(&given, info_address, sizeof(given)) < 0)
        return -EFAULT;
    if ((given.si_code >= 0 || given.si_code == SI_TKILL) && id != current_process()->id)
        return -EPERM;
    info->code = given.si_code;
    info->fields = given._sifields;
    return 0;
}

s32
sys_rt_sigqueueinfo(u32 id, u32 signal, u32 info_address)
{
    struct process *target;
    struct signal_info info;
    int result = queueinfo_read(info_address, id, &info);

    if (result < 0)
        return result;
    target = process_find_by_thread(id);
    return target != NULL ? kill_process(target, signal, &info) : -ESRCH;
}

s32
sys_rt_tgsigqueueinfo(u32 process, u32 thread, u32 signal, u32 info_address)
{
    struct signal_info info;
    int result = queueinfo_read(info_address, process, &info);

    if (result < 0)
        return result;
    if ((s32)process <= 0 || (s32)thread <= 0)
        return -EINVAL;
    return kill_thread(thread, process_find_of(thread, process), signal, &info);
}

/* ---- Actions ---- */

/* Whether the signal has an action, which can be changed if that is what the call is for: 0 or -EINVAL. */
static int
action_check(u32 signal, bool changes)
{
    if (!signal_is_valid(signal))
        return -EINVAL;
    return changes && (signal_bit((int)signal) & SIGNALS_ABSOLUTE) != 0 ? -EINVAL : 0;
}

static struct signal_action
action_get(u32 signal)
{
    return current_process()->signals.actions->action[signal];
}

/* Sets the action of a signal that has passed action_check. 0 or -ENOMEM. */
static int
action_set(u32 signal, struct signal_action action)
{
    struct process *process = current_process();
    int result = signal_actions_unshare(process);

    if (result < 0)
        return result;
    action.flags &= ACTION_FLAGS;
    action.mask &= ~SIGNALS_ABSOLUTE;
    process->signals.actions->action[signal] = action;
    if (action.handler > (u32)SIG_IGN || (action.flags | action.restorer) != 0 || action.mask != 0)
        process->signals.actions->survives_exec = false;
    if (action.handler == (u32)SIG_IGN || (action.handler == (u32)SIG_DFL && signal_default_ignores((int)signal)))
        signal_discard(process, signal_bit((int)signal));
    return 0;
}

static_assert(sizeof(struct signal_action) == 20, "the layout of rt_sigaction's structure");

/* The old action is written before the new one is set, so that a bad pointer changes nothing. */
s32
sys_rt_sigaction(u32 signal, u32 action_address, u32 old_address, u32 set_bytes)
{
    struct signal_action action, old;
    int result;

    if (set_bytes != SIGNAL_SET_BYTES)
        return -EINVAL;
    if (action_address != 0 && user_copy_in(&action, action_address, sizeof(action)) < 0)
        return -EFAULT;
    result = action_check(signal, action_address != 0);
    if (result < 0)
        return result;
    old = action_get(signal);
    if (old_address != 0 && user_copy_out(old_address, &old, sizeof(old)) < 0)
        return -EFAULT;
    return action_address != 0 ? action_set(signal, action) : 0;
}

/* The structure of the older call has a mask of 32 bits, in another place. */
static struct signal_action
action_from_old(const struct sigaction *action)
{
    return (struct signal_action){.handler = (u32)action->sa_handler, .flags = action->sa_flags,
                                  .restorer = (u32)action->sa_restorer, .mask = action->sa_mask};
}

static struct sigaction
action_to_old(const struct signal_action *action)
{
    struct sigaction old = {0};

    old.sa_handler = (__sighandler_t)action->handler;
    old.sa_flags = action->flags;
    old.sa_restorer = (void (*)(void))action->restorer;
    old.sa_mask = (u32)action->mask;
    return old;
}

s32
sys_sigaction(u32 signal, u32 action_address, u32 old_address)
{
    struct signal_action before;
    struct sigaction action, old;
    int result;

    if (action_address != 0 && user_copy_in(&action, action_address, sizeof(action)) < 0)
        return -EFAULT;
    result = action_check(signal, action_address != 0);
    if (result < 0)
        return result;
    before = action_get(signal);
    old = action_to_old(&before);
    if (old_address != 0 && user_copy_out(old_address, &old, sizeof(old)) < 0)
        return -EFAULT;
    return action_address != 0 ? action_set(signal, action_from_old(&action)) : 0;
}

s32
sys_signal(u32 signal, u32 handler)
{
    struct signal_action action = {.handler = handler, .flags = SA_RESETHAND | SA_NODEFER}, old;
    int result = action_check(signal, true);

    if (result < 0)
        return result;
    old = action_get(signal);
    result = action_set(signal, action);
    return result < 0 ? result : (s32)old.handler;
}

/* ---- Masks ---- */

/* Changes the bits of the blocked set that `within` names. */
static int
mask_change(u32 how, signal_set set, signal_set within)
{
    signal_set blocked = current_thread()->signals.blocked;

    if (how == SIG_BLOCK)
        blocked |= set;
    else if (how == SIG_UNBLOCK)
        blocked &= ~set;
    else if (how == SIG_SETMASK)
        blocked = (blocked & ~within) | set;
    else
        return -EINVAL;
    signal_set_blocked(blocked);
    return 0;
}

/* What both calls do; `bytes` is the size of a set in user memory. */
static s32
mask_call(u32 how, u32 set_address, u32 old_address, u32 bytes)
{
    signal_set within = bytes == sizeof(u32) ? UINT32_MAX : UINT64_MAX;
    signal_set set = 0;
    signal_set old = current_thread()->signals.blocked;

    if (set_address != 0 && user_copy_in(&set, set_address, bytes) < 0)
        return -EFAULT;
    if (set_address != 0 && how > SIG_SETMASK)
        return -EINVAL;
    if (old_address != 0 && user_copy_out(old_address, &old, bytes) < 0)
        return -EFAULT;
    return set_address != 0 ? mask_change(how, set, within) : 0;
}

s32
sys_sigprocmask(u32 how, u32 set, u32 old)
{
    return mask_call(how, set, old, sizeof(u32));
}

s32
sys_rt_sigprocmask(u32 how, u32 set, u32 old, u32 set_bytes)
{
    if (set_bytes != SIGNAL_SET_BYTES)
        return -EINVAL;
    return mask_call(how, set, old, SIGNAL_SET_BYTES);
}

static s32
pending_call(u32 address, u32 bytes)
{
    struct thread *thread = current_thread();
    signal_set pending = signal_pending_set(thread) & thread->signals.blocked;

    return user_copy_out(address, &pending, bytes);
}

s32
sys_sigpending(u32 set)
{
    return pending_call(set, sizeof(u32));
}

s32
sys_rt_sigpending(u32 set, u32 set_bytes)
{
    if (set_bytes > SIGNAL_SET_BYTES)
        return -EINVAL;
    return pending_call(set, set_bytes);
}

/* ---- Waiting for signals ---- */

/* Until a signal that is not blocked arrives; a handler makes this -EINTR, anything else starts it anew. */
static s32
wait_for_signal(void)
{
    while (wait_timeout(NULL, WAIT_FOREVER) == 0)
        continue;
    return -ERESTARTNOHAND;
}

s32
sys_pause(void)
{
    return wait_for_signal();
}

s32
sys_sigsuspend(u32 unused_1, u32 unused_2, u32 mask)
{
    (void)unused_1;
    (void)unused_2;
    signal_suspend_mask(mask);
    return wait_for_signal();
}

s32
sys_rt_sigsuspend(u32 set_address, u32 set_bytes)
{
    signal_set set;

    if (set_bytes != SIGNAL_SET_BYTES)
        return -EINVAL;
    if (user_copy_in(&set, set_address, sizeof(set)) < 0)
        return -EFAULT;
    signal_suspend_mask(set);
    return wait_for_signal();
}

/*
 * Takes a signal of the set, waiting for one until the deadline: its number, -EAGAIN at the deadline, -EINTR
 * for others.
 */
static s32
signal_await(signal_set set, u64 deadline, struct signal_info *info)
{
    struct signal_thread *signals = &current_thread()->signals;
    int ended = 0;
    int signal;

    set &= ~SIGNALS_ABSOLUTE;
    signals->awaited = set;
    while ((signal = signal_take(set, info)) == 0 && ended == 0)
        ended = wait_timeout(NULL, deadline);
    signals->awaited = 0;
    signal_update_work(current_thread());
    if (signal != 0)
        return signal;
    return ended == -ETIMEDOUT ? -EAGAIN : -EINTR;
}

static s32
timedwait_call(u32 set_address, u32 info_address, u32 timeout, u32 set_bytes, time_reader read)
{
    struct signal_info info;
    siginfo_t user = {0};
    signal_set set;
    u64 deadline;
    s32 signal = time_read_deadline(timeout, read, &deadline);

    if (signal < 0)
        return signal;
    if (set_bytes != SIGNAL_SET_BYTES)
        return -EINVAL;
    if (user_copy_in(&set, set_address, sizeof(set)) < 0)
        return -EFAULT;
    if (info_address != 0 && user_copy_out(info_address, &user, sizeof(user)) < 0)
        return -EFAULT;
    signal = signal_await(set, deadline, &info);
    if (signal > 0 && info_address != 0) {
        signal_info_expand(&user, signal, &info);
        if (user_copy_out(info_address, &user, sizeof(user)) < 0)
            return -EFAULT;
    }
    return signal;
}

s32
sys_rt_sigtimedwait(u32 set, u32 info, u32 timeout, u32 set_bytes)
{
    return timedwait_call(set, info, timeout, set_bytes, time_read_old_timespec);
}

s32
sys_rt_sigtimedwait_time64(u32 set, u32 info, u32 timeout, u32 set_bytes)
{
    return timedwait_call(set, info, timeout, set_bytes, time_read_timespec);
}

/* ---- The alternate stack ---- */

static bool
stack_is_in_use(const struct signal_stack *stack)
{
    return signal_stack_holds(stack, current_thread()->frame->esp);
}

static int
stack_check(const struct signal_stack *stack)
{
    u32 mode = stack->flags & ~(u32)SS_AUTODISARM;

    if (stack_is_in_use(&current_thread()->signals.stack))
        return -EPERM;
    if (mode != 0 && mode != SS_ONSTACK && mode != SS_DISABLE)
        return -EINVAL;
    return mode != SS_DISABLE && stack->size < MINSIGSTKSZ ? -ENOMEM : 0;
}

s32
sys_sigaltstack(u32 stack_address, u32 old_address)
{
    struct signal_stack *own = &current_thread()->signals.stack;
    struct signal_stack stack, old = *own;
    int result;

    if (stack_address != 0) {
        if (user_copy_in(&stack, stack_address, sizeof(stack)) < 0)
            return -EFAULT;
        result = stack_check(&stack);
        if (result < 0)
            return result;
    }
    if (old_address != 0) {
        if (old.size != 0 && stack_is_in_use(&old))
            old.flags |= SS_ONSTACK;
        if (user_copy_out(old_address, &old, sizeof(old)) < 0)
            return -EFAULT;
    }
    if (stack_address != 0)
        *own = (stack.flags & SS_DISABLE) != 0 ? (struct signal_stack){.flags = SS_DISABLE} : stack;
    return 0;
}

static_assert(sizeof(struct signal_stack) == sizeof(stack_t)
                  && offsetof(struct signal_stack, size) == offsetof(stack_t, ss_size),
              "the layout of stack_t");
