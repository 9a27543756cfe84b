/* Process groups and sessions: what a shell's job control and the terminal's signals go by. */
#include "kernel/session.h"

#include "kernel/process.h"
#include "kernel/signal.h"
#include "kernel/syscall.h"
#include "kernel/terminal.h"

#include <asm/errno.h>
#include <asm/signal.h>

/* The process that a call names; 0: the caller. NULL if there is none. */
static struct process *
session_process(u32 id)
{
    return id == 0 ? current_process() : process_find(id);
}

s32
sys_getpgid(u32 id)
{
    struct process *process = session_process(id);

    return process != NULL ? (s32)process->group->number : -ESRCH;
}

s32
sys_getpgrp(void)
{
    return (s32)current_process()->group->number;
}

s32
sys_getsid(u32 id)
{
    struct process *process = session_process(id);

    return process != NULL ? (s32)process->session->number : -ESRCH;
}

/* Whether the caller may move that process: itself, or a child of its session that has not called exec yet. */
static int
session_check_move(const struct process *process)
{
    const struct process *caller = current_process();

    if (process != caller && process->parent != caller)
        return -ESRCH;
    if (process->session != caller->session || process->session == process->pid)
        return -EPERM;
    return process != caller && process->has_executed ? -EACCES : 0;
}

/* The group must be the process's own to be, or one with members in the same session. */
static int
session_check_group(const struct process *process, const struct pid *group)
{
    const struct process *member;

    if (group == process->pid)
        return 0;
    member = group != NULL ? LIST_FIRST(&group->group) : NULL;
    return member != NULL && member->session == process->session ? 0 : -EPERM;
}

s32
sys_setpgid(u32 id, u32 group_number)
{
    struct process *process = session_process(id);
    struct pid *group;
    int result;

    if ((s32)(group_number == 0 ? id : group_number) < 0)
        return -EINVAL;
    if (process == NULL)
        return -ESRCH;
    group = group_number == 0 ? process->pid : pid_find(group_number);
    result = session_check_move(process);
    if (result == 0)
        result = session_check_group(process, group);
    if (result == 0 && group != process->group)
        process_change_group(process, group);
    return result;
}

s32
sys_setsid(void)
{
    struct process *process = current_process();
    struct pid *left = process->session;

    if (!LIST_EMPTY(&process->pid->group))
        return -EPERM;
    process->session = pid_hold(process->pid);
    pid_release(left);
    process_change_group(process, process->pid);
    process->left_terminal = false;
    return (s32)process->id;
}

/* ---- Orphaned groups ---- */

/* Whether the process's parent could let its group go on: in the same session, in another group. */
static bool
session_is_watched(const struct process *process)
{
    const struct process *parent = process->parent;

    return parent != NULL && parent->group != process->group && parent->session == process->session;
}

/* Whether a group is orphaned once `leaving` (NULL: nobody) has gone. */
static bool
session_is_orphaned(const struct pid *group, const struct process *leaving)
{
    const struct process *member;

    LIST_FOREACH(member, &group->group, group_link) {
        if (member != leaving && member->parent != leaving && !member->zombie && session_is_watched(member))
            return false;
    }
    return true;
}

bool
session_group_is_orphaned(const struct process *process)
{
    return session_is_orphaned(process->group, NULL);
}

static bool
session_has_stopped(const struct pid *group)
{
    const struct process *member;

    LIST_FOREACH(member, &group->group, group_link) {
        if (process_state_letter(member) == 'T')
            return true;
    }
    return false;
}

/* Wakes the group of a process, which `leaving` watched or was itself the last to be watched in. */
static void
session_wake_orphans(const struct process *process, const struct process *leaving)
{
    const struct pid *group = process->group;

    if (!session_is_watched(process) || !session_is_orphaned(group, leaving) || !session_has_stopped(group))
        return;
    signal_send_group(group->number, SIGHUP, NULL);
    signal_send_group(group->number, SIGCONT, NULL);
}

void
session_leave(struct process *process)
{
    struct process *child;

    if (process->session == process->pid)
        terminal_end_session(process->id);
    session_wake_orphans(process, process);
    LIST_FOREACH(child, &process->children, sibling_link)
        session_wake_orphans(child, process);
}
