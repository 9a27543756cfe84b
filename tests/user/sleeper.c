/*
 * Sleeps longer than any test waits: something for ^C and kill to end.
 */
#include <stdio.h>
#include <unistd.h>

enum { SECONDS = 1000 };

int
main(void)
{
    puts("started");
    fflush(stdout);
    sleep(SECONDS);
    return 1;
}
