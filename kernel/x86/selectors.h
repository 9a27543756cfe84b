/*
 * Segment selectors, the same as on Linux i386 (programs see them in signal frames and in set_thread_area). Also for
 * the assembler.
 */
#pragma once

#define SELECTOR_KERNEL_CODE 0x60
#define SELECTOR_KERNEL_DATA 0x68
#define SELECTOR_USER_CODE 0x73
#define SELECTOR_USER_DATA 0x7b
#define SELECTOR_TSS 0x80
#define SELECTOR_DOUBLE_FAULT_TSS 0xf8

#define SELECTOR_PRIVILEGE_MASK 3 /* the ring, in the two low bits of a selector */
#define SEGMENT_TLS_FIRST 6       /* index in the descriptor table of the first of a thread's own descriptors */
#define SEGMENT_TLS_COUNT 3
#define SEGMENT_COUNT 32
