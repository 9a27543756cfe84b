/*
 * More memory than there is. Asking for more than RAM and swap area together is
 * refused with ENOMEM; asking for little again and again, and then using all of
 * it, gets the largest process killed, and nobody else; unless oom_score_adj
 * says who goes first, or who is spared.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/check.h"
#include "user/lib/counters.h"
#include "user/lib/system.h"

enum {
    PIECE = 1 << 20,          /* bytes asked for at a time */
    PATTERN_PAGES = 16,       /* of the bystander's memory */
    OVERSIZE = 1 << 30,       /* bytes of memory that would take too long to fill */
};

static uint64_t
memory_total(void)
{
    return memory_bytes("MemTotal") + memory_bytes("SwapTotal");
}

static void
refused_check(void)
{
    /* Where that is more than an address can say, ask for as much as can be said. */
    uint64_t wanted = memory_total() + memory_total() / 2;
    size_t length = wanted < UINT32_MAX - 2 * PAGE_SIZE ? wanted / PAGE_SIZE * PAGE_SIZE : UINT32_MAX - PAGE_SIZE + 1;
    void *base = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    check_that(base == MAP_FAILED && errno == ENOMEM, "mmap of more than RAM and swap area: ENOMEM");
    check_that(mmap(NULL, SIZE_MAX, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == ENOMEM,
               "mmap of all addresses: ENOMEM");
    check_that(mmap(NULL, SIZE_MAX - PAGE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
               && errno == ENOMEM, "mmap of almost all addresses: ENOMEM");
}

/* Maps and writes piece after piece, until it is refused or killed. */
static void
glutton_body(void)
{
    for (;;) {
        char *piece = mmap(NULL, PIECE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (piece == MAP_FAILED)
            _exit(errno == ENOMEM ? ENOMEM : EXIT_FAILURE);
        memset(piece, 'g', PIECE);
    }
}

/* Maps twice as much as there is, untouched, which is refused or not; then touches it all. */
static void
optimist_body(void)
{
    uint64_t total = memory_total();
    size_t pieces = 2 * total / PIECE, count = 0;
    char **area = calloc(pieces, sizeof *area);

    for (; area != NULL && count < pieces; count++) {
        area[count] = mmap(NULL, PIECE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (area[count] == MAP_FAILED)
            break;
    }
    for (size_t piece = 0; piece < count; piece++)
        memset(area[piece], 'o', PIECE);
    _exit(count < pieces ? ENOMEM : EXIT_SUCCESS);
}

/* Runs the body in a child while another child waits, whose memory must stay what it was. */
static void
exhaust_check(const char *who, void (*body)(void))
{
    struct counters before = { NULL, 0 }, after = { NULL, 0 };
    char *pattern = mmap(NULL, PATTERN_PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int gate[2];
    char byte;

    pipe(gate);
    memset(pattern, 'p', PATTERN_PAGES * PAGE_SIZE);
    pid_t bystander = check_fork();
    if (bystander == 0) {
        close(gate[1]);
        _exit(read(gate[0], &byte, 1) != 0 || memchr(pattern, 'g', PATTERN_PAGES * PAGE_SIZE) != NULL);
    }
    counters_prepare(&before, COUNTERS_OF_SYSTEM);
    counters_prepare(&after, COUNTERS_OF_SYSTEM);
    counters_take(&before, COUNTERS_OF_SYSTEM);
    int status = check_child(body);
    counters_take(&after, COUNTERS_OF_SYSTEM);
    bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    check_that(killed || (WIFEXITED(status) && WEXITSTATUS(status) == ENOMEM), "%s is %s", who,
               killed ? "killed" : "refused");
    if (killed && counter_difference(&before, &after, "oom_kill") != COUNTER_MISSING)
        check_that(counter_difference(&before, &after, "oom_kill") == 1, "that is counted");
    close(gate[1]);
    check_that(check_wait(bystander) == 0, "another process lives, its memory unharmed");
    check_that(pattern[0] == 'p' && memcmp(pattern, pattern + 1, PATTERN_PAGES * PAGE_SIZE - 1) == 0,
               "the parent lives, its memory unharmed");
    close(gate[0]);
    munmap(pattern, PATTERN_PAGES * PAGE_SIZE);
}

/* ---- oom_score_adj ---- */

static void
adjust(const char *value)
{
    int file = open("/proc/self/oom_score_adj", O_WRONLY);

    if (write(file, value, strlen(value)) < 0)
        _exit(EXIT_FAILURE);
    close(file);
}

/* A child that adjusts its score, holds so many pieces and waits for ever. */
static pid_t
holder(const char *adjustment, size_t pieces)
{
    pid_t child = check_fork_standing_by();

    if (child != 0)
        return child;
    adjust(adjustment);
    for (size_t i = 0; i < pieces; i++)
        memset(mmap(NULL, PIECE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 'h', PIECE);
    check_stand_by();
}

static bool
was_killed(int status)
{
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

static void
adjustment_check(void)
{
    pid_t volunteer = holder("1000", 1);
    int status = check_child(glutton_body);

    check_that(was_killed(status), "who takes all memory is killed");
    check_that(waitpid(volunteer, &status, WNOHANG) == volunteer && was_killed(status), "but a small process with 1000 before it");
    pid_t spared = holder("-1000", memory_total() / PIECE / 2);
    check_that(was_killed(check_child(glutton_body)), "again it is killed");
    check_that(waitpid(spared, &status, WNOHANG) == 0, "and a larger process with -1000 is spared");
    kill(spared, SIGKILL);
    waitpid(spared, &status, 0);
}

int
main(void)
{
    refused_check();
    if (memory_total() > OVERSIZE) {
        check_skip("filling all memory");
        return check_end();
    }
    uint64_t before = memory_bytes("SwapFree");
    exhaust_check("who takes all memory step by step", glutton_body);
    exhaust_check("who uses all that was promised", optimist_body);
    adjustment_check();
    check_that(memory_bytes("SwapFree") + PIECE > before, "the swap area is free again");
    return check_end();
}
