/*
 * What a process had is given back at its end, however much that was: each row has children that end with something of a
 * kind, or make it and undo it, and holds the kernel's memory after many of them to what it was after the first ones.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/sendfile.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "user/lib/check.h"
#include "user/lib/system.h"
#include "user/lib/thread.h"

/* What each of so many children would leave is more than is tolerated, which caches may keep. */
enum { FIRST = 30, MANY = 100, EACH = 16, TOLERANCE = 16 << 10, PAGE = 4096, PAGES = 4, KEY = 0x1eaf };

/* ---- What a child does ---- */

/* Blocked, so that they are pending at the end, but for some: for the process and for its thread. */
static void
with_signals(void)
{
    sigset_t all;

    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    for (int i = 0; i < EACH; i++) {
        sigqueue(getpid(), SIGRTMIN + 1, (union sigval) { .sival_int = i });
        syscall(SYS_tgkill, getpid(), getpid(), SIGRTMIN + 2);
    }
    for (int i = 0; i < EACH / 2; i++)
        sigwaitinfo(&all, NULL);
}

static void
with_signals_ignored(void)
{
    with_signals();
    signal(SIGRTMIN + 1, SIG_IGN);
    signal(SIGRTMIN + 2, SIG_IGN);
}

static void
note(int signal)
{
    (void) signal;
}

static void
with_handlers(void)
{
    signal(SIGUSR1, note);
}

static void *
thread_wait(void *argument)
{
    (void) argument;
    pause();
    return NULL;
}

static void *
thread_end(void *argument)
{
    return argument;
}

static void
with_threads(void)
{
    thread_join(thread_start(thread_end, NULL));
    thread_start(thread_wait, NULL);
}

static void
with_pipe(void)
{
    static char bytes[PAGES * PAGE];
    int ends[2];

    for (int i = 0; i < 2; i++) {
        pipe(ends);
        write(ends[1], bytes, sizeof bytes);
    }
    read(ends[0], bytes, sizeof bytes);
    fcntl(ends[0], F_SETPIPE_SZ, PAGE);
}

/* One end finds a descriptor, the other none; and descriptors that cannot be told. */
static void
with_refused_pipes(void)
{
    int ends[2];

    for (int i = 0; i < EACH; i++) {
        pipe((int *) -PAGE);
        splice(STDIN_FILENO, NULL, 1000, NULL, 1, 0);
    }
    dup2(STDIN_FILENO, STDERR_FILENO);
    setrlimit(RLIMIT_NOFILE, &(struct rlimit) { 4, 4 });
    for (int i = 0; i < EACH; i++)
        pipe(ends);
}

/* Pages that are lent to the pipe, and copied to another. */
static void
with_pipe_of_pages(void)
{
    char *pages = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct iovec vector = { pages, PAGES * PAGE };
    int one[2], other[2];

    memset(pages, 1, PAGES * PAGE);
    pipe(one);
    pipe(other);
    vmsplice(one[1], &vector, 1, 0);
    tee(one[0], other[1], PAGES * PAGE, 0);
    splice(one[0], NULL, other[1], NULL, PAGE, 0);
}

static void
with_grown_pipes(void)
{
    int ends[2];

    for (int i = 0; i < EACH / 4; i++) {
        if (pipe(ends) != 0)
            _exit(1);
        fcntl(ends[0], F_SETPIPE_SZ, 32 * PAGE);
        fcntl(ends[0], F_SETPIPE_SZ, 64 * PAGE);
        close(ends[0]);
        close(ends[1]);
    }
}

static void
with_selection(void)
{
    fd_set sets[3];
    struct pollfd watched[EACH];

    memset(sets, 0, sizeof sets);
    memset(watched, 0, sizeof watched);
    for (int i = 0; i < EACH; i++) {
        select(STDERR_FILENO, &sets[0], &sets[1], &sets[2], &(struct timeval) { 0 });
        poll(watched, EACH, 0);
    }
}

static void
with_sockets(void)
{
    char bytes[PAGE] = "";
    int pair[2];

    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    write(pair[0], bytes, sizeof bytes);
    write(pair[1], bytes, sizeof bytes);
}

static void
with_files(void)
{
    for (int i = 0; i < EACH; i++) {
        open("/tmp", O_RDONLY | O_DIRECTORY);
        dup(STDIN_FILENO);
        int file = memfd_create("leaks", 0);
        write(file, "x", 1);
        mmap(NULL, PAGE, PROT_READ, MAP_SHARED, file, 0);
    }
}

static void
with_locks(void)
{
    int file = open("/tmp/leaks", O_CREAT | O_RDWR, 0600);

    for (int i = 0; i < EACH; i++) {
        struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 2 * i, .l_len = 1 };
        fcntl(file, F_SETLK, &lock);
    }
}

/* In a set that stays, and in ones that are removed before the end. */
static void
with_semaphores(void)
{
    struct sembuf up = { .sem_num = 0, .sem_op = 1, .sem_flg = SEM_UNDO };

    semop(semget(KEY, 1, IPC_CREAT | 0600), &up, 1);
    for (int i = 0; i < EACH; i++) {
        int set = semget(IPC_PRIVATE, 2, 0600);
        semop(set, &up, 1);
        semctl(set, 0, IPC_RMID);
    }
}

static void
with_shared_memory(void)
{
    int segment = shmget(IPC_PRIVATE, PAGES * PAGE, 0600);
    char *memory = shmat(segment, NULL, 0);

    memset(memory, 1, PAGES * PAGE);
    shmctl(segment, IPC_RMID, NULL);
}

static void
with_mappings(void)
{
    char *pages = mmap(NULL, 2 * EACH * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    memset(pages, 1, EACH * PAGE);
    for (int i = 0; i < EACH; i++)
        mprotect(pages + 2 * i * PAGE, PAGE, PROT_READ);
    if (check_fork() == 0) {
        pages[PAGE] = 2;
        _exit(0);
    }
    check_wait(-1);
    mremap(pages, PAGE, PAGES * PAGE, MREMAP_MAYMOVE);
}

static void
with_alarm(void)
{
    setitimer(ITIMER_REAL, &(struct itimerval) { .it_value = { .tv_sec = 1000 } }, NULL);
}

/* Files whose last name goes while they are open. */
static void
with_names(void)
{
    mkdir("/tmp/leaks.d", 0700);
    int file = open("/tmp/leaks.d/file", O_CREAT | O_RDWR, 0600);
    write(file, "x", 1);
    symlink("to a place that is nowhere", "/tmp/leaks.d/link");
    link("/tmp/leaks.d/file", "/tmp/leaks.d/other");
    rename("/tmp/leaks.d/other", "/tmp/leaks.d/link");
    unlink("/tmp/leaks.d/file");
    unlink("/tmp/leaks.d/link");
    rmdir("/tmp/leaks.d");
    chdir("/proc/self");
}

static void
with_groups(void)
{
    gid_t groups[EACH] = { 0 };

    for (int i = 0; i < EACH; i++)
        syscall(SYS_setgroups32, EACH, i % 2 ? (void *) 16 : groups);
}

/* Through links, to where something is and where nothing is. */
static void
with_links(void)
{
    struct stat status;

    symlink("/proc/../tmp/leaks.d/..", "/tmp/leaks.link");
    mkdir("/tmp/leaks.d", 0700);
    for (int i = 0; i < EACH; i++) {
        stat("/tmp/leaks.link/leaks.link", &status);
        stat("/tmp/leaks.link/nothing/nothing", &status);
    }
    rmdir("/tmp/leaks.d");
    unlink("/tmp/leaks.link");
}

static void
with_copies(void)
{
    int file = open("/tmp/leaks", O_CREAT | O_RDWR, 0600), other = memfd_create("leaks", 0), directory = open("/", O_RDONLY | O_DIRECTORY);
    char bytes[PAGE] = "";

    write(file, bytes, sizeof bytes);
    for (int i = 0; i < EACH; i++) {
        sendfile(other, file, &(off_t) { 0 }, sizeof bytes);
        sendfile(other, directory, NULL, 1);
        copy_file_range(file, &(off_t) { 0 }, other, NULL, sizeof bytes, 0);
        lseek(directory, 0, SEEK_SET);
        syscall(SYS_getdents64, directory, bytes, sizeof bytes);
        syscall(SYS_getdents64, directory, (void *) 16, sizeof bytes);
    }
}

static void
with_refused_mappings(void)
{
    int file = memfd_create("leaks", 0);

    for (int i = 0; i < EACH; i++) {
        mmap(NULL, 0, PROT_READ, MAP_SHARED, file, 0);
        mmap(NULL, PAGE, PROT_READ, MAP_SHARED, STDIN_FILENO, 0);
    }
}

static void
with_proc(void)
{
    static const char *const names[] = { "maps", "pagemap", "status", "fd", "task", "exe", "smaps", "environ", "cwd" };
    char bytes[PAGE];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[32];
        snprintf(path, sizeof path, "/proc/self/%s", names[i]);
        int file = open(path, O_RDONLY);
        read(file, bytes, sizeof bytes);
        readlink(path, bytes, sizeof bytes);
    }
}

static void
with_exec(void)
{
    execl("/tmp/nowhere", "nowhere", NULL);
    execve("/proc/self/exe", (char *const[]) { "leaks", (char *) 16, NULL }, NULL);
    execl("/proc/self/exe", "leaks", "end", NULL);
}

/* ---- Measuring ---- */

static void
children_run(void (*body)(void), int count)
{
    while (count-- > 0)
        check_child(body);
}

/* What the kernel has taken for itself and for whoever runs. */
static int64_t
memory_taken(void)
{
    return (int64_t) memory_bytes("MemTotal") - (int64_t) memory_bytes("MemFree");
}

static void
row_check(void (*body)(void), const char *what)
{
    children_run(body, FIRST);
    int64_t before = memory_taken(), slabs = (int64_t) memory_bytes("Slab");
    children_run(body, MANY);
    int64_t more = memory_taken() - before, more_slabs = (int64_t) memory_bytes("Slab") - slabs;
    check_that(more < TOLERANCE && more_slabs < TOLERANCE, "%s (%d and %d KiB)", what, (int) (more >> 10), (int) (more_slabs >> 10));
}

/* Each says who is to be told of news more than once. */
static void
with_owners(void)
{
    int ends[2];

    pipe(ends);
    fcntl(ends[0], F_SETOWN, getpid());
    fcntl(ends[0], F_SETOWN, getpid());
    fcntl(ends[0], F_SETOWN, getppid());
    fcntl(ends[1], F_SETOWN, getpid());
}

/* Numbers of processes that somebody still refers to. */
static int
numbers_held(void)
{
    FILE *file = fopen("/proc/slabinfo", "r");
    char line[256];
    int held = -1;

    while (held < 0 && fgets(line, sizeof line, file) != NULL)
        sscanf(line, "pid %d", &held);
    fclose(file);
    return held;
}

/* A number is small: what a hundred processes leave would be tolerated above. */
static void
numbers_check(void)
{
    check_child(with_owners);
    int before = numbers_held();
    children_run(with_owners, EACH);
    int now = numbers_held();
    check_that(before > 0 && now == before, "the numbers of processes that files were to tell (%d, then %d)", before, now);
}

static const struct { void (*body)(void); const char *what; } rows[] = {
    { with_signals, "signals that are pending at the end" },
    { with_signals_ignored, "pending ones that are then ignored" },
    { with_handlers, "actions on signals" },
    { with_threads, "threads that end, or are ended" },
    { with_pipe, "pipes with bytes in them" },
    { with_pipe_of_pages, "pipes with pages that were lent to them" },
    { with_refused_pipes, "pipes that are refused" },
    { with_grown_pipes, "pipes that became larger" },
    { with_selection, "select and poll" },
    { with_sockets, "sockets with bytes in them" },
    { with_files, "open files, some without a name" },
    { with_locks, "record locks" },
    { with_semaphores, "semaphores to be undone" },
    { with_shared_memory, "a segment that is removed with its last user" },
    { with_mappings, "mappings, cut up and shared with a child" },
    { with_alarm, "an alarm that is far off" },
    { with_names, "names that come and go" },
    { with_groups, "supplementary groups" },
    { with_links, "ways through links" },
    { with_copies, "copies between files, and listings" },
    { with_refused_mappings, "mappings that are refused" },
    { with_proc, "open files of /proc" },
    { with_exec, "programs that could not be run, and one that could" },
};

int
main(int count, char **arguments)
{
    (void) arguments;
    if (count > 1)
        return 0;
    if (!system_is_belady()) {
        check_skip("others may keep memory for later");
        return check_end();
    }
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        row_check(rows[i].body, rows[i].what);
    numbers_check();
    unlink("/tmp/leaks");
    semctl(semget(KEY, 1, 0), 0, IPC_RMID);
    return check_end();
}
