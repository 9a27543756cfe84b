/*
 * Pages that must not be executed: stack, heap, data, bss and mapped memory hold
 * data, and a jump into them is refused, page by page.
 *
 * With paging=2level there is no such bit in a table entry; there the code segment
 * lies 0x60000000 above the data segment, and only executable pages are mapped in
 * both. What a program sees is the same. With nx=off, every readable page can be
 * executed, and the attack that this program plays on itself succeeds.
 */
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "user/lib/counters.h"
#include "user/lib/story.h"
#include "user/lib/system.h"

enum { ANSWER = 42 };

/* What an attacker would inject: mov $42, %eax; ret */
static const unsigned char injected[] = { 0xb8, ANSWER, 0, 0, 0, 0xc3 };

static unsigned char page_of_data[sizeof injected] = { 1 };
static unsigned char page_of_bss[sizeof injected];

static sigjmp_buf refused;
static siginfo_t refusal; /* what the kernel said of the last refused jump */

static void
refusal_note(int signal, siginfo_t *information, void *context)
{
    (void) context;
    refusal = *information;
    siglongjmp(refused, signal);
}

/* Writes the injected code to `place` and calls it. Returns whether it ran. */
static bool
place_runs(void *place, bool write)
{
    if (write)
        memcpy(place, injected, sizeof injected);
    memset(&refusal, 0, sizeof refusal);
    if (sigsetjmp(refused, true) != 0)
        return false;
    int (*function)(void) = (int (*)(void)) (uintptr_t) place;
    return function() == ANSWER;
}

/* Whether the last jump was refused as it should be: at this address, for want of permission. */
static bool
refused_rightly(const void *place)
{
    return refusal.si_signo == SIGSEGV && refusal.si_code == SEGV_ACCERR && refusal.si_addr == place;
}

static void
place_show(const char *name, void *place, bool protected)
{
    story_count();
    bool ran = place_runs(place, true);
    story_counted_silently();
    if (!protected) {
        expect(ran, "%-14s %p: executed, the attack succeeds", name, place);
        return;
    }
    expect(!ran && refused_rightly(place), "%-14s %p: refused, SIGSEGV there, SEGV_ACCERR", name, place);
    if (story_counter("fault_execute") != COUNTER_MISSING)
        expect(story_counter("fault_execute") == 1, "%-14s counted as one refused execution", name);
}

static void
places_show(bool protected)
{
    unsigned char page_of_stack[sizeof injected];
    unsigned char *page_of_heap = malloc(sizeof injected);

    place_show("stack", page_of_stack, protected);
    place_show("heap", page_of_heap, protected);
    place_show("data", page_of_data, protected);
    place_show("bss", page_of_bss, protected);
    place_show("mapped memory", pages_map(1), protected);
    free(page_of_heap);
}

/* mprotect is exact: of three pages the middle one becomes executable, and later not executable again. */
static void
neighbours_show(bool protected)
{
    unsigned char *pages = (unsigned char *) pages_map(3), *middle = pages + PAGE_SIZE;

    story_tell("Of three pages, mprotect makes the middle one executable:");
    for (int page = 0; page < 3; page++)
        memcpy(pages + page * PAGE_SIZE, injected, sizeof injected);
    expect(mprotect(middle, PAGE_SIZE, PROT_READ | PROT_EXEC) == 0 && place_runs(middle, false),
           "the middle page can be executed");
    if (!protected)
        return;
    expect(!place_runs(pages, false) && refused_rightly(pages), "the page below cannot");
    expect(!place_runs(middle + PAGE_SIZE, false) && refused_rightly(middle + PAGE_SIZE), "nor the page above");
    expect(mprotect(middle, PAGE_SIZE, PROT_READ | PROT_WRITE) == 0 && !place_runs(middle, true)
           && refused_rightly(middle), "the middle page cannot either, once it may be written again");
}

int
main(void)
{
    struct sigaction action = { .sa_sigaction = refusal_note, .sa_flags = SA_SIGINFO };
    bool protected = switch_is("nx", "on", "on");

    story_begin("nx", "Pages that must not be executed. Code that was smuggled into stack, heap or data is refused "
                "when it is jumped to.");
    sigaction(SIGSEGV, &action, NULL);
    /* Linux on a processor without NX says nothing of it anywhere: try. */
    if (access(COUNTERS_OF_PROCESS, R_OK) != 0 && place_runs(pages_map(1), true)) {
        story_skip("this Linux cannot keep data from being executed");
        return story_end();
    }
    story_tell(protected ? "Each place gets six bytes of code, and is called (paging=%s):"
               : "nx=off: protection is switched off. Each place gets six bytes of code, and is called (paging=%s):",
               switch_value("paging", "2level"));
    places_show(protected);
    neighbours_show(protected);
    return story_end();
}
