/* Who is killed when memory and the swap area are full. */
#pragma once

#include "kernel/types.h"

struct process;

/*
 * How likely a process is to be killed when memory is out, as /proc/PID/oom_score shows it: from 0, never or hardly,
 * to 2000. Linux's scale: two thirds of the sum of 1000, the thousandths of memory and swap area that it holds, and its
 * oom_score_adj; so a small process has 666.
 */
u32 oom_score(const struct process *process);

/*
 * Kill the process that holds most: reclaim's killer (reclaim_set_killer). True: memory will come, the caller waits for
 * it. False: it will not, since none may be killed, or since the caller is the one that is to die. Does not sleep.
 */
bool oom_kill_largest(void);
