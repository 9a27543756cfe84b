/*
 * Paths that lead nowhere, or not where the call wants to go: each call on each of them answers with the errno that
 * Linux has for it.
 *
 *     f        a file, with a symbolic link link-f
 *     d        an empty directory, with a symbolic link link-d
 *     e        a directory with a file x
 *     loop     a symbolic link to itself
 *     dangling, dangling-far     symbolic links to a name that could be made, and to one whose directory is missing
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/lib/check.h"

#define DIRECTORY "/tmp/bad_paths"

enum { CALLS = 14, TOO_MANY = 5000 };

static int
close_after(int file)
{
    return file < 0 ? -1 : close(file);
}

static struct stat status;
static char target[16];

static int open_read(const char *path) { return close_after(open(path, O_RDONLY)); }
static int open_write(const char *path) { return close_after(open(path, O_WRONLY)); }
static int open_create(const char *path) { return close_after(open(path, O_RDWR | O_CREAT, 0644)); }
static int open_new(const char *path) { return close_after(open(path, O_RDWR | O_CREAT | O_EXCL, 0644)); }
static int open_no_follow(const char *path) { return close_after(open(path, O_RDONLY | O_NOFOLLOW)); }
static int open_directory(const char *path) { return close_after(open(path, O_RDONLY | O_DIRECTORY)); }
static int call_stat(const char *path) { return stat(path, &status); }
static int call_lstat(const char *path) { return lstat(path, &status); }
static int call_mkdir(const char *path) { return mkdir(path, 0755); }
static int call_symlink(const char *path) { return symlink("anything", path); }
static int call_readlink(const char *path) { return readlink(path, target, sizeof target) < 0 ? -1 : 0; }
static int call_truncate(const char *path) { return truncate(path, 3); }

static const struct { const char *name; int (*attempt)(const char *path); } calls[CALLS] = {
    { "open", open_read },
    { "open for writing", open_write },
    { "O_CREAT", open_create },
    { "O_CREAT | O_EXCL", open_new },
    { "O_NOFOLLOW", open_no_follow },
    { "O_DIRECTORY", open_directory },
    { "stat", call_stat },
    { "lstat", call_lstat },
    { "unlink", unlink },
    { "rmdir", rmdir },
    { "mkdir", call_mkdir },
    { "symlink", call_symlink },
    { "readlink", call_readlink },
    { "truncate", call_truncate },
};

/* Short names, so that a row is a line. */
enum {
    NOENT = ENOENT, NODIR = ENOTDIR, ISDIR = EISDIR, EXIST = EEXIST, LOOP = ELOOP, INVAL = EINVAL, FULL = ENOTEMPTY,
};

/* What each call answers, in the order of calls; 0 where it succeeds. Found out on Linux 6.1. */
static const struct { const char *path; int expected[CALLS]; } paths[] = {
    { "", { NOENT, NOENT, NOENT, NOENT, NOENT, NOENT, NOENT, NOENT, NOENT, NOENT, NOENT, NOENT, NOENT, NOENT } },
    { "f", { 0, 0, 0, EXIST, 0, NODIR, 0, 0, 0, NODIR, EXIST, EXIST, INVAL, 0 } },
    { "f/", { NODIR, NODIR, ISDIR, ISDIR, NODIR, NODIR, NODIR, NODIR, NODIR, NODIR, EXIST, EXIST, NODIR, NODIR } },
    { "f/.", { NODIR, NODIR, NODIR, NODIR, NODIR, NODIR, NODIR, NODIR, NODIR, NODIR, NODIR, NODIR, NODIR, NODIR } },
    { "f/x", { NODIR, NODIR, NODIR, NODIR, NODIR, NODIR, NODIR, NODIR, NODIR, NODIR, NODIR, NODIR, NODIR, NODIR } },
    { "d", { 0, ISDIR, ISDIR, EXIST, 0, 0, 0, 0, ISDIR, 0, EXIST, EXIST, INVAL, ISDIR } },
    { "d/", { 0, ISDIR, ISDIR, ISDIR, 0, 0, 0, 0, ISDIR, 0, EXIST, EXIST, INVAL, ISDIR } },
    { "d/.", { 0, ISDIR, ISDIR, EXIST, 0, 0, 0, 0, ISDIR, INVAL, EXIST, EXIST, INVAL, ISDIR } },
    { "d/..", { 0, ISDIR, ISDIR, EXIST, 0, 0, 0, 0, ISDIR, FULL, EXIST, EXIST, INVAL, ISDIR } },
    { "d/x", { NOENT, NOENT, 0, 0, NOENT, NOENT, NOENT, NOENT, NOENT, NOENT, 0, 0, NOENT, NOENT } },
    { "d/x/", { NOENT, NOENT, ISDIR, ISDIR, NOENT, NOENT, NOENT, NOENT, NOENT, NOENT, 0, NOENT, NOENT, NOENT } },
    { "e", { 0, ISDIR, ISDIR, EXIST, 0, 0, 0, 0, ISDIR, FULL, EXIST, EXIST, INVAL, ISDIR } },
    { "e/", { 0, ISDIR, ISDIR, ISDIR, 0, 0, 0, 0, ISDIR, FULL, EXIST, EXIST, INVAL, ISDIR } },
    { "e/x", { 0, 0, 0, EXIST, 0, NODIR, 0, 0, 0, NODIR, EXIST, EXIST, INVAL, 0 } },
    { "link-f", { 0, 0, 0, EXIST, LOOP, NODIR, 0, 0, 0, NODIR, EXIST, EXIST, 0, 0 } },
    { "link-f/", { NODIR, NODIR, ISDIR, ISDIR, NODIR, NODIR, NODIR, NODIR, NODIR, NODIR, EXIST, EXIST, NODIR, NODIR } },
    { "link-d", { 0, ISDIR, ISDIR, EXIST, LOOP, 0, 0, 0, 0, NODIR, EXIST, EXIST, 0, ISDIR } },
    { "link-d/", { 0, ISDIR, ISDIR, ISDIR, 0, 0, 0, 0, NODIR, NODIR, EXIST, EXIST, INVAL, ISDIR } },
    { "link-d/x", { NOENT, NOENT, 0, 0, NOENT, NOENT, NOENT, NOENT, NOENT, NOENT, 0, 0, NOENT, NOENT } },
    { "link-d/.", { 0, ISDIR, ISDIR, EXIST, 0, 0, 0, 0, ISDIR, INVAL, EXIST, EXIST, INVAL, ISDIR } },
    { "link-d/../f", { 0, 0, 0, EXIST, 0, NODIR, 0, 0, 0, NODIR, EXIST, EXIST, INVAL, 0 } },
    { "loop", { LOOP, LOOP, LOOP, EXIST, LOOP, LOOP, LOOP, 0, 0, NODIR, EXIST, EXIST, 0, LOOP } },
    { "loop/", { LOOP, LOOP, ISDIR, ISDIR, LOOP, LOOP, LOOP, LOOP, NODIR, NODIR, EXIST, EXIST, LOOP, LOOP } },
    { "loop/x", { LOOP, LOOP, LOOP, LOOP, LOOP, LOOP, LOOP, LOOP, LOOP, LOOP, LOOP, LOOP, LOOP, LOOP } },
    { "dangling", { NOENT, NOENT, 0, EXIST, LOOP, NOENT, NOENT, 0, 0, NODIR, EXIST, EXIST, 0, NOENT } },
    { "dangling/", { NOENT, NOENT, ISDIR, ISDIR, NOENT, NOENT, NOENT, NOENT, NODIR, NODIR, EXIST, EXIST, NOENT, NOENT } },
    { "dangling-far", { NOENT, NOENT, NOENT, EXIST, LOOP, NOENT, NOENT, 0, 0, NODIR, EXIST, EXIST, 0, NOENT } },
    { "new", { NOENT, NOENT, 0, 0, NOENT, NOENT, NOENT, NOENT, NOENT, NOENT, 0, 0, NOENT, NOENT } },
    { "new/", { NOENT, NOENT, ISDIR, ISDIR, NOENT, NOENT, NOENT, NOENT, NOENT, NOENT, 0, NOENT, NOENT, NOENT } },
    { "new/x", { NOENT, NOENT, NOENT, NOENT, NOENT, NOENT, NOENT, NOENT, NOENT, NOENT, NOENT, NOENT, NOENT, NOENT } },
    { ".", { 0, ISDIR, ISDIR, EXIST, 0, 0, 0, 0, ISDIR, INVAL, EXIST, EXIST, INVAL, ISDIR } },
};

/* Removes whatever the calls may have made, and the rest. */
static void
clean(void)
{
    static const char *const names[] = {
        "f", "d/x", "d", "e/x", "e", "link-f", "link-d", "loop", "dangling", "dangling-far", "missing", "new",
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        remove(names[i]);
}

static void
build(void)
{
    int file = open("f", O_WRONLY | O_CREAT, 0644);

    write(file, "12345", 5);
    close(file);
    mkdir("d", 0755);
    mkdir("e", 0755);
    close(open("e/x", O_WRONLY | O_CREAT, 0644));
    symlink("f", "link-f");
    symlink("d", "link-d");
    symlink("loop", "loop");
    symlink("missing", "dangling");
    symlink("nowhere/x", "dangling-far");
}

static void
call_check(int call)
{
    int wrong = 0;

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        clean();
        build();
        int error = calls[call].attempt(paths[i].path) == 0 ? 0 : errno;

        if (error != paths[i].expected[call]) {
            check_note("%s of \"%s\": %s, where Linux says: %s", calls[call].name, paths[i].path, strerror(error),
                       strerror(paths[i].expected[call]));
            wrong++;
        }
    }
    check_that(wrong == 0, "%s: Linux's errno for each path", calls[call].name);
}

static void
length_check(void)
{
    char path[TOO_MANY + 1];

    memset(path, 'n', NAME_MAX + 1);
    path[NAME_MAX + 1] = '\0';
    check_that(open_create(path) == -1 && errno == ENAMETOOLONG, "a name of 256 bytes is too long");
    path[NAME_MAX] = '\0';
    check_that(open_create(path) == 0 && unlink(path) == 0, "one of 255 is not");
    for (int i = 0; i < TOO_MANY; i++)
        path[i] = i % 2 == 0 ? '.' : '/';
    path[TOO_MANY] = '\0';
    check_that(call_stat(path) == -1 && errno == ENAMETOOLONG, "a path of 5000 bytes is too long");
    path[PATH_MAX - 1] = '\0';
    check_that(call_stat(path) == 0, "one of 4095 is not");
}

/* rename has two paths, and rules of its own. */
static void
rename_check(void)
{
    static const struct { const char *from, *to; int expected; } renames[] = {
        { "f", "d", EISDIR }, { "d", "f", ENOTDIR }, { "d", "e", ENOTEMPTY }, { "d", "d/below", EINVAL },
        { "e/x", "e", ENOTEMPTY }, { "f", "f/x", ENOTDIR }, { "f", "new/", ENOTDIR }, { "missing", "f", ENOENT },
        { "d", ".", EBUSY }, { ".", "new", EBUSY }, { "e", "e", 0 }, { "d", "new/", 0 }, { "e", "d", 0 },
        { "link-f", "f", 0 }, { "f", "dangling", 0 },
    };

    for (size_t i = 0; i < sizeof renames / sizeof *renames; i++) {
        clean();
        build();
        int error = rename(renames[i].from, renames[i].to) == 0 ? 0 : errno;

        check_that(error == renames[i].expected,
                   "rename of %s to %s: %s", renames[i].from, renames[i].to, strerror(error));
        rename("new", "e");
        remove("d/x");
    }
}

int
main(void)
{
    mkdir(DIRECTORY, 0755);
    if (!check_that(chdir(DIRECTORY) == 0, "a directory for it"))
        return check_end();
    for (int call = 0; call < CALLS; call++)
        call_check(call);
    length_check();
    rename_check();
    clean();
    check_that(chdir("/") == 0 && rmdir(DIRECTORY) == 0, "nothing is left behind");
    return check_end();
}
