/*
 * Sending. A signal goes through
 *
 *     ignored? -> drop          pending already (standard)? -> drop          else: pending -> wake the receiver
 *
 * with interrupts disabled, since terminal and timers send from interrupt handlers. SIGCONT and the stop
 * signals undo each other when sent, not when acted upon: a stopped process could not act.
 *
 * The receiver of a signal to a process is its first thread that does not block it, and that one alone is woken. The
 * signal stays pending for the process, so that any thread may take it; where the receiver ends or blocks the signal
 * before it has acted, the others are made to look (signal_thread_left).
 */
#include "kernel/signal.h"

#include "kernel/assert.h"
#include "kernel/process.h"
#include "kernel/scheduler.h"
#include "kernel/thread.h"
#include "kernel/wait.h"
#include "kernel/x86/cpu.h"
#include "mm/kmem.h"

#include <asm/errno.h>

/* What a thread did itself comes before what others sent, so that si_addr and the registers still belong together. */
#define SIGNALS_SYNCHRONOUS                                                                                     \
    (signal_bit(SIGSEGV) | signal_bit(SIGBUS) | signal_bit(SIGILL) | signal_bit(SIGTRAP) | signal_bit(SIGFPE) \
     | signal_bit(SIGSYS))

static struct kmem_cache signal_queued_cache =
    KMEM_CACHE("signal_queued", sizeof(struct signal_queued), _Alignof(struct signal_queued));
static u32 signal_queued_count;                /* of all processes, and the places that are kept */

signal_set
signal_pending_set(const struct thread *thread)
{
    return thread->signals.pending.set | thread->process->signals.pending.set;
}

bool
signal_pending(const struct thread *thread)
{
    return (signal_pending_set(thread) & (~thread->signals.blocked | thread->signals.awaited)) != 0
        || thread->process->signals.stop_signal != 0;
}

bool
signal_kill_pending(const struct thread *thread)
{
    return (signal_pending_set(thread) & signal_bit(SIGKILL)) != 0;
}

void
signal_update_work(struct thread *thread)
{
    u32 interrupts = interrupts_save();

    if (signal_pending(thread) || thread->signals.restore_blocked)
        thread->work |= WORK_SIGNAL;
    else
        thread->work &= ~WORK_SIGNAL;
    if (thread == current_thread())
        cpu()->pending_work = (cpu()->pending_work & ~WORK_SIGNAL) | thread->work;
    interrupts_restore(interrupts);
}

void
signal_leave_blocked(void)
{
    struct thread *thread = current_thread();
    struct process *process = thread->process;

    if (process->thread_count > 1 && (process->signals.pending.set & thread->signals.blocked) != 0)
        signal_thread_left(process);
}

void
signal_set_blocked(signal_set blocked)
{
    struct thread *thread = current_thread();

    thread->signals.blocked = blocked & ~SIGNALS_ABSOLUTE;
    signal_update_work(thread);
    signal_leave_blocked();
}

void
signal_suspend_mask(signal_set blocked)
{
    struct signal_thread *signals = &current_thread()->signals;

    signals->saved_blocked = signals->blocked;
    signals->restore_blocked = true;
    signal_set_blocked(blocked);
}

void
signal_restore_mask(void)
{
    struct signal_thread *signals = &current_thread()->signals;

    if (!signals->restore_blocked)
        return;
    signals->restore_blocked = false;
    signal_set_blocked(signals->saved_blocked);
}

bool
signal_is_ignored_or_blocked(int signal)
{
    struct thread *thread = current_thread();

    return (thread->signals.blocked & signal_bit(signal)) != 0
        || thread->process->signals.actions->action[signal].handler == (u32)SIG_IGN;
}

/* Ignored signals are dropped when sent, unless blocked: then what to do is decided later. */
static bool
signal_is_dropped(const struct process *process, const struct thread *thread, int signal)
{
    u32 handler = process->signals.actions->action[signal].handler;

    if ((thread->signals.blocked & signal_bit(signal)) != 0)
        return false;
    if (handler == (u32)SIG_IGN)
        return true;
    return handler == (u32)SIG_DFL && (process->signals.unkillable || signal_default_ignores(signal));
}

/* Takes one out of the queue. */
static void
signal_unqueue(struct signal_queued *queued)
{
    TAILQ_REMOVE(&queued->pending->realtime, queued, link);
    queued->pending = NULL;
    if (queued->is_kept)
        return;
    kmem_cache_free(&signal_queued_cache, queued);
    signal_queued_count--;
}

static void
signal_drop_queued(struct signal_pending *pending, signal_set signals)
{
    struct signal_queued *queued, *following;

    TAILQ_FOREACH_SAFE(queued, &pending->realtime, link, following) {
        if ((signal_bit(queued->signal) & signals) != 0)
            signal_unqueue(queued);
    }
}

static void
signal_pending_discard(struct signal_pending *pending, signal_set signals)
{
    if ((pending->set & signals) == 0)
        return;
    pending->set &= ~signals;
    signal_drop_queued(pending, signals);
}

void
signal_discard(struct process *process, signal_set signals)
{
    u32 interrupts = interrupts_save();
    struct thread *thread;

    signal_pending_discard(&process->signals.pending, signals);
    TAILQ_FOREACH(thread, &process->threads, process_link) {
        signal_pending_discard(&thread->signals.pending, signals);
        signal_update_work(thread);
    }
    interrupts_restore(interrupts);
}

/* What sending does at once, whatever becomes of the signal itself. */
static void
signal_prepare(struct process *process, int signal)
{
    if (signal == SIGCONT || signal == SIGKILL) {
        signal_discard(process, SIGNALS_STOP);
        signal_continue(process, signal);
    } else if ((SIGNALS_STOP & signal_bit(signal)) != 0) {
        signal_discard(process, signal_bit(SIGCONT));
    }
}

static void
signal_queue(struct signal_pending *pending, struct signal_queued *queued)
{
    queued->pending = pending;
    TAILQ_INSERT_TAIL(&pending->realtime, queued, link);
}

static u32
signal_count_queued(const struct signal_pending *pending)
{
    const struct signal_queued *queued;
    u32 count = 0;

    TAILQ_FOREACH(queued, &pending->realtime, link)
        count += !queued->is_kept;
    return count;
}

u32
signal_count_of_user(u32 user)
{
    const struct process *process;
    const struct thread *thread;
    u32 count = 0;

    process_for_each(process) {
        if (process->identity.user.real != user)
            continue;
        count += process->signals.places_kept + signal_count_queued(&process->signals.pending);
        TAILQ_FOREACH(thread, &process->threads, process_link)
            count += signal_count_queued(&thread->signals.pending);
    }
    return count;
}

/* Whether fewer than RLIMIT_SIGPENDING wait for the processes of the receiver's user. */
static bool
signal_may_queue(const struct process *receiver)
{
    u32 limit = (u32)receiver->limits[RLIMIT_SIGPENDING].rlim_cur;

    return signal_queued_count < limit || signal_count_of_user(receiver->identity.user.real) < limit;
}

bool
signal_place_keep(struct process *process)
{
    u32 interrupts = interrupts_save();
    bool may = signal_may_queue(process);

    if (may) {
        process->signals.places_kept++;
        signal_queued_count++;
    }
    interrupts_restore(interrupts);
    return may;
}

void
signal_place_give_back(struct process *process)
{
    u32 interrupts = interrupts_save();

    process->signals.places_kept--;
    signal_queued_count--;
    interrupts_restore(interrupts);
}

/* Where there is no room, one that kill sent arrives all the same, with nothing known of it; any other is refused. */
static int
signal_queue_realtime(struct process *receiver, struct signal_pending *pending, int signal, const struct signal_info *info)
{
    struct signal_queued *queued = signal_may_queue(receiver) ? kmem_cache_allocate(&signal_queued_cache) : NULL;

    if (queued == NULL)
        return info->code == SI_USER ? 0 : -EAGAIN;
    *queued = (struct signal_queued){.signal = signal, .info = *info};
    signal_queue(pending, queued);
    signal_queued_count++;
    return 0;
}

/* Makes it pending, in the queue as `kept` if that is not NULL: 0, or -EAGAIN. */
static int
signal_add(struct process *receiver, struct signal_pending *pending, int signal, const struct signal_info *info,
           struct signal_queued *kept)
{
    static const struct signal_info from_kernel = {.code = SI_KERNEL};

    if (info == NULL)
        info = &from_kernel;
    if (signal > SIGNAL_STANDARD_COUNT && kept != NULL) {
        signal_queue(pending, kept);
    } else if (signal > SIGNAL_STANDARD_COUNT) {
        if (signal_queue_realtime(receiver, pending, signal, info) < 0)
            return -EAGAIN;
    } else if ((pending->set & signal_bit(signal)) == 0) {
        pending->standard[signal] = *info;
    }
    pending->set |= signal_bit(signal);
    return 0;
}

static int
signal_post(struct process *process, struct thread *thread, struct signal_pending *pending, int signal,
            const struct signal_info *info, struct signal_queued *kept)
{
    u32 interrupts = interrupts_save();
    int result = 0;

    signal_prepare(process, signal);
    if (!signal_is_dropped(process, thread, signal)) {
        result = signal_add(process, pending, signal, info, kept);
        signal_update_work(thread);
        wait_interrupt(thread);
    }
    interrupts_restore(interrupts);
    return result;
}

/* The first thread that would act on the signal; if there is none, the first of all. */
static struct thread *
signal_receiver(const struct process *process, int signal)
{
    struct thread *thread;

    TAILQ_FOREACH(thread, &process->threads, process_link) {
        signal_set deaf = thread->signals.blocked & ~thread->signals.awaited;

        if ((deaf & signal_bit(signal)) == 0 && !thread->exiting)
            return thread;
    }
    return process_first_thread(process);
}

int
signal_send(struct process *process, int signal, const struct signal_info *info)
{
    struct thread *thread = signal_receiver(process, signal);

    assert(signal > 0 && signal <= SIGNAL_COUNT);
    if (thread == NULL || process->exiting || process->signals.actions == NULL)
        return 0;
    return signal_post(process, thread, &process->signals.pending, signal, info, NULL);
}

int
signal_send_thread(struct thread *thread, int signal, const struct signal_info *info)
{
    assert(signal > 0 && signal <= SIGNAL_COUNT);
    if (thread->process->exiting)
        return 0;
    return signal_post(thread->process, thread, &thread->signals.pending, signal, info, NULL);
}

static struct signal_pending *
signal_kept_goal(struct process *process, struct thread *thread)
{
    return thread != NULL ? &thread->signals.pending : &process->signals.pending;
}

void
signal_send_kept(struct process *process, struct thread *thread, struct signal_queued *kept)
{
    struct thread *receiver = thread != NULL ? thread : signal_receiver(process, kept->signal);

    if (receiver != NULL && !process->exiting)
        signal_post(process, receiver, signal_kept_goal(process, thread), kept->signal, &kept->info, kept);
}

/* A standard signal is not queued; but only one timer has this number. */
struct signal_info *
signal_kept_info(struct process *process, struct thread *thread, struct signal_queued *kept)
{
    struct signal_pending *pending = signal_kept_goal(process, thread);
    struct signal_info *info;

    if (kept->signal > SIGNAL_STANDARD_COUNT)
        return kept->pending != NULL ? &kept->info : NULL;
    info = &pending->standard[kept->signal];
    if ((pending->set & signal_bit(kept->signal)) == 0 || info->code != SI_TIMER)
        return NULL;
    return info->fields._timer._tid == kept->info.fields._timer._tid ? info : NULL;
}

void
signal_take_kept_back(struct signal_queued *kept)
{
    struct signal_pending *pending = kept->pending;
    struct signal_queued *other;

    if (pending == NULL)
        return;
    signal_unqueue(kept);
    TAILQ_FOREACH(other, &pending->realtime, link) {
        if (other->signal == kept->signal)
            return;
    }
    pending->set &= ~signal_bit(kept->signal);
}

int
signal_send_group(u32 group, int signal, const struct signal_info *info)
{
    struct pid *pid = pid_find(group);
    struct process *process;
    u32 interrupts;

    if (pid == NULL || LIST_EMPTY(&pid->group))
        return -ESRCH;
    interrupts = interrupts_save();
    LIST_FOREACH(process, &pid->group, group_link)
        signal_send(process, signal, info);
    interrupts_restore(interrupts);
    return 0;
}

void
signal_wake_all(struct process *process)
{
    struct thread *thread;

    TAILQ_FOREACH(thread, &process->threads, process_link) {
        signal_update_work(thread);
        wait_interrupt(thread);
    }
}

void
signal_force_kill(struct process *process)
{
    u32 interrupts = interrupts_save();

    signal_prepare(process, SIGKILL);
    signal_add(process, &process->signals.pending, SIGKILL, NULL, NULL);
    signal_wake_all(process);
    interrupts_restore(interrupts);
}

void
signal_kill_thread(struct thread *thread)
{
    u32 interrupts = interrupts_save();

    signal_add(thread->process, &thread->signals.pending, SIGKILL, NULL, NULL);
    signal_update_work(thread);
    wait_interrupt(thread);
    interrupts_restore(interrupts);
}

void
signal_thread_left(struct process *process)
{
    u32 interrupts = interrupts_save();

    if (process->signals.pending.set != 0)
        signal_wake_all(process);
    signal_stop_complete(process);
    interrupts_restore(interrupts);
}

void
signal_fault(int signal, int code, u32 address)
{
    struct thread *thread = current_thread();
    struct signal_actions *actions = thread->process->signals.actions;
    u32 handler = actions->action[signal].handler;
    struct signal_info info = {.code = code};

    if (handler == (u32)SIG_DFL || handler == (u32)SIG_IGN || (thread->signals.blocked & signal_bit(signal)) != 0) {
        interrupts_enable();
        process_exit(process_status_signalled(signal));
    }
    info.fields._sigfault._addr = (void *)address;
    signal_add(thread->process, &thread->signals.pending, signal, &info, NULL);
    thread->work |= WORK_SIGNAL;
    cpu()->pending_work |= WORK_SIGNAL;
}

static int
signal_pick(signal_set set)
{
    if ((set & signal_bit(SIGKILL)) != 0)
        return SIGKILL;
    if ((set & SIGNALS_SYNCHRONOUS) != 0)
        set &= SIGNALS_SYNCHRONOUS;
    return (u32)set != 0 ? __builtin_ctz((u32)set) + 1 : __builtin_ctz((u32)(set >> 32)) + 33;
}

/*
 * Takes the oldest real-time signal of this number out; its bit stays while there are more. Nothing is known of one that
 * found no place in the queue.
 */
static void
signal_remove_queued(struct signal_pending *pending, int signal, struct signal_info *info)
{
    struct signal_queued *queued, *following;
    bool found = false;

    *info = (struct signal_info){.code = SI_USER};
    pending->set &= ~signal_bit(signal);
    TAILQ_FOREACH_SAFE(queued, &pending->realtime, link, following) {
        if (queued->signal != signal)
            continue;
        if (found) {
            pending->set |= signal_bit(signal);
            return;
        }
        found = true;
        *info = queued->info;
        signal_unqueue(queued);
    }
}

static int
signal_remove(struct signal_pending *pending, signal_set wanted, struct signal_info *info)
{
    int signal;

    if ((pending->set & wanted) == 0)
        return 0;
    signal = signal_pick(pending->set & wanted);
    if (signal > SIGNAL_STANDARD_COUNT) {
        signal_remove_queued(pending, signal, info);
    } else {
        *info = pending->standard[signal];
        pending->set &= ~signal_bit(signal);
    }
    return signal;
}

int
signal_take(signal_set wanted, struct signal_info *info)
{
    struct thread *thread = current_thread();
    u32 interrupts = interrupts_save();
    int signal = signal_remove(&thread->signals.pending, wanted, info);

    if (signal == 0)
        signal = signal_remove(&thread->process->signals.pending, wanted, info);
    interrupts_restore(interrupts);
    return signal;
}

void
signal_release_thread(struct thread *thread)
{
    signal_pending_discard(&thread->signals.pending, ~0ull);
}

void
signal_release(struct process *process)
{
    signal_pending_discard(&process->signals.pending, ~0ull);
    signal_actions_release(process->signals.actions);
    process->signals.actions = NULL;
}

struct signal_info
signal_info_from_current(s32 code)
{
    const struct process *process = current_process();
    struct signal_info info = {.code = code};

    info.fields._kill._pid = (s32)process->id;
    info.fields._kill._uid = process->identity.user.real;
    return info;
}

void
signal_info_expand(siginfo_t *to, int signal, const struct signal_info *info)
{
    to->si_signo = signal;
    to->si_errno = 0;
    to->si_code = info->code;
    to->_sifields = info->fields;
}
