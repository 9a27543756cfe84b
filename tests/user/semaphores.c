/*
 * System V semaphores: several operations at once or none, waiting, undoing at the end, removal, and the errors.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "user/lib/check.h"

enum { KEY = 0x5e3a };

union argument {
    int val;
    struct semid_ds *buf;
    unsigned short *array;
};

static int id;

static int
operate(int number, int operation, int flags)
{
    return semop(id, &(struct sembuf){ (unsigned short) number, (short) operation, (short) flags }, 1);
}

static int
value(int number)
{
    return semctl(id, number, GETVAL);
}

static bool
set(int number, int to)
{
    return semctl(id, number, SETVAL, (union argument){ .val = to }) == 0;
}

static bool
fails(long result, int error)
{
    return result == -1 && errno == error;
}

static void
sleep_a_little(void)
{
    nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
}

/* A child that does one operation; its status is 0 or the errno. */
static pid_t
operate_in_child(int number, int operation, int flags)
{
    pid_t child = check_fork();

    if (child == 0)
        _exit(operate(number, operation, flags) == 0 ? 0 : errno);
    sleep_a_little();
    return child;
}

static bool
still_waits(pid_t child)
{
    return waitpid(child, NULL, WNOHANG) == 0;
}

/* ---- Keys ---- */

static void
key_check(void)
{
    int other;

    check_that(fails(semget(KEY, 1, 0), ENOENT), "no such key: ENOENT");
    check_that(fails(semget(KEY, 0, IPC_CREAT | 0600), EINVAL) && fails(semget(KEY, -1, IPC_CREAT | 0600), EINVAL), "a set of none: EINVAL");
    id = semget(KEY, 3, IPC_CREAT | IPC_EXCL | 0600);
    check_that(id >= 0, "a set of three is made");
    check_that(semget(KEY, 3, IPC_CREAT) == id && semget(KEY, 0, 0) == id, "its key finds it");
    check_that(fails(semget(KEY, 3, IPC_CREAT | IPC_EXCL), EEXIST), "exclusively: EEXIST");
    check_that(fails(semget(KEY, 4, 0), EINVAL), "more than it has: EINVAL");
    other = semget(IPC_PRIVATE, 1, 0600);
    check_that(other >= 0 && other != id && semctl(other, 0, IPC_RMID) == 0, "a private set is another one");
    check_that(fails(semctl(other, 0, GETVAL), EINVAL), "removed, its number means nothing: EINVAL");
}

static void
stranger_body(void)
{
    struct semid_ds status;

    if (setuid(1000) != 0)
        return;
    check_that(fails(semget(KEY, 1, 0600), EACCES), "another user may not have it: EACCES");
    check_that(fails(operate(0, 1, 0), EACCES) && fails(semctl(id, 0, GETVAL), EACCES), "nor use it");
    check_that(fails(semctl(id, 0, IPC_STAT, (union argument){ .buf = &status }), EACCES), "nor look at it");
    check_that(fails(semctl(id, 0, IPC_RMID), EPERM), "nor remove it: EPERM");
}

/* ---- Values ---- */

static void
value_check(void)
{
    unsigned short values[3] = { 4, 5, 6 };
    struct sembuf both[2] = { { 0, 1, 0 }, { 1, -9, IPC_NOWAIT } };

    check_that(value(0) == 0 && value(1) == 0 && value(2) == 0, "all begin with 0");
    check_that(semctl(id, 0, SETALL, (union argument){ .array = values }) == 0, "SETALL");
    memset(values, 0, sizeof values);
    check_that(semctl(id, 0, GETALL, (union argument){ .array = values }) == 0 && values[0] == 4 && values[1] == 5 && values[2] == 6, "GETALL");
    check_that(operate(0, 3, 0) == 0 && operate(1, -2, 0) == 0 && value(0) == 7 && value(1) == 3, "up and down");
    check_that(semctl(id, 0, GETPID) == getpid(), "GETPID names who did it");
    check_that(fails(semop(id, both, 2), EAGAIN) && value(0) == 7 && value(1) == 3, "two at once or none: EAGAIN");
    both[1].sem_op = -3;
    check_that(semop(id, both, 2) == 0 && value(0) == 8 && value(1) == 0, "both");
    check_that(operate(1, 0, 0) == 0 && fails(operate(0, 0, IPC_NOWAIT), EAGAIN), "waiting for zero");
    both[0] = (struct sembuf){ 1, 1, 0 };
    both[1] = (struct sembuf){ 1, -1, IPC_NOWAIT };
    check_that(semop(id, both, 2) == 0 && value(1) == 0, "the second sees what the first has done");
}

static void
refused_check(void)
{
    struct sembuf many[501] = { { 0, 0, 0 } };

    check_that(fails(operate(3, 1, 0), EFBIG), "no such semaphore: EFBIG");
    check_that(fails(semctl(id, 3, GETVAL), EINVAL) && fails(semctl(id, -1, GETVAL), EINVAL), "or EINVAL from semctl");
    check_that(fails(semop(id, many, 0), EINVAL), "no operations: EINVAL");
    check_that(fails(semop(id, many, 501), E2BIG), "too many: E2BIG");
    check_that(fails(semop(-1, many, 1), EINVAL) && fails(semop(id + 1, many, 1), EINVAL), "no such set: EINVAL");
    check_that(fails(semop(id, (struct sembuf *) 8, 1), EFAULT), "operations nowhere: EFAULT");
    check_that(fails(semctl(id, 0, SETVAL, (union argument){ .val = 32768 }), ERANGE) && fails(semctl(id, 0, SETVAL, (union argument){ .val = -1 }), ERANGE), "a value too large, or negative: ERANGE");
    check_that(fails(semctl(id, 99, SETVAL, (union argument){ .val = -1 }), ERANGE), "of a counter that is not there, too");
    check_that(set(2, 32767) && fails(operate(2, 1, 0), ERANGE) && value(2) == 32767, "too large by an operation: ERANGE");
    check_that(fails(semctl(id, 0, 999), EINVAL), "no such command: EINVAL");
    check_that(fails(semctl(id, 0, GETALL, (union argument){ .array = (unsigned short *) 8 }), EFAULT), "an array nowhere: EFAULT");
    set(2, 0);
}

static void
status_check(void)
{
    struct semid_ds status;

    memset(&status, 0, sizeof status);
    check_that(semctl(id, 0, IPC_STAT, (union argument){ .buf = &status }) == 0, "IPC_STAT");
    check_that(status.sem_nsems == 3 && (status.sem_perm.mode & 0777) == 0600 && status.sem_perm.uid == geteuid() && status.sem_perm.cuid == geteuid(), "says how many, whose, and who may");
    check_that(status.sem_ctime > 1000000000 && status.sem_otime >= status.sem_ctime - 100, "and when");
    status.sem_perm.mode = 0640;
    check_that(semctl(id, 0, IPC_SET, (union argument){ .buf = &status }) == 0, "IPC_SET");
    semctl(id, 0, IPC_STAT, (union argument){ .buf = &status });
    check_that((status.sem_perm.mode & 0777) == 0640, "changes who may");
}

/* ---- Waiting ---- */

static void
ignore(int signal)
{
    (void) signal;
}

static void
wait_check(void)
{
    set(0, 0);
    set(1, 1);
    pid_t child = operate_in_child(0, -2, 0), zero = operate_in_child(1, 0, 0);
    check_that(still_waits(child) && semctl(id, 0, GETNCNT) == 1 && semctl(id, 0, GETZCNT) == 0, "one waits for more: GETNCNT");
    check_that(still_waits(zero) && semctl(id, 1, GETZCNT) == 1 && semctl(id, 1, GETNCNT) == 0, "one for zero: GETZCNT");
    operate(0, 1, 0);
    sleep_a_little();
    check_that(still_waits(child), "not enough yet");
    operate(0, 1, 0);
    check_that(check_wait(child) == 0 && value(0) == 0, "enough");
    operate(1, -1, 0);
    check_that(check_wait(zero) == 0, "zero");
    check_that(semctl(id, 0, GETNCNT) == 0 && semctl(id, 1, GETZCNT) == 0, "nobody waits any more");
}

static void
end_of_wait_check(void)
{
    struct sembuf down = { 0, -1, 0 };
    struct timespec before, after;

    clock_gettime(CLOCK_MONOTONIC, &before);
    check_that(fails(semtimedop(id, &down, 1, &(struct timespec){ .tv_nsec = 30000000 }), EAGAIN), "semtimedop ends: EAGAIN");
    clock_gettime(CLOCK_MONOTONIC, &after);
    check_that((after.tv_sec - before.tv_sec) * 1000000000LL + after.tv_nsec - before.tv_nsec >= 30000000, "not early");
    check_that(fails(semtimedop(id, &down, 1, &(struct timespec){ 0 }), EAGAIN), "at once");
    check_that(fails(semtimedop(id, &down, 1, &(struct timespec){ .tv_nsec = 1000000000 }), EINVAL), "no such time: EINVAL");
    sigaction(SIGUSR1, &(struct sigaction){ .sa_handler = ignore, .sa_flags = SA_RESTART }, NULL);
    pid_t child = operate_in_child(0, -1, 0);
    kill(child, SIGUSR1);
    check_that(check_wait(child) == EINTR << 8, "a signal ends the wait, even with SA_RESTART: EINTR");
}

/* ---- Undoing ---- */

static void
undo_body(void)
{
    operate(0, -3, SEM_UNDO);
    operate(1, 2, SEM_UNDO);
    operate(2, -1, 0);
}

static void
undo_wait_body(void)
{
    operate(0, -5, SEM_UNDO);
    sleep_a_little();
    sleep_a_little();
}

static void
set_after_undo_body(void)
{
    operate(0, -3, SEM_UNDO);
    set(0, 9);
}

static void
undo_check(void)
{
    set(0, 5);
    set(1, 0);
    set(2, 5);
    check_child(undo_body);
    check_that(value(0) == 5 && value(1) == 0, "SEM_UNDO: at its end what a process did is undone");
    check_that(value(2) == 4, "and only that");
    set(1, 0);
    pid_t child = check_fork();
    if (child == 0) {
        undo_wait_body();
        _exit(0);
    }
    sleep_a_little();
    check_that(value(0) == 0 && operate(0, -5, 0) == 0, "who waits for what is undone gets it");
    check_wait(child);
    check_that(value(0) == 0, "once");
    set(0, 5);
    check_child(set_after_undo_body);
    check_that(value(0) == 9, "SETVAL forgets what was to be undone");
    pid_t killed = check_fork();
    if (killed == 0) {
        operate(0, -1, SEM_UNDO);
        pause();
    }
    sleep_a_little();
    check_that(value(0) == 8, "a process that is killed");
    kill(killed, SIGKILL);
    check_wait(killed);
    check_that(value(0) == 9, "has it undone too");
}

/* What a change makes possible is done at once, in the order of arrival, whatever comes before the waiting ones run. */
static void
at_once_check(void)
{
    set(0, 1);
    pid_t zero = operate_in_child(0, 0, 0);
    operate(0, -1, 0);
    operate(0, 1, 0);
    check_that(value(0) == 1 && check_wait(zero) == 0, "a wait for 0 has its 0, though it is 1 again before it runs");
    set(0, 0);
    pid_t first = operate_in_child(0, -1, 0), second = operate_in_child(0, -1, 0);
    operate(0, 1, 0);
    check_that(fails(operate(0, -1, IPC_NOWAIT), EAGAIN) && check_wait(first) == 0, "what is given goes to the first that waits");
    operate(0, 1, 0);
    check_that(check_wait(second) == 0, "then to the second");
    set(0, 0);
    first = operate_in_child(0, -1, 0);
    set(0, 1);
    check_that(value(0) == 0 && check_wait(first) == 0, "SETVAL gives, too");
}

static void
remove_check(void)
{
    set(1, 1);
    pid_t zero = operate_in_child(1, 0, 0);
    set(0, 0);
    pid_t one = operate_in_child(0, -1, 0), other = operate_in_child(0, -1, SEM_UNDO);

    operate(1, -1, 0);
    check_that(semctl(id, 0, IPC_RMID) == 0, "IPC_RMID");
    check_that(check_wait(zero) == 0, "comes too late for an operation that was possible before");
    check_that(check_wait(one) == EIDRM << 8 && check_wait(other) == EIDRM << 8, "ends the waits: EIDRM");
    check_that(fails(operate(0, 1, 0), EINVAL) && fails(semget(KEY, 1, 0), ENOENT), "and the set");
}

int
main(void)
{
    key_check();
    check_child(stranger_body);
    value_check();
    refused_check();
    status_check();
    wait_check();
    end_of_wait_check();
    undo_check();
    at_once_check();
    remove_check();
    return check_end();
}
