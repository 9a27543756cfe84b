/*
 * Each thread has a name: prctl's, and comm's in /proc; the first thread's is the process's.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "user/lib/check.h"
#include "user/lib/system.h"

enum { NAME_BYTES = 16 };

static volatile int number;
static int told[2], asked[2];
static char *text;

/* The contents of a file of this process in /proc, without the last newline, until the next call. */
static const char *
contents(const char *name)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/self/%s", name);
    free(text);
    text = file_text(path);
    if (text == NULL || *text == '\0')
        return "";
    text[strlen(text) - 1] = '\0';
    return text;
}

static const char *
thread_contents(const char *name)
{
    char path[64];

    snprintf(path, sizeof path, "task/%d/%s", number, name);
    return contents(path);
}

static bool
thread_rename(const char *name)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/self/task/%d/comm", number);
    return setting_write(path, name);
}

static void *
run(void *unused)
{
    char name[NAME_BYTES] = "", byte;

    number = (int) syscall(SYS_gettid);
    prctl(PR_GET_NAME, name);
    check_that(strcmp(name, "first") == 0, "a new thread has its creator's name");
    prctl(PR_SET_NAME, "second");
    write(told[1], "x", 1);
    read(asked[0], &byte, 1);
    prctl(PR_GET_NAME, name);
    check_that(strcmp(name, "third") == 0, "another thread can change it");
    pid_t child = check_fork();
    if (child == 0)
        _exit(prctl(PR_GET_NAME, name) != 0 || strcmp(name, "third") != 0 || strcmp(contents("comm"), "third") != 0);
    check_that(check_wait(child) == 0, "and the process that it forks is called so");
    return unused;
}

int
main(void)
{
    pthread_t thread;
    char name[NAME_BYTES] = "", byte;

    pipe(told);
    pipe(asked);
    prctl(PR_SET_NAME, "first");
    check_that(strcmp(contents("comm"), "first") == 0, "the first thread's name is the process's");
    pthread_create(&thread, NULL, run, NULL);
    read(told[0], &byte, 1);
    prctl(PR_GET_NAME, name);
    check_that(strcmp(name, "first") == 0 && strcmp(contents("comm"), "first") == 0, "another thread's name is not");
    check_that(strcmp(thread_contents("comm"), "second") == 0 && strstr(thread_contents("stat"), "(second)") != NULL
               && strncmp(thread_contents("status"), "Name:\tsecond\n", 13) == 0, "/proc/self/task has it");
    check_that(thread_rename("third"), "comm can be written");
    write(asked[1], "x", 1);
    pthread_join(thread, NULL);
    check_that(strcmp(contents("comm"), "first") == 0, "after all that the process has its own");
    return check_end();
}
