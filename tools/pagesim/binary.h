/*
 * The binary form of the kernel's traces, as FORMAT.md describes it.
 */
#pragma once

/* The first byte of a record: the kind (enum trace_kind), and these. */
#define KIND_MASK 0x0fu
#define CONTINUES 0x10u
#define NAMES_PROCESS 0x20u

/* Numbers: seven bits a byte, the low ones first, and the top bit in all but the last. */
#define NUMBER_BITS 7u
#define NUMBER_MORE 0x80u
