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
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "user/lib/story.h"
#include "user/lib/system.h"

enum {
    PAGES = 5,
    POLICY_BYTES = 16,          /* for the name of a policy */
};

static const int string[] = { 0, 1, 2, 3, 0, 1, 4, 0, 1, 2, 3, 4 };

enum { REFERENCES = sizeof string / sizeof *string };

/* What paper says: faults with 3 and with 4 frames. Not of random, nor of aging and wsclock, which go by the clock. */
static const struct answer {
    const char *policy;
    int faults[2];
    bool by_references;     /* exact only in a traced program. (opt is: its recorded run has it traced) */
} answers[] = {
    { "fifo", { 9, 10 }, false },
    { "clock", { 9, 10 }, false },
    { "nru", { 9, 10 }, false },
    { "lfu", { 10, 8 }, true },
    { "mfu", { 9, 10 }, true },
    { "lru", { 10, 8 }, true },
    { "2q", { 11, 9 }, true },
    { "arc", { 10, 7 }, true },
    { "opt", { 7, 6 }, false },
};

static volatile char *pages;

/* What a game came to. */
struct game {
    long long faults;           /* pages that had to come in; -1 where that is not counted */
    bool came_in[REFERENCES];   /* at which references */
    char policy[POLICY_BYTES];  /* in force at the end; "" where that is not told */
};

static bool
page_is_in(int page)
{
    unsigned char in = 0;
    mincore((void *) (pages + page * PAGE_SIZE), PAGE_SIZE, &in);
    return in & 1;
}

/* Which policy chooses among this program's frames. It needs no page that is not locked, so that the game is the same with it. */
static void
policy_read(char *policy)
{
    int file = open("/proc/self/policy", O_RDONLY);
    ssize_t length = file < 0 ? 0 : read(file, policy, POLICY_BYTES - 1);

    policy[length > 0 ? length : 0] = '\0';
    policy[strcspn(policy, "\n")] = '\0';
    if (file >= 0)
        close(file);
}

/* Plays the string on fresh pages. */
static void
string_play(struct game *game, unsigned frames)
{
    pages = mmap(NULL, PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    frames_limit(frames);
    story_count();
    for (int i = 0; i < REFERENCES; i++) {
        game->came_in[i] = !page_is_in(string[i]);
        pages[string[i] * PAGE_SIZE] = (char) i;
    }
    story_counted_silently();
    policy_read(game->policy);
    frames_limit(FRAMES_UNLIMITED);
    munmap((void *) pages, PAGES * PAGE_SIZE);
    long long filled = story_counter("fault_zero_fill"), swapped = story_counter("fault_swap_in");
    game->faults = filled < 0 ? -1 : filled + swapped;
}

static void
game_print(const char *name, const struct game *game)
{
    printf("    %-11s", name);
    for (int i = 0; i < REFERENCES; i++)
        printf("  %c", game->came_in[i] ? '*' : ' ');
    printf("  %3lld faults\n", game->faults);
}

/* A textbook's table: a star where a page had to come in. */
static void
games_print(const struct game *few, const struct game *many)
{
    printf("    %-11s", "reference");
    for (int i = 0; i < REFERENCES; i++)
        printf("  %d", string[i]);
    putchar('\n');
    game_print("3 frames", few);
    game_print("4 frames", many);
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

/* Holds the faults against paper, as far as the policy could see what it goes by. */
static void
answer_tell(const char *policy, const struct game *few, const struct game *many)
{
    const struct answer *answer = answer_for(policy);

    if (answer == NULL)
        story_skip("%s goes by %s: there is no one answer on paper", policy, strcmp(policy, "random") == 0 ? "chance" : "the clock");
    else if (answer->by_references && *switch_value("trace", "") == '\0')
        story_skip("%s goes by references, and sees them only in a traced program. Here it saw pages come in, and nothing else. Boot with "
                   "policy=%s trace=/bin/belady: on paper it has %d and %d", policy, policy, answer->faults[0], answer->faults[1]);
    else
        expect(few->faults == answer->faults[0] && many->faults == answer->faults[1], "on paper: %d and %d", answer->faults[0],
               answer->faults[1]);
}

int
main(int count, char **arguments)
{
    struct game few, many;

    story_argument(count, arguments, NULL);
    story_begin("belady", "Belady's anomaly. The string 0 1 2 3 0 1 4 0 1 2 3 4 on five live pages, first with "
                          "three frames, then with four. More frames should mean fewer faults.");
    mlockall(MCL_CURRENT);
    /* First of all, so that a recorded run is the same up to here under whatever policy. */
    string_play(&few, 3);
    string_play(&many, 4);
    if (few.faults < 0) {
        story_skip("Linux does not heed RLIMIT_RSS");
        return story_end();
    }
    if (memory_bytes("SwapTotal") == 0) {
        story_skip("there is no swap area, so no page can give way to another: boot with swap=16M");
        return story_end();
    }
    const char *policy = policy_name();
    games_print(&few, &many);
    bool given_up = strcmp(few.policy, policy) != 0 || strcmp(many.policy, policy) != 0;
    story_tell("Under policy=%s%s: %lld faults with 3 frames, %lld with 4.", policy, given_up ? ", given up" : "", few.faults, many.faults);
    if (given_up)
        story_skip("at the end with 3 frames %s was in force, with 4 %s: this run is not the recorded one, the kernel's log says where",
                   few.policy, many.policy);
    else
        answer_tell(policy, &few, &many);
    story_tell(many.faults > few.faults ? "One frame more, and more faults: Belady's anomaly." : "No anomaly: one frame more does not hurt here.");
    return story_end();
}
