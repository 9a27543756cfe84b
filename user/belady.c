/*
 * Belady's anomaly on live pages: the lecture's reference string, with 3 frames
 * and with 4. Under FIFO, more frames mean more faults.
 *
 *     0 1 2 3 0 1 4 0 1 2 3 4
 *
 * The program locks its own text, data and stack in memory, so that only the five
 * pages of the string compete, and has RLIMIT_RSS give it the frames. A fault is a
 * page that had to come in: from nothing, or from the swap area.
 *
 * The policy is the one in force. A policy that goes by references, such as lru,
 * sees each of them only in a traced program: trace=/bin/belady. Without that, it
 * sees what the clock tick samples, which is nothing in so short a time.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "user/lib/story.h"
#include "user/lib/system.h"

enum { PAGES = 5 };

static const int string[] = { 0, 1, 2, 3, 0, 1, 4, 0, 1, 2, 3, 4 };

/* What paper says: faults with 3 and with 4 frames. */
static const struct answer {
    const char *policy;
    int faults[2];
    bool by_references;     /* exact only in a traced program; opt is not in force without a recorded run, which traces it */
} answers[] = {
    { "fifo", { 9, 10 }, false },
    { "clock", { 9, 10 }, false },
    { "lru", { 10, 8 }, true },
    { "opt", { 7, 6 }, false },
};

static volatile char *pages;

static void
frames_limit(rlim_t frames)
{
    struct rlimit limit = { frames, RLIM_INFINITY };
    limit.rlim_cur = frames == RLIM_INFINITY ? RLIM_INFINITY : frames * PAGE_SIZE;
    setrlimit(RLIMIT_RSS, &limit);
}

/* Plays the string on fresh pages; the pages that had to come in. */
static long long
string_play(rlim_t frames)
{
    pages = mmap(NULL, PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    frames_limit(frames);
    story_count();
    for (size_t i = 0; i < sizeof(string) / sizeof(string[0]); i++)
        pages[string[i] * PAGE_SIZE] = (char) i;
    story_counted_silently();
    frames_limit(RLIM_INFINITY);
    munmap((void *) pages, PAGES * PAGE_SIZE);
    long long filled = story_counter("fault_zero_fill"), swapped = story_counter("fault_swap_in");
    return filled < 0 ? -1 : filled + swapped;
}

/* The policy in force, which need not be the one that the machine was booted with. */
static const char *
policy_name(void)
{
    char *name = file_text("/proc/sys/vm/policy");
    if (name == NULL)
        return switch_value("policy", "clock");
    name[strcspn(name, "\n")] = '\0';
    return name;
}

static const struct answer *
answer_for(const char *policy)
{
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
        if (strcmp(answers[i].policy, policy) == 0)
            return &answers[i];
    return NULL;
}

int
main(void)
{
    story_begin("belady", "Belady's anomaly. The string 0 1 2 3 0 1 4 0 1 2 3 4 on five live pages, first with "
                          "three frames, then with four. More frames should mean fewer faults.");
    mlockall(MCL_CURRENT);
    /* First of all, so that a recorded run is the same up to here under whatever policy. */
    long long faults[2] = { string_play(3), string_play(4) };
    if (faults[0] < 0) {
        story_skip("Linux does not heed RLIMIT_RSS");
        return story_end();
    }
    const char *policy = policy_name(), *traced = switch_value("trace", "");
    const struct answer *answer = answer_for(policy);
    story_tell("Under policy=%s: %lld faults with 3 frames, %lld with 4.", policy, faults[0], faults[1]);
    if (answer == NULL || (answer->by_references && traced[0] == '\0'))
        story_skip("what %s does here depends on chance, on the clock, or on references that only a trace records", policy);
    else
        expect(faults[0] == answer->faults[0] && faults[1] == answer->faults[1], "on paper: %d and %d",
               answer->faults[0], answer->faults[1]);
    if (faults[1] > faults[0])
        story_tell("One frame more, and more faults: Belady's anomaly.");
    return story_end();
}
