/*
 * Sessions and process groups, as job control needs them.
 */
#pragma once

#include "kernel/types.h"

struct process;

/*
 * Whether the process's group is orphaned: nobody outside it, in its session, is the parent of a member, so that
 * nobody could let it go on if it stopped.
 */
bool session_group_is_orphaned(const struct process *process);

/*
 * The process ends, and still has its parent and its children: what that means to groups. A group that it orphans,
 * and that has stopped members, is sent SIGHUP and SIGCONT; a session's leader takes the terminal from its session,
 * whose foreground group is sent the same.
 */
void session_leave(struct process *process);
