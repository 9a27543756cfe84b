/*
 * Numbers of system calls: what is no call answers ENOSYS, and changes no register but eax; each call that real programs
 * use is there; and any number, with nothing but zeroes for arguments, harms nobody but its caller.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/check.h"

enum { NUMBERS = 600, PATIENCE_MICROSECONDS = 20000 };

/* Never calls on Linux, or no longer, or not yet. */
static const long none[] = {
    17, 31, 32, 35, 44, 53, 56, 58, 98, 127, 130, 137, 167, 188, 189, 222, 223, 251, 273, 285, 387, 392,
    550, 599, 600, 1000, 4096, 0x10004, 0x40000004, INT_MAX, INT_MIN, -1, -2,
};

/* Groups 1 to 4 of what static programs of musl's and glibc's were seen to call, where a refusal is not an answer. 117, ipc, has no call 0. */
static const short present[] = {
    1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 14, 15, 20, 29, 33, 36, 37, 38, 39, 40, 41, 42, 43, 45, 54, 57, 60, 63, 64, 65, 66, 75, 77, 78, 83, 85,
    91, 94, 96, 97, 104, 114, 116, 118, 119, 120, 122, 125, 132, 140, 142, 144, 145, 146, 147, 150, 151, 152, 153, 158, 162, 163, 168,
    172, 173, 174, 175, 176, 177, 179, 180, 181, 183, 184, 186, 190, 191, 192, 193, 194, 195, 196, 197, 199, 200, 201, 202, 203, 204, 205, 206,
    207, 208, 209, 210, 211, 212, 213, 214, 218, 219, 220, 221, 224, 238, 239, 240, 242, 243, 252, 258, 265, 267, 268, 269, 270, 284, 295, 296,
    301, 307, 311, 313, 315, 316, 320, 330, 331, 340, 355, 383, 403, 407, 412,
};

/* Not tried with zeroes: they would end the session of whoever runs this on Linux, or its record of processes. */
static const short spared[] = { 51, 111 };

/* Of what waits for ever; of sigreturn, to nowhere; and of seccomp on Linux, to whoever calls more than it lets him. */
enum { EXPECTED_SIGNALS = 1 << SIGALRM | 1 << SIGSEGV | 1 << SIGILL | 1 << SIGKILL };

/* What a call with this number and zeroes comes to, and whether ebx to ebp come back as they were. */
static long
bare_call(long number, bool *kept)
{
    uint32_t b = 0, c = 0, d = 0, si = 0, di = 0;
    long result;

    /* ebp is an argument too; the compiler's own use of it is put away meanwhile. */
    __asm__ volatile("push %%ebp; xor %%ebp, %%ebp; int $0x80; test %%ebp, %%ebp; pop %%ebp; jz 1f; inc %%ebx; 1:"
                     : "=a"(result), "+b"(b), "+c"(c), "+d"(d), "+S"(si), "+D"(di) : "0"(number) : "memory", "cc");
    *kept = !(b | c | d | si | di);
    return result;
}

static void
none_check(void)
{
    int wrong = 0;

    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        bool kept;
        long result = bare_call(none[i], &kept);
        if (result != -ENOSYS || !kept) {
            check_note("call %ld: %ld%s", none[i], result, kept ? "" : ", and registers changed");
            wrong++;
        }
    }
    check_that(wrong == 0, "what is no call answers ENOSYS, and leaves the registers alone");
}

static bool
is_among(int number, const short *list, size_t bytes)
{
    for (size_t i = 0; i < bytes / sizeof *list; i++)
        if (list[i] == number)
            return true;
    return false;
}

/* In a child, which may not come back from it. What waits for ever is ended by the alarm. */
static int
status_of_call(int number)
{
    static const struct itimerval patience = { { 0, 0 }, { 0, PATIENCE_MICROSECONDS } };
    pid_t child = check_fork();

    if (child == 0) {
        bool kept;
        setsid();
        setitimer(ITIMER_REAL, &patience, NULL);
        _exit(bare_call(number, &kept) == -ENOSYS ? ENOSYS : 0);
    }
    return check_wait(child);
}

static void
every_number_check(void)
{
    int missing = 0, odd = 0;

    for (int number = 0; number < NUMBERS; number++) {
        if (is_among(number, spared, sizeof spared))
            continue;
        int status = status_of_call(number);
        bool absent = status == ENOSYS << 8;
        if (absent && is_among(number, present, sizeof present)) {
            check_note("call %d is missing", number);
            missing++;
        }
        if (!WIFEXITED(status) && !(EXPECTED_SIGNALS >> WTERMSIG(status) & 1)) {
            check_note("call %d ended with status %#x", number, (unsigned) status);
            odd++;
        }
    }
    check_that(missing == 0, "each call that real programs use is there");
    check_that(odd == 0, "each number below %d, with zeroes, returns, waits, or ends its caller", NUMBERS);
    while (waitpid(-1, NULL, __WALL) > 0) /* whom the first process has adopted */
        continue;
    check_that(errno == ECHILD, "and everybody ends");
}

int
main(void)
{
    none_check();
    every_number_check();
    return check_end();
}
