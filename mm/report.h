/*
 * mm's part of /proc, in Linux's formats.
 */
#pragma once

#include "kernel/text.h"
#include "kernel/types.h"
#include "mm/aspace.h"

/* /proc/PID/maps, and the line in it for one region. */
void report_maps(struct aspace *aspace, struct text_buffer *text);
void report_mapping(struct aspace *aspace, const struct region *region, struct text_buffer *text);

/* /proc/PID/smaps and smaps_rollup (mm/report_smaps.c). */
void report_smaps(struct aspace *aspace, struct text_buffer *text);
void report_smaps_rollup(struct aspace *aspace, struct text_buffer *text);

/* One 64-bit entry of /proc/PID/pagemap: bit 63 in memory, 62 swapped, 61 an object's page
 * (a file's, or shared), 56 nobody else has it; bits 0 to 54 the frame, or the swap slot << 5. */
u64 report_pagemap(struct aspace *aspace, u32 page);

void report_meminfo(struct text_buffer *text);
void report_slabinfo(struct text_buffer *text);
void report_swaps(struct text_buffer *text);

/* The counters and gauges, of the system if aspace is NULL. */
void report_vmstat(struct aspace *aspace, struct text_buffer *text);

/* Figures for /proc/PID/stat, statm and status, in pages. The resident ones that are
 * neither anonymous nor shared memory are files'. */
struct report_size {
    u32 total, resident, anonymous, shared_memory, data, stack, swapped, locked, tables;
    u32 code, libraries;            /* the program's own text, and all other */
    u32 peak_total, peak_resident;
};
void report_size(struct aspace *aspace, struct report_size *size);

/* Memory in pages, for sysinfo. The pages of files and of shared memory are those in memory. Linear in the latter
 * if anything is swapped, else in the number of objects. */
struct report_memory {
    u32 total, free, files, shared, swap_total, swap_free;
};
void report_memory(struct report_memory *memory);
