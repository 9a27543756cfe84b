/*
 * Whose terminal it is: sessions, the foreground group, and what comes of the end of both.
 *
 * A session has one controlling terminal at most, and a terminal one session; the terminal knows the session's number.
 */
#include "kernel/terminal.h"

#include "kernel/permission.h"
#include "kernel/pid.h"
#include "kernel/process.h"
#include "kernel/session.h"
#include "kernel/signal.h"
#include "kernel/syscall_file.h"

#include <asm/errno.h>

static LIST_HEAD(, terminal) terminals = LIST_HEAD_INITIALIZER(terminals);

void
terminal_add(struct terminal *terminal)
{
    LIST_INSERT_HEAD(&terminals, terminal, link);
}

struct terminal *
terminal_find(u32 device)
{
    struct terminal *terminal;

    LIST_FOREACH(terminal, &terminals, link) {
        if (terminal->device == device)
            return terminal;
    }
    return NULL;
}

static struct terminal *
terminal_of_session(u32 session)
{
    struct terminal *terminal;

    LIST_FOREACH(terminal, &terminals, link) {
        if (terminal->session == session)
            return terminal;
    }
    return NULL;
}

struct terminal *
terminal_controlling(const struct process *process)
{
    return process->left_terminal ? NULL : terminal_of_session(process->session->number);
}

/* The session has no terminal any more. */
static void
terminal_disown(struct terminal *terminal)
{
    terminal->session = 0;
    terminal->foreground = 0;
}

void
terminal_acquire(struct terminal *terminal, bool steal)
{
    const struct process *process = current_process();
    u32 session = process->session->number;

    if (process->id != session || terminal_of_session(session) != NULL || (terminal->session != 0 && !steal))
        return;
    terminal->session = session;
    terminal->foreground = process->group->number;
}

void
terminal_leave(struct terminal *terminal)
{
    u32 foreground = terminal->foreground;

    if (current_process()->id != terminal->session) {
        current_process()->left_terminal = true;
        return;
    }
    terminal_disown(terminal);
    if (foreground != 0) {
        signal_send_group(foreground, SIGHUP, NULL);
        signal_send_group(foreground, SIGCONT, NULL);
    }
}

int
terminal_check_foreground(const struct terminal *terminal, int signal, bool refused_is_error)
{
    struct process *process = current_process();

    if (terminal_controlling(process) != terminal || process->group->number == terminal->foreground)
        return 0;
    if (signal_is_ignored_or_blocked(signal))
        return refused_is_error ? -EIO : 0;
    if (session_group_is_orphaned(process))
        return -EIO;
    signal_send_group(process->group->number, signal, NULL);
    return -ERESTARTSYS;
}

/* A process of the group, or, as on Linux, the one with this number though it leads no group; NULL: there is none. */
static struct process *
terminal_find_member(u32 number)
{
    struct pid *group = pid_find(number);
    struct process *member = group == NULL ? NULL : LIST_FIRST(&group->group);

    return member != NULL ? member : process_find(number);
}

int
terminal_set_foreground(struct terminal *terminal, u32 group)
{
    struct process *member;

    if ((s32)group < 0)
        return -EINVAL;
    member = terminal_find_member(group);
    if (member == NULL)
        return -ESRCH;
    if (member->session != current_process()->session)
        return -EPERM;
    terminal->foreground = group;
    return 0;
}

/* ---- The end ---- */

void
terminal_hang_up(struct terminal *terminal, bool to_leader)
{
    struct process *leader = terminal->session == 0 ? NULL : process_find(terminal->session);
    u32 foreground = terminal->foreground;

    terminal->hang_ups++;
    terminal->exclusive = terminal->stopped = terminal->stopped_by_program = false;
    terminal_disown(terminal);
    terminal_flush_input(terminal);
    terminal_flush_output(terminal);
    wait_wake_all(&terminal->queue);
    if (foreground != 0 && !to_leader)
        signal_send_group(foreground, SIGHUP, NULL);
    if (leader != NULL && to_leader) {
        signal_send(leader, SIGHUP, NULL);
        signal_send(leader, SIGCONT, NULL);
    }
}

void
terminal_end_session(u32 session)
{
    struct terminal *terminal = terminal_of_session(session);

    if (terminal != NULL)
        terminal_hang_up(terminal, false);
}

s32
sys_vhangup(void)
{
    struct terminal *terminal = terminal_controlling(current_process());

    if (!permission_is_root())
        return -EPERM;
    if (terminal != NULL)
        terminal_hang_up(terminal, true);
    return 0;
}
