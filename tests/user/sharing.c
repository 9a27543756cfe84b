/*
 * Memory that processes share: /dev/shm, System V segments by both doors,
 * memfd_create; and mounting the trees that hold it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/check.h"
#include "user/lib/system.h"

enum {
    PAGE = 4096,
    BYTES = 3 * PAGE + 100,
    KEY = 0x42454c41,
    TMPFS_MAGIC = 0x01021994,
    PROC_MAGIC = 0x9fa0,
    FIGURE_BYTES = 2 << 20,         /* so much is shared to see it counted, */
    FIGURE_SLACK = 256 << 10,       /* and so far may the figures be off: Linux sums them up now and then */
};

static void
posix_check(void)
{
    struct statfs tree;
    int file = open("/dev/shm/sharing", O_RDWR | O_CREAT | O_TRUNC, 0600);

    check_that(file >= 0 && ftruncate(file, BYTES) == 0, "a file in /dev/shm");
    check_that(statfs("/dev/shm", &tree) == 0 && tree.f_type == TMPFS_MAGIC, "which is a tmpfs");
    char *here = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    pid_t child = check_fork();
    if (child == 0) {
        int again = open("/dev/shm/sharing", O_RDWR);
        char *there = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, again, 0);
        strcpy(there + 2 * PAGE, "from the child");
        _exit(0);
    }
    check_wait(child);
    check_that(strcmp(here + 2 * PAGE, "from the child") == 0, "is shared by whoever maps it");
    check_that(unlink("/dev/shm/sharing") == 0 && here[2 * PAGE] == 'f', "its memory outlives its name");
    munmap(here, BYTES);
    close(file);
}

/* What was attached is detached by its address though some of it has been unmapped. */
static void
parts_check(void)
{
    int id = shmget(IPC_PRIVATE, 4 * PAGE, 0600);
    char *here = shmat(id, NULL, 0);
    struct shmid_ds status;

    munmap(here, PAGE);
    munmap(here + 2 * PAGE, PAGE);
    check_that(shmctl(id, IPC_STAT, &status) == 0 && status.shm_nattch == 2, "two parts of it are left");
    check_that(shmdt(here + PAGE) == -1 && errno == EINVAL, "a part does not begin the segment: EINVAL");
    check_that(shmdt(here) == 0 && shmctl(id, IPC_STAT, &status) == 0 && status.shm_nattch == 0, "both are detached");
    shmctl(id, IPC_RMID, NULL);
}

static void
segment_check(void)
{
    struct shmid_ds status;
    int id = shmget(KEY, BYTES, IPC_CREAT | IPC_EXCL | 0600);

    check_that(id >= 0, "a segment for a key");
    check_that(shmget(KEY, BYTES, IPC_CREAT | IPC_EXCL | 0600) == -1 && errno == EEXIST, "not twice: EEXIST");
    check_that(shmget(KEY, 0, 0) == id, "the key finds it");
    check_that(shmget(KEY, BYTES + PAGE, 0) == -1 && errno == EINVAL, "but no larger one: EINVAL");
    check_that(shmget(KEY + 1, BYTES, 0) == -1 && errno == ENOENT, "another key: ENOENT");
    check_that(shmget(IPC_PRIVATE, 0, 0600) == -1 && errno == EINVAL, "no empty segment: EINVAL");
    check_that(shmget(IPC_PRIVATE, BYTES, SHM_HUGETLB | 0600) == -1 && errno == ENOMEM, "there are no huge pages: ENOMEM");
    char *here = shmat(id, NULL, 0);
    check_that(here != (void *) -1 && here[0] == 0 && here[BYTES - 1] == 0, "attached, it is zero");
    pid_t child = check_fork();
    if (child == 0) {
        char *there = shmat(id, NULL, 0);
        strcpy(there + PAGE, "from the child");
        shmctl(id, IPC_STAT, &status);
        _exit(status.shm_nattch != 3);
    }
    check_that(check_wait(child) == 0, "attached thrice: here, by fork, and by the child");
    check_that(strcmp(here + PAGE, "from the child") == 0, "what the child wrote is here");
    check_that(shmctl(id, IPC_STAT, &status) == 0 && status.shm_nattch == 1 && status.shm_segsz == BYTES
                   && status.shm_cpid == getpid() && (status.shm_perm.mode & 0777) == 0600,
               "its status says so");
    char *only_read = shmat(id, NULL, SHM_RDONLY);
    check_that(only_read != here && only_read[PAGE] == 'f', "attached for reading");
    child = check_fork();
    if (child == 0)
        only_read[0] = 1;
    int ended = check_wait(child);
    check_that(WIFSIGNALED(ended) && WTERMSIG(ended) == SIGSEGV, "writing there is refused");
    check_that(shmat(id, here + 1, 0) == (void *) -1 && errno == EINVAL, "at an address that is no page's: EINVAL");
    check_that(shmat(id, here, 0) == (void *) -1 && errno == EINVAL, "where something is already: EINVAL");
    check_that(shmctl(id, IPC_RMID, NULL) == 0, "removed");
    check_that(shmget(KEY, BYTES, 0) == -1 && errno == ENOENT, "its key is free");
    check_that(here[PAGE] == 'f' && shmctl(id, IPC_STAT, &status) == 0 && status.shm_nattch == 2, "it stays while it is attached");
    check_that(shmdt(here) == 0 && shmdt(only_read) == 0, "detached");
    check_that(shmctl(id, IPC_STAT, &status) == -1 && errno == EINVAL, "then it has gone: EINVAL");
    check_that(shmdt(here) == -1 && errno == EINVAL, "detached again: EINVAL");
    parts_check();
}

/* The calls of their own, which Linux has beside ipc. */
static void
call_check(void)
{
    long id = syscall(SYS_shmget, IPC_PRIVATE, PAGE, 0600);

    check_that(id >= 0, "shmget as a call of its own");
    char *here = (char *) syscall(SYS_shmat, id, 0, 0);
    here[0] = 'x';
    check_that(syscall(SYS_shmdt, here) == 0, "shmat and shmdt");
    here = shmat(id, NULL, 0);
    check_that(here[0] == 'x', "the same segment by the old door");
    check_that(syscall(SYS_shmctl, id, IPC_RMID, 0) == 0, "shmctl");
    shmdt(here);
}

static void
memory_file_check(void)
{
    int file = memfd_create("letters", MFD_CLOEXEC);
    struct stat status;

    check_that(file >= 0 && fcntl(file, F_GETFD) == FD_CLOEXEC, "memfd_create");
    check_that(write(file, "abc", 3) == 3 && ftruncate(file, BYTES) == 0, "is a file");
    check_that(fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_nlink == 0 && status.st_size == BYTES,
               "without a name");
    char *here = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    check_that(memcmp(here, "abc", 4) == 0, "and memory");
    check_that(memfd_create("letters", 0x80000000) == -1 && errno == EINVAL, "unknown flags: EINVAL");
    munmap(here, BYTES);
    close(file);
}

static void
mount_check(void)
{
    struct statfs tree;

    mkdir("/tmp/mountpoint", 0700);
    if (mount("none", "/tmp/mountpoint", "tmpfs", 0, "") != 0) {
        check_skip("mounting is not permitted here");
        rmdir("/tmp/mountpoint");
        return;
    }
    check_that(statfs("/tmp/mountpoint", &tree) == 0 && tree.f_type == TMPFS_MAGIC, "tmpfs is mounted");
    int file = open("/tmp/mountpoint/file", O_RDWR | O_CREAT, 0600);
    check_that(file >= 0 && mkdir("/tmp/mountpoint/directory", 0700) == 0, "and can be written to");
    check_that(rmdir("/tmp/mountpoint") == -1 && errno == EBUSY, "where it is mounted cannot be removed: EBUSY");
    check_that(umount("/tmp/mountpoint") == -1 && errno == EBUSY, "nor it unmounted while a file is open: EBUSY");
    close(file);
    check_that(umount("/tmp/mountpoint") == 0, "then it can");
    check_that(access("/tmp/mountpoint/file", F_OK) == -1 && errno == ENOENT, "what was in it has gone");
    check_that(umount("/tmp/mountpoint") == -1 && errno == EINVAL, "not mounted: EINVAL");
    check_that(mount("none", "/tmp/mountpoint", "proc", 0, "") == 0, "proc is mounted");
    check_that(statfs("/tmp/mountpoint", &tree) == 0 && tree.f_type == PROC_MAGIC, "as such");
    check_that(access("/tmp/mountpoint/self/maps", R_OK) == 0, "and shows processes");
    check_that(umount("/tmp/mountpoint") == 0 && rmdir("/tmp/mountpoint") == 0, "and goes again");
    check_that(mount("none", "/tmp", "nothing", 0, "") == -1 && errno == ENODEV, "no such kind: ENODEV");
    check_that(mount("none", "/tmp/nowhere", "tmpfs", 0, "") == -1 && errno == ENOENT, "nowhere: ENOENT");
}

/* Memory that is shared counts as such, and as cached, whether or not anybody maps it; not as anonymous. */
static bool
figures_rose(uint64_t shared, uint64_t cached, uint64_t anonymous)
{
    struct sysinfo system;

    return memory_bytes("Shmem") > shared + FIGURE_BYTES - FIGURE_SLACK && memory_bytes("Cached") > cached + FIGURE_BYTES - FIGURE_SLACK &&
           memory_bytes("AnonPages") < anonymous + FIGURE_SLACK && sysinfo(&system) == 0 &&
           (uint64_t) system.sharedram * system.mem_unit > shared + FIGURE_BYTES - FIGURE_SLACK;
}

static void
figures_check(void)
{
    uint64_t shared = memory_bytes("Shmem"), cached = memory_bytes("Cached"), anonymous = memory_bytes("AnonPages");
    int file = memfd_create("figures", 0);
    char *memory = ftruncate(file, FIGURE_BYTES) == 0 ? mmap(NULL, FIGURE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0) : MAP_FAILED;

    check_that(memory != MAP_FAILED && memory_bytes("Shmem") < shared + FIGURE_SLACK, "mapped, it is no memory yet");
    memset(memory, 1, FIGURE_BYTES);
    check_that(figures_rose(shared, cached, anonymous), "touched, it is in meminfo and sysinfo as shared memory");
    munmap(memory, FIGURE_BYTES);
    check_that(figures_rose(shared, cached, anonymous), "and without a mapping too");
    close(file);
    check_that(memory_bytes("Shmem") < shared + FIGURE_SLACK, "closed, it is gone");
}

int
main(void)
{
    posix_check();
    segment_check();
    call_check();
    memory_file_check();
    mount_check();
    figures_check();
    return check_end();
}
