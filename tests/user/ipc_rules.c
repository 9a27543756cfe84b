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

/* ---- Lists ---- */

/* The numbers are found by asking for one place after the other, as ipcs does. */
static bool
segments_list(int number, struct shmid_ds *status)
{
    struct shm_info info;
    int last = shmctl(0, SHM_INFO, (struct shmid_ds *) &info);

    for (int place = 0; place <= last; place++)
        if (shmctl(place, SHM_STAT, status) == number)
            return true;
    return false;
}

static bool
sets_list(int number, struct semid_ds *status)
{
    struct seminfo info;
    int last = semctl(0, 0, SEM_INFO, (union argument) { .buf = (void *) &info });

    for (int place = 0; place <= last; place++)
        if (semctl(place, 0, SEM_STAT, (union argument) { .buf = status }) == number)
            return true;
    return false;
}

static void
segment_list_check(void)
{
    struct shm_info before, after;
    struct shmid_ds status;

    check_that(shmctl(0, SHM_INFO, (struct shmid_ds *) &before) >= 0, "how many segments there are");
    int segment = shmget(KEY, 5 * PAGE, IPC_CREAT | 0600);
    char *memory = shmat(segment, NULL, 0);
    memory[0] = memory[PAGE] = 1;
    shmctl(0, SHM_INFO, (struct shmid_ds *) &after);
    check_that(after.used_ids == before.used_ids + 1 && after.shm_tot == before.shm_tot + 5, "one more, of five pages");
    check_that(after.shm_rss + after.shm_swp == before.shm_rss + before.shm_swp + 2, "two of which are memory");
    check_that(segments_list(segment, &status) && status.shm_segsz == 5 * PAGE && status.shm_nattch == 1, "it is in the list");
    check_that(refused(shmctl(MOST, SHM_STAT, &status), EINVAL) && refused(shmctl(-1, SHM_STAT, &status), EINVAL), "no such place: EINVAL");
    shmdt(memory);
    shmctl(segment, IPC_RMID, NULL);
    check_that(!segments_list(segment, &status), "removed, it is not");
    shmctl(0, SHM_INFO, (struct shmid_ds *) &after);
    check_that(after.used_ids == before.used_ids && after.shm_tot == before.shm_tot, "nor does it count");
}

static void
set_list_check(void)
{
    struct seminfo before, after;
    struct semid_ds status;

    check_that(semctl(0, 0, SEM_INFO, (union argument) { .buf = (void *) &before }) >= 0, "how many sets there are");
    int set = semget(IPC_PRIVATE, 3, 0600);
    semctl(0, 0, SEM_INFO, (union argument) { .buf = (void *) &after });
    check_that(after.semusz == before.semusz + 1 && after.semaem == before.semaem + 3, "one more, of three semaphores");
    check_that(sets_list(set, &status) && status.sem_nsems == 3, "it is in the list");
    check_that(refused(semctl(MOST, 0, SEM_STAT, (union argument) { .buf = &status }), EINVAL), "no such place: EINVAL");
    semctl(set, 0, IPC_RMID);
    check_that(!sets_list(set, &status), "removed, it is not");
    check_that(semctl(0, 0, IPC_INFO, (union argument) { .buf = (void *) &after }) >= 0 && after.semvmx == MOST && after.semopm == 500,
               "the limits of semaphores");
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
    segment_list_check();
    set_list_check();
    semctl(id, 0, IPC_RMID);
    return check_end();
}
