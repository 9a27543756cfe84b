/*
 * Thread-local storage: set_thread_area hands out a slot of the descriptor table,
 * and %gs with its base belongs to the thread; it survives switches, fork, vfork
 * and signal handlers.
 */
#define _GNU_SOURCE
#include <asm/ldt.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/check.h"

enum { TURNS = 100, REQUESTED_PRIVILEGE = 3 };

static _Thread_local int in_thread = 77;

static uint16_t
selector_now(void)
{
    uint16_t selector;
    __asm__ volatile("mov %%gs, %0" : "=r"(selector));
    return selector;
}

static int
slot_of(unsigned selector)
{
    return selector >> 3;
}

/* A descriptor for `word` alone, in slot `slot`, or in a free one if that is -1. Returns the slot, or -1. */
static int
descriptor_set(int slot, void *word)
{
    struct user_desc descriptor = {
        .entry_number = slot, .base_addr = (uintptr_t) word, .limit = 0xfffff, .seg_32bit = 1, .limit_in_pages = 1,
        .useable = 1,
    };
    return syscall(SYS_set_thread_area, &descriptor) == 0 ? (int) descriptor.entry_number : -1;
}

static int
word_through(int slot)
{
    int value;
    uint16_t before = selector_now(), selector = slot << 3 | REQUESTED_PRIVILEGE;
    __asm__ volatile("mov %1, %%gs; mov %%gs:0, %0; mov %2, %%gs" : "=&r"(value) : "r"(selector), "r"(before));
    return value;
}

static void
slot_check(void)
{
    static int word = 4711, other = 4712;
    int mine = slot_of(selector_now());

    check_that(in_thread == 77, "libc's thread-local variable is there");
    check_note("libc uses slot %d", mine);
    int slot = descriptor_set(-1, &word);
    check_that(slot > mine && slot <= mine + 2, "a second slot is handed out: %d", slot);
    check_that(word_through(slot) == word, "it leads to its base");
    check_that(descriptor_set(slot, &other) == slot && word_through(slot) == other, "it can be changed");
    check_that(descriptor_set(-1, &word) == mine + 2 && descriptor_set(-1, &word) == -1 && errno == ESRCH,
               "a third, and no fourth: ESRCH");
    check_that(descriptor_set(1, &word) == -1 && errno == EINVAL, "a slot of the kernel's: EINVAL");
    pid_t child = check_fork();
    if (child == 0)
        _exit(word_through(slot) != other);
    check_that(check_wait(child) == 0, "fork hands it on");
}

/* Parent and child give the same slot different bases, and look through it by turns. */
static void
switch_check(void)
{
    static int parents = 1, childs = 2;
    int slot = slot_of(selector_now()) + 1;
    bool kept = true;

    in_thread = 1;
    descriptor_set(slot, &parents);
    pid_t child = check_fork();
    if (child == 0) {
        in_thread = 2;
        descriptor_set(slot, &childs);
    }
    for (int i = 0; i < TURNS; i++) {
        sched_yield();
        kept &= in_thread == (child == 0 ? 2 : 1) && word_through(slot) == in_thread;
    }
    if (child == 0)
        _exit(!kept);
    check_that(check_wait(child) == 0 && kept, "each process has its own, whoever runs between");
}

/* What a register that is loaded already leads to. */
static int
word_through_fs(void)
{
    int value;
    __asm__ volatile("mov %%fs:0, %0" : "=r"(value));
    return value;
}

static void
loaded_check(void)
{
    static int word = 31, other = 32;
    int slot = slot_of(selector_now()) + 1;
    uint16_t selector = slot << 3 | REQUESTED_PRIVILEGE;

    descriptor_set(slot, &word);
    __asm__ volatile("mov %0, %%fs" : : "r"(selector));
    descriptor_set(slot, &other);
    check_that(word_through_fs() == other, "a register that is loaded follows the change of its slot at once");
    pid_t child = check_fork();
    if (child == 0) {
        __asm__ volatile("mov %0, %%fs" : : "r"(0));
        _exit(0);
    }
    check_that(check_wait(child) == 0 && word_through_fs() == other, "and stays loaded while others run");
}

/* %ds is the program's only, so that nothing between the loads may use memory: ebx has the address of an empty slot. */
static void
cleared_check(void)
{
    static int word = 1;
    int slot = descriptor_set(slot_of(selector_now()) + 1, &word);
    struct user_desc empty = { .entry_number = slot, .read_exec_only = 1, .seg_not_present = 1 };
    unsigned data = slot << 3 | REQUESTED_PRIVILEGE, extra = data, number = SYS_set_thread_area;

    __asm__ volatile("push %%ds; push %%es; mov %0, %%ds; mov %0, %%es; int $0x80; mov %%ds, %0; mov %%es, %1; pop %%es; pop %%ds"
                     : "+r"(data), "+r"(extra), "+a"(number) : "b"(&empty) : "memory");
    check_that(number == 0 && (uint16_t) data == 0 && (uint16_t) extra == 0, "a data register whose slot is emptied becomes null");
}

/* Only a description with nothing in it empties a slot; with anything it is one of a segment, which must be of 32 bits. */
static void
empty_check(void)
{
    int slot = slot_of(selector_now()) + 1;
    struct user_desc nothing = { .entry_number = slot }, rows[] = { nothing, nothing, nothing, nothing, nothing, nothing, nothing };
    static const char *names[] = { "a base", "a limit", "contents", "pages", "the programs' bit", "no write access", "absence" };

    rows[0].base_addr = rows[1].limit = rows[2].contents = rows[3].limit_in_pages = rows[4].useable = rows[5].read_exec_only = 1;
    rows[6].seg_not_present = 1;
    check_that(syscall(SYS_set_thread_area, &nothing) == 0, "a description of nothing empties a slot");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check_that(syscall(SYS_set_thread_area, &rows[i]) == -1 && errno == EINVAL, "one with %s alone is refused: EINVAL", names[i]);
}

/* With CLONE_SETTLS the entry must be named. The C library's clone takes the descriptor as it is. */
static void
clone_check(void)
{
    static int word;
    struct user_desc any = { .entry_number = -1, .base_addr = (uintptr_t) &word, .limit = 0xfffff, .seg_32bit = 1, .limit_in_pages = 1 };

    check_that(refused(syscall(SYS_clone, CLONE_SETTLS | SIGCHLD, NULL, NULL, &any, NULL), EINVAL) && any.entry_number == -1U,
               "clone does not pick a slot: EINVAL");
    any.entry_number = slot_of(selector_now()) + 1;
    pid_t child = syscall(SYS_clone, CLONE_SETTLS | SIGCHLD, NULL, NULL, &any, NULL);
    if (child == 0)
        syscall(SYS_exit, 0);
    check_that(child > 0 && check_wait(child) == 0, "but it fills one");
}

static volatile int in_handler;

static void
handler(int signal)
{
    (void) signal;
    in_handler = in_thread;
}

static void
signal_check(void)
{
    in_thread = 55;
    signal(SIGUSR1, handler);
    raise(SIGUSR1);
    check_that(in_handler == 55 && in_thread == 55, "a handler sees the thread's variables");
}

static uint16_t
fs_now(void)
{
    uint16_t selector;
    __asm__ volatile("mov %%fs, %0" : "=r"(selector));
    return selector;
}

/* Rule: a new program finds %fs empty, even if it held what any program may load. */
static void
exec_check(void)
{
    pid_t child = check_fork();

    if (child == 0) {
        __asm__ volatile("mov %%ds, %%eax; mov %%eax, %%fs" : : : "eax");
        usleep(1000);           /* until others have run, and what it held has been kept */
        execl("/proc/self/exe", "tls", "fs", NULL);
        _exit(2);
    }
    check_that(check_wait(child) == 0, "a program begins with an empty %%fs");
}

int
main(int count, char **arguments)
{
    (void) arguments;
    if (count > 1)
        return fs_now() != 0;
    slot_check();
    switch_check();
    loaded_check();
    cleared_check();
    empty_check();
    clone_check();
    signal_check();
    exec_check();
    return check_end();
}
