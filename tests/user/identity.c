/*
 * Users and groups: the numbers and how they change, and what somebody who is not
 * root may do with files and processes. Each part gives root up in a child.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/check.h"

enum {
    USER = 1000,
    OTHER = 1001,
    GROUP = 2000,
    OTHER_GROUP = 2001,
};

static char self[256];

static int
has_ids(uid_t real, uid_t effective, uid_t saved)
{
    uid_t ids[3];

    return getresuid(&ids[0], &ids[1], &ids[2]) == 0 && ids[0] == real && ids[1] == effective && ids[2] == saved;
}

static void
numbers_check(void)
{
    gid_t groups[4] = { 5, 6, 7 };

    check_that(setgroups(3, groups) == 0 && getgroups(0, NULL) == 3, "root sets supplementary groups");
    check_that(getgroups(2, groups) == -1 && errno == EINVAL, "there must be room for all: EINVAL");
    check_that(getgroups(3, groups) == 3, "just room enough is enough");
    check_that(getgroups(4, groups) == 3 && groups[2] == 7, "and reads them");
    check_that(seteuid(USER) == 0 && has_ids(0, USER, 0), "root acts as another for a while");
    check_that(setgroups(0, NULL) == -1 && errno == EPERM, "who may not set groups: EPERM");
    check_that(seteuid(0) == 0 && has_ids(0, 0, 0), "and goes back");
    check_that(setreuid(USER, OTHER) == 0 && has_ids(USER, OTHER, OTHER), "setreuid saves the effective one");
    check_that(setuid(0) == -1 && errno == EPERM, "from there is no way back: EPERM");
    check_that(setreuid(-1, USER) == 0 && has_ids(USER, USER, OTHER), "the real one may be taken");
    check_that(setuid(OTHER) == 0 && has_ids(USER, OTHER, OTHER), "and the saved one");
    check_that(setresuid(-1, -1, USER) == 0 && has_ids(USER, OTHER, USER), "and each set to any of them");
    check_that(setgid(GROUP) == -1 && errno == EPERM, "another group is not: EPERM");
}

static void
become(uid_t user, gid_t group)
{
    setgroups(0, NULL);
    if (setresgid(group, group, group) != 0 || setresuid(user, user, user) != 0)
        check_that(0, "root can be given up");
}

static int
opens(const char *path, int flags)
{
    int file = open(path, flags);

    if (file >= 0)
        close(file);
    return file >= 0;
}

static void
make_file(const char *path, mode_t mode, uid_t user, gid_t group)
{
    close(open(path, O_RDWR | O_CREAT | O_TRUNC, 0600));
    chown(path, user, group);
    chmod(path, mode);
}

static void
others_check(void)
{
    become(OTHER, OTHER_GROUP);
    check_that(opens("/tmp/identity/public", O_RDONLY), "others may read what others may read");
    check_that(!opens("/tmp/identity/public", O_RDWR) && errno == EACCES, "but not write it: EACCES");
    check_that(!opens("/tmp/identity/private", O_RDONLY) && errno == EACCES, "nor read what is private: EACCES");
    check_that(!opens("/tmp/identity/closed/file", O_RDONLY) && errno == EACCES, "nor search a closed directory: EACCES");
    check_that(!opens("/tmp/identity/new", O_RDWR | O_CREAT) && errno == EACCES, "nor make a name there: EACCES");
    check_that(mkdir("/tmp/identity/new", 0700) == -1 && errno == EACCES, "nor a directory: EACCES");
    check_that(unlink("/tmp/identity/public") == -1 && errno == EACCES, "nor remove one: EACCES");
    check_that(chmod("/tmp/identity/public", 0666) == -1 && errno == EPERM, "nor change a mode: EPERM");
    check_that(chown("/tmp/identity/public", OTHER, -1) == -1 && errno == EPERM, "nor an owner: EPERM");
    check_that(truncate("/tmp/identity/public", 0) == -1 && errno == EACCES, "nor a length: EACCES");
    check_that(access("/tmp/identity/public", R_OK) == 0 && access("/tmp/identity/public", W_OK) == -1 && errno == EACCES,
               "and access says so");
    check_that(chdir("/tmp/identity/closed") == -1 && errno == EACCES, "a closed directory cannot be entered: EACCES");
    check_that(opens("/tmp/identity-mine", O_RDWR | O_CREAT | O_EXCL) && chmod("/tmp/identity-mine", 0600) == 0, "what they make is theirs");
    struct stat status;
    check_that(stat("/tmp/identity-mine", &status) == 0 && status.st_uid == OTHER && status.st_gid == OTHER_GROUP,
               "with their numbers");
    check_that(unlink("/tmp/identity-sticky") == -1 && errno == EPERM, "in a sticky directory others' files stay: EPERM");
    check_that(rename("/tmp/identity-sticky", "/tmp/identity-moved") == -1 && errno == EPERM, "and keep their names: EPERM");
    check_that(unlink("/tmp/identity-mine") == 0, "their own do not");
    check_that(kill(getppid(), 0) == -1 && errno == EPERM, "root's processes are not theirs: EPERM");
    check_that(mknod("/tmp/identity-device", S_IFCHR | 0600, 0x103) == -1 && errno == EPERM, "no devices: EPERM");
    check_that(access("/proc/self/maps", R_OK) == 0 && opens("/proc/self/maps", O_RDONLY), "they see their own maps");
}

static void
group_check(void)
{
    gid_t groups[1] = { GROUP };

    setgroups(1, groups);
    if (setresgid(OTHER_GROUP, OTHER_GROUP, OTHER_GROUP) != 0 || setresuid(OTHER, OTHER, OTHER) != 0)
        return;
    check_that(opens("/tmp/identity/shared", O_RDWR), "a member may do what the group may");
    check_that(!opens("/tmp/identity/odd", O_RDONLY) && errno == EACCES, "and no more, whatever others may: EACCES");
}

static void
owner_check(void)
{
    become(USER, GROUP);
    check_that(!opens("/tmp/identity/mine", O_RDONLY) && errno == EACCES, "an owner has the owner's rights alone: EACCES");
    check_that(chmod("/tmp/identity/mine", 0400) == 0 && opens("/tmp/identity/mine", O_RDONLY), "but may change them");
    check_that(chown("/tmp/identity/mine", OTHER, -1) == -1 && errno == EPERM, "files are not given away: EPERM");
}

/* Who writes into a program takes its rights from it, unless root does. */
static void
written_check(void)
{
    int file = open("/tmp/identity/written", O_RDWR);
    struct stat status;

    write(file, "x", 1);
    check_that(fstat(file, &status) == 0 && (status.st_mode & 07777) == 06777, "root may write into a deputy");
    become(OTHER, OTHER_GROUP);
    write(file, "x", 1);
    check_that(fstat(file, &status) == 0 && (status.st_mode & 07777) == 0777, "written by others it is none any more");
    close(file);
    file = open("/tmp/identity/cut", O_RDWR);
    ftruncate(file, 0);
    check_that(fstat(file, &status) == 0 && (status.st_mode & 07777) == 0777, "nor cut");
    close(file);
}

/* What /proc tells of a process that is not one's own. */
static void
inspection_check(void)
{
    static const char *const names[] = { "maps", "smaps", "environ", "auxv", "pagemap", "fd" };
    char path[64], target[64];
    pid_t root = getppid();

    become(OTHER, OTHER_GROUP);
    prctl(PR_SET_DUMPABLE, 1); /* Linux takes that away from who changes its numbers */
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "/proc/%d/%s", root, names[i]);
        check_that(!opens(path, O_RDONLY) && errno == EACCES, "root's %s is not for others: EACCES", names[i]);
        snprintf(path, sizeof path, "/proc/self/%s", names[i]);
        check_that(opens(path, O_RDONLY), "their own is");
    }
    snprintf(path, sizeof path, "/proc/%d/exe", root);
    check_that(readlink(path, target, sizeof target) == -1 && errno == EACCES, "nor its exe: EACCES");
    snprintf(path, sizeof path, "/proc/%d/stat", root);
    check_that(opens(path, O_RDONLY), "its stat is");
}

static void
root_check(void)
{
    check_that(opens("/tmp/identity/private", O_RDWR) && opens("/tmp/identity/closed/file", O_RDWR), "root may everything");
    check_that(access("/tmp/identity/private", X_OK) == -1 && errno == EACCES, "but run what nobody may: EACCES");
    seteuid(USER);
    check_that(access("/tmp/identity/private", R_OK) == 0, "access asks for the real user");
    check_that(faccessat(AT_FDCWD, "/tmp/identity/private", R_OK, AT_EACCESS) == -1 && errno == EACCES,
               "or for the effective one if asked");
    seteuid(0);
}

/* A copy of this program that runs as its owner. */
static void
deputy_check(void)
{
    char buffer[4096];
    int in = open(self, O_RDONLY), out = open("/tmp/identity/deputy", O_WRONLY | O_CREAT | O_TRUNC, 0700);

    for (ssize_t got; (got = read(in, buffer, sizeof buffer)) > 0;)
        if (write(out, buffer, got) != got)
            return;
    close(in);
    close(out);
    chown("/tmp/identity/deputy", USER, GROUP);
    chmod("/tmp/identity/deputy", 06755);
    pid_t child = check_fork();
    if (child == 0) {
        become(OTHER, OTHER_GROUP);
        execl("/tmp/identity/deputy", "deputy", "--deputy", NULL);
        _exit(100);
    }
    int status = check_wait(child);
    check_that(WIFEXITED(status) && WEXITSTATUS(status) == 0, "a set-user-id program runs as its owner");
    chown("/tmp/identity/deputy", 0, 0);
    struct stat after;
    check_that(stat("/tmp/identity/deputy", &after) == 0 && (after.st_mode & 07777) == 0755, "until it changes hands");
}

/* setfsuid and setfsgid say what was, whatever they do; a number that nobody has asks. */
static bool
file_ids_are(uid_t user, gid_t group)
{
    return (uid_t) setfsuid(-1) == user && (gid_t) setfsgid(-1) == group;
}

static void
file_user_check(void)
{
    struct stat status;

    check_that(file_ids_are(0, 0) && setfsgid(GROUP) == 0 && setfsuid(USER) == 0 && file_ids_are(USER, GROUP), "setfsuid and setfsgid");
    check_that(geteuid() == 0 && getuid() == 0, "change who one is for files alone");
    check_that(refused(open("/tmp/identity/private", O_RDONLY), EACCES) && refused(chmod("/tmp/identity/public", 0644), EPERM), "who is not root there");
    close(open("/tmp/identity-own", O_CREAT | O_WRONLY, 0600));
    check_that(stat("/tmp/identity-own", &status) == 0 && status.st_uid == USER && status.st_gid == GROUP, "and makes files in that name");
    unlink("/tmp/identity-own");
    check_that(access("/tmp/identity/private", R_OK) == 0, "access asks for the real user");
    check_that(seteuid(OTHER) == 0 && file_ids_are(OTHER, GROUP), "a change of the effective user is one for files, too");
    check_that(setfsuid(USER) == (int) OTHER && file_ids_are(OTHER, GROUP), "who is not root gets only what it has");
    check_that(setfsuid(0) == (int) OTHER && file_ids_are(0, GROUP), "the real user's number for instance");
}

static int
deputy_main(void)
{
    return !(has_ids(OTHER, USER, USER) && getegid() == GROUP && getgid() == OTHER_GROUP);
}

/* All four numbers of each kind; the fourth is the one for files, which setfsuid would tell. */
static void
inheritance_check(void)
{
    uid_t users[3];
    gid_t groups[3], others[2] = { GROUP, OTHER_GROUP }, had[4];

    setgroups(2, others);
    setresgid(GROUP, OTHER_GROUP, GROUP + 2);
    setresuid(USER, OTHER, USER + 2);
    pid_t child = check_fork();
    if (child == 0) {
        getresuid(&users[0], &users[1], &users[2]);
        getresgid(&groups[0], &groups[1], &groups[2]);
        _exit(users[0] != USER || users[1] != OTHER || users[2] != USER + 2 || groups[0] != GROUP || groups[1] != OTHER_GROUP
              || groups[2] != GROUP + 2 || getgroups(4, had) != 2 || had[0] != GROUP || had[1] != OTHER_GROUP);
    }
    check_that(check_wait(child) == 0, "a child has its parent's real, effective and saved user and group, and other groups");
}

static void
files_make(void)
{
    umask(0);
    mkdir("/tmp/identity", 0755);
    mkdir("/tmp/identity/closed", 0700);
    make_file("/tmp/identity/closed/file", 0666, 0, 0);
    make_file("/tmp/identity/public", 0644, 0, 0);
    make_file("/tmp/identity/private", 0600, 0, 0);
    make_file("/tmp/identity/shared", 0060, USER, GROUP);
    make_file("/tmp/identity/odd", 0604, USER, GROUP);
    make_file("/tmp/identity/mine", 0066, USER, GROUP);
    make_file("/tmp/identity/written", 06777, 0, 0);
    make_file("/tmp/identity/cut", 06777, 0, 0);
    make_file("/tmp/identity-sticky", 0666, 0, 0);
}

static void
files_remove(void)
{
    static const char *const names[] = { "closed/file", "public", "private", "shared", "odd", "mine", "deputy", "written", "cut" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[64] = "/tmp/identity/";
        unlink(strcat(path, names[i]));
    }
    rmdir("/tmp/identity/closed");
    rmdir("/tmp/identity");
    unlink("/tmp/identity-sticky");
}

int
main(int count, char **arguments)
{
    if (count > 1 && strcmp(arguments[1], "--deputy") == 0)
        return deputy_main();
    if (getuid() != 0) {
        check_skip("only root can give root up");
        return check_end();
    }
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    self[length > 0 ? length : 0] = '\0';
    files_make();
    check_child(numbers_check);
    check_child(others_check);
    check_child(group_check);
    check_child(owner_check);
    check_child(root_check);
    check_child(written_check);
    check_child(inspection_check);
    check_child(inheritance_check);
    check_child(file_user_check);
    deputy_check();
    files_remove();
    return check_end();
}
