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
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/check.h"
#include "user/lib/failing.h"
#include "user/lib/system.h"

#define FILE_NAME FAILING_DIRECTORY "/file"

enum { PAGE = 4096, PAGES = 64, WIDE = 4096, TOUCHED = 20, READ_WRITE = PROT_READ | PROT_WRITE, PRIVATE = MAP_PRIVATE | MAP_ANONYMOUS };

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
    static char bytes[2 * PAGE];

    file = open(FILE_NAME, O_CREAT | O_RDWR, 0600);
    write(file, bytes, sizeof bytes);
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
reap_and_unmap(void)
{
    reap();
    unmap_memory();
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

/* The script names its interpreter. */
static long
call_script(void)
{
    return execve(FILE_NAME, (char *const[]) { "script", NULL }, environ);
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

    much[0] = 1;
    return much[0] - 1;
}

static long
handle_signal(void)
{
    return raise(SIGUSR1);
}

static void
note(int signal)
{
    (void) signal;
}

static void
set_handler(void)
{
    signal(SIGUSR1, note);
}

static const struct failing rows[] = {
    { "mmap", NULL, call_mmap, unmap_made, 0, false },
    { "mmap of shared memory", NULL, call_mmap_shared, unmap_made, 0, false },
    { "mmap of a file", make_file, call_mmap_file, unmap_made_file, 0, false },
    { "mmap over a part", make_memory, call_mmap_over, unmap_memory, 0, false },
    { "mmap over a part that is shared", make_shared, call_mmap_over, unmap_shared, 0, false },
    { "munmap of a part", make_memory, call_munmap, unmap_memory, 0, false },
    { "munmap of a part that is shared", make_shared, call_munmap, unmap_shared, 0, false },
    { "mprotect of a part", make_memory, call_mprotect, unmap_memory, 0, false },
    { "mprotect of a part that is shared", make_shared, call_mprotect, unmap_shared, 0, false },
    { "mremap that grows", make_memory, call_grow, unmap_memory, 0, false },
    { "mremap that moves", make_memory, call_move, unmap_memory, 0, false },
    { "mremap that moves over a part", make_memory, call_move_within, unmap_memory, 0, false },
    { "mremap that moves what is shared", make_shared, call_move, unmap_shared, 0, false },
    { "mremap that moves the pages only", make_memory, call_move_keeping, unmap_memory, 0, false },
    { "mremap that duplicates", make_shared_file, call_duplicate, unmap_duplicate, 0, false },
    { "brk", note_heap, call_brk, clean_brk, 0, false },
    { "mlock of a part", make_fresh, call_mlock, unmap_memory, EAGAIN, false },
    { "madvise that brings pages in", make_fresh, call_populate, unmap_memory, 0, false },
    { "madvise that drops a part", make_memory, call_dontneed, unmap_memory, 0, false },
    { "madvise that drops a part of what is shared", make_shared, call_dontneed, unmap_shared, 0, false },
    { "madvise that marks a part", make_memory, call_dontfork, unmap_memory, 0, false },
    { "a limit of frames", NULL, call_frames, clean_frames, 0, false },
    { "fork", make_memory, call_fork, reap_and_unmap, EAGAIN, false },
    { "clone", NULL, call_clone, reap, EAGAIN, false },
    { "clone with everything shared", NULL, call_clone_sharing, reap, EAGAIN, false },
    { "pthread_create", NULL, call_thread, join, EAGAIN, false },
    { "execve", NULL, call_exec, NULL, 0, true },
    { "execve of a script", make_script, call_script, remove_script, 0, true },
    { "faults on fresh pages", make_fresh, touch_fresh, unmap_memory, 0, true },
    { "faults that read fresh pages", make_fresh, read_fresh, unmap_memory, 0, true },
    { "faults on pages that are shared", make_memory, touch_fresh, unmap_memory, 0, true },
    { "faults that read a file", make_mapped_file, read_fresh, remove_mapped_file, 0, true },
    { "faults on a shared file", make_shared_file, touch_fresh, remove_mapped_file, 0, true },
    { "a fault within a call", make_fresh_and_file, read_into_fresh, unmap_memory_and_file, 0, true },
    { "the stack grows", NULL, grow_stack, NULL, 0, true },
    { "a handler is called", set_handler, handle_signal, NULL, 0, true },
};

int
main(int count, char **arguments)
{
    (void) arguments;
    if (count > 1) {
        failing_end();
        return 0;
    }
    made = MAP_FAILED;
    failing_check(rows, sizeof rows / sizeof *rows);
    return check_end();
}
