/*
 * What a tree is mounted with: read-only, so that everything that would change it is EROFS, its number of inodes,
 * changing that later, and how /proc tells.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "user/lib/check.h"

#define MOUNT "/dev/shm/mounts"
#define FILE_ MOUNT "/file"

enum { PAGE = 4096 };

static int
remount(unsigned long flags, const char *options)
{
    return mount("none", MOUNT, NULL, MS_REMOUNT | flags, options);
}

/* The line of a file of /proc that names the mount, or "". */
static const char *
line_of(const char *path)
{
    static char text[8192];
    int file = open(path, O_RDONLY);
    ssize_t length = read(file, text, sizeof text - 1);
    char *at, *end;

    close(file);
    text[length > 0 ? length : 0] = '\0';
    at = strstr(text, " " MOUNT " ");
    if (at == NULL)
        return "";
    while (at > text && at[-1] != '\n')
        at--;
    end = strchr(at, '\n');
    if (end != NULL)
        *end = '\0';
    return at;
}

static void
read_only_check(void)
{
    struct statfs tree;
    char text[8] = { 0 };
    int file = open(FILE_, O_RDWR | O_CREAT, 0600);

    write(file, "here", 4);
    mkdir(MOUNT "/directory", 0700);
    mkfifo(MOUNT "/fifo", 0600);
    check_that(refused(remount(MS_RDONLY, NULL), EBUSY), "a tree with a file that is open for writing does not become read-only: EBUSY");
    close(file);
    check_that(remount(MS_RDONLY, NULL) == 0, "else it does");
    check_that(refused(open(FILE_, O_RDWR), EROFS) && refused(open(FILE_, O_RDONLY | O_TRUNC), EROFS), "no file is opened for writing: EROFS");
    check_that(refused(open(MOUNT "/new", O_RDWR | O_CREAT, 0600), EROFS) && refused(mkdir(MOUNT "/new", 0700), EROFS)
               && refused(symlink("x", MOUNT "/new"), EROFS) && refused(link(FILE_, MOUNT "/new"), EROFS), "nothing is made");
    check_that(refused(unlink(MOUNT "/missing"), EROFS) && refused(rmdir(MOUNT "/missing"), EROFS)
               && refused(rename(MOUNT "/missing", MOUNT "/new"), EROFS), "not even what is not there");
    check_that(refused(unlink(FILE_), EROFS) && refused(rmdir(MOUNT "/directory"), EROFS) && refused(rename(FILE_, MOUNT "/new"), EROFS), "nothing is removed or renamed");
    check_that(refused(chmod(FILE_, 0644), EROFS) && refused(chown(FILE_, 1, 1), EROFS) && refused(truncate(FILE_, 0), EROFS)
               && refused(utimensat(AT_FDCWD, FILE_, NULL, 0), EROFS), "no file is changed");
    check_that(refused(access(FILE_, W_OK), EROFS) && access(FILE_, R_OK) == 0, "access says so");
    file = open(FILE_, O_RDONLY);
    check_that(read(file, text, 4) == 4 && strcmp(text, "here") == 0, "files are read");
    check_that(refused(fchmod(file, 0644), EROFS), "and not changed by their descriptors either");
    close(file);
    file = open(MOUNT "/fifo", O_RDWR);
    check_that(file >= 0 && write(file, "x", 1) == 1, "a FIFO in it can be written to");
    close(file);
    check_that(statfs(MOUNT, &tree) == 0 && tree.f_flags & ST_RDONLY, "statfs says that it is read-only");
    check_that(strstr(line_of("/proc/mounts"), " " MOUNT " tmpfs ro") != NULL, "and /proc/mounts");
    check_that(remount(0, NULL) == 0 && unlink(FILE_) == 0 && statfs(MOUNT, &tree) == 0 && !(tree.f_flags & ST_RDONLY), "mounted anew to be written, it is");
}

static void
mapped_check(void)
{
    int file = open(FILE_, O_RDWR | O_CREAT, 0600);

    ftruncate(file, PAGE);
    char *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    check_that(refused(remount(MS_RDONLY, NULL), EBUSY), "a mapping that can be written keeps it from that, too");
    munmap(shared, PAGE);
    check_that(remount(MS_RDONLY, NULL) == 0 && remount(0, NULL) == 0, "until it is gone");
    unlink(FILE_);
}

static void
limits_check(void)
{
    struct statfs tree;
    int file;

    check_that(statfs(MOUNT, &tree) == 0 && tree.f_files == 5, "statfs says how many inodes there may be");
    file = open(FILE_, O_RDWR | O_CREAT, 0600);
    mkdir(MOUNT "/another", 0700);
    check_that(refused(open(MOUNT "/more", O_RDWR | O_CREAT, 0600), ENOSPC) && refused(mkdir(MOUNT "/more", 0700), ENOSPC)
               && refused(symlink("x", MOUNT "/more"), ENOSPC), "and no more: ENOSPC");
    check_that(statfs(MOUNT, &tree) == 0 && tree.f_ffree == 0, "none is free");
    check_that(refused(remount(0, "nr_inodes=4"), EINVAL), "there cannot be fewer than are in use: EINVAL");
    ftruncate(file, 4 * PAGE);
    write(file, "x", 1);
    pwrite(file, "x", 1, PAGE);
    check_that(refused(remount(0, "size=4k"), EINVAL), "nor less room: EINVAL");
    check_that(remount(0, "size=8k") == 0 && refused(pwrite(file, "x", 1, 2 * PAGE), ENOSPC), "just as much is possible");
    check_that(remount(0, "size=16k,nr_inodes=6") == 0 && pwrite(file, "x", 1, 2 * PAGE) == 1 && mkdir(MOUNT "/more", 0700) == 0, "and more");
    close(file);
    check_that(refused(mount("none", "/dev", NULL, MS_REMOUNT, "size=x"), EINVAL) && refused(mount("none", FILE_, NULL, MS_REMOUNT, NULL), EINVAL),
               "what is no mount is not mounted anew: EINVAL");
}

static void
owner_check(void)
{
    struct stat status;

    mount("none", MOUNT, "tmpfs", 0, "uid=4242,gid=4243,mode=1750");
    check_that(stat(MOUNT, &status) == 0 && status.st_uid == 4242 && status.st_gid == 4243 && (status.st_mode & 07777) == 01750,
               "a tree's directory has the user, the group and the mode that were asked for");
    umount(MOUNT);
    check_that(refused(mount("none", MOUNT, "tmpfs", 0, "uid=x"), EINVAL) && refused(mount("none", MOUNT, "tmpfs", 0, "mode=8"), EINVAL), "what is no number is refused: EINVAL");
}

/* What is promised has to be there: all of it, or nothing changes. */
static void
promise_check(void)
{
    struct stat status;

    mount("none", MOUNT, "tmpfs", 0, "size=16k");
    int file = open(FILE_, O_RDWR | O_CREAT, 0600);
    check_that(refused(fallocate(file, 0, 0, 5 * PAGE), ENOSPC) && fstat(file, &status) == 0 && status.st_size == 0, "more than there is room for cannot be promised: ENOSPC");
    pwrite(file, "x", 1, PAGE);
    check_that(fallocate(file, 0, 0, 4 * PAGE) == 0, "what a file has already needs no further room");
    close(file);
    umount(MOUNT);
}

static void
information_check(void)
{
    unsigned number = 0, parent = 0, major_number = 0, minor_number = 0;
    char root[16] = "", point[64] = "", type[16] = "", source[32] = "";
    const char *line = line_of("/proc/self/mountinfo"), *rest = strstr(line, " - ");
    struct stat status;

    stat(MOUNT, &status);
    check_that(sscanf(line, "%u %u %u:%u %15s %63s", &number, &parent, &major_number, &minor_number, root, point) == 6 && number != parent
               && strcmp(root, "/") == 0 && strcmp(point, MOUNT) == 0, "mountinfo has a line for it");
    check_that(major_number == (unsigned) (status.st_dev >> 8) && minor_number == (unsigned) (status.st_dev & 0xff), "with st_dev's numbers");
    check_that(rest != NULL && sscanf(rest, " - %15s %31s", type, source) == 2 && strcmp(type, "tmpfs") == 0 && strcmp(source, "a-source") == 0,
               "and what was mounted");
    check_that(strncmp(line_of("/proc/mounts"), "a-source " MOUNT " tmpfs rw", strlen("a-source " MOUNT " tmpfs rw")) == 0, "as /proc/mounts has");
}

int
main(void)
{
    mkdir(MOUNT, 0700);
    if (mount("a-source", MOUNT, "tmpfs", 0, "size=64k,nr_inodes=5") != 0) {
        check_skip("mounting: %s", strerror(errno));
        return check_end();
    }
    information_check();
    read_only_check();
    mapped_check();
    limits_check();
    umount(MOUNT);
    check_that(mount("none", MOUNT, "tmpfs", MS_RDONLY, NULL) == 0 && refused(mkdir(MOUNT "/new", 0700), EROFS), "a tree can be mounted read-only at once");
    umount(MOUNT);
    owner_check();
    promise_check();
    check_that(rmdir(MOUNT) == 0, "nothing is left");
    return check_end();
}
