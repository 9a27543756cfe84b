/*
 * Memory ends within a call on files: on their names, their contents, their locks. Whichever allocation fails, the call
 * fails whole.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "user/lib/check.h"
#include "user/lib/failing.h"

#define HERE FAILING_DIRECTORY "/"
#define LONG_NAME HERE "a-name-that-is-much-longer-than-the-other-one-so-that-it-takes-another-kind-of-memory"

enum { PAGE = 4096, PAGES = 6, VECTORS = 64 };

static char bytes[PAGES * PAGE];
static int files[2] = { -1, -1 };   /* what a row prepares, and what its call opens */

/* ---- What rows share ---- */

static void
close_all(void)
{
    failing_close(files);
}

/* A file of a page and a half, open; and its name. */
static void
make_file(void)
{
    files[0] = failing_make_file(HERE "file", PAGE + PAGE / 2);
}

static void
remove_all(void)
{
    static const char *const names[] = { HERE "file", HERE "other", HERE "link", HERE "directory/file", LONG_NAME };

    close_all();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unlink(names[i]);
    rmdir(HERE "directory");
}

static void
make_link(void)
{
    make_file();
    symlink("../failing/./file", HERE "link");
}

static void
make_directory(void)
{
    make_file();
    mkdir(HERE "directory", 0700);
}

/* What a failed call leaves open is closed by its own hand, as any program would. */
static long
closing(long result)
{
    int error = errno;

    if (result < 0)
        close_all();
    errno = error;
    return result;
}

/* ---- Names ---- */

static long
call_open(void)
{
    return files[1] = open(HERE "link", O_RDONLY);
}

static long
call_create(void)
{
    return files[1] = open(HERE "other", O_CREAT | O_EXCL | O_RDWR, 0600);
}

static long
call_create_unnamed(void)
{
    return files[1] = open(FAILING_DIRECTORY, O_TMPFILE | O_RDWR, 0600);
}

static long
call_truncate(void)
{
    return files[1] = open(HERE "file", O_TRUNC | O_RDWR);
}

static long
call_mkdir(void)
{
    return mkdir(HERE "directory", 0700);
}

static long
call_symlink(void)
{
    return symlink("to a place that is nowhere", HERE "other");
}

static long
call_link(void)
{
    return link(HERE "file", LONG_NAME);
}

static long
call_mknod(void)
{
    return mknod(HERE "other", S_IFIFO | 0600, 0);
}

static long
call_unlink(void)
{
    return unlink(HERE "file");
}

static long
call_link_unnamed(void)
{
    files[0] = open(FAILING_DIRECTORY, O_TMPFILE | O_RDWR, 0600);
    return files[0] < 0 ? -1 : closing(linkat(files[0], "", AT_FDCWD, HERE "other", AT_EMPTY_PATH));
}

static long
call_rename(void)
{
    return rename(HERE "file", LONG_NAME);
}

static long
call_rename_away(void)
{
    return rename(HERE "file", HERE "directory/file");
}

static long
call_exchange(void)
{
    return syscall(SYS_renameat2, AT_FDCWD, HERE "file", AT_FDCWD, HERE "directory", 2);
}

static void
remove_exchanged(void)
{
    close_all();
    unlink(HERE "file");
    unlink(HERE "directory");
    rmdir(HERE "directory");
    rmdir(HERE "file");
}

static long
call_chdir(void)
{
    return chdir("/proc/self/fd");
}

static void
clean_chdir(void)
{
    chdir("/");
}

static long
call_getcwd(void)
{
    return syscall(SYS_getcwd, bytes, sizeof bytes);
}

static long
call_readlink(void)
{
    return readlink("/proc/self/exe", bytes, sizeof bytes);
}

static long
call_list(void)
{
    files[0] = open("/proc/self", O_RDONLY | O_DIRECTORY);
    return files[0] < 0 ? -1 : closing(syscall(SYS_getdents64, files[0], bytes, sizeof bytes));
}

static long
call_mount(void)
{
    return mount("none", HERE "directory", "tmpfs", 0, NULL);
}

static void
clean_mount(void)
{
    umount(HERE "directory");
    remove_all();
}

static long
call_proc(void)
{
    files[0] = open("/proc/self/status", O_RDONLY);
    return files[0] < 0 ? -1 : closing(read(files[0], bytes, sizeof bytes));
}

/* ---- Contents ---- */

static long
call_write(void)
{
    return pwrite(files[0], bytes, PAGES * PAGE, 0);
}

static long
call_write_far(void)
{
    return pwrite(files[0], bytes, 1, (off_t) 1 << 30);
}

static long
call_fallocate(void)
{
    return fallocate(files[0], 0, 0, PAGES * PAGE);
}

static long
call_readv(void)
{
    struct iovec vectors[VECTORS];

    for (int i = 0; i < VECTORS; i++)
        vectors[i] = (struct iovec) { bytes + i, 1 };
    return preadv(files[0], vectors, VECTORS, 0);
}

static long
call_copy(void)
{
    return copy_file_range(files[0], &(off_t) { 0 }, files[0], &(off_t) { 4 * PAGE }, PAGE, 0);
}

/* Two, since of two allocations of the first not the first alone can fail. */
static long
call_lock(void)
{
    struct flock far = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 200, .l_len = 1 };
    struct flock lock = { .l_type = F_UNLCK, .l_whence = SEEK_SET, .l_start = 10, .l_len = 10 };

    return fcntl(files[0], F_SETLK, &far) < 0 ? -1 : fcntl(files[0], F_SETLK, &lock);
}

static void
make_lock(void)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 100 };

    make_file();
    fcntl(files[0], F_SETLK, &lock);
}

static const struct failing rows[] = {
    { .what = "a file is opened through a link", .prepare = make_link, .call = call_open, .clean = remove_all },
    { .what = "a file is made", .call = call_create, .clean = remove_all },
    { .what = "a file without a name is made", .call = call_create_unnamed, .clean = remove_all },
    { .what = "a file is emptied", .prepare = make_file, .call = call_truncate, .clean = remove_all },
    { .what = "mkdir", .call = call_mkdir, .clean = remove_all },
    { .what = "symlink", .call = call_symlink, .clean = remove_all },
    { .what = "link", .prepare = make_file, .call = call_link, .clean = remove_all },
    { .what = "linkat of a file without a name", .call = call_link_unnamed, .clean = remove_all },
    { .what = "unlink", .prepare = make_file, .call = call_unlink, .clean = remove_all },
    { .what = "mknod", .call = call_mknod, .clean = remove_all },
    { .what = "rename, to a longer name", .prepare = make_file, .call = call_rename, .clean = remove_all },
    { .what = "rename, to another directory", .prepare = make_directory, .call = call_rename_away, .clean = remove_all },
    { .what = "renameat2 that exchanges two", .prepare = make_directory, .call = call_exchange, .clean = remove_exchanged },
    { .what = "chdir", .call = call_chdir, .clean = clean_chdir },
    { .what = "getcwd", .call = call_getcwd },
    { .what = "readlink", .call = call_readlink },
    { .what = "a directory is listed", .call = call_list, .clean = close_all },
    { .what = "mount", .prepare = make_directory, .call = call_mount, .clean = clean_mount },
    { .what = "a file of /proc is read", .call = call_proc, .clean = close_all },
    { .what = "write, over several pages", .prepare = make_file, .call = call_write, .clean = remove_all, .partial = true },
    { .what = "write, far behind the end", .prepare = make_file, .call = call_write_far, .clean = remove_all },
    { .what = "fallocate", .prepare = make_file, .call = call_fallocate, .clean = remove_all },
    { .what = "preadv with many pieces", .prepare = make_file, .call = call_readv, .clean = remove_all },
    { .what = "copy_file_range", .prepare = make_file, .call = call_copy, .clean = remove_all },
    { .what = "a lock is cut in two", .prepare = make_lock, .call = call_lock, .clean = remove_all, .error = ENOLCK },
};

int
main(void)
{
    memset(bytes, 1, sizeof bytes);
    failing_check(rows, sizeof rows / sizeof *rows);
    return check_end();
}
