/*
 * The global descriptor table and the task state segment. The selectors are in selectors.h.
 */
#pragma once

#include "kernel/types.h"

struct user_desc; /* <asm/ldt.h> */

/* Loads the GDT with flat kernel and user segments, and the TSS. Once. */
void segments_start(void);

/* Top of the stack on which the processor enters the kernel from user mode. At every switch of threads. */
void segments_set_kernel_stack(u32 esp0);
u32 segments_kernel_stack(void);

/*
 * The user code segment: `base` is added to eip, `limit_pages` pages can be reached. Takes effect at the next return to
 * user mode.
 */
void segments_set_code_base(u32 base, u32 limit_pages);

/* Loads a thread's own descriptors; reload fs and gs afterwards. At every switch of threads. */
void segments_load_tls(const u64 descriptors[]);

/* Whether a set_thread_area request asks for an empty entry, in one of the two ways that Linux knows. */
bool segments_tls_is_empty(const struct user_desc *request);

/* Descriptor for such a request: a user data segment, or 0 if it is empty. */
u64 segments_make_tls(const struct user_desc *request);

/* The reverse, for get_thread_area; entry_number is left alone. */
void segments_describe_tls(u64 descriptor, struct user_desc *request);
