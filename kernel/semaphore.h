/*
 * System V semaphores: sets of counters that processes raise and lower, several at once or none, waiting until they
 * can. The system calls are in semaphore.c.
 */
#pragma once

struct process;

/* Takes back what the process has asked for with SEM_UNDO, and forgets it: when it ends. */
void semaphore_process_ends(const struct process *process);
