/*
 * Trees in memory: how much a tmpfs holds, mounts over mounts, names that do not leave
 * their tree; files that are mostly holes, and very long; seals.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/check.h"

#define DIRECTORY "/dev/shm/tmpfs"
#define MOUNT     DIRECTORY "/mount"
#define OTHER     DIRECTORY "/other"

enum { PAGE = 4096, LIMIT_PAGES = 16, EXCHANGE = 2, NOREPLACE = 1, STRANGER = 1000 };

static const off_t GIBIBYTE = 1 << 30;
static char bytes[PAGE];

static int
file_make(const char *name, const char *text)
{
    int file = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
    write(file, text, strlen(text));
    return file;
}

static bool
file_says(const char *name, const char *text)
{
    char buffer[64] = { 0 };
    int file = open(name, O_RDONLY);
    bool says = file >= 0 && read(file, buffer, sizeof buffer - 1) == (ssize_t) strlen(text) && strcmp(buffer, text) == 0;
    close(file);
    return says;
}

static off_t
size_of(const char *name)
{
    struct stat status;
    return stat(name, &status) == 0 ? status.st_size : -1;
}

static long
blocks_of(int file)
{
    struct stat status;
    return fstat(file, &status) == 0 ? (long) status.st_blocks : -1;
}

/* ---- How much a tree holds ---- */

/* A tree without size= of its own uses what its files have, however much memory others use. */
static void
used_check(void)
{
    struct statfs before, after;

    statfs(MOUNT, &before);
    int file = file_make(MOUNT "/file", "a page");
    statfs(MOUNT, &after);
    check_that(before.f_blocks == before.f_bfree && before.f_bavail > 0, "an empty tree uses nothing");
    check_that(after.f_blocks - after.f_bfree == 1, "a file of a page uses a page");
    close(file);
    umount(MOUNT);
}

static void
room_check(void)
{
    struct statfs tree;

    check_that(refused(mount("none", MOUNT, "tmpfs", 0, "size=many"), EINVAL) && refused(mount("none", MOUNT, "tmpfs", 0, "sizes=4k"), EINVAL),
               "options that do not exist: EINVAL");
    check_that(mount("none", MOUNT, "tmpfs", 0, "size=64k,mode=0750") == 0, "a tmpfs of 64 KiB");
    struct stat status;
    check_that(stat(MOUNT, &status) == 0 && (status.st_mode & 07777) == 0750, "mode= is its root's");
    check_that(status.st_size == 40, "an empty directory has 40 bytes");
    check_that(statfs(MOUNT, &tree) == 0 && tree.f_blocks == LIMIT_PAGES && tree.f_bfree == LIMIT_PAGES && tree.f_bsize == PAGE,
               "statfs shows the limit, all of it free");
    int file = open(MOUNT "/file", O_RDWR | O_CREAT, 0600);
    check_that(size_of(MOUNT) == 60, "and 20 more for each name in it");
    int pages = 0;
    while (pages <= LIMIT_PAGES && write(file, bytes, PAGE) == PAGE)
        pages++;
    check_that(pages == LIMIT_PAGES && errno == ENOSPC, "it holds as much and no more: ENOSPC");
    check_that(pwrite(file, "still", 5, 100) == 5, "what is there can still be written to");
    check_that(statfs(MOUNT, &tree) == 0 && tree.f_bfree == 0, "statfs: nothing free");
    check_that(size_of(MOUNT "/file") == LIMIT_PAGES * PAGE, "the attempt has left the file as long as it was");
    check_that(ftruncate(file, (LIMIT_PAGES + 4) * PAGE) == 0 && blocks_of(file) == LIMIT_PAGES * 8, "a hole takes no room");
    pid_t child = check_fork();
    if (child == 0) {
        char *memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, LIMIT_PAGES * PAGE);
        memory[0] = 1;
        _exit(0);
    }
    check_that(check_wait(child) == SIGBUS, "writing to one through a mapping is SIGBUS");
    check_that(refused(fallocate(file, 0, LIMIT_PAGES * PAGE, PAGE), ENOSPC), "fallocate: ENOSPC");
    check_that(fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, PAGE, 2 * PAGE) == 0 && blocks_of(file) == (LIMIT_PAGES - 2) * 8,
               "a hole gives pages back");
    check_that(pwrite(file, bytes, PAGE, LIMIT_PAGES * PAGE) == PAGE, "which can be had again");
    close(file);
    unlink(MOUNT "/file");
    check_that(statfs(MOUNT, &tree) == 0 && tree.f_bfree == LIMIT_PAGES, "all is free when the file is gone");
    check_that(umount(MOUNT) == 0, "umount");
    mount("none", MOUNT, "tmpfs", 0, "size=0");
    file = open(MOUNT "/file", O_RDWR | O_CREAT, 0600);
    check_that(write(file, bytes, PAGE) == PAGE, "size=0 sets no limit");
    close(file);
    umount(MOUNT);
}

static bool
says_mounted(const char *line)
{
    static char text[4096];
    int file = open("/proc/mounts", O_RDONLY);
    ssize_t length = read(file, text, sizeof text - 1);

    close(file);
    text[length > 0 ? length : 0] = '\0';
    return strstr(text, line) != NULL;
}

/* Without options a tree takes half of memory, with an inode for each page of that. */
static void
default_check(void)
{
    struct sysinfo memory;
    struct statfs tree;
    char name[64];
    unsigned made = 0;

    sysinfo(&memory);
    unsigned long pages = (unsigned long) ((uint64_t) memory.totalram * memory.mem_unit / PAGE);
    mount("none", MOUNT, "tmpfs", 0, NULL);
    check_that(statfs(MOUNT, &tree) == 0 && tree.f_blocks <= pages / 2 + 1 && tree.f_blocks >= pages * 2 / 5,
               "a tmpfs takes half of memory: %ld of %ld pages", (long) tree.f_blocks, pages);
    check_that(tree.f_files > tree.f_blocks / 2 && tree.f_files <= tree.f_blocks && tree.f_ffree == tree.f_files - 1, "and has inodes");
    check_that((tree.f_flags & 0x1000) && says_mounted("none " MOUNT " tmpfs rw,relatime 0 0\n"), "as Linux tells it");
    umount(MOUNT);
    mount("none", MOUNT, "tmpfs", 0, "nr_inodes=100");
    do
        snprintf(name, sizeof name, MOUNT "/%u", made);
    while (mkdir(name, 0700) == 0 && ++made < 200);
    check_that(made == 99 && errno == ENOSPC, "directories end with the inodes: ENOSPC after %u", made);
    umount(MOUNT);
}

/* A tree is in use where anything in it is. */
static void
use_check(void)
{
    mount("none", MOUNT, "tmpfs", 0, NULL);
    mkdir(MOUNT "/a", 0700);
    mkdir(MOUNT "/a/b", 0700);
    close(file_make(MOUNT "/a/b/c", "c"));
    mkdir(MOUNT "/d", 0700);
    int file = file_make(MOUNT "/d/e", "e");
    check_that(refused(umount(MOUNT), EBUSY), "a tree with an open file is not unmounted: EBUSY");
    close(file);
    chdir(MOUNT "/a/b");
    check_that(refused(umount(MOUNT), EBUSY), "nor one with a working directory");
    chdir("/");
    check_that(umount(MOUNT) == 0, "else it is, whatever is in it");
}

static bool
takes_names(int directory)
{
    return !refused(openat(directory, "new", O_WRONLY | O_CREAT, 0600), ENOENT) || !refused(mkdirat(directory, "new", 0700), ENOENT)
           || !refused(linkat(AT_FDCWD, DIRECTORY "/file", directory, "new", 0), ENOENT)
           || !refused(renameat(AT_FDCWD, DIRECTORY "/file", directory, "new"), ENOENT);
}

static void
removed_directory_check(void)
{
    int removed;

    close(file_make(DIRECTORY "/file", ""));
    mkdir(DIRECTORY "/removed", 0755);
    removed = open(DIRECTORY "/removed", O_RDONLY | O_DIRECTORY);
    rmdir(DIRECTORY "/removed");
    check_that(!takes_names(removed), "a removed directory takes no names, neither new ones nor those of other files: ENOENT");
    seteuid(STRANGER);
    check_that(!takes_names(removed), "and says so before who may write there is asked");
    seteuid(0);
    close(removed);
    unlink(DIRECTORY "/file");
}

static void
group_directory_check(void)
{
    struct stat status;

    mkdir(DIRECTORY "/group", 0700);
    if (chown(DIRECTORY "/group", 0, 5) != 0 || chmod(DIRECTORY "/group", 02700) != 0)
        check_skip("a directory's group: %s", strerror(errno));
    close(file_make(DIRECTORY "/group/file", ""));
    mkdir(DIRECTORY "/group/below", 0700);
    check_that(stat(DIRECTORY "/group/file", &status) == 0 && status.st_gid == 5 && !(status.st_mode & S_ISGID), "what is made in a set-group-id directory has its group");
    check_that(stat(DIRECTORY "/group/below", &status) == 0 && status.st_gid == 5 && status.st_mode & S_ISGID, "and a directory the bit too");
    unlink(DIRECTORY "/group/file");
    rmdir(DIRECTORY "/group/below");
    rmdir(DIRECTORY "/group");
}

/* ---- Mounts and names ---- */

static void
mount_check(void)
{
    struct stat here, there;

    close(file_make(MOUNT "/lowest", "0"));
    mount("none", MOUNT, "tmpfs", 0, NULL);
    close(file_make(MOUNT "/lower", "1"));
    check_that(refused(access(MOUNT "/lowest", F_OK), ENOENT), "a mount covers what was there");
    check_that(mount("none", MOUNT, "tmpfs", 0, NULL) == 0 && refused(access(MOUNT "/lower", F_OK), ENOENT), "and another one covers that");
    close(file_make(MOUNT "/upper", "2"));
    check_that(umount(MOUNT) == 0 && file_says(MOUNT "/lower", "1") && refused(access(MOUNT "/upper", F_OK), ENOENT),
               "umount uncovers one after the other");
    check_that(stat(MOUNT "/lower", &here) == 0 && stat(OTHER, &there) == 0 && here.st_dev != there.st_dev, "each tree has its own st_dev");
    check_that(refused(rename(MOUNT "/lower", OTHER "/lower"), EXDEV), "no rename from one into another: EXDEV");
    check_that(refused(link(MOUNT "/lower", OTHER "/lower"), EXDEV), "no link either");
    check_that(refused(syscall(SYS_renameat2, AT_FDCWD, MOUNT "/lower", AT_FDCWD, OTHER, EXCHANGE), EXDEV), "nor an exchange");
    check_that(refused(rename(MOUNT, OTHER "/mount"), EBUSY) && refused(rmdir(MOUNT), EBUSY), "a mount point stays where it is: EBUSY");
    check_that(umount(MOUNT) == 0 && file_says(MOUNT "/lowest", "0"), "the directory is back");
    unlink(MOUNT "/lowest");
}

static long
exchange(const char *one, const char *other)
{
    return syscall(SYS_renameat2, AT_FDCWD, one, AT_FDCWD, other, EXCHANGE);
}

static void
exchange_check(void)
{
    struct stat parent;

    close(file_make(DIRECTORY "/one", "1"));
    close(file_make(OTHER "/two", "2"));
    mkdir(DIRECTORY "/tree", 0700);
    close(file_make(DIRECTORY "/tree/leaf", "leaf"));
    check_that(exchange(DIRECTORY "/one", OTHER "/two") == 0 && file_says(DIRECTORY "/one", "2") && file_says(OTHER "/two", "1"),
               "two files change places");
    check_that(exchange(DIRECTORY "/tree", OTHER "/two") == 0 && file_says(DIRECTORY "/tree", "1") && file_says(OTHER "/two/leaf", "leaf"),
               "a file and a directory too");
    check_that(stat(OTHER, &parent) == 0 && parent.st_nlink == 3 && stat(DIRECTORY, &parent) == 0 && parent.st_nlink == 4
               && stat(OTHER "/two/..", &parent) == 0 && chdir(OTHER "/two/..") == 0 && access("two/leaf", F_OK) == 0,
               "links are counted, and .. leads to the new parent");
    chdir("/");
    check_that(refused(exchange(DIRECTORY "/none", OTHER "/two"), ENOENT) && refused(exchange(OTHER "/two", DIRECTORY "/none"), ENOENT),
               "both must be there: ENOENT");
    check_that(refused(exchange(OTHER, OTHER "/two"), EINVAL) && refused(exchange(OTHER "/two", OTHER), EINVAL), "neither below the other: EINVAL");
    check_that(refused(syscall(SYS_renameat2, AT_FDCWD, DIRECTORY "/one", AT_FDCWD, OTHER "/two", EXCHANGE | NOREPLACE), EINVAL),
               "not with RENAME_NOREPLACE: EINVAL");
    check_that(refused(syscall(SYS_renameat2, AT_FDCWD, DIRECTORY "/one", AT_FDCWD, DIRECTORY "/tree", NOREPLACE), EEXIST),
               "which alone refuses a name that is there: EEXIST");
    unlink(OTHER "/two/leaf");
    check_that(rmdir(OTHER "/two") == 0 && unlink(DIRECTORY "/one") == 0 && unlink(DIRECTORY "/tree") == 0, "and all can be removed");
}

/* ---- Holes ---- */

static void
sparse_check(const char *name)
{
    int file = file_make(name, "");

    check_that(ftruncate(file, GIBIBYTE) == 0 && size_of(name) == GIBIBYTE && blocks_of(file) == 0, "%s: 1 GiB of nothing takes no room", name);
    check_that(pwrite(file, "end", 3, GIBIBYTE - 3) == 3 && pwrite(file, "middle", 6, GIBIBYTE / 2) == 6, "written at its end and in its middle");
    check_that(blocks_of(file) == 2 * PAGE / 512, "it has two pages");
    memset(bytes, 1, sizeof bytes);
    check_that(pread(file, bytes, PAGE, GIBIBYTE / 4) == PAGE && bytes[0] == 0 && memcmp(bytes, bytes + 1, PAGE - 1) == 0, "holes read as zeroes");
    check_that(lseek(file, 0, SEEK_DATA) == GIBIBYTE / 2 && lseek(file, GIBIBYTE / 2 + 5, SEEK_DATA) == GIBIBYTE / 2 + 5
               && lseek(file, GIBIBYTE / 2 + PAGE, SEEK_DATA) == GIBIBYTE - PAGE, "SEEK_DATA finds them");
    check_that(lseek(file, 0, SEEK_HOLE) == 0 && lseek(file, GIBIBYTE / 2, SEEK_HOLE) == GIBIBYTE / 2 + PAGE
               && lseek(file, GIBIBYTE - 1, SEEK_HOLE) == GIBIBYTE && refused(lseek(file, GIBIBYTE, SEEK_DATA), ENXIO)
               && refused(lseek(file, GIBIBYTE, SEEK_HOLE), ENXIO), "SEEK_HOLE what lies between, and the end");
    char *middle = mmap(NULL, GIBIBYTE / 2, PROT_READ | PROT_WRITE, MAP_SHARED, file, GIBIBYTE / 2);
    check_that(middle != MAP_FAILED && memcmp(middle, "middle", 6) == 0 && memcmp(middle + GIBIBYTE / 2 - 3, "end", 3) == 0, "half of it is mapped");
    for (int i = 1; i < 8; i++)
        middle[i * (GIBIBYTE / 16)] = i;
    char byte = 0;
    check_that(pread(file, &byte, 1, GIBIBYTE / 2 + 5 * (GIBIBYTE / 16)) == 1 && byte == 5 && blocks_of(file) == 9 * PAGE / 512,
               "and written to here and there");
    munmap(middle, GIBIBYTE / 2);
    check_that(ftruncate(file, PAGE) == 0 && blocks_of(file) == 0, "cut off, it has none");
    close(file);
    unlink(name);
}

static void
long_check(void)
{
    int file = file_make(DIRECTORY "/long", "");
    char byte = 1;

    check_that(pwrite(file, "x", 1, 3 * GIBIBYTE) == 1 && size_of(DIRECTORY "/long") == 3 * GIBIBYTE + 1, "a byte behind 3 GiB");
    check_that(pwrite(file, "y", 1, 5 * GIBIBYTE) == 1 && pread(file, &byte, 1, 5 * GIBIBYTE - 1) == 1 && byte == 0
               && pread(file, &byte, 1, 5 * GIBIBYTE) == 1 && byte == 'y', "and behind 5 GiB");
    check_that(lseek(file, 5 * GIBIBYTE, SEEK_SET) == 5 * GIBIBYTE, "lseek has 64 bits");
    if (syscall(SYS_lseek, file, 0, SEEK_CUR) == -1)
        check_that(errno == EOVERFLOW, "the old call cannot say it: EOVERFLOW");
    else
        check_skip("the old call cannot say it: here it can");
    check_that(refused(pwrite(file, "z", 1, INT64_MAX), EFBIG) || errno == EINVAL, "no file is so long: EFBIG");
    check_that(refused(ftruncate(file, INT64_MAX), EFBIG) || errno == EINVAL, "nor by ftruncate");
    check_that(refused(pread(file, &byte, 1, -1), EINVAL), "a negative offset: EINVAL");
    close(file);
    unlink(DIRECTORY "/long");
}

static void
allocate_check(void)
{
    int file = file_make(DIRECTORY "/allocated", "data");
    char text[4 * PAGE];

    check_that(fallocate(file, 0, PAGE, 3 * PAGE) == 0 && size_of(DIRECTORY "/allocated") == 4 * PAGE && blocks_of(file) == 4 * 8,
               "fallocate makes pages and the file longer");
    check_that(fallocate(file, FALLOC_FL_KEEP_SIZE, 0, 8 * PAGE) == 0 && size_of(DIRECTORY "/allocated") == 4 * PAGE, "or keeps its size");
    memset(text, 'a', sizeof text);
    pwrite(file, text, sizeof text, 0);
    long blocks = blocks_of(file);
    check_that(fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, PAGE - 10, PAGE + 20) == 0, "a hole that is not of whole pages");
    pread(file, text, sizeof text, 0);
    check_that(text[PAGE - 11] == 'a' && text[PAGE - 10] == 0 && text[2 * PAGE + 9] == 0 && text[2 * PAGE + 10] == 'a' && text[PAGE + 7] == 0
               && blocks_of(file) == blocks - 8, "is zero to the byte");
    check_that(ftruncate(file, 3 * PAGE + 100) == 0 && fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 3 * PAGE + 200, 10) == 0
               && pread(file, text, 1, 3 * PAGE + 99) == 1 && text[0] == 'a', "one behind the end is nothing");
    check_that(refused(fallocate(file, FALLOC_FL_PUNCH_HOLE, 0, PAGE), EOPNOTSUPP) && refused(fallocate(file, 0, -1, 1), EINVAL)
               && refused(fallocate(file, 0, 0, 0), EINVAL) && refused(fallocate(file, 0x40000, 0, 1), EOPNOTSUPP), "what fallocate refuses");
    int reader = open(DIRECTORY "/allocated", O_RDONLY), ends[2];
    pipe(ends);
    check_that(refused(fallocate(reader, 0, 0, 1), EBADF) && refused(fallocate(ends[1], 0, 0, 1), ESPIPE), "and on what");
    close(ends[0]);
    close(ends[1]);
    close(reader);
    close(file);
    unlink(DIRECTORY "/allocated");
}

static long
copy(int in, int64_t *in_offset, int out, int64_t *out_offset, size_t count, unsigned flags)
{
    return syscall(SYS_copy_file_range, in, in_offset, out, out_offset, count, flags);
}

static void
copy_check(void)
{
    int from = file_make(DIRECTORY "/from", "0123456789"), to = file_make(DIRECTORY "/to", "abcdef");
    int64_t in = 2, out = 3;

    check_that(copy(from, &in, to, &out, 4, 0) == 4 && in == 6 && out == 7 && file_says(DIRECTORY "/to", "abc2345"), "copy_file_range at offsets");
    check_that(lseek(from, 0, SEEK_CUR) == 10 && lseek(to, 0, SEEK_CUR) == 6, "leaves the files' own");
    lseek(from, 8, SEEK_SET);
    check_that(copy(from, NULL, to, NULL, 100, 0) == 2 && file_says(DIRECTORY "/to", "abc23489") && copy(from, NULL, to, NULL, 1, 0) == 0,
               "or at these, to the end");
    in = 0, out = 5;
    check_that(refused(copy(from, &in, from, &out, 6, 0), EINVAL) && copy(from, &in, from, &out, 5, 0) == 5
               && file_says(DIRECTORY "/from", "0123401234"), "within a file, if it does not overlap");
    int reader = open(DIRECTORY "/to", O_RDONLY), appending = open(DIRECTORY "/to", O_WRONLY | O_APPEND), directory = open(DIRECTORY, O_RDONLY);
    check_that(refused(copy(from, &in, reader, &out, 1, 0), EBADF) && refused(copy(from, &in, appending, &out, 1, 0), EBADF)
               && refused(copy(directory, &in, to, &out, 1, 0), EISDIR) && refused(copy(from, &in, to, &out, 1, 1), EINVAL), "what it refuses");
    lseek(to, 0, SEEK_SET);
    off_t start = 5;
    check_that(sendfile(to, from, &start, 3) == 3 && start == 8 && file_says(DIRECTORY "/to", "01223489"), "sendfile");
    close(from);
    close(to);
    close(reader);
    close(appending);
    close(directory);
    unlink(DIRECTORY "/from");
    unlink(DIRECTORY "/to");
}

/* ---- Seals ---- */

#ifndef MFD_ALLOW_SEALING
#define MFD_ALLOW_SEALING 2
#endif

static int
sealed(int seals)
{
    int file = memfd_create("sealed", MFD_ALLOW_SEALING);
    ftruncate(file, 2 * PAGE);
    if (fcntl(file, F_ADD_SEALS, seals) != 0)
        check_note("F_ADD_SEALS: %s", strerror(errno));
    return file;
}

static void *
map(int file, int protection, int flags)
{
    return mmap(NULL, PAGE, protection, flags, file, 0);
}

static void
seal_check(void)
{
    int file = memfd_create("plain", 0);
    check_that(fcntl(file, F_GET_SEALS) == F_SEAL_SEAL && refused(fcntl(file, F_ADD_SEALS, F_SEAL_GROW), EPERM), "not made to be sealed: EPERM");
    close(file);
    file = sealed(0);
    check_that(fcntl(file, F_GET_SEALS) == 0 && refused(fcntl(file, F_ADD_SEALS, 0x100), EINVAL), "no seals yet; unknown ones: EINVAL");
    close(file);
    file = sealed(F_SEAL_SHRINK);
    check_that(refused(ftruncate(file, PAGE), EPERM) && ftruncate(file, 2 * PAGE) == 0 && ftruncate(file, 3 * PAGE) == 0,
               "F_SEAL_SHRINK: no shorter");
    close(file);
    file = sealed(F_SEAL_GROW);
    check_that(refused(ftruncate(file, 3 * PAGE), EPERM) && pwrite(file, "x", 1, PAGE) == 1 && refused(pwrite(file, "x", 1, 2 * PAGE), EPERM)
               && refused(fallocate(file, 0, PAGE, 2 * PAGE), EPERM) && ftruncate(file, PAGE + 100) == 0, "F_SEAL_GROW: no longer");
    check_that(refused(pwrite(file, "yy", 2, PAGE + 99), EPERM) && pwrite(file, bytes, 200, PAGE - 50) == 50,
               "a write ends with the last page that it does not grow in");
    close(file);
    file = sealed(0);
    void *memory = map(file, PROT_READ | PROT_WRITE, MAP_SHARED);
    check_that(refused(fcntl(file, F_ADD_SEALS, F_SEAL_WRITE), EBUSY), "F_SEAL_WRITE while somebody has it mapped for that: EBUSY");
    mprotect(memory, PAGE, PROT_READ);
    check_that(refused(fcntl(file, F_ADD_SEALS, F_SEAL_WRITE), EBUSY), "or could have again by mprotect");
    munmap(memory, PAGE);
    check_that(fcntl(file, F_ADD_SEALS, F_SEAL_WRITE) == 0 && fcntl(file, F_GET_SEALS) == F_SEAL_WRITE, "afterwards it holds");
    check_that(refused(pwrite(file, "x", 1, 0), EPERM) && refused(fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE), EPERM),
               "nothing is written, or punched out");
    check_that(map(file, PROT_READ | PROT_WRITE, MAP_SHARED) == MAP_FAILED && errno == EPERM, "nor mapped for that");
    char *private = map(file, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    check_that(private != MAP_FAILED && (private[0] = 1), "privately it is");
    check_that(fcntl(file, F_ADD_SEALS, F_SEAL_SEAL) == 0 && refused(fcntl(file, F_ADD_SEALS, F_SEAL_GROW), EPERM), "F_SEAL_SEAL: that was the last");
    close(file);
    file = sealed(0);
    memory = map(file, PROT_READ | PROT_WRITE, MAP_SHARED);
    check_that(fcntl(file, F_ADD_SEALS, F_SEAL_FUTURE_WRITE) == 0 && refused(pwrite(file, "x", 1, 0), EPERM)
               && map(file, PROT_READ | PROT_WRITE, MAP_SHARED) == MAP_FAILED && (*(char *) memory = 1), "F_SEAL_FUTURE_WRITE leaves mappings that are there");
    munmap(memory, PAGE);
    close(file);
    int ends[2];
    pipe(ends);
    check_that(refused(fcntl(ends[0], F_GET_SEALS), EINVAL), "a pipe has none: EINVAL");
    close(ends[0]);
    close(ends[1]);
}

int
main(void)
{
    mkdir(DIRECTORY, 0755);
    mkdir(MOUNT, 0700);
    mkdir(OTHER, 0700);
    if (mount("none", MOUNT, "tmpfs", 0, NULL) == 0) {
        used_check();
        room_check();
        default_check();
        use_check();
        mount_check();
    } else {
        check_skip("mounting: %s", strerror(errno));
    }
    removed_directory_check();
    group_directory_check();
    exchange_check();
    sparse_check(DIRECTORY "/sparse");
    sparse_check("/sparse");
    long_check();
    allocate_check();
    copy_check();
    seal_check();
    check_that(rmdir(MOUNT) == 0 && rmdir(OTHER) == 0 && rmdir(DIRECTORY) == 0, "nothing is left");
    return check_end();
}
