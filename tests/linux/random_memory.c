/*
 * Random sequences of mmap, munmap, mprotect, mremap, madvise, mlock, mincore, msync, brk, shmat, fork, reads and
 * writes, by memory and by file, over a small arena, a small file and a piece of shared memory. On two kernels that
 * agree, the same seed gives the same digests (user/lib/digest.h).
 *
 *     random_memory SEED STEPS [FROM]
 *
 * Only what Linux promises is tried: mremap takes what was mapped by one call, a page that may be truncated away is
 * mapped shared, and the file ends where a page does.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/mman.h>

#include "user/lib/digest.h"
#include "user/lib/random.h"

#define ARENA ((char *) 0x2a000000)
#define FILE_NAME "/tmp/random_memory"
#define READ_WRITE (PROT_READ | PROT_WRITE)

enum {
    PAGE = 4096,
    PAGES = 64,             /* of the arena */
    LONGEST = 12,           /* pages that one step is about */
    FILE_PAGES = 16,
    FIRM_PAGES = 8,         /* of the file are never truncated away */
    CHILD_STEPS = 30,
    SEGMENT_PAGES = 6,      /* of the shared memory */
    MOST_LOCKED = 1 << 20,  /* bytes that may be locked */
};

static int file, segment;
static sigjmp_buf recovery;
static volatile int fault;      /* signal and code of the last fault; 0: none */

static char *
place(int page)
{
    return ARENA + page * PAGE;
}

static void
draw_range(int *start, int *count)
{
    *count = 1 + (int) draw(LONGEST);
    *start = (int) draw((uint32_t) (PAGES - *count + 1));
}

static int
draw_protection(void)
{
    static const int choices[] = { READ_WRITE, READ_WRITE, READ_WRITE, PROT_READ, PROT_NONE };
    return choices[draw(sizeof choices / sizeof *choices)];
}

/* ---- Accesses ------------------------------------------------------------------------------------------------------------- */

static void
note_fault(int signal, siginfo_t *information, void *context)
{
    (void) context;
    fault = signal << 8 | information->si_code;
    siglongjmp(recovery, 1);
}

/* Reads the word, after writing `value` to it if that is wanted. What a fault was, or the word. */
static uint32_t
touch(volatile uint32_t *word, bool write, uint32_t value)
{
    fault = 0;
    if (sigsetjmp(recovery, 1) != 0)
        return (uint32_t) fault;
    if (write)
        *word = value;
    return *word;
}

static void
step_access(void)
{
    int page = (int) draw(PAGES);
    bool write = draw(2);
    uint32_t value = draw(UINT32_MAX);

    digest_answer(write ? "write" : "read", page, 1, touch((volatile uint32_t *) (place(page) + 4 * draw(PAGE / 4)), write, value));
}

/* What is written to a mapping behind the end, in the file's last page, may or may not be there when the file grows. */
static void
end_at_page(void)
{
    struct stat status;

    fstat(file, &status);
    ftruncate(file, (status.st_size + PAGE - 1) & ~(off_t) (PAGE - 1));
}

static void
step_file(void)
{
    off_t where = (off_t) draw(FILE_PAGES * PAGE - 4);
    uint32_t word = draw(UINT32_MAX);

    if (draw(2)) {
        digest_answer("pwrite", (int) where, 4, (uint32_t) pwrite(file, &word, sizeof word, where));
        end_at_page();
        return;
    }
    uint32_t got = (uint32_t) pread(file, &word, sizeof word, where);
    digest_answer("pread", (int) where, 4, got == sizeof word ? word : got);
}

/* ---- Mappings -------------------------------------------------------------------------------------------------------------- */

static void
step_map(void)
{
    int start, count, protection = draw_protection(), kind = draw(2) ? MAP_PRIVATE : MAP_SHARED;

    draw_range(&start, &count);
    int fixed = draw(6) ? MAP_FIXED : MAP_FIXED_NOREPLACE;
    void *result = mmap(place(start), (size_t) count * PAGE, protection, kind | MAP_ANONYMOUS | fixed, -1, 0);
    digest_answer("mmap", start, count, digest_error(result == MAP_FAILED ? -1 : 0));
}

static void
step_map_file(void)
{
    int start, count, protection = draw_protection(), kind = draw(2) ? MAP_PRIVATE : MAP_SHARED;

    draw_range(&start, &count);
    int available = kind == MAP_PRIVATE ? FIRM_PAGES : FILE_PAGES;
    if (count > available)
        count = available;
    int first = (int) draw((uint32_t) (available - count + 1));
    void *result = mmap(place(start), (size_t) count * PAGE, protection, kind | MAP_FIXED, file, (off_t) first * PAGE);
    digest_answer("mmap of the file", start, count, digest_error(result == MAP_FAILED ? -1 : 0));
}

static void
step_unmap(void)
{
    int start, count;

    draw_range(&start, &count);
    digest_answer("munmap", start, count, digest_error(munmap(place(start), (size_t) count * PAGE)));
}

static void
step_protect(void)
{
    int start, count, protection = draw_protection();

    draw_range(&start, &count);
    digest_answer("mprotect", start, count, digest_error(mprotect(place(start), (size_t) count * PAGE, protection)));
}

static void
step_advise(void)
{
    static const int advice[] = {
        MADV_DONTNEED, MADV_DONTNEED, MADV_WILLNEED, MADV_NORMAL, MADV_DONTFORK, MADV_DOFORK, MADV_WIPEONFORK, MADV_KEEPONFORK, 99,
    };
    int start, count;

    draw_range(&start, &count);
    digest_answer("madvise", start, count, digest_error(madvise(place(start), (size_t) count * PAGE, advice[draw(sizeof advice / sizeof *advice)])));
}

static void
step_sync(void)
{
    int start, count;

    draw_range(&start, &count);
    digest_answer("msync", start, count, digest_error(msync(place(start), (size_t) count * PAGE, MS_SYNC)));
}

static void
step_truncate(void)
{
    int pages = FIRM_PAGES + (int) draw(FILE_PAGES - FIRM_PAGES + 1);

    digest_answer("ftruncate", pages, 0, digest_error(ftruncate(file, (off_t) pages * PAGE)));
}

/* Maps anew, with a hole on either side, writes, and moves or resizes that. */
static void
step_remap(void)
{
    int start, count, kind = draw(3) ? MAP_PRIVATE : MAP_SHARED, to, new;

    draw_range(&start, &count);
    munmap(place(start) - PAGE, (size_t) (count + 2) * PAGE);
    mmap(place(start), (size_t) count * PAGE, READ_WRITE, kind | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    for (int i = 0; i < count; i++)
        *(volatile uint32_t *) place(start + i) = draw(UINT32_MAX);
    new = 1 + (int) draw(LONGEST);
    to = (int) draw((uint32_t) (PAGES - new + 1));
    bool moves = draw(3) != 0;
    void *result = mremap(place(start), (size_t) count * PAGE, (size_t) new * PAGE, moves ? MREMAP_MAYMOVE | MREMAP_FIXED : 0, place(to));
    digest_answer(moves ? "mremap there" : "mremap", start, count, result == MAP_FAILED ? (uint32_t) errno : (uint32_t) result);
}

/* ---- Locks, residency, the break, shared memory ----------------------------------------------------------------------------- */

static void
step_lock(void)
{
    int start, count, how = (int) draw(3);

    draw_range(&start, &count);
    size_t bytes = (size_t) count * PAGE;
    int result = how == 0 ? mlock(place(start), bytes) : how == 1 ? munlock(place(start), bytes) : mlock2(place(start), bytes, MLOCK_ONFAULT);
    digest_answer("mlock", start, count, digest_error(result));
}

/* Of private memory that was never read, the same pages are there on all kernels. */
static void
step_residency(void)
{
    unsigned char there[LONGEST];
    int start, count;
    uint32_t sum = 0;

    draw_range(&start, &count);
    munmap(place(start), (size_t) count * PAGE);
    mmap(place(start), (size_t) count * PAGE, READ_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    for (int i = 0; i < count; i++)
        if (draw(2))
            *place(start + i) = 1;
    digest_answer("mincore", start, count, digest_error(mincore(place(start), (size_t) count * PAGE, there)));
    for (int i = 0; i < count; i++)
        sum = sum * 2 + (there[i] & 1u);
    digest_answer("  pages", start, count, sum);
}

/* The break goes up and down; what is there after that is zero. */
static void
step_break(void)
{
    static char *base;
    char *now = (char *) syscall(SYS_brk, 0), *wanted;

    if (base == NULL)
        base = (char *) (((uintptr_t) now + 2 * PAGE) & ~(uintptr_t) (PAGE - 1));
    wanted = base + draw(8) * PAGE + draw(PAGE);
    digest_answer("brk", wanted - base, 0, (uint32_t) (syscall(SYS_brk, wanted) == (long) wanted));
    digest_answer("  its last byte", 0, 0, touch((volatile uint32_t *) (((uintptr_t) wanted - 4) & ~3u), draw(2), 77));
}

static void
step_segment(void)
{
    int page = (int) draw(PAGES - SEGMENT_PAGES), flags = SHM_REMAP | (draw(3) ? 0 : SHM_RDONLY);

    if (draw(4)) {
        void *result = shmat(segment, place(page), flags);
        digest_answer("shmat", page, flags, digest_error(result == (void *) -1 ? -1 : 0));
    } else {
        digest_answer("shmdt", page, 0, digest_error(shmdt(place(page))));
    }
}

/* A stack of its own: accesses below make it grow. */
static void
step_grow(void)
{
    int start = 20 + (int) draw(PAGES - 20);

    munmap(place(start - 12), 13 * PAGE);
    void *result = mmap(place(start), PAGE, READ_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_GROWSDOWN, -1, 0);
    digest_answer("mmap of a stack", start, 1, digest_error(result == MAP_FAILED ? -1 : 0));
    for (int i = 0; i < 6; i++)
        digest_answer("  grow", start, i, touch((volatile uint32_t *) place(start - i), true, (uint32_t) i));
}

/* ---- Processes -------------------------------------------------------------------------------------------------------------- */

/* The child goes on by itself; what it did to shared pages and the file stays. */
static void step_fork(void);

static const struct digest_kind steps[] = {
    { 12, step_map }, { 8, step_map_file }, { 5, step_unmap }, { 12, step_protect }, { 5, step_advise }, { 2, step_sync },
    { 2, step_truncate }, { 6, step_remap }, { 1, step_fork }, { 7, step_file },
    { 4, step_lock }, { 2, step_residency }, { 2, step_break }, { 3, step_segment }, { 1, step_grow }, { 28, step_access },
};

static void
step_fork(void)
{
    digest_fork(steps, CHILD_STEPS);
}

int
main(int count, char **arguments)
{
    struct sigaction action = { .sa_sigaction = note_fault, .sa_flags = SA_SIGINFO | SA_NODEFER };
    uint32_t wanted = digest_begin(count, arguments);

    file = open(FILE_NAME, O_RDWR | O_CREAT | O_TRUNC, 0600);
    ftruncate(file, FILE_PAGES * PAGE);
    unlink(FILE_NAME);
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    /* Removed, it lasts as long as it is attached once. */
    segment = shmget(IPC_PRIVATE, SEGMENT_PAGES * PAGE, 0600);
    shmat(segment, NULL, 0);
    shmctl(segment, IPC_RMID, NULL);
    setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){ MOST_LOCKED, MOST_LOCKED });
    digest_run(steps, wanted);
    digest_end();
    return EXIT_SUCCESS;
}
