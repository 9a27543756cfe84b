/*
 * The texts of /proc, in Linux's formats. Each prints into a buffer (see kernel/text.h for running out of memory).
 * Those about a process get it, zombies included, and sleep only where it says so; those about the system get NULL.
 */
#pragma once

#include "kernel/text.h"
#include "mm/report.h"

struct process;
struct thread;

/* proc_process.c */
void proc_print_name(struct process *process, struct text_buffer *text);        /* comm */
void proc_print_limits(struct process *process, struct text_buffer *text);
void proc_print_stat(struct process *process, struct text_buffer *text);
void proc_print_status(struct process *process, struct text_buffer *text);
void proc_print_working_set(struct process *process, struct text_buffer *text); /* the first one begins the measuring */
void proc_print_policy(struct process *process, struct text_buffer *text);      /* which chooses among its frames */

/* The same for one thread: /proc/PID/task/TID. */
void proc_print_thread_name(struct thread *thread, struct text_buffer *text);
void proc_print_thread_stat(struct thread *thread, struct text_buffer *text);
void proc_print_thread_status(struct thread *thread, struct text_buffer *text);

/* Only a process itself may change its name: else -EINVAL. */
int proc_write_name(struct process *process, u32 thread_number, char *value);

/* proc_memory.c */
void proc_print_arguments(struct process *process, struct text_buffer *text);   /* cmdline: may sleep */
void proc_print_auxiliary(struct process *process, struct text_buffer *text);   /* auxv: may sleep */
void proc_print_environment(struct process *process, struct text_buffer *text); /* environ: may sleep */
void proc_print_maps(struct process *process, struct text_buffer *text);
void proc_print_oom_adjustment(struct process *process, struct text_buffer *text);
void proc_print_oom_score(struct process *process, struct text_buffer *text);
void proc_print_smaps(struct process *process, struct text_buffer *text);
void proc_print_smaps_rollup(struct process *process, struct text_buffer *text);
void proc_print_statm(struct process *process, struct text_buffer *text);

/* oom_score_adj: -EINVAL, or -EACCES for one who may not lower it. */
int proc_write_oom_adjustment(struct process *process, u32 thread_number, char *value);

/* All 0 for a zombie. */
struct report_size proc_size_of(const struct process *process);

/* proc_system.c */
void proc_print_command_line(struct process *process, struct text_buffer *text);
void proc_print_cpuinfo(struct process *process, struct text_buffer *text);
void proc_print_filesystems(struct process *process, struct text_buffer *text);
void proc_print_hostname(struct process *process, struct text_buffer *text);
void proc_print_interrupts(struct process *process, struct text_buffer *text);
void proc_print_loadavg(struct process *process, struct text_buffer *text);
void proc_print_meminfo(struct process *process, struct text_buffer *text);
void proc_print_mounts(struct process *process, struct text_buffer *text);
void proc_print_mount_family(struct process *process, struct text_buffer *text);
void proc_print_os_version(struct process *process, struct text_buffer *text);
void proc_print_osrelease(struct process *process, struct text_buffer *text);
void proc_print_ostype(struct process *process, struct text_buffer *text);
void proc_print_overcommit_memory(struct process *process, struct text_buffer *text);
void proc_print_slabinfo(struct process *process, struct text_buffer *text);
void proc_print_swaps(struct process *process, struct text_buffer *text);
void proc_print_system_stat(struct process *process, struct text_buffer *text);
void proc_print_threads_maximum(struct process *process, struct text_buffer *text);
void proc_print_uptime(struct process *process, struct text_buffer *text);
void proc_print_version(struct process *process, struct text_buffer *text);

/* The counters of a process, or of the system where process is NULL. */
void proc_print_vmstat(struct process *process, struct text_buffer *text);
