/*
 * Faults that a handler repairs: the matrix of what is wrong, what si_signo,
 * si_code and si_addr say of it, and that the instruction runs again, to the right
 * result, when the handler has made things good.
 */
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "user/lib/check.h"
#include "user/lib/system.h"

#define FILE_NAME "/tmp/restart"

enum { OFFSET = 100 }; /* of the access within its page, which si_addr must show */

/* What the handler saw, and how it repairs. */
static volatile sig_atomic_t caught;
static siginfo_t seen;
static void (*repair)(void);
static char *page;
static int file;

static void
fault_repair(int signal, siginfo_t *information, void *context)
{
    (void) signal;
    (void) context;
    seen = *information;
    caught++;
    repair();
}

static void page_allow(void) { mprotect(page, PAGE_SIZE, PROT_READ | PROT_WRITE); }
static void page_allow_execution(void) { mprotect(page, PAGE_SIZE, PROT_READ | PROT_EXEC); }
static void file_lengthen(void) { ftruncate(file, 2 * PAGE_SIZE); }

static void
page_map(void)
{
    mmap(page, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

static void page_write(void) { *(volatile char *) (page + OFFSET) = 'w'; }
static void page_read(void) { (void) *(volatile char *) (page + OFFSET); }
static void page_add(void) { *(volatile int *) (page + OFFSET) += 3; }
static void page_call(void) { ((void (*)(void)) (page + OFFSET))(); }

/* Repeated string instructions stop in the middle, at the first byte of the page, and go on there. */
static void
page_fill(void)
{
    void *to = page;
    unsigned count = PAGE_SIZE;
    __asm__ volatile("rep stosb" : "+D"(to), "+c"(count) : "a"('f') : "memory");
}

static const struct fault {
    const char *what;
    void (*access)(void);
    void (*repair)(void);
    int protection;   /* of the page before, or UNMAPPED or BEYOND */
    int signal, code;
    int offset;       /* where in the page si_addr must lie */
} faults[] = {
#define UNMAPPED (-1)
#define BEYOND   (-2) /* a page of a file, beyond its end */
    { "read of no mapping", page_read, page_map, UNMAPPED, SIGSEGV, SEGV_MAPERR, OFFSET },
    { "write to no mapping", page_write, page_map, UNMAPPED, SIGSEGV, SEGV_MAPERR, OFFSET },
    { "read-modify-write to no mapping", page_add, page_map, UNMAPPED, SIGSEGV, SEGV_MAPERR, OFFSET },
    { "string write to no mapping", page_fill, page_map, UNMAPPED, SIGSEGV, SEGV_MAPERR, 0 },
    { "read of PROT_NONE", page_read, page_allow, PROT_NONE, SIGSEGV, SEGV_ACCERR, OFFSET },
    { "write to PROT_NONE", page_write, page_allow, PROT_NONE, SIGSEGV, SEGV_ACCERR, OFFSET },
    { "write to PROT_READ", page_write, page_allow, PROT_READ, SIGSEGV, SEGV_ACCERR, OFFSET },
    { "read-modify-write to PROT_READ", page_add, page_allow, PROT_READ, SIGSEGV, SEGV_ACCERR, OFFSET },
    { "string write to PROT_READ", page_fill, page_allow, PROT_READ, SIGSEGV, SEGV_ACCERR, 0 },
    { "execution of PROT_READ", page_call, page_allow_execution, PROT_READ, SIGSEGV, SEGV_ACCERR, OFFSET },
    { "read beyond the end of a file", page_read, file_lengthen, BEYOND, SIGBUS, BUS_ADRERR, OFFSET },
    { "write beyond the end of a file", page_write, file_lengthen, BEYOND, SIGBUS, BUS_ADRERR, OFFSET },
};

/* Puts `page` into the state that the fault needs, holding a `ret` instruction where it can hold anything. */
static void
page_prepare(int protection)
{
    static const unsigned char return_instruction = 0xc3;

    page_map();
    page[OFFSET] = return_instruction;
    if (protection == UNMAPPED) {
        munmap(page, PAGE_SIZE);
    } else if (protection == BEYOND) {
        ftruncate(file, PAGE_SIZE);
        mmap(page, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, PAGE_SIZE);
    } else {
        mprotect(page, PAGE_SIZE, protection);
    }
}

static void
fault_check(const struct fault *fault)
{
    page_prepare(fault->protection);
    repair = fault->repair;
    caught = 0;
    fault->access();
    bool cannot_forbid = !system_is_belady() || switch_is("nx", "on", "off");
    if (caught == 0 && fault->access == page_call && cannot_forbid) {
        check_skip("%s: nothing forbids it", fault->what);
        return;
    }
    check_that(caught == 1, "%s: one signal", fault->what);
    if (!check_that(seen.si_signo == fault->signal && seen.si_code == fault->code
                    && seen.si_addr == page + fault->offset, "%s: signal %d, code %d, at the address", fault->what,
                    fault->signal, fault->code))
        check_note("signal %d, code %d, at %p of %p", seen.si_signo, seen.si_code, seen.si_addr, (void *) page);
    if (fault->access == page_write)
        check_that(page[OFFSET] == 'w', "%s: done after all", fault->what);
    if (fault->access == page_fill)
        check_that(page[0] == 'f' && memcmp(page, page + 1, PAGE_SIZE - 1) == 0, "%s: done after all", fault->what);
    if (fault->access == page_add)
        check_that(*(int *) (page + OFFSET) == (fault->protection == UNMAPPED ? 3 : 0xc3 + 3), "%s: done once",
                   fault->what);
}

/* An access that crosses from a good page to a bad one names an address in the bad one. */
static void
crossing_check(void)
{
    page_prepare(PROT_NONE);
    repair = page_allow;
    caught = 0;
    *(volatile int *) (page - 2) = 0x01020304;
    check_that(caught == 1 && seen.si_addr == page, "a crossing write faults at the first byte of the bad page");
    check_that(*(volatile int *) (page - 2) == 0x01020304, "and is done after all");
}

int
main(void)
{
    struct sigaction action = { .sa_sigaction = fault_repair, .sa_flags = SA_SIGINFO };

    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    file = open(FILE_NAME, O_RDWR | O_CREAT | O_TRUNC, 0600);
    check_that(file >= 0, "a file");
    char *area = mmap(NULL, 3 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    page = area + PAGE_SIZE;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        fault_check(&faults[i]);
    crossing_check();
    unlink(FILE_NAME);
    return check_end();
}
