/*
 * More memory wanted than there is, with the swap area: one process is killed, and all others go on. It is the one
 * that holds most, in memory and in the swap area together; never init, however much that holds.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/check.h"
#include "user/lib/system.h"

/*
 * Parts of all memory, in percent. When nothing is left the greedy one has taken the rest, less than the largest holds;
 * but that is in memory, while some of the largest, which nobody has touched since, is in the swap area.
 */
enum { INIT = 36, LARGEST = 33, SMALL = 2, MODEST = 15, GREEDY = 45, LARGEST_MIB = 1024 };

static size_t all_pages;

static char *
memory_take(int percent)
{
    size_t bytes = all_pages * percent / 100 * PAGE_SIZE;
    char *base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (base == MAP_FAILED)
        exit(2);
    for (size_t i = 0; i < bytes; i += PAGE_SIZE)
        *(size_t *) (base + i) = i + 1;
    return base;
}

static bool
memory_holds(const char *base, int percent)
{
    size_t bytes = all_pages * percent / 100 * PAGE_SIZE;

    for (size_t i = 0; i < bytes; i += PAGE_SIZE) {
        if (*(const size_t *) (base + i) != i + 1)
            return false;
    }
    return true;
}

/*
 * A child that takes its part, says so, and waits to be killed. When it ends, the kernel looks for its robust list (there is nothing in
 * it), which is in a page that nobody has touched for long.
 */
static pid_t
holder_start(int percent, int tell)
{
    char byte = 'y';
    pid_t child = check_fork();
    struct robust_list_head *list;

    if (child != 0)
        return child;
    list = (struct robust_list_head *) memory_take(percent);
    list->list.next = &list->list;
    list->list_op_pending = NULL;
    if (syscall(SYS_set_robust_list, list, sizeof *list) < 0)
        _exit(3);
    write(tell, &byte, 1);
    for (;;)
        pause();
}

/* A child that takes its part when it is told to, and ends with 0 if it keeps what it writes. */
static pid_t
grower_start(int percent, int hear)
{
    char byte;
    pid_t child = check_fork();

    if (child != 0)
        return child;
    read(hear, &byte, 1);
    _exit(memory_holds(memory_take(percent), percent) ? 0 : 1);
}

static long
swapped_kib(pid_t process)
{
    char path[32] = "/proc/";
    char digits[12], *text, *line;
    long kib = 0;
    int i = sizeof digits;

    for (digits[--i] = '\0'; process > 0; process /= 10)
        digits[--i] = (char) ('0' + process % 10);
    text = file_text(strcat(strcat(path, digits + i), "/status"));
    line = text == NULL ? NULL : strstr(text, "VmSwap:");
    if (line != NULL)
        kib = strtol(line + strlen("VmSwap:"), NULL, 10);
    free(text);
    return kib;
}

int
main(void)
{
    pid_t largest, small, modest, greedy;
    int tell[2], start_modest[2], start_greedy[2];
    char *own, byte;

    all_pages = (memory_bytes("MemFree") + memory_bytes("SwapFree")) / PAGE_SIZE;
    if (getpid() != 1 || all_pages * PAGE_SIZE >> 20 > LARGEST_MIB) {
        check_skip("only init may use all memory up");
        return check_end();
    }
    pipe(tell);
    pipe(start_modest);
    pipe(start_greedy);
    largest = holder_start(LARGEST, tell[1]);
    small = holder_start(SMALL, tell[1]);
    modest = grower_start(MODEST, start_modest[0]);
    greedy = grower_start(GREEDY, start_greedy[0]);
    read(tell[0], &byte, 1);
    read(tell[0], &byte, 1);
    own = memory_take(INIT);
    check_that(swapped_kib(largest) > 0, "some of the largest process is in the swap area: %ld KiB", swapped_kib(largest));
    write(start_modest[1], "y", 1);
    check_that(check_wait(modest) == 0, "who asks for memory gets it, and keeps what it wrote");
    check_that(waitpid(largest, NULL, WNOHANG) == 0, "nobody is killed as long as there is some");
    write(start_greedy[1], "y", 1);
    check_that(check_wait(greedy) == 0, "who asks for more than there is gets it too");
    kill(largest, SIGTERM);
    check_that(check_wait(largest) == SIGKILL, "since the process that holds most, init apart, is killed for it");
    check_that(waitpid(small, NULL, WNOHANG) == 0, "and nobody else");
    check_that(memory_holds(own, INIT), "init has all that it wrote");
    kill(small, SIGTERM);
    check_that(check_wait(small) == SIGTERM, "who is left can be ended as ever");
    return check_end();
}
