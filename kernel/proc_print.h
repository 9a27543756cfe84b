/*
 * The texts of /proc, in Linux's formats. Each prints into a buffer (see kernel/text.h for running out of memory).
 * Those about a process get it, zombies included, and sleep only where it says so; those about the system get NULL.
 */
#pragma once

#include "kernel/text.h"

struct process;

/* proc_process.c */
void proc_print_arguments(struct process *process, struct text_buffer *text);   /* cmdline: may sleep */
void proc_print_name(struct process *process, struct text_buffer *text);        /* comm */
void proc_print_maps(struct process *process, struct text_buffer *text);
void proc_print_stat(struct process *process, struct text_buffer *text);
void proc_print_statm(struct process *process, struct text_buffer *text);
void proc_print_status(struct process *process, struct text_buffer *text);
void proc_print_working_set(struct process *process, struct text_buffer *text); /* the first one begins the measuring */

/* proc_system.c */
void proc_print_command_line(struct process *process, struct text_buffer *text);
void proc_print_cpuinfo(struct process *process, struct text_buffer *text);
void proc_print_filesystems(struct process *process, struct text_buffer *text);
void proc_print_interrupts(struct process *process, struct text_buffer *text);
void proc_print_loadavg(struct process *process, struct text_buffer *text);
void proc_print_meminfo(struct process *process, struct text_buffer *text);
void proc_print_mounts(struct process *process, struct text_buffer *text);
void proc_print_overcommit_memory(struct process *process, struct text_buffer *text);
void proc_print_swaps(struct process *process, struct text_buffer *text);
void proc_print_system_stat(struct process *process, struct text_buffer *text);
void proc_print_uptime(struct process *process, struct text_buffer *text);
void proc_print_version(struct process *process, struct text_buffer *text);

/* The counters of a process, or of the system where process is NULL. */
void proc_print_vmstat(struct process *process, struct text_buffer *text);
