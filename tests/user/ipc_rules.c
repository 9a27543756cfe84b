/*
 * Rules of System V's semaphores and segments that hardly any program needs to know, and that hold all the same: how far undoing
 * goes, who may do what with another's set, and what names and addresses are refused.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <unistd.h>

#include "user/lib/check.h"

enum { USER = 4242, OTHER = 4243, GROUP = 77, PAGE = 4096, MOST = 32767, KEY = 0x19c, NAME_BYTES = 250 };

union argument {
    int val;
    struct semid_ds *buf;
    unsigned short *array;
};

static int id;

static int
operate(int operation, int flags)
{
    return semop(id, &(struct sembuf) { 0, (short) operation, (short) flags }, 1);
}

/* ---- Undoing ---- */

static void
clamped_body(void)
{
    operate(5, SEM_UNDO);
    operate(-3, 0);
}

static void
most_body(void)
{
    operate(MOST, SEM_UNDO);
    operate(-MOST, 0);
    _exit(!refused(operate(2, SEM_UNDO), ERANGE) || operate(1, SEM_UNDO) != 0);
}

static void
failed_body(void)
{
    struct sembuf both[] = { { 0, 1, SEM_UNDO }, { 0, -10, IPC_NOWAIT } };

    _exit(!refused(semop(id, both, 2), EAGAIN));
}

static void
undo_check(void)
{
    check_child(clamped_body);
    check_that(semctl(id, 0, GETVAL) == 0, "what is undone leaves no less than 0");
    check_that(check_child(most_body) == 0, "no more can be undone than 16 bits hold: ERANGE");
    semctl(id, 0, SETVAL, (union argument) { .val = 4 });
    check_that(check_child(failed_body) == 0 && semctl(id, 0, GETVAL) == 4, "of operations that were not done nothing is undone");
    check_that(refused(semctl(id, 0, SETALL, (union argument) { .array = (unsigned short[]) { MOST + 1, 0 } }), ERANGE), "SETALL of too much: ERANGE");
}

/* ---- Permission ---- */

static void
permissions_set(unsigned user, unsigned group, unsigned mode)
{
    struct semid_ds status;

    semctl(id, 0, IPC_STAT, (union argument) { .buf = &status });
    status.sem_perm.uid = user;
    status.sem_perm.gid = group;
    status.sem_perm.mode = mode;
    semctl(id, 0, IPC_SET, (union argument) { .buf = &status });
}

static void
reader_body(void)
{
    struct semid_ds status;

    setresuid(USER, USER, USER);
    if (semctl(id, 0, GETVAL) != 0 || semctl(id, 0, IPC_STAT, (union argument) { .buf = &status }) != 0 || operate(0, 0) != 0)
        _exit(1);
    if (!refused(operate(1, 0), EACCES) || !refused(semctl(id, 0, SETVAL, (union argument) { .val = 1 }), EACCES))
        _exit(2);
    _exit(!refused(semctl(id, 0, IPC_SET, (union argument) { .buf = &status }), EPERM));
}

static void
member_body(void)
{
    gid_t group = GROUP;

    setgroups(1, &group);
    setresgid(USER, USER, USER);
    setresuid(USER, USER, USER);
    _exit(operate(1, 0) != 0);
}

static void
creator_body(void)
{
    setresuid(USER, USER, USER);
    id = semget(IPC_PRIVATE, 1, 0600);
    permissions_set(OTHER, 0, 0600);
    _exit(semctl(id, 0, GETVAL) != 0 || semctl(id, 0, IPC_RMID) != 0);
}

static void
colleague_body(void)
{
    setresgid(GROUP, GROUP, GROUP);
    setresuid(USER, USER, USER);
    _exit(operate(1, 0) != 0);
}

/* A set that was made by a member of the group, and is another group's now. */
static void
creators_group_check(void)
{
    int kept = id;

    setresgid(-1, GROUP, -1);
    id = semget(IPC_PRIVATE, 1, 0660);
    setresgid(-1, 0, -1);
    permissions_set(OTHER, OTHER, 0060);
    check_that(check_child(colleague_body) == 0, "so may the group of who made it");
    semctl(id, 0, IPC_RMID);
    id = kept;
}

static void
permission_check(void)
{
    semctl(id, 0, SETVAL, (union argument) { .val = 0 });
    permissions_set(OTHER, OTHER, 0444);
    check_that(check_child(reader_body) == 0, "who may read looks and waits for 0, and changes nothing");
    permissions_set(OTHER, GROUP, 0060);
    check_that(check_child(member_body) == 0, "a supplementary group counts");
    check_that(check_child(creator_body) == 0, "who made a set may use and remove it, though it is another's now");
    creators_group_check();
}

/* ---- Names and addresses ---- */

static void
names_check(void)
{
    char name[NAME_BYTES + 1];

    memset(name, 'x', NAME_BYTES);
    name[NAME_BYTES] = '\0';
    check_that(semget(KEY, 1, IPC_EXCL) == id, "IPC_EXCL without IPC_CREAT finds what is there");
    check_that(refused(memfd_create(name, 0), EINVAL), "a memfd's name of %d bytes: EINVAL", NAME_BYTES);
    name[NAME_BYTES - 1] = '\0';
    check_that(memfd_create(name, 0) >= 0, "one less will do");
    int segment = shmget(IPC_PRIVATE, 2 * PAGE, 0600);
    char *memory = shmat(segment, NULL, 0);
    check_that(refused(shmdt(memory + PAGE), EINVAL), "a segment is not detached by its second page: EINVAL");
    munmap(memory, PAGE);
    check_that(refused(shmdt(memory + PAGE), EINVAL), "though it is all that is left of it");
    shmctl(segment, IPC_RMID, NULL);
}

/* A segment that was removed while it was attached goes with the last process that has it. */
static void
attached_check(void)
{
    int *id = check_shared(sizeof *id);
    struct shmid_ds status;
    pid_t child = check_fork();

    if (child == 0) {
        *id = shmget(IPC_PRIVATE, 1, 0600);
        shmat(*id, NULL, 0);
        shmctl(*id, IPC_RMID, NULL);
        _exit(shmctl(*id, IPC_STAT, &status) != 0 || status.shm_nattch != 1);
    }
    check_that(check_wait(child) == 0, "a segment that is removed is there while it is attached");
    check_that(refused(shmctl(*id, IPC_STAT, &status), EINVAL), "and goes with the last process that has it: EINVAL");
}

int
main(void)
{
    id = semget(KEY, 2, IPC_CREAT | 0600);
    undo_check();
    if (geteuid() == 0)
        permission_check();
    else
        check_skip("other users");
    attached_check();
    names_check();
    semctl(id, 0, IPC_RMID);
    return check_end();
}
