/*
 * Which number a descriptor gets: the lowest that is free and not below what F_DUPFD
 * asks for. Random opening and closing is held against a table of what must be open.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "user/lib/check.h"
#include "user/lib/random.h"

enum { DESCRIPTORS = 80, FIRST = 3, TURNS = 4000 };

static bool is_open[DESCRIPTORS];

static int
lowest_free(int least)
{
    while (least < DESCRIPTORS && is_open[least])
        least++;
    return least < DESCRIPTORS ? least : -1;
}

/* What a call that makes a descriptor answered, against what it had to. */
static bool
agrees(int got, int expected)
{
    if (got >= 0 && got < DESCRIPTORS)
        is_open[got] = true;
    return got == expected && (got >= 0 || errno == EMFILE);
}

static bool
turn_agrees(void)
{
    int number = FIRST + draw(DESCRIPTORS - FIRST), expected = lowest_free(FIRST);

    switch (draw(5)) {
    case 0:
        return agrees(open("/dev/null", O_RDONLY), expected);
    case 1:
        return agrees(dup(0), expected);
    case 2:
        return agrees(fcntl(0, F_DUPFD, number), lowest_free(number));
    case 3:
        return agrees(dup2(0, number), number);
    default:
        if ((close(number) == 0) != is_open[number])
            return false;
        is_open[number] = false;
        return true;
    }
}

static int
turns_agree(void)
{
    for (int turn = 0; turn < TURNS; turn++) {
        if (!turn_agrees())
            return turn;
    }
    return TURNS;
}

int
main(void)
{
    struct rlimit limit = { DESCRIPTORS, DESCRIPTORS };

    for (int i = FIRST; i < DESCRIPTORS; i++)
        close(i);
    for (int i = 0; i < FIRST; i++)
        is_open[i] = true;
    setrlimit(RLIMIT_NOFILE, &limit);
    random_state = 4711;
    int turn = turns_agree();
    check_that(turn == TURNS, "each descriptor gets the lowest free number (%d of %d turns)", turn, TURNS);
    pid_t child = check_fork();
    if (child == 0)
        _exit(turns_agree() != TURNS);
    check_that(check_wait(child) == 0, "also in a child, which has a table of its own");
    check_that(turns_agree() == TURNS, "and in the parent after it");
    return check_end();
}
