/*
 * Reading and writing in segments: what segments without a byte come to, and preadv2 and pwritev2, which have flags
 * and take -1 for the file's own offset.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "user/lib/check.h"

static const char *path = "/tmp/vectors";

static char buffer[16];

static void
nothing_check(void)
{
    struct iovec nothing[2] = { { buffer, 0 }, { buffer, 0 } };
    int directory = open("/tmp", O_RDONLY | O_DIRECTORY), file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600), ends[2];

    check_that(readv(directory, nothing, 2) == 0 && readv(directory, nothing, 0) == 0, "of nothing even a directory can be read");
    check_that(refused(read(directory, buffer, 0), EISDIR), "but not by read");
    check_that(refused(writev(directory, nothing, 2), EBADF) && refused(readv(file, nothing, 2), EBADF), "but only what is open for it");
    socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends);
    check_that(writev(ends[0], nothing, 2) == 0 && refused(recv(ends[1], buffer, 1, MSG_DONTWAIT), EAGAIN), "nothing is no message");
    close(ends[0]);
    close(ends[1]);
    close(directory);
    close(file);
}

static long
move(long call, int file, void *bytes, unsigned length, long long offset, int flags)
{
    struct iovec segments[2] = { { bytes, length / 2 }, { (char *) bytes + length / 2, length - length / 2 } };

    return syscall(call, file, segments, 2, (long) offset, (long) (offset >> 32), flags);
}

static void
flags_check(void)
{
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600), ends[2];

    check_that(move(SYS_pwritev2, file, "abcdef", 6, -1, 0) == 6 && lseek(file, 0, SEEK_CUR) == 6, "pwritev2 at -1 moves the file's own offset");
    check_that(move(SYS_pwritev2, file, "XY", 2, 1, RWF_SYNC) == 2 && lseek(file, 0, SEEK_CUR) == 6, "elsewhere it does not");
    check_that(lseek(file, 2, SEEK_SET) == 2 && move(SYS_preadv2, file, buffer, 3, -1, 0) == 3 && memcmp(buffer, "Yde", 3) == 0, "preadv2 at -1");
    check_that(lseek(file, 0, SEEK_CUR) == 5 && move(SYS_preadv2, file, buffer, 3, 0, RWF_HIPRI) == 3 && memcmp(buffer, "aXY", 3) == 0, "preadv2 elsewhere");
    check_that(refused(move(SYS_preadv2, file, buffer, 3, -2, 0), EINVAL), "no other offset is negative");
    check_that(refused(move(SYS_preadv2, file, buffer, 3, 0, 1 << 20), EOPNOTSUPP), "flags that do not exist: EOPNOTSUPP");
    pipe(ends);
    check_that(move(SYS_pwritev2, ends[1], "pipe", 4, -1, 0) == 4 && move(SYS_preadv2, ends[0], buffer, 4, -1, 0) == 4, "a pipe has the offset -1");
    check_that(refused(move(SYS_preadv2, ends[0], buffer, 4, 0, 0), ESPIPE), "and no other");
    close(ends[0]);
    close(ends[1]);
    close(file);
    unlink(path);
}

/* Where several things are wrong, which of them is told. */
static void
order_check(void)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600), own = open(path, O_RDWR), ends[2];
    char *kernel = (char *) 0xc0100000;
    struct iovec two[2] = { { buffer, 2 }, { kernel, 2 } };

    pipe(ends);
    check_that(refused(pread(-1, buffer, 1, -1), EINVAL) && refused(pwrite(-1, buffer, 1, -1), EINVAL), "a negative offset before the descriptor");
    check_that(refused(pread(ends[0], kernel, 1, 0), ESPIPE), "what has no offset before the memory");
    check_that(refused(read(file, kernel, 1), EBADF) && refused(pread(file, kernel, 1, 0), EBADF), "what is not open for it before the memory");
    check_that(refused(write(ends[0], kernel, 1), EBADF) && refused(read(ends[1], kernel, 1), EBADF), "of pipes too");
    check_that(refused(readv(own, two, 2), EFAULT) && lseek(own, 0, SEEK_CUR) == 0, "a segment in the kernel: EFAULT, nothing is read");
    check_that(refused(pwrite(own, buffer, 3, LLONG_MAX - 2), EINVAL) && refused(pread(own, buffer, 3, LLONG_MAX - 2), EINVAL), "no byte lies beyond the last offset");
    check_that(refused(move(SYS_preadv2, ends[0], buffer, 4, 0, 1 << 20), ESPIPE), "the offset before the flags");
    check_that(refused(move(SYS_preadv2, file, buffer, 4, 0, 1 << 20), EBADF), "the way it is open, too");
    check_that(move(SYS_preadv2, own, buffer, 0, 0, 1 << 20) == 0, "who moves nothing may have any flags");
    close(ends[0]);
    close(ends[1]);
    close(own);
    close(file);
    unlink(path);
}

static void
random_check(void)
{
    int device = open("/dev/urandom", O_RDWR);

    check_that(write(device, buffer, sizeof buffer) == sizeof buffer && refused(write(device, (char *) 1, 5), EFAULT), "what is written to random is looked at");
    close(device);
}

int
main(void)
{
    nothing_check();
    order_check();
    random_check();
    flags_check();
    return check_end();
}
