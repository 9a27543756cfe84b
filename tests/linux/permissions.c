/*
 * Users and permissions: who may do what with a file of each mode, what may be changed by whom,
 * the three ids, and signals to others.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/outcome.h"

#define PLACE "/tmp/permissions"

enum { OWNER = 1000, MEMBER = 1001, STRANGER = 1002, GROUP = 500 };

static void
become(uid_t user)
{
    if (setgroups(1, (gid_t[]){ user == MEMBER ? GROUP : 99 }) != 0 || setgid(99) != 0 || setuid(user) != 0)
        _exit(EXIT_FAILURE);
}

static void
file_make(const char *name, mode_t mode, uid_t owner)
{
    close(open(name, O_WRONLY | O_CREAT, 0600));
    chown(name, owner, GROUP);
    chmod(name, mode);
}

/* ---- Who may do what ------------------------------------------------------------------------------------------------------- */

static char
may_open(const char *name, int flags, char letter)
{
    int file = open(name, flags);
    close(file);
    return file >= 0 ? letter : errno == EACCES ? '-' : '?';
}

static void
rights_tell(uid_t user)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        if (user != 0)
            become(user);
        printf("  %4d file %c%c%c%c", (int) user, may_open("file", O_RDONLY, 'r'), may_open("file", O_WRONLY, 'w'),
               may_open("file", O_RDWR, '+'), access("file", X_OK) == 0 ? 'x' : '-');
        printf("  directory %c%c%c\n", may_open("directory", O_RDONLY, 'r'), access("directory/inside", F_OK) == 0 ? 'x' : '-',
               mkdir("directory/new", 0700) == 0 && rmdir("directory/new") == 0 ? 'w' : '-');
        fflush(stdout);
        _exit(EXIT_SUCCESS);
    }
    waitpid(child, NULL, 0);
}

static void
rights_show(void)
{
    static const mode_t modes[] = { 0000, 0400, 0200, 0100, 0040, 0020, 0010, 0004, 0002, 0001, 0070, 0007, 0770, 0755, 0644, 0077 };

    file_make("file", 0, OWNER);
    mkdir("directory", 0700);
    file_make("directory/inside", 0600, OWNER);
    chown("directory", OWNER, GROUP);
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        chmod("file", modes[i]);
        chmod("directory", modes[i]);
        tell("mode %04o: owner, member of the group, stranger, root", (unsigned) modes[i]);
        rights_tell(OWNER);
        rights_tell(MEMBER);
        rights_tell(STRANGER);
        rights_tell(0);
    }
}

/* ---- Who may change what ------------------------------------------------------------------------------------------------------ */

static void
stat_tell(const char *name)
{
    struct stat status;
    stat(name, &status);
    tell("  %s: mode %o, owner %d:%d", name, (unsigned) status.st_mode & 07777, (int) status.st_uid, (int) status.st_gid);
}

/* Who is not root takes away what a program's mode gives its user, by changing it. */
static void
deputy_by_owner(void)
{
    static const mode_t modes[] = { 06775, 06765, 04711, 02755 };

    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        chmod("own", modes[i]);
        int file = open("own", O_WRONLY);
        outcome(write(file, "x", 1), "write");
        stat_tell("own");
        chmod("own", modes[i]);
        outcome(ftruncate(file, 1), "ftruncate");
        stat_tell("own");
        chmod("own", modes[i]);
        close(open("own", O_WRONLY | O_TRUNC));
        stat_tell("own");
        close(file);
    }
}

static void
moves_by_owner(void)
{
    mkdir("sticky/open", 0700);
    mkdir("sticky/fixed", 0500);
    outcome(rename("sticky/fixed", "sticky/open/fixed"), "moving a directory that one may not write");
    outcome(rename("sticky/fixed", "sticky/renamed"), "renaming it");
    outcome(unlink("foreign_directory"), "unlink of another's directory, in another's");
    outcome(rmdir("foreign"), "rmdir of another's file");
    outcome(rename("foreign/", "sticky/x"), "rename of another's file as if it were a directory");
    outcome(rename(PLACE, PLACE "/sticky/x"), "moving a directory into itself");
}

static void
changes_by_owner(void)
{
    become(OWNER);
    deputy_by_owner();
    moves_by_owner();
    outcome(chmod("own", 0604), "the owner: chmod");
    outcome(chmod("foreign", 0604), "chmod of another's");
    outcome(chown("own", OWNER, 99), "chown to a group of one's own");
    outcome(chown("own", OWNER, GROUP), "chown to another group");
    outcome(chown("own", STRANGER, -1), "giving away");
    outcome(chown("own", -1, -1), "changing nothing");
    outcome(chown("foreign", OWNER, -1), "taking");
    outcome(unlink("foreign"), "unlink of another's, in another's directory");
    outcome(unlink("sticky/foreign"), "unlink of another's, sticky directory");
    outcome(rename("sticky/foreign", "sticky/x"), "rename of another's, sticky directory");
    outcome(unlink("sticky/own"), "unlink of one's own, sticky directory");
    outcome(utimensat(AT_FDCWD, "foreign", NULL, 0), "times of another's file that one may write");
    outcome(utimensat(AT_FDCWD, "foreign", (struct timespec[]){ { 1, 0 }, { 1, 0 } }, 0), "given times");
    outcome(mknod("sticky/device", S_IFCHR | 0600, 0x103), "mknod of a device");
    outcome(mkfifo("sticky/fifo", 0600), "mkfifo");
    outcome(open("/tmp/permissions/sticky/created", O_CREAT | O_WRONLY, 04755) >= 0, "creating");
    stat_tell("sticky/created");
    outcome(chdir(PLACE "/closed"), "chdir to a closed directory");
}

static void
changes_show(void)
{
    mkdir("closed", 0700);
    mkdir("sticky", 0);
    chmod("sticky", 01777);
    file_make("own", 06777, OWNER);
    file_make("foreign", 0666, STRANGER);
    mkdir("foreign_directory", 0700);
    file_make("sticky/own", 0600, OWNER);
    file_make("sticky/foreign", 0666, STRANGER);
    outcome_of_child(changes_by_owner, "changes");
    stat_tell("own");
    file_make("bits", 06775, OWNER);
    outcome(chown("bits", OWNER, 99), "root: chown of a file with setuid");
    stat_tell("bits");
    chmod("bits", 06775);
    int file = open("bits", O_WRONLY);
    write(file, "x", 1);
    close(file);
    stat_tell("bits");
    mkdir("group", 0);
    chown("group", OWNER, GROUP);
    chmod("group", 02777);
    mkdir("group/below", 0755);
    file_make("group/file", 0644, OWNER);
    stat_tell("group/below");
}

/* ---- The three ids --------------------------------------------------------------------------------------------------------------- */

static void
ids_tell(void)
{
    uid_t user[3];
    gid_t group[3];
    getresuid(&user[0], &user[1], &user[2]);
    getresgid(&group[0], &group[1], &group[2]);
    tell("  users %d %d %d, groups %d %d %d", (int) user[0], (int) user[1], (int) user[2], (int) group[0], (int) group[1], (int) group[2]);
}

static void
ids_temporary(void)
{
    outcome(seteuid(OWNER), "seteuid");
    ids_tell();
    outcome(setuid(STRANGER), "setuid to a third");
    outcome(open("/tmp/permissions/file", O_RDONLY), "reading root's file");
    outcome(open("/tmp/permissions", O_WRONLY), "writing root's directory");
    outcome(access("/tmp/permissions/closed/nothing", F_OK), "access asks for the real user");
    outcome(faccessat(AT_FDCWD, "/tmp/permissions/closed/nothing", F_OK, AT_EACCESS), "faccessat for the effective one");
    outcome(open("/tmp/permissions/file", O_RDONLY | O_NOATIME), "O_NOATIME");
    outcome(seteuid(0), "seteuid back");
    ids_tell();
}

static void
ids_final(void)
{
    outcome(setresgid(1, 2, 3), "setresgid");
    outcome(setresuid(1, 2, 3), "setresuid");
    ids_tell();
    outcome(setresuid(3, 1, 2), "permuted");
    outcome(setresuid(4, -1, -1), "to a fourth");
    outcome(setreuid(2, 3), "setreuid");
    ids_tell();
    outcome(setuid(2), "setuid");
    ids_tell();
    outcome(setgid(3), "setgid");
    outcome(setgid(7), "setgid to another");
    outcome(setgroups(0, NULL), "setgroups");
    ids_tell();
    outcome(setuid(0), "back to root");
}

static void
ids_by_setuid(void)
{
    outcome(setuid(OWNER), "root's setuid changes all three");
    ids_tell();
    outcome(setuid(0), "and there is no way back");
    outcome(seteuid(0), "nor this");
    outcome(setreuid(-1, 0), "nor this");
    outcome(setreuid(-1, -1), "changing nothing");
}

/* ---- A program with the setuid bit ------------------------------------------------------------------------------------------------ */

static void
run_setuid(void)
{
    become(STRANGER);
    execl(PLACE "/program", "program", "ids", (char *) NULL);
    outcome(-1, "exec");
}

static void
setuid_show(void)
{
    char block[4096];
    int from = open("/linux/permissions", O_RDONLY), to = open(PLACE "/program", O_WRONLY | O_CREAT, 0700);

    for (ssize_t got; (got = read(from, block, sizeof block)) > 0;)
        write(to, block, got);
    close(from);
    close(to);
    chown(PLACE "/program", OWNER, GROUP);
    chmod(PLACE "/program", 06755);
    outcome_of_child(run_setuid, "a program with setuid and setgid");
    chmod(PLACE "/program", 0700);
    outcome_of_child(run_setuid, "a program that one may not execute");
}

/* ---- Signals to others ------------------------------------------------------------------------------------------------------------ */

static void
kill_as_stranger(void)
{
    pid_t other = getppid();

    become(STRANGER);
    outcome(kill(other, 0), "a stranger asks for root's process");
    outcome(kill(1, SIGTERM), "and kills init");
    outcome(kill(-1, 0), "and everybody");
    outcome(setpriority(PRIO_PROCESS, other, 5), "setpriority of root's process");
    outcome(nice(-5), "nice -5");
    outcome(nice(5), "nice 5");
    outcome(setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 5000000, 5000000 }), "raising a hard limit");
}

int
main(int count, char **arguments)
{
    (void) arguments;
    if (count > 1) {
        ids_tell();
        return EXIT_SUCCESS;
    }
    umask(022);
    mkdir(PLACE, 0755);
    if (chdir(PLACE) != 0)
        return EXIT_FAILURE;
    rights_show();
    changes_show();
    outcome_of_child(ids_temporary, "temporary");
    outcome_of_child(ids_final, "all kinds");
    outcome_of_child(ids_by_setuid, "setuid");
    setuid_show();
    outcome_of_child(kill_as_stranger, "signals");
    return EXIT_SUCCESS;
}
