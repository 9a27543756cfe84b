/*
 * Memory ends within a call on memory, within a fault, or while a process or a thread comes to be. Whichever allocation
 * fails, a call fails whole, and a fault is tried again or ends in SIGKILL.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/check.h"
#include "user/lib/failing.h"
#include "user/lib/system.h"

#define FILE_NAME FAILING_DIRECTORY "/file"
#define PLACE FAILING_DIRECTORY "/place"

enum { PAGE = 4096, PAGES = 64, WIDE = 4096, TOUCHED = 20, THRICE = 3, READ_WRITE = PROT_READ | PROT_WRITE, PRIVATE = MAP_PRIVATE | MAP_ANONYMOUS };

static char *memory, *made;
static int file = -1;
static pid_t child = -1;
static pthread_t thread;

/* ---- What rows share ---- */

/* Pages, each touched, between others that are not mapped. */
static void
make_memory(void)
{
    memory = mmap(NULL, (2 * PAGES + 2 * WIDE) * PAGE, PROT_NONE, PRIVATE | MAP_NORESERVE, -1, 0);
    munmap(memory, (2 * PAGES + 2 * WIDE) * PAGE);
    memory = mmap(memory + PAGES * PAGE, PAGES * PAGE, READ_WRITE, PRIVATE | MAP_FIXED, -1, 0);
    memset(memory, 1, PAGES * PAGE);
}

/* All around as well, where a call may have put something. */
static void
unmap_memory(void)
{
    munmap(memory - PAGES * PAGE, (2 * PAGES + 2 * WIDE) * PAGE);
}

static void
make_fresh(void)
{
    make_memory();
    madvise(memory, PAGES * PAGE, MADV_DONTNEED);
}

static void
make_file(void)
{
    file = failing_make_file(FILE_NAME, 2 * PAGE);
}

static void
make_mapped_file(void)
{
    make_file();
    memory = mmap(NULL, 2 * PAGES * PAGE, READ_WRITE, MAP_PRIVATE, file, 0);
}

static void
make_shared_file(void)
{
    make_file();
    ftruncate(file, PAGES * PAGE);
    memory = mmap(NULL, 2 * PAGES * PAGE, READ_WRITE, MAP_SHARED, file, 0);
}

static void
remove_file(void)
{
    close(file);
    unlink(FILE_NAME);
}

static void
remove_mapped_file(void)
{
    munmap(memory, 2 * PAGES * PAGE);
    remove_file();
}

/* Somebody shares the pages. */
static void
make_shared(void)
{
    make_memory();
    child = check_fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    sched_yield();      /* until it waits */
}

static void
unmap_shared(void)
{
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    unmap_memory();
}

static long
mapped(void *result)
{
    made = result;
    return result == MAP_FAILED ? -1 : 0;
}

/* ---- Mappings ---- */

static long
call_mmap(void)
{
    return mapped(mmap(NULL, PAGE, READ_WRITE, PRIVATE, -1, 0));
}

static long
call_mmap_shared(void)
{
    return mapped(mmap(NULL, PAGE, READ_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
}

static long
call_mmap_file(void)
{
    return mapped(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, file, 0));
}

static void
unmap_made(void)
{
    if (made != MAP_FAILED)
        munmap(made, PAGE);
    made = MAP_FAILED;
}

static void
unmap_made_file(void)
{
    unmap_made();
    remove_file();
}

static long
call_mmap_over(void)
{
    return mapped(mmap(memory + 10 * PAGE, 20 * PAGE, PROT_READ, PRIVATE | MAP_FIXED, -1, 0));
}

static long
call_munmap(void)
{
    return munmap(memory + 10 * PAGE, 20 * PAGE);
}

static long
call_mprotect(void)
{
    return mprotect(memory + 10 * PAGE, 20 * PAGE, PROT_READ);
}

static long
call_grow(void)
{
    return mapped(mremap(memory, PAGES * PAGE, WIDE * PAGE, 0));
}

static long
call_move(void)
{
    return mapped(mremap(memory + 10 * PAGE, 20 * PAGE, 30 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, memory + 2 * PAGES * PAGE));
}

static long
call_move_within(void)
{
    return mapped(mremap(memory + 10 * PAGE, 10 * PAGE, 10 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, memory + 40 * PAGE));
}

static long
call_move_keeping(void)
{
    return mapped(mremap(memory + 10 * PAGE, 20 * PAGE, 20 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, memory + 2 * PAGES * PAGE));
}

static long
call_duplicate(void)
{
    return mapped(mremap(memory, 0, 20 * PAGE, MREMAP_MAYMOVE));
}

static void
unmap_duplicate(void)
{
    if (made != MAP_FAILED)
        munmap(made, 20 * PAGE);
    made = MAP_FAILED;
    remove_mapped_file();
}

static char *heap;

static void
note_heap(void)
{
    heap = (char *) syscall(SYS_brk, 0);
}

/* Linux's brk has no errno: it tells where the heap ends. */
static long
call_brk(void)
{
    errno = ENOMEM;
    return syscall(SYS_brk, heap + WIDE * PAGE) == (long) heap ? -1 : 0;
}

static void
clean_brk(void)
{
    syscall(SYS_brk, heap);
}

static long
call_mlock(void)
{
    return mlock(memory + 10 * PAGE, 20 * PAGE);
}

static long
call_populate(void)
{
    return madvise(memory, TOUCHED * PAGE, 23 /* MADV_POPULATE_WRITE */);
}

static long
call_dontneed(void)
{
    return madvise(memory + 10 * PAGE, 20 * PAGE, MADV_DONTNEED);
}

static long
call_dontfork(void)
{
    return madvise(memory + 10 * PAGE, 20 * PAGE, MADV_DONTFORK);
}

static long
call_frames(void)
{
    return setrlimit(RLIMIT_RSS, &(struct rlimit) { 100 * PAGE, RLIM_INFINITY });
}

static void
clean_frames(void)
{
    frames_limit(FRAMES_UNLIMITED);
}

/* ---- Processes and threads ---- */

static long
call_fork(void)
{
    child = fork();
    if (child == 0)
        _exit(0);
    return child;
}

static void
reap(void)
{
    if (child > 0)
        waitpid(child, NULL, __WALL);
    child = -1;
}

static void
note(int signal)
{
    (void) signal;
}

/* What a child refers to, so that it is known whether one that never was still does: a directory that goes, and a table
 * of actions, which is copied where it is shared. */
static void
make_place(void)
{
    make_memory();
    mkdir(PLACE, 0700);
    chdir(PLACE);
    signal(SIGUSR1, note);
}

static void
leave_place(void)
{
    reap();
    unmap_memory();
    chdir("/");
    rmdir(PLACE);
}

static int
body_end(void *argument)
{
    (void) argument;
    return 0;
}

static char stack[PAGE] __attribute__((aligned(16)));

static long
call_clone(void)
{
    return child = clone(body_end, stack + PAGE, CLONE_VM | SIGCHLD, NULL);
}

static long
call_clone_sharing(void)
{
    return child = clone(body_end, stack + PAGE, CLONE_VM | CLONE_SIGHAND | CLONE_FILES | CLONE_FS | SIGCHLD, NULL);
}

static void *
thread_end(void *argument)
{
    return argument;
}

static long
call_thread(void)
{
    errno = pthread_create(&thread, NULL, thread_end, NULL);
    if (errno != 0)
        thread = 0;
    return errno == 0 ? 0 : -1;
}

static void
join(void)
{
    if (thread != 0)
        pthread_join(thread, NULL);
    thread = 0;
}

static long
call_exec(void)
{
    return execve("/proc/self/exe", (char *const[]) { "failing_memory", "end", NULL }, environ);
}

/* The script names its interpreter, which gets the arguments as well: more than fit into what is taken at first. */
static long
call_script(void)
{
    static char much[3 * PAGE];

    memset(much, 'x', sizeof much - 1);
    return execve(FILE_NAME, (char *const[]) { "script", much, NULL }, environ);
}

static void
make_script(void)
{
    static const char text[] = "#!/proc/self/exe end\n";

    file = open(FILE_NAME, O_CREAT | O_WRONLY, 0700);
    write(file, text, sizeof text - 1);
    close(file);
}

static void
remove_script(void)
{
    unlink(FILE_NAME);
}

/* ---- Faults ---- */

static long
touch_fresh(void)
{
    for (int i = 0; i < TOUCHED; i++)
        *(volatile char *) (memory + i * PAGE) = 1;
    return 0;
}

static long
read_fresh(void)
{
    for (int i = 0; i < 2; i++)
        (void) *(volatile char *) (memory + i * PAGE);
    return 0;
}

/* A call that finds the page missing: EFAULT, and the process is gone. */
static long
read_into_fresh(void)
{
    return pread(file, memory, PAGE, 0);
}

static void
make_fresh_and_file(void)
{
    make_file();
    make_fresh();
}

static void
unmap_memory_and_file(void)
{
    unmap_memory();
    remove_file();
}

static long
grow_stack(void)
{
    volatile char much[PAGES * PAGE];

    much[PAGES / 2 * PAGE] = 1;
    much[0] = 1;
    return much[0] - 1;
}

static long
handle_signal(void)
{
    return raise(SIGUSR1);
}

static void
set_handler(void)
{
    signal(SIGUSR1, note);
}

static const struct failing rows[] = {
    { .what = "mmap", .call = call_mmap, .clean = unmap_made },
    { .what = "mmap of shared memory", .call = call_mmap_shared, .clean = unmap_made },
    { .what = "mmap of a file", .prepare = make_file, .call = call_mmap_file, .clean = unmap_made_file },
    { .what = "mmap over a part", .prepare = make_memory, .call = call_mmap_over, .clean = unmap_memory },
    { .what = "mmap over a part that is shared", .prepare = make_shared, .call = call_mmap_over, .clean = unmap_shared },
    { .what = "munmap of a part", .prepare = make_memory, .call = call_munmap, .clean = unmap_memory },
    { .what = "munmap of a part that is shared", .prepare = make_shared, .call = call_munmap, .clean = unmap_shared },
    { .what = "mprotect of a part", .prepare = make_memory, .call = call_mprotect, .clean = unmap_memory },
    { .what = "mprotect of a part that is shared", .prepare = make_shared, .call = call_mprotect, .clean = unmap_shared },
    { .what = "mremap that grows", .prepare = make_memory, .call = call_grow, .clean = unmap_memory },
    { .what = "mremap that moves", .prepare = make_memory, .call = call_move, .clean = unmap_memory },
    { .what = "mremap that moves over a part", .prepare = make_memory, .call = call_move_within, .clean = unmap_memory },
    { .what = "mremap that moves what is shared", .prepare = make_shared, .call = call_move, .clean = unmap_shared },
    { .what = "mremap that moves the pages only", .prepare = make_memory, .call = call_move_keeping, .clean = unmap_memory },
    { .what = "mremap that duplicates", .prepare = make_shared_file, .call = call_duplicate, .clean = unmap_duplicate },
    { .what = "brk", .prepare = note_heap, .call = call_brk, .clean = clean_brk },
    { .what = "mlock of a part", .prepare = make_fresh, .call = call_mlock, .clean = unmap_memory, .error = EAGAIN },
    { .what = "madvise that brings pages in", .prepare = make_fresh, .call = call_populate, .clean = unmap_memory },
    { .what = "madvise that drops a part", .prepare = make_memory, .call = call_dontneed, .clean = unmap_memory },
    { .what = "madvise that drops a part of what is shared", .prepare = make_shared, .call = call_dontneed, .clean = unmap_shared },
    { .what = "madvise that marks a part", .prepare = make_memory, .call = call_dontfork, .clean = unmap_memory },
    { .what = "a limit of frames", .call = call_frames, .clean = clean_frames },
    { .what = "fork", .prepare = make_place, .call = call_fork, .clean = leave_place, .error = EAGAIN },
    { .what = "clone", .call = call_clone, .clean = reap, .error = EAGAIN },
    { .what = "clone with everything shared", .call = call_clone_sharing, .clean = reap, .error = EAGAIN },
    { .what = "pthread_create", .call = call_thread, .clean = join, .error = EAGAIN },
    { .what = "execve", .call = call_exec, .in_child = true },
    { .what = "execve of a script", .prepare = make_script, .call = call_script, .clean = remove_script, .in_child = true },
    { .what = "faults on fresh pages", .prepare = make_fresh, .call = touch_fresh, .clean = unmap_memory, .in_child = true, .comes_through = THRICE },
    { .what = "faults that read fresh pages", .prepare = make_fresh, .call = read_fresh, .clean = unmap_memory, .in_child = true, .comes_through = THRICE },
    { .what = "faults on pages that are shared", .prepare = make_memory, .call = touch_fresh, .clean = unmap_memory, .in_child = true, .comes_through = THRICE },
    { .what = "faults that read a file", .prepare = make_mapped_file, .call = read_fresh, .clean = remove_mapped_file, .in_child = true, .comes_through = THRICE },
    { .what = "faults on a shared file", .prepare = make_shared_file, .call = touch_fresh, .clean = remove_mapped_file, .in_child = true, .comes_through = THRICE },
    { .what = "a fault within a call", .prepare = make_fresh_and_file, .call = read_into_fresh, .clean = unmap_memory_and_file, .in_child = true },
    { .what = "the stack grows", .call = grow_stack, .in_child = true, .comes_through = THRICE },
    { .what = "a handler is called", .prepare = set_handler, .call = handle_signal, .in_child = true, .comes_through = THRICE },
};

/* ---- The program that a child would have run ---- */

#define PROGRAM "/tmp/failing_program"
#define SETTING "/proc/sys/vm/failslab"

/* Forks with the 1st, 2nd, 3rd ... allocation failing, until that succeeds: whether it failed before. */
static bool
forks_fail(void)
{
    int setting = open(SETTING, O_WRONLY);
    bool failed = false;
    char every[16];

    for (int wanted = 1; child < 0; wanted++) {
        pwrite(setting, every, (size_t) snprintf(every, sizeof every, "%d", wanted), 0);
        failed |= call_fork() < 0;
        pwrite(setting, "0", 1, 0);
    }
    reap();
    return failed;
}

static void
run_program(void)
{
    execl(PROGRAM, "failing_memory", "forks", NULL);
}

/* Rule: a child that never was does not run its program. At the end of the last process that does, it may be written. */
static void
program_check(void)
{
    int from = open("/proc/self/exe", O_RDONLY), to = open(PROGRAM, O_CREAT | O_WRONLY | O_TRUNC, 0700);

    while (sendfile(to, from, NULL, WIDE * PAGE) > 0)
        ;
    close(from);
    close(to);
    check_that(check_child(run_program) == 0, "a program whose forks fail comes to its end");
    to = open(PROGRAM, O_WRONLY);
    check_that(to >= 0, "then nobody runs it: it may be written");
    close(to);
    unlink(PROGRAM);
}

int
main(int count, char **arguments)
{
    if (count > 1 && strcmp(arguments[1], "forks") == 0)
        return !forks_fail();
    if (count > 1) {
        failing_end();
        return 0;
    }
    made = MAP_FAILED;
    failing_check(rows, sizeof rows / sizeof *rows);
    if (access(SETTING, W_OK) == 0)
        program_check();
    else
        check_skip("failslab=");
    return check_end();
}
