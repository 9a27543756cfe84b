/*
 * Address spaces.
 *
 * An aspace is the truth about a process's memory: its regions, with their
 * amaps and objects. Its pmap is a cache of that truth. vfork shares an aspace
 * by holding it, fork clones it.
 *
 *   0x1000     text  data  bss | heap -> ...     <- mappings | gap | stack | top
 */
#pragma once

#include <bsd/sys/queue.h>

#include "kernel/types.h"
#include "mm/counters.h"
#include "mm/pmap.h"
#include "mm/pool.h"
#include "mm/region.h"
#include "mm/trace.h"
#include "mm/working_set.h"

/* What load control keeps in mind of it: kernel/control.c, and kernel/suspension.c. */
struct aspace_load {
    bool suspended;                 /* its threads wait on their way to user mode */
    bool swapped_out;               /* it was, and nothing has been brought back yet */
    u32 since;                      /* milliseconds from boot to when it was suspended, resumed or first seen */
    u32 processor_time;             /* as of the last look */
    u32 judged;                     /* processor time at the last judgement of its fault frequency, */
    u32 frames_taken;               /* and what its pool had taken until then */
    u32 needed;                     /* frames, as load control found */
};

/* The instruction that faulted last while frames were short, and the pages that it has
 * asked for: it is the same one as long as its registers are. For mm/fault_room.c. */
struct aspace_instruction {
    u32 eip, esp, eax, ebx, ecx, edx, esi, edi, ebp;
    u32 count;
    page_t pages[INSTRUCTION_PAGES];
};

struct aspace {
    u32 references;
    u32 number;                     /* no other has or had it; names its pages (mm/pool_page.h) */
    struct region_list regions;
    struct pmap pmap;
    struct counters counters;
    u32 heap_start, heap_end;       /* brk's bounds; heap_end is exact to the byte */
    u32 stack_top;                  /* first address above the stack */
    u32 stack_limit_pages;          /* RLIMIT_STACK, in pages */
    u32 data_limit_pages;           /* RLIMIT_DATA */
    u32 size_limit_pages;           /* RLIMIT_AS */
    u32 peak_pages, peak_resident;  /* the most there were when some went; see aspace_note_peak */
    u32 locked_pages;               /* in REGION_LOCKED regions */
    u32 lock_limit_pages;           /* RLIMIT_MEMLOCK, of who is not root */
    bool lock_future;               /* mlockall(MCL_FUTURE) ... */
    bool lock_on_fault;             /* ... with MCL_ONFAULT: pages as they are touched */
    u32 code_start, code_end;       /* the program's own text, to the byte; set by exec */
    u32 arguments_start, arguments_end;     /* argv's strings, for /proc/PID/cmdline */
    u32 environment_end;            /* of envp's strings, which begin where argv's end */
    u32 auxiliary_start, auxiliary_end;     /* the auxiliary vector, for /proc/PID/auxv */
    u32 signal_return;              /* page with the code that returns from signal handlers; 0: not needed yet */
    struct pool *pool;              /* its own, under local allocation or a limit; NULL: the global one */
    u32 weight;                     /* for alloc=priority: 20 - nice */
    struct aspace_instruction instruction;
    struct trace *trace;            /* NULL: not traced */
    u32 processor_time;             /* milliseconds that its processes had, since somebody wants to know */
    u32 processor_time_rest;        /* nanoseconds, less than one millisecond */
    struct aspace_load load;
    LIST_ENTRY(aspace) link;        /* all address spaces, for check */
};

#define ASPACE_PAGES_UNLIMITED 0xFFFFFFFFu
#define ASPACE_WEIGHT_DEFAULT  20u      /* of nice value 0 */

/* An empty one with one reference, limits unlimited but for the stack's 8 MiB;
 * NULL if there is no memory. */
struct aspace *aspace_create(void);

static inline void
aspace_hold(struct aspace *aspace)
{
    aspace->references++;
}

/* Records the references of the process with this number, which runs the program at
 * path, from now on (mm/trace.h). */
void aspace_trace(struct aspace *aspace, u32 process, const char *path);

/* The process of a traced address space goes on in another one, by exec. */
void aspace_trace_exec(struct aspace *aspace, struct aspace *left);

/* Ends every trace, so that nothing of one is lost: the machine is about to stop. */
void aspace_end_traces(void);

/* For a traced address space: an instruction or a system call of its process is over. */
static inline void
aspace_step(struct aspace *aspace, struct trap_frame *frame)
{
    if (aspace->trace)
        trace_step(aspace->trace, &aspace->pmap, frame);
}

/* With the last reference everything is unmapped and freed. */
void aspace_release(struct aspace *aspace);

/* Makes it the current one: cpu()->aspace and CR3. NULL for the kernel's own. */
void aspace_activate(struct aspace *aspace);

/* Forgets the entries of the pages [start, end) of a region. If that is locked, the frames
 * are candidates for eviction again. */
void aspace_forget_entries(struct aspace *aspace, const struct region *region, page_t start, page_t end);

/* For a traced address space: the pages [start, end) of a region are about to go. */
void aspace_trace_unmap(struct aspace *aspace, const struct region *region, page_t start, page_t end);

/* Cuts regions so that each lies inside [start, end), which is not empty, or outside.
 * False if there is no memory, or if it would make more regions than there may be.
 * Afterwards aspace_unmap of the range cannot fail, as long as nobody changes it. */
bool aspace_cut(struct aspace *aspace, page_t start, page_t end);

/* After aspace_cut, when the range is left as it is after all: what was cut is whole again. */
void aspace_mend(struct aspace *aspace, page_t start, page_t end);

/* Removes every mapping in [start, end). -ENOMEM if a region cannot be split; then all
 * are there. May sleep; when it returns 0, nothing is mapped there. */
int aspace_unmap(struct aspace *aspace, page_t start, page_t end);

/* The object has become shorter: private copies of its pages beyond the end go as well, in
 * all address spaces, and touching them is SIGBUS from now on, as on Linux. Linear in all
 * regions, if the object has any; never sleeps. */
void aspace_cut_copies(const struct object *object);

/* Counts an event for the system and for the address space. */
#define ASPACE_COUNT(aspace, name) (counters.name++, (aspace)->counters.name++)

/* Pages mapped, less those of zeroes, which are nobody's memory. */
static inline u32
aspace_resident_pages(const struct aspace *aspace)
{
    return aspace->pmap.resident - aspace->pmap.zeroes;
}

/* Private pages swapped out. */
u32 aspace_swapped_pages(struct aspace *aspace);

/* Pages are about to go: notes how many there were, mapped and resident. The most that a
 * process had is the greater of what was noted and what it has. */
static inline void
aspace_note_peak(struct aspace *aspace)
{
    u32 resident = aspace_resident_pages(aspace);

    if (aspace->regions.pages > aspace->peak_pages)
        aspace->peak_pages = aspace->regions.pages;
    if (resident > aspace->peak_resident)
        aspace->peak_resident = resident;
}

/* Frames that come in from now on are charged to this address space; NULL: to nobody
 * in particular. */
static inline void
aspace_charge(const struct aspace *aspace)
{
    pool_current = aspace && aspace->pool ? aspace->pool : &pool_global;
}

/* At most so many evictable pages of the address space stay in memory (RLIMIT_RSS);
 * POOL_UNLIMITED takes the limit away. Raised to what one instruction can need. Without
 * memory for a pool of its own, the log says so and there is no limit. */
void aspace_limit_frames(struct aspace *aspace, u32 pages);

/* The frame of a page, whether it is mapped or not; NULL if it is not in memory. */
struct frame *aspace_frame(struct aspace *aspace, page_t page);

/* Its processes have had the processor for so long; for kernel/processor_time.c. */
void aspace_charge_time(struct aspace *aspace, u32 nanoseconds);

/* Begins to measure its working set, if nobody has before; until its end. False if
 * there is no memory. */
bool aspace_measure(struct aspace *aspace);

/* The same; and if it begins now, what is in memory counts as used. Who has lost most
 * of its frames to others uses what is left, and hardly gets on to show it. */
bool aspace_measure_resident(struct aspace *aspace);

/* The name of the policy that chooses among its frames. */
const char *aspace_policy(const struct aspace *aspace);

/* Pages in its working set now; 0 if that is not measured. */
u32 aspace_working_set(struct aspace *aspace);

/* Frames that its working set needs of those that processes compete for: of pages that
 * others map too, one of them needs the frame, and the page of zeroes needs none, nor do
 * locked pages. */
u32 aspace_needed_frames(struct aspace *aspace);

/* Control by page-fault frequency: no more evictable pages than this stay in memory,
 * from now on; POOL_UNLIMITED: any number. False without memory for a pool. */
bool aspace_grant_frames(struct aspace *aspace, u32 pages);

/* Whether aspace_clock_tick has anything to do. From anywhere. */
static inline bool
aspace_heeds_time(void)
{
    return pmap_samples_references() || pool_heeds_time() || working_set_count > 0;
}

/* After a clock tick, in process context, for the running aspace: policies age,
 * memory is divided anew, its working set is sampled, and with accessed=software the
 * aspace's entries are dropped, so that the next use is seen. */
void aspace_clock_tick(struct aspace *aspace);

/* All address spaces, for check, /proc and gdb. */
LIST_HEAD(aspace_list, aspace);
extern struct aspace_list aspace_all;
