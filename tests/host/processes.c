/*
 * All of mm at once: several processes on a simulated processor, with little memory and a swap area, doing anything in any order. A naive
 * model knows what each page of each process holds and permits; every access must agree with it, the processor must cache nothing
 * stale, and check_run must be content. Where a device makes its caller sleep, other processes run meanwhile.
 */
#include "tests/host/host.h"

#include <signal.h>
#include <string.h>

#include <linux/mman.h>
#include <sanitizer/lsan_interface.h>

#include "kernel/command_line.h"
#include "kernel/x86/cpu.h"
#include "mm/check.h"
#include "mm/evictable.h"
#include "mm/fork.h"
#include "mm/mmap.h"
#include "mm/object.h"
#include "mm/reclaim.h"
#include "mm/swap.h"
#include "tests/host/stub/machine.h"

#define MEMORY_FRAMES 1024u
#define FRAMES_LEFT 160u        /* free when the processes begin */
#define SWAP_PAGES 3000u
#define PROCESSES 5u
#define STEPS 5000u
#define MOST_ACCESSES 24u
#define SHORT_RANGE 6u

/* What each process maps, in pages from BASE on. */
#define BASE 0x0FFE0u           /* crosses the borders of tables and chunks */
#define PRIVATE 70u
#define SHARED 20u
#define FILE_PAGES 20u
#define ALL (PRIVATE + SHARED + FILE_PAGES)
#define FIRST_SHARED PRIVATE
#define FIRST_FILE (PRIVATE + SHARED)

struct model_page {
    bool mapped;
    u8 protection;
    bool written;           /* a private page: has a word of its own */
    u32 word;
};

struct process {
    struct aspace *aspace;  /* NULL: none */
    struct model_page pages[ALL];
    bool asleep;            /* in the middle of something: may not be touched */
};

static struct process processes[PROCESSES];
static u32 shared_words[SHARED];
static struct object *file;
static bool nested;

/* ---- The model --------------------------------------------------------- */

static u32
file_word(u32 index)
{
    return index * 7919 + 13;
}

static u32 *
word_of(struct process *process, u32 page)
{
    return page >= FIRST_SHARED && page < FIRST_FILE ? &shared_words[page - FIRST_SHARED] : &process->pages[page].word;
}

static u32
initial_word(u32 page)
{
    return page >= FIRST_FILE ? file_word(page - FIRST_FILE) : 0;
}

static u32
address_of(u32 page)
{
    return (BASE + page) << PAGE_SHIFT;
}

/* Whether resolving a fault at the page would have to wait for a transfer that is under way. */
static bool
is_busy(struct process *process, u32 page)
{
    struct region *region = region_find(&process->aspace->regions, (page_t){BASE + page});
    struct anon *anon = region && region->amap ? amap_lookup(region->amap, (page_t){BASE + page}) : NULL;
    struct frame *frame = anon ? anon->frame : NULL;

    if (region && !anon && region->object->kind != OBJECT_ZERO)
        frame = object_resident(region->object, region_object_page(region, (page_t){BASE + page}));
    return frame && frame->busy;
}

static bool
is_any_busy(struct process *process)
{
    for (u32 page = 0; page < ALL; page++)
        if (is_busy(process, page))
            return true;
    return false;
}

static struct process *
some_process(void)
{
    u32 first = host_below(PROCESSES);

    for (u32 i = 0; i < PROCESSES; i++) {
        struct process *process = &processes[(first + i) % PROCESSES];

        if (process->aspace && !process->asleep)
            return process;
    }
    return NULL;
}

/* ---- Accesses ---------------------------------------------------------- */

/* As user code: faults are handled until the access succeeds or is refused. */
static bool
touch(struct process *process, u32 address, u32 access, u32 *physical)
{
    struct machine_fault fault;
    struct fault_verdict verdict;
    u32 kinds = 0;

    while (!machine_access(address, access, true, physical, &fault)) {
        struct trap_frame frame = {.eip = access == FAULT_EXECUTE ? address : 0x1000, .error = fault.error};
        int result;

        check(++kinds < 20);
        result = fault_handle(process->aspace, fault.address, &frame, true, &verdict);
        check_sound(machine_stale());
        if (result < 0) {
            check_equal(verdict.address, address);
            check_equal(verdict.signal, SIGSEGV);
            return false;
        }
        aspace_activate(process->aspace);       /* others may have run */
    }
    return true;
}

static void
access_some_page(struct process *process)
{
    u32 page = host_below(ALL), access = host_below(8), physical, offset = host_below(PAGE_SIZE / 4) * 4;
    struct model_page *model = &process->pages[page];
    bool permitted;

    access = access < 4 ? FAULT_WRITE : access < 7 ? FAULT_READ : FAULT_EXECUTE;
    offset = host_below(2) ? 0 : offset;
    if (is_busy(process, page))
        return;
    permitted = model->mapped && model->protection != 0
                && (access != FAULT_WRITE || model->protection & PROT_WRITE)
                && (access != FAULT_EXECUTE || model->protection & PROT_EXEC);
    check_equal(touch(process, address_of(page) + offset, access, &physical), permitted);
    if (!permitted)
        return;
    if (offset == 0 && access != FAULT_WRITE)
        check_equal(*(u32 *)(void *)(direct_map + physical), *word_of(process, page));
    if (offset == 0 && access == FAULT_WRITE) {
        *word_of(process, page) = random_next(&host_random);
        *(u32 *)(void *)(direct_map + physical) = *word_of(process, page);
    }
}

static void
do_accesses(struct process *process)
{
    for (u32 i = host_below(MOST_ACCESSES); i > 0; i--)
        access_some_page(process);
}

/* ---- Mapping ----------------------------------------------------------- */

/* Maps pages [start, end) of one kind, anew. */
static void
map(struct process *process, u32 start, u32 end, u32 protection)
{
    bool is_file = start >= FIRST_FILE;
    struct mmap_request request = {
        .address = address_of(start), .bytes = (end - start) << PAGE_SHIFT, .protection = protection, .maximum = 7,
        .flags = MAP_PRIVATE | MAP_FIXED | (is_file ? 0 : MAP_ANONYMOUS),
        .object = is_file ? file : NULL, .object_page = is_file ? start - FIRST_FILE : 0,
    };

    check_equal(mmap_map(process->aspace, &request), 0);
    for (u32 i = start; i < end; i++)
        process->pages[i] = (struct model_page){.mapped = true, .protection = (u8)protection, .word = initial_word(i)};
}

/* A range of private pages or of the file's. */
static void
some_range(u32 *start, u32 *end)
{
    u32 low = host_below(4) ? 0 : FIRST_FILE, pages = low ? FILE_PAGES : PRIVATE;

    *start = low + host_below(pages);
    pages = low + pages - *start;
    /* Mostly short, so that pages live long enough to be shared and evicted. */
    *end = *start + 1 + host_below(host_below(8) && pages > SHORT_RANGE ? SHORT_RANGE : pages);
}

static u32
some_protection(void)
{
    static const u32 protections[] = {PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE, PROT_READ, PROT_NONE,
                                      PROT_READ | PROT_EXEC, PROT_READ | PROT_WRITE | PROT_EXEC};

    return protections[host_below(ARRAY_SIZE(protections))];
}

static void
do_map(struct process *process)
{
    u32 start, end;

    some_range(&start, &end);
    map(process, start, end, some_protection());
}

static void
do_unmap(struct process *process)
{
    u32 start, end;

    some_range(&start, &end);
    check_equal(mmap_unmap(process->aspace, address_of(start), (end - start) << PAGE_SHIFT), 0);
    for (; start < end; start++)
        process->pages[start].mapped = false;
}

static void
do_protect(struct process *process)
{
    u32 start, end, protection = some_protection();

    some_range(&start, &end);
    mmap_protect(process->aspace, address_of(start), (end - start) << PAGE_SHIFT, protection);
    for (; start < end && process->pages[start].mapped; start++)
        process->pages[start].protection = (u8)protection;
}

static void
do_discard(struct process *process)
{
    u32 start, end;

    some_range(&start, &end);
    mmap_advise(process->aspace, address_of(start), (end - start) << PAGE_SHIFT, MADV_DONTNEED);
    for (; start < end; start++)
        process->pages[start].word = initial_word(start);
}

/* ---- Processes --------------------------------------------------------- */

static void
do_fork(struct process *parent)
{
    struct process *child = NULL;

    for (u32 i = 0; i < PROCESSES; i++)
        if (!processes[i].aspace && !processes[i].asleep)
            child = &processes[i];
    if (!child || is_any_busy(parent))
        return;
    child->asleep = true;
    child->aspace = fork_aspace(parent->aspace);
    check(child->aspace != NULL);
    memcpy(child->pages, parent->pages, sizeof(parent->pages));
    child->asleep = false;
}

static void
do_exit(struct process *process)
{
    u32 alive = 0;

    for (u32 i = 0; i < PROCESSES; i++)
        alive += processes[i].aspace != NULL;
    if (alive < 2)
        return;         /* the last one holds the shared memory */
    aspace_release(process->aspace);
    process->aspace = NULL;
}

static void
do_evict(struct process *process)
{
    (void)process;
    for (u32 i = host_below(12); i > 0; i--)
        reclaim_evict_one();
}

static void
do_drop(struct process *process)
{
    for (u32 i = host_below(20); i > 0; i--)
        pmap_drop_random(&process->aspace->pmap, &host_random);
}

static void
do_tick(struct process *process)
{
    aspace_clock_tick(process->aspace);
}

static void
do_lock(struct process *process)
{
    u32 start = host_below(PRIVATE), pages = 1 + host_below(4);

    if (start + pages > PRIVATE || host_below(4) || is_any_busy(process))
        return;
    mmap_unlock_all(process->aspace);
    mmap_lock(process->aspace, address_of(start), pages << PAGE_SHIFT);
    /* Until the next fork or call, they stay. */
    if (!nested)
        do_evict(process);
    for (u32 i = start; i < start + pages; i++) {
        struct region *region = region_find(&process->aspace->regions, (page_t){BASE + i});
        struct anon *anon = region && region->amap ? amap_lookup(region->amap, (page_t){BASE + i}) : NULL;
        u32 rights;

        if (anon && region->flags & REGION_LOCKED && pmap_lookup(&process->aspace->pmap, (page_t){BASE + i}, &rights))
            check(anon->frame != NULL);
    }
    mmap_unlock_all(process->aspace);
}

/* ---- All together ------------------------------------------------------ */

static void (*const operations[])(struct process *) = {
    do_accesses, do_accesses, do_accesses, do_accesses, do_accesses, do_accesses, do_accesses, do_accesses, do_accesses, do_accesses,
    do_map, do_unmap, do_protect, do_protect, do_discard, do_fork, do_exit, do_evict, do_evict, do_drop, do_tick, do_lock,
};

static void
operate(struct process *process)
{
    process->asleep = true;
    aspace_activate(process->aspace);
    operations[host_below(ARRAY_SIZE(operations))](process);
    process->asleep = false;
    check_sound(machine_stale());
}

/* While a device works, somebody else does something. */
static void
others_run(void)
{
    struct aspace *active = cpu()->aspace;
    struct process *process = some_process();

    if (nested || !process || host_below(2))
        return;
    nested = true;
    operate(process);
    nested = false;
    aspace_activate(active);
}

static void
begin(void)
{
    struct block_device *disk = host_device_create(FILE_PAGES << PAGE_SHIFT);
    static u32 page[PAGE_SIZE / sizeof(u32)];
    u32 rights = PROT_READ | PROT_WRITE;
    struct mmap_request shared = {
        .address = address_of(FIRST_SHARED), .bytes = SHARED << PAGE_SHIFT, .protection = rights, .maximum = 7,
        .flags = MAP_SHARED | MAP_FIXED | MAP_ANONYMOUS,
    };

    machine_start(MEMORY_FRAMES);
    pmap_start(MEMORY_FRAMES);
    object_start();
    __lsan_disable();           /* what lives as long as the system */
    pool_start();
    check(swap_start(host_device_create((u64)SWAP_PAGES << PAGE_SHIFT)));
    __lsan_enable();
    for (u32 i = 0; i < FILE_PAGES; i++) {
        page[0] = file_word(i);
        block_write(disk, i << PAGE_SHIFT, page, PAGE_SIZE);
    }
    file = object_file_create(disk, 0, FILE_PAGES << PAGE_SHIFT);
    processes[0].aspace = aspace_create();
    check(file && processes[0].aspace);
    map(&processes[0], 0, PRIVATE, rights);
    map(&processes[0], FIRST_FILE, ALL, rights);
    check_equal(mmap_map(processes[0].aspace, &shared), 0);
    for (u32 i = FIRST_SHARED; i < FIRST_FILE; i++)
        processes[0].pages[i] = (struct model_page){.mapped = true, .protection = (u8)rights};
    while (frame_free_count() > FRAMES_LEFT)
        frame_allocate(FRAME_KERNEL);
}

static void
end(void)
{
    host_before_transfer = NULL;
    for (u32 i = 0; i < PROCESSES; i++)
        if (processes[i].aspace)
            aspace_release(processes[i].aspace);
    object_release(file);
    check_sound(check_run());
    check_equal(frame_count(FRAME_ANONYMOUS), 0);
    check_equal(frame_count(FRAME_OBJECT), 0);
    check_equal(anon_count(), 0);
    check_equal(swap_free_count(), swap_total());
}

static void
run(void)
{
    begin();
    for (u32 step = 0; step < STEPS; step++) {
        operate(some_process());
        if (step % 8 == 0)
            check_sound(check_run());
    }
    /* All that was to be tried has happened, and often. */
    check(counters.pswpin > 100 && counters.pswpout > 100);
    check(counters.fork_lazy + counters.fork_cow + counters.fork_copy > 100);
    check(counters.fork_copy > 0 || counters.fault_cow_copy > 100);
    check(counters.fault_file_copy > 10 && counters.fault_zero_fill > 100);
    end();
}

static void
agree_with_the_model(void)
{
    run();
}

static void
agree_with_the_model_while_others_run(void)
{
    host_before_transfer = others_run;
    run();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        HOST_CASE(agree_with_the_model, "paging=2level policy=fifo"),
        HOST_CASE(agree_with_the_model, "paging=pae policy=random"),
        HOST_CASE(agree_with_the_model, "paging=2level policy=clock fork=cow"),
        HOST_CASE(agree_with_the_model, "paging=pae policy=clock fork=copy"),
        HOST_CASE(agree_with_the_model, "paging=2level dirty=software accessed=software chaos=3"),
        HOST_CASE(agree_with_the_model, "paging=pae dirty=software fork=cow chaos=7"),
        HOST_CASE(agree_with_the_model, "paging=2level policy=arc alloc=equal"),
        HOST_CASE(agree_with_the_model, "paging=pae policy=2q alloc=proportional"),
        HOST_CASE(agree_with_the_model, "paging=2level policy=wsclock"),
        HOST_CASE(agree_with_the_model, "paging=pae policy=aging dirty=software"),
        HOST_CASE(agree_with_the_model, "paging=2level policy=nru chaos=5"),
        HOST_CASE(agree_with_the_model_while_others_run, "paging=pae policy=lru alloc=equal"),
        HOST_CASE(agree_with_the_model_while_others_run, "paging=2level policy=lfu alloc=proportional fork=cow"),
        HOST_CASE(agree_with_the_model_while_others_run, "paging=2level policy=clock"),
        HOST_CASE(agree_with_the_model_while_others_run, "paging=pae policy=random"),
        HOST_CASE(agree_with_the_model_while_others_run, "paging=2level fork=cow policy=fifo chaos=5"),
        HOST_CASE(agree_with_the_model_while_others_run, "paging=pae fork=copy dirty=software"),
    };

    return host_run(tests);
}
