/*
 * mv FROM TO: gives a file another name.
 */
#include <stdio.h>
#include <stdlib.h>

int
main(int count, char **names)
{
    if (count != 3) {
        fputs("usage: mv FROM TO\n", stderr);
        return EXIT_FAILURE;
    }
    if (rename(names[1], names[2]) != 0) {
        perror(names[1]);
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
