/*
 * The mmap family: what each call answers, how regions split and merge in /proc/self/maps, which
 * signal an access gets, what files and their mappings see of each other, limits and advice.
 *
 * Whether data can be executed is not asked: Debian's i386 kernel 6.1 forgets to forbid it
 * (vm_get_page_prot keeps 32 bits of an entry, and the bit that forbids is the 64th).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/outcome.h"
#include "user/lib/system.h"

#define AREA ((char *) 0x2a000000)
#define FILE_NAME "/tmp/memory"
#define READ_WRITE (PROT_READ | PROT_WRITE)
#define ANONYMOUS (MAP_PRIVATE | MAP_ANONYMOUS)

enum { PAGE = 4096, PAGES = 16 };

static char *
page(int number)
{
    return AREA + number * PAGE;
}

/* The regions in the area, as first page, number of pages and protection. */
static void
regions_show(const char *when)
{
    char *maps = file_text("/proc/self/maps");

    printf("%s:", when);
    for (char *line = strtok(maps, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        unsigned long start, end;
        char allowed[5];
        if (sscanf(line, "%lx-%lx %4s", &start, &end, allowed) == 3 && start < (uintptr_t) page(PAGES) && end > (uintptr_t) AREA)
            printf(" %ld+%ld %s", (long) (start - (uintptr_t) AREA) / PAGE, (long) (end - start) / PAGE, allowed);
    }
    putchar('\n');
    free(maps);
}

static void
area_new(int protection)
{
    munmap(AREA, PAGES * PAGE);
    mmap(AREA, PAGES * PAGE, protection, ANONYMOUS | MAP_FIXED, -1, 0);
}

/* ---- Accesses ------------------------------------------------------------------------------------------------------------- */

static void
note_fault(int signal, siginfo_t *information, void *context)
{
    (void) context;
    _exit(signal == SIGSEGV ? 10 + information->si_code : signal == SIGBUS ? 20 + information->si_code : 1);
}

/* What a child gets for reading and for writing: r and w if that is allowed, else the signal and its code. */
static void
access_show(char *place, const char *what)
{
    printf("%s:", what);
    for (int access = 0; access < 2; access++) {
        int status;
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
            struct sigaction action = { .sa_sigaction = note_fault, .sa_flags = SA_SIGINFO };
            sigaction(SIGSEGV, &action, NULL);
            sigaction(SIGBUS, &action, NULL);
            if (access == 0)
                (void) *(volatile char *) place;
            else
                *(volatile char *) place = 1;
            _exit(EXIT_SUCCESS);
        }
        waitpid(child, &status, 0);
        if (status == 0)
            printf(" %c", "rw"[access]);
        else
            printf(" %s%d", WEXITSTATUS(status) < 20 ? "SEGV" : "BUS", WEXITSTATUS(status) % 10);
    }
    putchar('\n');
}

static void
protections_show(void)
{
    static const int protections[] = { PROT_NONE, PROT_READ, PROT_WRITE, READ_WRITE, PROT_EXEC, PROT_READ | PROT_EXEC, READ_WRITE | PROT_EXEC };

    for (size_t i = 0; i < sizeof protections / sizeof *protections; i++) {
        char what[32];
        area_new(READ_WRITE);
        mprotect(AREA, PAGE, protections[i]);
        snprintf(what, sizeof what, "protection %d", protections[i]);
        access_show(AREA, what);
    }
    munmap(AREA, PAGES * PAGE);
    access_show(AREA, "nothing mapped");
    access_show((char *) 8, "address 8");
    access_show((char *) 0xc0000000, "the kernel");
}

/* ---- Splitting and merging -------------------------------------------------------------------------------------------------- */

static void
splitting_show(void)
{
    area_new(READ_WRITE);
    regions_show("one");
    mprotect(page(4), 2 * PAGE, PROT_READ);
    regions_show("mprotect in the middle");
    mprotect(page(6), 2 * PAGE, PROT_READ);
    regions_show("its neighbour, too");
    munmap(page(5), PAGE);
    regions_show("munmap within");
    mmap(page(5), PAGE, READ_WRITE, ANONYMOUS | MAP_FIXED, -1, 0);
    mprotect(page(5), PAGE, PROT_READ);
    regions_show("filled again");
    mprotect(page(0), PAGES * PAGE, READ_WRITE);
    regions_show("all as at first");
    mmap(page(3), PAGE, READ_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    regions_show("a shared page among them");
    munmap(page(10), 100 * PAGE);
    regions_show("munmap beyond the end");
    outcome_pointer(mmap(page(8), PAGE, READ_WRITE, ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0), "MAP_FIXED_NOREPLACE on something");
    outcome_pointer(mmap(page(12), PAGE, READ_WRITE, ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0), "MAP_FIXED_NOREPLACE on nothing");
    outcome(mprotect(page(8), 6 * PAGE, PROT_READ), "mprotect over a hole");
    regions_show("what was before it has changed");
    outcome(mlock(page(8), PAGE), "mlock");
    regions_show("a locked page is a region of its own");
    outcome(madvise(page(9), PAGE, MADV_DONTFORK), "MADV_DONTFORK");
    regions_show("so is one that is not forked");
}

/* ---- What is refused ---------------------------------------------------------------------------------------------------------- */

static void
refusals_show(void)
{
    int file = open(FILE_NAME, O_RDWR | O_CREAT, 0600), read_only = open(FILE_NAME, O_RDONLY), write_only = open(FILE_NAME, O_WRONLY);

    area_new(READ_WRITE);
    outcome_pointer(mmap(NULL, 0, PROT_READ, ANONYMOUS, -1, 0), "mmap of nothing");
    outcome_pointer(mmap(NULL, PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0), "neither private nor shared");
    outcome_pointer(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, -1, 0), "no file");
    outcome_pointer(mmap(AREA + 1, PAGE, PROT_READ, ANONYMOUS | MAP_FIXED, -1, 0), "MAP_FIXED, unaligned");
    outcome_pointer(mmap(NULL, (size_t) -PAGE, PROT_READ, ANONYMOUS, -1, 0), "too much");
    outcome_pointer(mmap((void *) 0xbffff000, 4 * PAGE, PROT_READ, ANONYMOUS | MAP_FIXED, -1, 0), "MAP_FIXED into the kernel");
    outcome_pointer(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, write_only, 0), "a file opened to write");
    outcome_pointer(mmap(NULL, PAGE, READ_WRITE, MAP_SHARED, read_only, 0), "to write a file opened to read, shared");
    outcome_pointer(mmap(NULL, PAGE, READ_WRITE, MAP_PRIVATE, read_only, 0), "the same, private");
    void *shared = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, read_only, 0);
    outcome(mprotect(shared, PAGE, READ_WRITE), "mprotect to write it later");
    outcome_pointer(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, open("/tmp", O_RDONLY), 0), "a directory");
    outcome_pointer(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, open("/dev/null", O_RDWR), 0), "/dev/null");
    outcome_pointer(mmap(NULL, PAGE, READ_WRITE, MAP_PRIVATE, open("/dev/zero", O_RDWR), 0), "/dev/zero");
    outcome(munmap(AREA + 1, PAGE), "munmap, unaligned");
    outcome(munmap(AREA, 0), "munmap of nothing");
    outcome(munmap(page(100), PAGE), "munmap where nothing is");
    outcome(mprotect(AREA + 1, PAGE, PROT_READ), "mprotect, unaligned");
    outcome(mprotect(AREA, 0, PROT_READ), "mprotect of nothing");
    outcome(mprotect(AREA, PAGE, 0x40), "mprotect with a wrong protection");
    outcome(mprotect(page(100), PAGE, PROT_READ), "mprotect where nothing is");
    outcome(msync(AREA, PAGE, MS_ASYNC | MS_SYNC), "msync with both");
    outcome(msync(AREA + 1, PAGE, MS_SYNC), "msync, unaligned");
    outcome(msync(page(100), PAGE, MS_SYNC), "msync where nothing is");
    outcome(mlock(page(100), PAGE), "mlock where nothing is");
    mprotect(page(1), PAGE, PROT_NONE);
    outcome(mlock(page(1), PAGE), "mlock of what must not be touched");
    mprotect(page(1), PAGE, READ_WRITE);
    outcome(mlockall(0), "mlockall of nothing");
    outcome(mlockall(8), "mlockall with a wrong flag");
    close(file);
    close(read_only);
    close(write_only);
    unlink(FILE_NAME);
}

static void
advice_show(void)
{
    area_new(READ_WRITE);
    for (int advice = MADV_NORMAL; advice <= MADV_DOFORK; advice++)
        outcome(madvise(AREA, PAGE, advice), "madvise %d", advice);
    outcome(madvise(AREA, PAGE, 77), "madvise 77");
    outcome(madvise(AREA + 1, PAGE, MADV_NORMAL), "madvise, unaligned");
    outcome(madvise(AREA, 0, MADV_DONTNEED), "madvise of nothing");
    outcome(madvise(page(100), PAGE, MADV_DONTNEED), "madvise where nothing is");
    outcome(madvise(page(PAGES - 1), 2 * PAGE, MADV_WILLNEED), "madvise over the end");
    AREA[0] = 'x';
    madvise(AREA, PAGE, MADV_DONTNEED);
    tell("after MADV_DONTNEED: %d", AREA[0]);
    mmap(AREA, PAGE, READ_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    AREA[0] = 'x';
    madvise(AREA, PAGE, MADV_DONTNEED);
    tell("the same on shared memory: %d", AREA[0]);
    outcome(madvise(AREA, PAGE, MADV_FREE), "MADV_FREE of shared memory");
}

/* ---- mremap -------------------------------------------------------------------------------------------------------------------- */

static void
remap_show(size_t old, size_t new, int flags, char *to, const char *what)
{
    char *result = mremap(AREA, old, new, flags, to);

    if (result == MAP_FAILED)
        outcome(-1, "mremap %s", what);
    else
        tell("mremap %s: %s, holds %c", what, result == AREA ? "stays" : result == to ? "goes there" : "moves", *result);
    if (result != MAP_FAILED && result != AREA)
        munmap(result, new);
    area_new(READ_WRITE);
    AREA[0] = 'm';
}

static void
remapping_show(void)
{
    area_new(READ_WRITE);
    AREA[0] = 'm';
    remap_show(PAGES * PAGE, 4 * PAGE, 0, NULL, "smaller");
    remap_show(PAGES * PAGE, (PAGES + 4) * PAGE, 0, NULL, "larger, there is room");
    munmap(page(PAGES), 4 * PAGE);
    remap_show(4 * PAGE, 8 * PAGE, 0, NULL, "larger, there is none");
    remap_show(4 * PAGE, 8 * PAGE, MREMAP_MAYMOVE, NULL, "larger, and may move");
    remap_show(4 * PAGE, 4 * PAGE, MREMAP_FIXED, page(100), "fixed, but may not move");
    remap_show(4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, page(100), "fixed");
    remap_show(4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, page(2), "onto itself");
    remap_show(4 * PAGE, 0, 0, NULL, "to nothing");
    remap_show(0, 4 * PAGE, MREMAP_MAYMOVE, NULL, "from nothing, private");
    remap_show(4 * PAGE, 4 * PAGE, 8, NULL, "with a wrong flag");
    outcome_pointer(mremap(AREA + 1, PAGE, PAGE, 0), "mremap, unaligned");
    outcome_pointer(mremap(page(100), PAGE, 2 * PAGE, MREMAP_MAYMOVE), "mremap of nothing there");
    outcome_pointer(mremap(page(PAGES - 1), 2 * PAGE, 3 * PAGE, MREMAP_MAYMOVE), "mremap over the end");
    mmap(AREA, 4 * PAGE, READ_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    AREA[0] = 's';
    char *twice = mremap(AREA, 0, 4 * PAGE, MREMAP_MAYMOVE);
    tell("shared memory twice: %c", twice == MAP_FAILED ? '-' : *twice);
    munmap(twice, 4 * PAGE);
}

/* ---- Files ------------------------------------------------------------------------------------------------------------------------ */

static void
mapping_files_show(void)
{
    int file = open(FILE_NAME, O_RDWR | O_CREAT | O_TRUNC, 0600);
    char bytes[8] = "";

    ftruncate(file, PAGE + 10);
    char *shared = mmap(AREA, 4 * PAGE, READ_WRITE, MAP_SHARED | MAP_FIXED, file, 0);
    char *private = mmap(page(8), 4 * PAGE, READ_WRITE, MAP_PRIVATE | MAP_FIXED, file, 0);
    outcome(pwrite(file, "file", 4, 0), "pwrite");
    tell("shared %.4s, private %.4s", shared, private);
    memcpy(private, "mine", 4);
    memcpy(shared, "ours", 4);
    pread(file, bytes, 4, 0);
    tell("file %.4s, shared %.4s, private %.4s", bytes, shared, private);
    shared[PAGE + 100] = 'x';
    tell("beyond the end, on the last page: %d", shared[PAGE + 100] == 'x');
    ftruncate(file, PAGE + 200);
    pread(file, bytes, 1, PAGE + 100);
    tell("and when the file grows: %d", bytes[0]);
    access_show(page(2), "the page after the end");
    ftruncate(file, 3 * PAGE);
    access_show(page(2), "when the file has grown");
    ftruncate(file, 10);
    access_show(page(1), "when it has shrunk");
    outcome(msync(AREA, 4 * PAGE, MS_SYNC), "msync");
    munmap(AREA, PAGES * PAGE);
    lseek(file, 0, SEEK_SET);
    outcome(read(file, bytes, 8), "read");
    tell("%.4s", bytes);
    close(file);
    unlink(FILE_NAME);
}

/* ---- Which pages are in memory, and limits ---------------------------------------------------------------------------------------- */

static void
residency_show(void)
{
    unsigned char present[PAGES];

    area_new(READ_WRITE);
    AREA[0] = page(3)[0] = 1;
    outcome(mincore(AREA, PAGES * PAGE, present), "mincore");
    tell("pages 0 to 4: %d%d%d%d%d", present[0] & 1, present[1] & 1, present[2] & 1, present[3] & 1, present[4] & 1);
    outcome(mincore(AREA + 1, PAGE, present), "mincore, unaligned");
    outcome(mincore(page(PAGES - 1), 2 * PAGE, present), "mincore over the end");
    outcome(mincore(AREA, PAGE, NULL), "mincore into nothing");
    mmap(AREA, 2 * PAGE, READ_WRITE, ANONYMOUS | MAP_FIXED | MAP_POPULATE, -1, 0);
    mincore(AREA, 2 * PAGE, present);
    tell("MAP_POPULATE: %d%d", present[0] & 1, present[1] & 1);
}

static void
limits_show(void)
{
    char *heap = sbrk(0);

    setrlimit(RLIMIT_AS, &(struct rlimit){ 64 << 20, 64 << 20 });
    outcome_pointer(mmap(NULL, 128 << 20, PROT_NONE, ANONYMOUS | MAP_NORESERVE, -1, 0), "mmap beyond RLIMIT_AS");
    outcome(syscall(SYS_brk, heap + (128 << 20)) == (long) heap, "brk beyond it leaves the heap alone");
    setrlimit(RLIMIT_DATA, &(struct rlimit){ 0, 0 });
    outcome(syscall(SYS_brk, heap + PAGE) == (long) heap, "brk beyond RLIMIT_DATA");
    outcome_pointer(mmap(NULL, PAGE, PROT_READ, ANONYMOUS, -1, 0), "of memory that cannot be written");
    outcome_pointer(mmap(NULL, PAGE, READ_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), "of shared memory");
}

static void
lock_limits_show(void)
{
    area_new(READ_WRITE);
    setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){ 2 * PAGE, 2 * PAGE });
    outcome(mlock(AREA, 4 * PAGE), "root: mlock beyond RLIMIT_MEMLOCK");
    munlock(AREA, 4 * PAGE);
    setuid(1000);
    outcome(mlock(AREA, 4 * PAGE), "another: mlock beyond RLIMIT_MEMLOCK");
    outcome(mlock(AREA, 2 * PAGE), "within");
    outcome(mlock(page(4), PAGE), "one more");
    outcome(mlock(AREA, PAGE), "one that is locked already");
    outcome(mlockall(MCL_FUTURE), "mlockall of what comes");
    outcome_pointer(mmap(NULL, 4 * PAGE, READ_WRITE, ANONYMOUS, -1, 0), "mmap after it");
    outcome_pointer(mmap(NULL, 4 * PAGE, READ_WRITE, ANONYMOUS | MAP_LOCKED, -1, 0), "MAP_LOCKED");
    outcome(munlockall(), "munlockall");
}

int
main(void)
{
    protections_show();
    splitting_show();
    refusals_show();
    advice_show();
    remapping_show();
    mapping_files_show();
    residency_show();
    outcome_of_child(limits_show, "limits");
    outcome_of_child(lock_limits_show, "limits of locking");
    return EXIT_SUCCESS;
}
