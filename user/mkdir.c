/*
 * mkdir DIRECTORY...: creates directories.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { MODE = 0777 }; /* less what umask takes away */

int
main(int count, char **names)
{
    int status = EXIT_SUCCESS;

    for (int i = 1; i < count; i++)
        if (mkdir(names[i], MODE) != 0) {
            perror(names[i]);
            status = EXIT_FAILURE;
        }
    return status;
}
