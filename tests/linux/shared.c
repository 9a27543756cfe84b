/*
 * System V shared memory: segments, how often they are attached, and what is refused.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/outcome.h"

enum { KEY = 0x1234, PAGE = 4096 };

static int segment;
static char *memory;

static void
status_show(const char *when)
{
    struct shmid_ds status;

    if (outcome(shmctl(segment, IPC_STAT, &status), "IPC_STAT %s", when) == 0)
        tell("  size %d, attached %d, mode %o, by its creator: %d", (int) status.shm_segsz, (int) status.shm_nattch,
             (unsigned) status.shm_perm.mode, status.shm_cpid == getpid());
}

static void
child_writes(void)
{
    memory[1] = 'c';
    status_show("in a child");
    outcome(shmdt(memory), "the child detaches");
}

static void
stranger_tries(void)
{
    setuid(1000);
    outcome_pointer(shmat(segment, NULL, 0), "a stranger attaches");
    outcome_pointer(shmat(segment, NULL, SHM_RDONLY), "to read");
    outcome(shmctl(segment, IPC_RMID, NULL), "removes");
    outcome(shmget(KEY, PAGE, 0600), "asks for it");
}

int
main(void)
{
    outcome(shmget(KEY, PAGE, 0600), "shmget of what is not there");
    outcome(shmget(KEY, 0, IPC_CREAT | 0600), "of size 0");
    segment = shmget(KEY, PAGE + 1, IPC_CREAT | IPC_EXCL | 0640);
    tell("created: %d", segment >= 0);
    outcome(shmget(KEY, PAGE, IPC_CREAT | IPC_EXCL | 0600), "once more, exclusively");
    outcome(shmget(KEY, 10 * PAGE, 0600), "larger than it is");
    outcome(shmget(KEY, 10, 0600) == segment, "smaller");
    memory = shmat(segment, NULL, 0);
    status_show("once attached");
    outcome_pointer(shmat(segment, memory + 1, 0), "attached at an odd address");
    memory[0] = 'p';
    outcome_of_child(child_writes, "a child");
    tell("it holds %c%c", memory[0], memory[1]);
    char *twice = shmat(segment, NULL, SHM_RDONLY);
    tell("attached again: %c%c", twice[0], twice[1]);
    outcome(mprotect(twice, PAGE, PROT_READ | PROT_WRITE), "mprotect of the one to read");
    outcome_of_child(stranger_tries, "a stranger");
    outcome(shmdt(twice), "shmdt");
    outcome(shmdt(twice), "shmdt again");
    outcome(shmctl(segment, IPC_RMID, NULL), "IPC_RMID");
    status_show("after it");
    outcome(shmget(KEY, PAGE, 0600), "it is not found any more");
    tell("but still there: %c", memory[0]);
    outcome(shmdt(memory), "the last shmdt");
    status_show("at the end");
    return EXIT_SUCCESS;
}
