/*
 * Process and thread numbers. One struct pid stands for one number for as long as anybody uses it: as a thread, as
 * a process (which has the number of its first thread), as a process group or as a session. So a number is not
 * handed out again while a group or session that bears it still has members. Numbers are found through a hash table
 * that grows with their count; allocation goes upwards and wraps round at pid_limit.
 */
#pragma once

#include <bsd/sys/queue.h>

#include "kernel/types.h"

struct process;
struct thread;

/* The first process, which all others descend from: the machine ends with it. */
#define PID_INIT 1u

/* After wrapping round, lower numbers are left to the processes that started first, as on Linux. */
#define PID_WRAP_START 300u

/* The least number that is not handed out: /proc/sys/kernel/pid_max. As on Linux for 32 bits, 32768 at most. */
extern u32 pid_limit;

struct pid {
    u32 number;
    u32 references;                            /* process or thread, each member of the group and of the session */
    struct process *process;                   /* of this number, until it has been waited for; else NULL */
    struct thread *thread;                     /* of this number, until it ends; else NULL */
    LIST_HEAD(, process) group;                /* members of the process group; changed with interrupts disabled */
    LIST_ENTRY(pid) hash_link;
};

/* A fresh number with one reference, or NULL: no memory or no number left. */
struct pid *pid_allocate(void);

/* Count a user of the number up or down; the last one frees it. */
struct pid *pid_hold(struct pid *pid);
void pid_release(struct pid *pid);

/* The number in use, or NULL. May be called from interrupt handlers. */
struct pid *pid_find(u32 number);

/* The smallest number in use from this one on, or 0. */
u32 pid_next(u32 number);

/* How many numbers are in use: nearly all of them by threads. */
u32 pid_in_use(void);

/* The number that was handed out last (/proc/loadavg). */
u32 pid_last(void);
