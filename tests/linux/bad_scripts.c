/*
 * First lines of scripts: what exec of a file comes to that begins with "#!" and what a person might write there, or a
 * machine. A line says what is wrong, then the errno, or the arguments that the interpreter was given.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/outcome.h"

#define PLACE "/tmp/bad_scripts"
#define SHOW "/tmp/bad_scripts/show" /* a link to this program, which by this name shows its arguments */
#define DEEP 7

enum { READ_BYTES = 256 }; /* so much of a file is looked at */

static char text[2 * READ_BYTES];

static void
script_write(const char *name, const void *contents, size_t length, mode_t mode)
{
    unlink(name);
    int file = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    write(file, contents, length);
    fchmod(file, mode);
    close(file);
}

static void
script_run(const char *name)
{
    char *const arguments[] = { "first", "second", NULL }, *const environment[] = { NULL };
    int status;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        execve(name, arguments, environment);
        printf(" %s\n", error_name(errno));
        fflush(stdout);
        _exit(0);
    }
    waitpid(child, &status, 0);
    if (status != 0)
        printf(" %s\n", status_text(status));
}

static void
script_try(const char *what, const void *contents, size_t length)
{
    printf("%s:", what);
    script_write("script", contents, length, 0755);
    script_run("./script");
}

/* "#!", then so many of a character before the interpreter, and so many behind it. */
static void
padded_try(const char *what, int before, int behind, char fill)
{
    size_t length = 2;

    memcpy(text, "#!", 2);
    memset(text + length, ' ', before);
    length += before;
    memcpy(text + length, SHOW, strlen(SHOW));
    length += strlen(SHOW);
    memset(text + length, fill, behind);
    length += behind;
    text[length++] = '\n';
    script_try(what, text, length);
}

/* Scripts that are each other's interpreters, the first of them SHOW's. */
static void
chain_try(void)
{
    char name[] = PLACE "/chain0", line[64] = "#!" SHOW "\n";

    for (int i = 0; i < DEEP; i++) {
        name[sizeof name - 2] = (char) ('0' + i);
        script_write(name, line, strlen(line), 0755);
        printf("a script of %d scripts:", i);
        script_run(name);
        snprintf(line, sizeof line, "#!%s\n", name);
    }
    for (int i = 0; i < DEEP; i++) {
        name[sizeof name - 2] = (char) ('0' + i);
        unlink(name);
    }
}

#define TRY(what, contents) script_try(what, contents, sizeof contents - 1)

static void
lines_try(void)
{
    TRY("a line", "#!" SHOW "\n");
    TRY("a line without an end", "#!" SHOW);
    TRY("spaces and tabs", "#! \t " SHOW " \t \n");
    TRY("an argument", "#!" SHOW " one\n");
    TRY("several words are one argument", "#!" SHOW "  one two\tthree  \n");
    TRY("a carriage return", "#!" SHOW "\r\n");
    TRY("a zero byte behind the interpreter", "#!" SHOW "\0 one\n");
    TRY("nothing but the end of the line", "#!\n");
    TRY("nothing but spaces", "#!   \n");
    TRY("half of the mark", "#");
    TRY("a space in the mark", "# !" SHOW "\n");
    TRY("an interpreter that is not there", "#!" PLACE "/nothing\n");
    TRY("in a directory that is none", "#!" SHOW "/nothing\n");
    TRY("a directory", "#!/tmp\n");
    TRY("a device", "#!/dev/null\n");
    TRY("a name without a directory", "#!show\n");
    TRY("a relative name", "#!./show\n");
    TRY("the script itself", "#!" PLACE "/script\n");
    TRY("a link that leads to itself", "#!" PLACE "/loop\n");
    TRY("a text that is no script", "#!" PLACE "/text\n");
    TRY("what may not be executed", "#!" PLACE "/plain\n");
}

static void
lengths_try(void)
{
    int room = READ_BYTES - 2 - (int) strlen(SHOW);

    padded_try("spaces up to the last byte that is read", 0, room - 1, ' ');
    padded_try("one more", 0, room, ' ');
    padded_try("spaces in front, so that the line just ends", room - 1, 0, ' ');
    padded_try("so that the interpreter just ends", room, 0, ' ');
    padded_try("so that it does not", room + 1, 0, ' ');
    padded_try("nothing but spaces are read", READ_BYTES, 0, ' ');
    padded_try("a name that just fits", 0, room - 1, 'x');
    padded_try("a name that is too long", 0, room + 1, 'x');
}

int
main(int count, char **arguments)
{
    if (strcmp(*arguments, SHOW) == 0 || strcmp(*arguments, "show") == 0 || strcmp(*arguments, "./show") == 0) {
        for (int i = 0; i < count; i++)
            printf(" [%s]", arguments[i]);
        putchar('\n');
        return 0;
    }
    mkdir(PLACE, 0755);
    chdir(PLACE);
    symlink("/linux/bad_scripts", "show");
    symlink("loop", "loop");
    script_write("text", "a text\n", 7, 0755);
    script_write("plain", "#!" SHOW "\n", sizeof "#!" SHOW, 0644);
    lines_try();
    lengths_try();
    chain_try();
    for (const char *const *name = (const char *const[]){ "show", "loop", "text", "plain", "script", NULL }; *name != NULL; name++)
        unlink(*name);
    chdir("/");
    return rmdir(PLACE) == 0 ? 0 : 1;
}
