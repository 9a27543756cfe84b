/*
 * RLIMIT_FSIZE: how long a file may become, SIGXFSZ at the limit, and EFBIG where
 * that is ignored.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/check.h"

enum { LIMIT = 10000 };

static char bytes[LIMIT + 1000];

static void
limit(void)
{
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){ LIMIT, RLIM_INFINITY });
}

static int
file_open(void)
{
    return open("/tmp/file_limit", O_RDWR | O_CREAT | O_TRUNC, 0600);
}

static void
killed(void)
{
    limit();
    int file = file_open();
    lseek(file, LIMIT, SEEK_SET);
    write(file, bytes, 1);
}

static void
ignored(void)
{
    struct stat status;

    signal(SIGXFSZ, SIG_IGN);
    limit();
    int file = file_open();
    check_that(write(file, bytes, sizeof bytes) == LIMIT, "a write ends at the limit");
    check_that(write(file, bytes, 1) == -1 && errno == EFBIG, "another one fails: EFBIG");
    check_that(write(file, bytes, 0) == 0, "one of nothing does not");
    check_that(pwrite(file, bytes, 100, LIMIT - 10) == 10, "a write across the limit is cut");
    check_that(ftruncate(file, LIMIT + 1) == -1 && errno == EFBIG, "so is no length beyond it: EFBIG");
    check_that(ftruncate(file, 10) == 0 && ftruncate(file, LIMIT) == 0, "up to it all is well");
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 100, RLIM_INFINITY });
    check_that(ftruncate(file, 200) == 0, "a file that is longer may be shortened to more than the limit");
    check_that(fstat(file, &status) == 0 && status.st_size == 200, "and has that length");
    int ends[2];
    check_that(pipe(ends) == 0 && write(ends[1], bytes, 1000) == 1000, "pipes have no such limit");
}

int
main(void)
{
    int status = check_child(killed);

    check_that(WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ, "at the limit there is SIGXFSZ, which kills");
    check_child(ignored);
    unlink("/tmp/file_limit");
    return check_end();
}
