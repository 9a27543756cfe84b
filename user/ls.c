/*
 * ls [-la] [NAME...]: what is in a directory, in order; with -l one to a line with
 * kind, permissions and size, with -a also the names that begin with a dot.
 */
#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SCREEN = 80 };

static bool long_form, all;

static char
kind_letter(mode_t mode)
{
    return S_ISDIR(mode) ? 'd' : S_ISLNK(mode) ? 'l' : S_ISCHR(mode) ? 'c' : S_ISBLK(mode) ? 'b'
           : S_ISFIFO(mode) ? 'p' : '-';
}

/* One line of the long form; `path` leads to the file, `name` is what is printed. */
static void
file_print(const char *path, const char *name)
{
    static const char letters[] = "rwxrwxrwx";
    struct stat status;
    char target[PATH_MAX];

    if (lstat(path, &status) != 0) {
        perror(path);
        return;
    }
    putchar(kind_letter(status.st_mode));
    for (int i = 0; letters[i] != '\0'; i++)
        putchar(status.st_mode & (0400 >> i) ? letters[i] : '-');
    printf(" %3lu %9lld %s", (unsigned long) status.st_nlink, (long long) status.st_size, name);
    ssize_t length = S_ISLNK(status.st_mode) ? readlink(path, target, sizeof target) : -1;
    if (length >= 0)
        printf(" -> %.*s", (int) length, target);
    putchar('\n');
}

static int
entry_wanted(const struct dirent *entry)
{
    return all || entry->d_name[0] != '.';
}

/* Names in columns, as many as the screen is wide. */
static void
columns_print(struct dirent **entries, int count)
{
    int width = 0;
    for (int i = 0; i < count; i++)
        if ((int) strlen(entries[i]->d_name) + 2 > width)
            width = strlen(entries[i]->d_name) + 2;
    int columns = width == 0 || width > SCREEN ? 1 : SCREEN / width;
    for (int i = 0; i < count; i++) {
        bool last = (i + 1) % columns == 0 || i + 1 == count;
        printf("%-*s%s", last ? 0 : width, entries[i]->d_name, last ? "\n" : "");
    }
}

static int
directory_print(const char *path)
{
    struct dirent **entries;
    int count = scandir(path, &entries, entry_wanted, alphasort);

    if (count < 0) {
        perror(path);
        return EXIT_FAILURE;
    }
    if (!long_form)
        columns_print(entries, count);
    for (int i = 0; i < count; i++) {
        char *inner;
        if (long_form && asprintf(&inner, "%s/%s", path, entries[i]->d_name) >= 0) {
            file_print(inner, entries[i]->d_name);
            free(inner);
        }
        free(entries[i]);
    }
    free(entries);
    return EXIT_SUCCESS;
}

/* A directory among several names is announced by its own. */
static int
name_print(const char *path, bool several)
{
    struct stat status;

    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode)) {
        if (several)
            printf("%s:\n", path);
        return directory_print(path);
    }
    if (lstat(path, &status) != 0) {
        perror(path);
        return EXIT_FAILURE;
    }
    if (long_form)
        file_print(path, path);
    else
        puts(path);
    return EXIT_SUCCESS;
}

int
main(int count, char **arguments)
{
    int option, status = EXIT_SUCCESS;

    while ((option = getopt(count, arguments, "la")) != -1) {
        if (option == '?')
            return EXIT_FAILURE;
        long_form |= option == 'l';
        all |= option == 'a';
    }
    if (optind == count)
        return directory_print(".");
    for (int i = optind; i < count; i++)
        status |= name_print(arguments[i], optind + 1 < count);
    return status;
}
