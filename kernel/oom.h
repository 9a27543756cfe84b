/*
 * Who is killed when memory is out.
 */
#pragma once

#include "kernel/types.h"

struct process;

/*
 * How likely a process is to be killed when memory is out, as /proc/PID/oom_score shows it: from 0, never or
 * hardly, to 2000. In thousandths of memory and swap area: what it holds, and its oom_score_adj.
 */
u32 oom_score(const struct process *process);
