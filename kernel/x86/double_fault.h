/*
 * The double fault: an exception whose handler could not even be entered, in practice because the kernel stack is
 * exhausted. It runs as a task, with a stack of its own, and panics.
 */
#pragma once

/* Prepares the task. Once, after segments_start(). */
void double_fault_start(void);

/* Lets the task run on the page tables in force now, which must stay valid for good. After mm_start(). */
void double_fault_use_tables(void);
