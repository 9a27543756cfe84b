/*
 * rm FILE...: removes files, and directories that are empty.
 */
#include <stdio.h>
#include <stdlib.h>

int
main(int count, char **names)
{
    int status = EXIT_SUCCESS;

    for (int i = 1; i < count; i++)
        if (remove(names[i]) != 0) {
            perror(names[i]);
            status = EXIT_FAILURE;
        }
    return status;
}
