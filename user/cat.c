/*
 * Copies files, or standard input, to standard output: for looking at /proc.
 */
#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { BUFFER_BYTES = 4096 };

/* Whether everything behind `descriptor` could be read and written. */
static int
copy_all(int descriptor, const char *name)
{
    static char buffer[BUFFER_BYTES];
    ssize_t count;

    while ((count = read(descriptor, buffer, sizeof(buffer))) > 0)
        for (ssize_t done = 0, written; done < count; done += written)
            if ((written = write(STDOUT_FILENO, buffer + done, (size_t)(count - done))) < 0)
                err(EXIT_FAILURE, "standard output");
    if (count < 0)
        warn("%s", name);
    return count == 0;
}

int
main(int count, char **names)
{
    int status = EXIT_SUCCESS;

    if (count < 2)
        return copy_all(STDIN_FILENO, "standard input") ? EXIT_SUCCESS : EXIT_FAILURE;
    for (int index = 1; index < count; index++) {
        int descriptor = open(names[index], O_RDONLY);
        if (descriptor < 0)
            warn("%s", names[index]);
        if (descriptor < 0 || !copy_all(descriptor, names[index]))
            status = EXIT_FAILURE;
        if (descriptor >= 0)
            close(descriptor);
    }
    return status;
}
