/*
 * A simulated processor on malloc'd memory: it walks the page tables by a walker of its own, sets accessed and dirty bits, and caches
 * what it has read exactly as long as the kernel lets it, as Intel's manual permits (SDM volume 3, 4.10):
 *
 *   TLB                      a page's translation with its rights, and whether the dirty bit is known to be set
 *   paging-structure cache   directory entries; read again, ahead of need, right after each invlpg
 *   PDPTE registers          PAE's four top entries; read when CR3 is loaded only
 *
 * So a missing flush shows: as a wrong access, and to machine_stale() at once.
 */
#pragma once

#include "kernel/types.h"
#include "mm/fault.h"

/* Memory of so many frames, and no translation cached. Frame 0 and the firmware's stay out. */
void machine_start(u32 frames);

struct machine_fault {
    u32 address;    /* CR2 */
    u32 error;
};

/* One byte at address, by user code or (user false) by the kernel. Execution goes through the code segment's base. True, and
 * *physical is where the byte is; or false and *fault. */
bool machine_access(u32 address, u32 access, bool user, u32 *physical, struct machine_fault *fault);

/* NULL, or what the processor still believes that the tables no longer say. */
const char *machine_stale(void);

/* Translations in the TLB. */
u32 machine_cached(void);

/* invlpg executed and CR3 loaded so far. */
extern u32 machine_page_flushes, machine_full_flushes;
