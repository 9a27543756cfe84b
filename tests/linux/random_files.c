/*
 * Random calls on files, directories, links, pipes with names and descriptors, by root and by another user, in a small
 * tree. On two kernels that agree, the same seed gives the same digests (user/lib/digest.h).
 *
 *     random_files SEED STEPS [FROM]
 *
 * A symbolic link to "c/.." makes "a/../b" a name above the tree, so the tree lies some directories below ROOT, which
 * begins empty: what the last run left elsewhere would change the answers.
 *
 * Not asked, since Linux does not promise it: the order and size of directories, which pages of a file there are, hard
 * links made by others than root, sendfile of no bytes (newer kernels do not look then at what it is from), and sendfile
 * from a file to itself, whose ranges may overlap.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#include "user/lib/digest.h"
#include "user/lib/random.h"

#define ROOT "/dev/shm/random_files"
#define TREE ROOT "/1/2/3/4"

enum {
    FIRST_DESCRIPTOR = 10,      /* descriptors from here on are drawn */
    DESCRIPTORS = 10,
    LONGEST = 9000,             /* bytes of a read or a write */
    LARGEST = 70000,            /* where a file may end */
    STRANGER = 1000,
    CHILD_STEPS = 20,
};

static const char *const names[] = {
    "a", "b", "c", "d", "a/a", "a/b", "a/c", "b/a", "b/b", "c/a", "a/b/a", "a/a/a", "b/a/b", "d", "a", "b",
    "a/", "b/.", "c/..", "a/../b", "./d", "", "nowhere/x", "c/", TREE "/a", "//" TREE "/b/",
};

static char buffer[LONGEST];

static const char *
draw_name(int *number)
{
    *number = (int) draw(sizeof names / sizeof *names);
    return names[*number];
}

static int
draw_descriptor(void)
{
    return FIRST_DESCRIPTOR + (int) draw(DESCRIPTORS);
}

/* Sticky directories are not for others to write to: whom files in those obey is for fs.protected_regular and kin to say. */
static mode_t
draw_mode(void)
{
    mode_t mode = (mode_t) draw(010000);

    return mode & S_ISVTX ? mode & ~(mode_t) (S_IWGRP | S_IWOTH) : mode;
}

static uid_t
draw_user(void)
{
    return draw(2) ? STRANGER : 0;
}

static uint32_t
bytes_digest(long count)
{
    uint32_t digest = 0;

    if (count < 0)
        return (uint32_t) errno;
    for (long i = 0; i < count; i++)
        digest = digest * 31 + (unsigned char) buffer[i];
    return digest + (uint32_t) count;
}

/* ---- Names ------------------------------------------------------------------------------------------------------------------ */

static void
step_open(void)
{
    static const int flags[] = { O_EXCL, O_TRUNC, O_TRUNC, O_APPEND, O_APPEND, O_DIRECTORY, O_NOFOLLOW, O_PATH, O_CLOEXEC };
    int number, how = O_NONBLOCK | (draw(2) ? O_RDWR : (int) draw(3)) | (draw(3) ? O_CREAT : 0);
    const char *name = draw_name(&number);

    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (draw(8) == 0)
            how |= flags[i];
    if (how & O_DIRECTORY)
        how &= ~O_CREAT;        /* kernels differ about both */
    int file = open(name, how, (mode_t) draw(01000) | (draw(3) ? 0600 : 0));
    int error = errno, wanted = draw_descriptor();
    if (file >= 0) {
        digest_answer("dup2", wanted, file, digest_error(dup2(file, wanted) < 0 ? -1 : 0));
        close(file);
    }
    digest_answer("open", number, how, file < 0 ? (uint32_t) error : (uint32_t) file);
}

static void
step_unlink(void)
{
    int number;
    const char *name = draw_name(&number);

    digest_answer("unlink", number, 0, digest_error(draw(3) == 0 ? unlinkat(AT_FDCWD, name, AT_REMOVEDIR) : unlink(name)));
}

static void
step_two_names(void)
{
    static const unsigned flags[] = { 0, 0, 0, RENAME_NOREPLACE, RENAME_EXCHANGE };
    int from, to;
    const char *source = draw_name(&from), *target = draw_name(&to);

    switch (draw(4)) {
    case 0:
        if (geteuid() == 0)
            digest_answer("link", from, to, digest_error(linkat(AT_FDCWD, source, AT_FDCWD, target, draw(2) ? AT_SYMLINK_FOLLOW : 0)));
        break;
    case 1:
        if (*source == '\0' || source[strlen(source) - 1] != '/')
            digest_answer("symlink", from, to, digest_error(symlink(source, target)));
        break;
    default:
        digest_answer("rename", from, to, digest_error(syscall(SYS_renameat2, AT_FDCWD, source, AT_FDCWD, target, flags[draw(5)])));
    }
}

static void
step_make(void)
{
    int number;
    mode_t mode = draw_mode();
    const char *name = draw_name(&number);

    if (draw(4))
        digest_answer("mkdir", number, mode, digest_error(mkdir(name, mode | (draw(3) ? 0700 : 0))));
    else
        digest_answer("mkfifo", number, mode, digest_error(mkfifo(name, mode & 0777)));
}

static void
status_answer(const char *what, int number, int result, const struct stat *status)
{
    digest_answer(what, number, 0, digest_error(result));
    if (result != 0)
        return;
    digest_answer("  mode", number, status->st_mode, status->st_mode);
    digest_answer("  links", number, 0, (uint32_t) status->st_nlink);
    digest_answer("  owner", (long) status->st_uid, (long) status->st_gid, 0);
    if (!S_ISDIR(status->st_mode))
        digest_answer("  size", number, 0, (uint32_t) status->st_size);
}

static void
step_status(void)
{
    struct stat status;
    int number;
    const char *name = draw_name(&number);

    if (draw(3) == 0) {
        int file = draw_descriptor();
        status_answer("fstat", file, fstat(file, &status), &status);
    } else if (draw(2)) {
        status_answer("stat", number, stat(name, &status), &status);
    } else {
        status_answer("lstat", number, lstat(name, &status), &status);
    }
}

static void
step_look(void)
{
    int number, wanted = (int) draw(8);
    const char *name = draw_name(&number);

    if (draw(2))
        digest_answer("access", number, wanted, digest_error(faccessat(AT_FDCWD, name, wanted, draw(2) ? AT_EACCESS : 0)));
    else
        digest_answer("readlink", number, 0, bytes_digest(readlink(name, buffer, draw(40))));
}

static void
step_change(void)
{
    int number, file = draw_descriptor();
    mode_t mode = draw_mode() | (draw(2) ? 0700 : 0);
    const struct timespec times[2] = { { (time_t) draw(1000000), 5 }, { (time_t) draw(1000000), draw(2) ? UTIME_OMIT : 7 } };
    const char *name = draw_name(&number);

    switch (draw(5)) {
    case 0:
        digest_answer("chmod", number, mode, digest_error(chmod(name, mode)));
        break;
    case 1:
        digest_answer("fchmod", file, mode, digest_error(syscall(SYS_fchmod, file, mode)));
        break;
    case 2:
        digest_answer("chown", number, 0, digest_error(fchownat(AT_FDCWD, name, draw_user(), draw_user(), draw(2) ? AT_SYMLINK_NOFOLLOW : 0)));
        break;
    case 3:
        digest_answer("utimensat", number, 0, digest_error(utimensat(AT_FDCWD, name, times, 0)));
        break;
    default:
        digest_answer("fchown", file, 0, digest_error(syscall(SYS_fchown32, file, STRANGER, -1)));
    }
}

/* The names in a directory, in no order. */
static void
step_list(void)
{
    int number;
    const char *name = draw_name(&number);
    DIR *directory = opendir(name);
    uint32_t sum = 0;

    if (directory == NULL) {
        digest_answer("opendir", number, 0, (uint32_t) errno);
        return;
    }
    for (struct dirent *entry; (entry = readdir(directory)) != NULL; )
        for (const char *letter = entry->d_name; *letter != '\0'; letter++)
            sum += (uint32_t) *letter * 7 + entry->d_type;
    closedir(directory);
    digest_answer("readdir", number, 0, sum);
}

/* Never leaves the tree. */
static void
step_go(void)
{
    static const char *const places[] = { ".", "a/..", "a", "b", "c", TREE, TREE, "a/b" };
    int number = (int) draw(sizeof places / sizeof *places);

    digest_answer("chdir", number, 0, digest_error(chdir(places[number])));
    if (getcwd(buffer, sizeof buffer) == NULL)
        digest_answer("getcwd", 0, 0, (uint32_t) errno);
    else
        digest_answer("getcwd", 0, 0, bytes_digest((long) strlen(buffer)));
    if (draw(2))
        digest_answer("back", 0, 0, digest_error(chdir(TREE)));
}

/* ---- Contents ---------------------------------------------------------------------------------------------------------------- */

static void
step_read(void)
{
    int file = draw_descriptor();
    size_t bytes = 1 + draw(LONGEST - 1);
    struct iovec parts[2] = { { buffer, bytes / 3 }, { buffer + bytes / 3, bytes - bytes / 3 } };

    if (draw(2))
        digest_answer("pread", file, (long) bytes, bytes_digest(pread(file, buffer, bytes, (off_t) draw(LARGEST))));
    else
        digest_answer("readv", file, (long) bytes, bytes_digest(readv(file, parts, 2)));
}

static void
step_write(void)
{
    int file = draw_descriptor();
    size_t bytes = draw(LONGEST);
    long written;

    for (size_t i = 0; i < bytes; i += 97)
        buffer[i] = (char) draw(256);
    bool somewhere = draw(2);
    written = somewhere ? pwrite(file, buffer, bytes, (off_t) draw(LARGEST)) : write(file, buffer, bytes);
    digest_answer(somewhere ? "pwrite" : "write", file, (long) bytes, written < 0 ? (uint32_t) errno : (uint32_t) written);
}

static void
step_seek(void)
{
    static const int whences[] = { SEEK_SET, SEEK_CUR, SEEK_END, 9 };
    int file = draw_descriptor(), whence = whences[draw(4)];
    off_t where = (off_t) draw(LARGEST) - (draw(3) ? 0 : LARGEST / 2);

    long result = lseek(file, where, whence);
    digest_answer("lseek", file, whence, result < 0 ? (uint32_t) errno : (uint32_t) result);
}

static void
step_resize(void)
{
    static const int modes[] = { 0, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE };
    int number, file = draw_descriptor();
    const char *name = draw_name(&number);
    off_t size = (off_t) draw(LARGEST), start = (off_t) draw(LARGEST);

    switch (draw(3)) {
    case 0:
        digest_answer("truncate", number, size, digest_error(truncate(name, size)));
        break;
    case 1:
        digest_answer("ftruncate", file, size, digest_error(ftruncate(file, size)));
        break;
    default:
        digest_answer("fallocate", file, size, digest_error(fallocate(file, modes[draw(3)], start, size)));
    }
}

static void
step_copy(void)
{
    int from = draw_descriptor(), to = draw_descriptor();
    off_t where = (off_t) draw(LARGEST);
    struct stat source = { 0 }, target;

    fstat(from, &source);
    bool sends = draw(2) && fstat(to, &target) == 0 && S_ISREG(target.st_mode) && target.st_ino != source.st_ino;
    long result = sends ? sendfile(to, from, draw(2) ? &where : NULL, 1 + draw(LONGEST - 1))
                          : syscall(SYS_copy_file_range, from, NULL, to, NULL, draw(LONGEST), 0);
    digest_answer("copy", from, to, result < 0 ? (uint32_t) errno : (uint32_t) result);
}

/* ---- Descriptors ------------------------------------------------------------------------------------------------------------- */

static void
step_descriptor(void)
{
    static const int flags[] = { 0, O_APPEND, O_NONBLOCK | O_APPEND, O_NONBLOCK, O_NONBLOCK | O_NOATIME };
    int file = draw_descriptor(), other = draw_descriptor(), result;

    switch (draw(7)) {
    case 0:
        result = dup2(file, other);
        break;
    case 1:
        result = dup3(file, other, draw(2) ? O_CLOEXEC : 0);
        break;
    case 2:
        result = close(file);
        break;
    case 3:
        result = fcntl(file, F_GETFL);
        break;
    case 4:
        result = fcntl(file, F_SETFL, flags[draw(5)] | O_NONBLOCK);
        break;
    case 5:
        result = fcntl(file, F_GETFD);
        break;
    default:
        result = fcntl(file, F_SETFD, (int) draw(3));
    }
    digest_answer("descriptor", file, other, result < 0 ? (uint32_t) errno : (uint32_t) result);
}

static void
step_directory_change(void)
{
    int file = draw_descriptor(), number;
    const char *name = draw_name(&number);

    if (draw(2)) {
        struct stat status;
        status_answer("fstatat", number, fstatat(file, name, &status, draw(2) ? AT_SYMLINK_NOFOLLOW : AT_EMPTY_PATH), &status);
        return;
    }
    digest_answer("fchdir", file, 0, digest_error(fchdir(file)));
    digest_answer("back", 0, 0, digest_error(chdir(TREE)));
}

/* ---- Processes ---------------------------------------------------------------------------------------------------------------- */

/* Root becomes somebody else, or the other way round. */
static void
step_user(void)
{
    uid_t wanted = geteuid() == 0 && draw(3) == 0 ? STRANGER : 0;

    setegid(wanted);
    digest_answer("seteuid", (long) wanted, 0, digest_error(seteuid(wanted)));
    digest_answer("umask", 0, 0, umask((mode_t) draw(0100)));
}

/* A child shares the open files, and has its own table. */
static void step_fork(void);

static const struct digest_kind steps[] = {
    { 20, step_open }, { 6, step_unlink }, { 9, step_two_names }, { 7, step_make }, { 8, step_status }, { 5, step_look }, { 5, step_change },
    { 3, step_list }, { 2, step_go }, { 8, step_read }, { 9, step_write }, { 4, step_seek }, { 5, step_resize }, { 2, step_copy },
    { 2, step_descriptor }, { 2, step_directory_change }, { 2, step_user }, { 1, step_fork },
};

static void
step_fork(void)
{
    digest_fork(steps, CHILD_STEPS);
}

/* Takes away what the last run left, a directory's depth at a time. */
static void
tree_remove(const char *path)
{
    DIR *directory = opendir(path);
    struct dirent *entry;

    if (directory == NULL || chdir(path) != 0)
        return;
    while ((entry = readdir(directory)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 || unlink(entry->d_name) == 0)
            continue;
        tree_remove(entry->d_name);
        rmdir(entry->d_name);
    }
    closedir(directory);
    chdir("..");
}

static void
tree_make(void)
{
    static const char *const directories[] = { ROOT, ROOT "/1", ROOT "/1/2", ROOT "/1/2/3", TREE };

    for (size_t i = 0; i < sizeof directories / sizeof *directories; i++)
        mkdir(directories[i], 0755);
    chmod(TREE, 0777);
    chdir(TREE);
}

int
main(int count, char **arguments)
{
    uint32_t wanted = digest_begin(count, arguments);

    signal(SIGPIPE, SIG_IGN);
    umask(022);
    for (int i = 0; i < DESCRIPTORS; i++)
        close(FIRST_DESCRIPTOR + i);
    tree_remove(ROOT);
    tree_make();
    digest_run(steps, wanted);
    digest_end();
    seteuid(0);
    chdir("/");
    tree_remove(ROOT);
    rmdir(ROOT);
    return EXIT_SUCCESS;
}
