/*
 * Several processes read the same pages of a file at the same time, pages that nobody has read before. With
 * ramdisk.latency= one of them waits for the device and the others for it: all must be woken.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/lib/check.h"

enum { READERS = 4 };

static const char *const file_name = "/bin/mksh";

/* The sum of a file's bytes, as its mapping shows them; 0 if it cannot be mapped. */
static unsigned
file_sum(int file, size_t length)
{
    const unsigned char *bytes = mmap(NULL, length, PROT_READ, MAP_SHARED, file, 0);
    unsigned sum = 0;
    if (bytes == MAP_FAILED)
        return 0;
    for (size_t i = 0; i < length; i++)
        sum = sum * 31 + bytes[i];
    return sum;
}

int
main(void)
{
    unsigned *sums = check_shared(READERS * sizeof *sums);
    pid_t readers[READERS];
    struct stat status;
    int file = open(file_name, O_RDONLY);

    check_that(file >= 0 && fstat(file, &status) == 0, "%s can be opened", file_name);
    for (int i = 0; i < READERS; i++) {
        readers[i] = check_fork();
        if (readers[i] == 0) {
            sums[i] = file_sum(file, (size_t) status.st_size);
            _exit(0);
        }
    }
    for (int i = 0; i < READERS; i++)
        check_that(check_wait(readers[i]) == 0, "reader %d comes to its end", i);
    for (int i = 0; i < READERS; i++)
        check_that(sums[i] != 0 && sums[i] == file_sum(file, (size_t) status.st_size), "reader %d has seen the whole file", i);
    return check_end();
}
