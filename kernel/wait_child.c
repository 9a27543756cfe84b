/*
 * Waiting for children. What a child has to report (it has ended, stopped, goes on) stays with the child until
 * a parent has received it: everything is written to user memory first, and only then taken away. Writing may sleep,
 * so another thread of the parent could take the same report meanwhile: it is claimed first, and the claim given up
 * where the writing fails.
 */
#include "kernel/process.h"
#include "kernel/resource.h"
#include "kernel/syscall.h"
#include "mm/user.h"

#include <asm/errno.h>
#include <linux/wait.h>

/* The options of wait4 that make sense; those of waitid are said in full. */
#define WAIT4_OPTIONS (WNOHANG | WUNTRACED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL)
#define WAITID_OPTIONS (WNOHANG | WNOWAIT | WEXITED | WSTOPPED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL)

enum child_event {
    CHILD_NO_EVENT,
    CHILD_EXITED,
    CHILD_STOPPED,
    CHILD_CONTINUED,
};

/* Which children are asked for, and for what. */
struct wait_request {
    int which;                 /* P_ALL, P_PID, P_PGID */
    u32 id;
    u32 options;               /* W..., as waitid has them */
};

/*
 * A child whose end SIGCHLD does not tell is one of clone's: with __WCLONE only these are waited for, without it only
 * others, with __WALL all.
 */
static bool
wait_matches(const struct wait_request *request, const struct process *child)
{
    bool is_clone = child->exit_signal != SIGCHLD;

    if ((request->options & __WALL) == 0 && is_clone != ((request->options & __WCLONE) != 0))
        return false;
    if (child->zombie && (request->options & WEXITED) == 0)
        return false;       /* there is nothing to come */
    return request->which != P_PGID || child->group->number == request->id;
}

static enum child_event
wait_event_of(const struct wait_request *request, const struct process *child)
{
    if (child->claimed)
        return CHILD_NO_EVENT;
    if (child->zombie)
        return CHILD_EXITED;
    if ((request->options & WSTOPPED) != 0 && child->signals.stop_unreported)
        return CHILD_STOPPED;
    if ((request->options & WCONTINUED) != 0 && child->signals.continue_unreported)
        return CHILD_CONTINUED;
    return CHILD_NO_EVENT;
}

/*
 * One look at the children: 1 with *child and *event, 0 if none has anything to report, -ECHILD if there is
 * none to wait for. One that is asked for by its number is found without a look at its siblings.
 */
static int
wait_look(const struct wait_request *request, struct process **child, enum child_event *event)
{
    struct process *candidate;
    int result = -ECHILD;

    if (request->which == P_PID) {
        *child = process_find(request->id);
        if (*child == NULL || (*child)->parent != current_process() || !wait_matches(request, *child))
            return -ECHILD;
        *event = wait_event_of(request, *child);
        return *event != CHILD_NO_EVENT;
    }
    LIST_FOREACH(candidate, &current_process()->children, sibling_link) {
        if (!wait_matches(request, candidate))
            continue;
        result = 0;
        *event = wait_event_of(request, candidate);
        if (*event != CHILD_NO_EVENT) {
            *child = candidate;
            return 1;
        }
    }
    return result;
}

/* The same, sleeping until there is something to report unless WNOHANG is set; also -ERESTARTSYS. */
static int
wait_for_child(const struct wait_request *request, struct process **child, enum child_event *event)
{
    for (;;) {
        int result = wait_look(request, child, event);

        if (result != 0 || (request->options & WNOHANG) != 0)
            return result;
        result = wait_interruptible(&current_process()->child_wait);
        if (result < 0)
            return result;
    }
}

/*
 * Nobody else shall report the event. A zombie stays until it is buried; a child that stopped may end and be buried
 * by itself while its parent is being told, so it is not looked at again.
 */
static void
wait_claim(struct process *child, enum child_event event)
{
    if (event == CHILD_STOPPED)
        child->signals.stop_unreported = false;
    else if (event == CHILD_CONTINUED)
        child->signals.continue_unreported = false;
    else
        child->claimed = true;
}

/* The parent could not be told: the event is there to be reported again, unless something else has come after it. */
static void
wait_give_back(u32 id, enum child_event event)
{
    struct process *child = process_find(id);

    if (child == NULL || child->parent != current_process())
        return;
    child->claimed = false;
    if (event == CHILD_STOPPED && child->signals.stop_signal != 0)
        child->signals.stop_unreported = true;
    if (event == CHILD_CONTINUED && child->signals.stop_signal == 0)
        child->signals.continue_unreported = true;
    wait_wake_all(&current_process()->child_wait);
}

/* The parent has been told: a zombie is buried. */
static void
wait_bury(struct process *child, enum child_event event)
{
    struct process_usage *usage = &current_process()->children_usage;

    if (event == CHILD_EXITED) {
        process_usage_add(usage, &child->usage);
        process_usage_add(usage, &child->children_usage);
        process_unlink(child);
        process_free(child);
    }
}

static u32
wait_status_of(const struct process *child, enum child_event event)
{
    if (event == CHILD_STOPPED)
        return process_status_stopped(child->signals.stop_signal);
    if (event == CHILD_CONTINUED)
        return PROCESS_STATUS_CONTINUED;
    return child->exit_status;
}

/* wait4's way to say which children: a number, 0 for the own group, -1 for all, another negative one for a group. */
static struct wait_request
wait_request_of(s32 id, u32 options)
{
    struct wait_request request = {.which = P_ALL, .options = options | WEXITED};

    if (id > 0) {
        request.which = P_PID;
        request.id = (u32)id;
    } else if (id == 0) {
        request.which = P_PGID;
        request.id = current_process()->group->number;
    } else if (id != -1) {
        request.which = P_PGID;
        request.id = 0u - (u32)id;
    }
    return request;
}

/* Tells the parent. The usage is written first, as what else is told is at hand then. */
static int
wait4_report(const struct process *child, u32 child_status, u32 status, u32 usage)
{
    if (usage != 0 && resource_write_child_usage(child, usage) < 0)
        return -EFAULT;
    return status != 0 ? user_write_word(status, child_status) : 0;
}

s32
sys_wait4(u32 id, u32 status, u32 options, u32 usage)
{
    struct wait_request request = wait_request_of((s32)id, options);
    enum child_event event = CHILD_NO_EVENT;
    struct process *child = NULL;
    u32 child_id;
    int result;

    if ((options & ~(u32)WAIT4_OPTIONS) != 0)
        return -EINVAL;
    if ((s32)id == INT32_MIN)
        return -ESRCH;      /* no group's number, negated */
    result = wait_for_child(&request, &child, &event);
    if (result <= 0)
        return result;
    child_id = child->id;
    wait_claim(child, event);
    result = wait4_report(child, wait_status_of(child, event), status, usage);
    if (result < 0) {
        wait_give_back(child_id, event);
        return result;
    }
    wait_bury(child, event);
    return (s32)child_id;
}

s32
sys_waitpid(u32 id, u32 status, u32 options)
{
    return sys_wait4(id, status, options, 0);
}

static void
waitid_describe(const struct process *child, enum child_event event, struct signal_info *info)
{
    if (event == CHILD_STOPPED)
        process_child_info(child, CLD_STOPPED, child->signals.stop_signal, info);
    else if (event == CHILD_CONTINUED)
        process_child_info(child, CLD_CONTINUED, SIGCONT, info);
    else
        process_end_info(child, info);
}

static int
waitid_check(u32 which, u32 id, u32 options)
{
    bool waits_for_something = (options & (WEXITED | WSTOPPED | WCONTINUED)) != 0;

    if ((options & ~(u32)WAITID_OPTIONS) != 0 || !waits_for_something)
        return -EINVAL;
    if (which > P_PIDFD)
        return -EINVAL;
    if (which == P_PID && (s32)id <= 0)
        return -EINVAL;
    if ((s32)id < 0 && which != P_ALL)
        return -EINVAL;
    return which == P_PIDFD ? -EBADF : 0;   /* no descriptor stands for a process */
}

/* As wait4_report; child NULL: there is none to report of. */
static int
waitid_report(const struct process *child, const siginfo_t *information, u32 info_address, u32 usage)
{
    if (child != NULL && usage != 0 && resource_write_child_usage(child, usage) < 0)
        return -EFAULT;
    return info_address != 0 ? user_copy_out(info_address, information, sizeof(*information)) : 0;
}

s32
sys_waitid(u32 which, u32 id, u32 info_address, u32 options, u32 usage)
{
    struct wait_request request = {.which = (int)which, .id = id, .options = options};
    enum child_event event = CHILD_NO_EVENT;
    struct process *child = NULL;
    siginfo_t information = {0};
    struct signal_info info;
    u32 child_id = 0;
    int result = waitid_check(which, id, options);

    if (result < 0)
        return result;
    if (which == P_PGID && id == 0)
        request.id = current_process()->group->number;
    result = wait_for_child(&request, &child, &event);
    if (result < 0)
        return result;
    if (result > 0) {
        child_id = child->id;
        wait_claim(child, event);
        waitid_describe(child, event, &info);
        signal_info_expand(&information, SIGCHLD, &info);
    }
    result = waitid_report(child, &information, info_address, usage);
    if (child == NULL)
        return result;
    if (result < 0 || (options & WNOWAIT) != 0)
        wait_give_back(child_id, event);
    else
        wait_bury(child, event);
    return result;
}
