/*
 * Pipes, between two files of this thread: nothing here may wait.
 */
#include "kernel/lib/string.h"
#include "kernel/pipe.h"
#include "kernel/selftest.h"
#include "mm/kmem.h"

#include <asm/errno.h>
#include <linux/fcntl.h>
#include <linux/limits.h>

static s32
put(struct file *file, const void *data, u32 bytes)
{
    struct transfer transfer = transfer_kernel((void *)data, bytes);

    return file_write(file, &transfer);
}

static s32
take(struct file *file, void *data, u32 bytes)
{
    struct transfer transfer = transfer_kernel(data, bytes);

    return file_read(file, &transfer);
}

static void
close_both(struct file *ends[2])
{
    file_release(ends[0]);
    file_release(ends[1]);
}

SELFTEST(pipe, bytes_come_out_in_order, "what is written comes out in order, also around the end of the ring")
{
    struct file *ends[2];
    u8 data[1000];
    u32 written = 0, read = 0;

    check_equal(pipe_create(O_NONBLOCK, ends), 0);
    /* 900 stay behind in each turn, so that the ring never empties and the positions go around it. */
    for (u32 turn = 0; turn < 200; turn++) {
        for (u32 i = 0; i < sizeof(data); i++)
            data[i] = (u8)(written++ % 251);
        check_equal(put(ends[1], data, sizeof(data)), (s32)sizeof(data));
        check_equal(take(ends[0], data, turn == 0 ? 100 : sizeof(data)), turn == 0 ? 100 : (s32)sizeof(data));
        for (u32 i = 0; i < (turn == 0 ? 100 : sizeof(data)); i++)
            check_equal(data[i], read++ % 251);
    }
    close_both(ends);
}

SELFTEST(pipe, holds_64KiB, "a pipe takes 64 KiB and then says EAGAIN; all of it comes out again")
{
    struct file *ends[2];
    u8 *data = kmem_allocate(PIPE_BYTES + 1);

    check_true(data != NULL);
    memset(data, 'x', PIPE_BYTES + 1);
    check_equal(pipe_create(O_NONBLOCK, ends), 0);
    check_equal(put(ends[1], data, PIPE_BYTES + 1), (s32)PIPE_BYTES);
    check_equal(put(ends[1], data, 1), -EAGAIN);
    check_equal(take(ends[0], data, PIPE_BYTES + 1), (s32)PIPE_BYTES);
    check_equal(take(ends[0], data, 1), -EAGAIN);
    close_both(ends);
    kmem_free(data);
}

SELFTEST(pipe, short_writes_are_atomic, "a message of up to PIPE_BUF bytes goes in whole or not at all, and so does what a longer one has beyond whole pages")
{
    struct file *ends[2];
    u8 *data = kmem_allocate_zeroed(PIPE_BYTES);

    check_true(data != NULL);
    check_equal(pipe_create(O_NONBLOCK, ends), 0);
    check_equal(put(ends[1], data, PIPE_BYTES - 10), (s32)PIPE_BYTES - 10);
    check_equal(put(ends[1], data, 11), -EAGAIN);
    check_equal(put(ends[1], data, PIPE_BUF + 11), -EAGAIN);
    check_equal(put(ends[1], data, PIPE_BUF + 1), 1);
    close_both(ends);
    kmem_free(data);
}

SELFTEST(pipe, end_of_file_without_writers,
         "without writers a reader gets what is left, and then the end of the file")
{
    struct file *ends[2];
    char text[8] = "";

    check_equal(pipe_create(0, ends), 0);
    check_equal(put(ends[1], "last", 4), 4);
    file_release(ends[1]);
    check_equal(take(ends[0], text, sizeof(text)), 4);
    check_text(text, "last");
    check_equal(take(ends[0], text, sizeof(text)), 0);
    file_release(ends[0]);
}

SELFTEST(pipe, ends_are_one_way, "the reading end cannot be written and the writing end cannot be read")
{
    struct file *ends[2];
    char byte = 0;

    check_equal(pipe_create(0, ends), 0);
    check_equal(put(ends[0], &byte, 1), -EBADF);
    check_equal(take(ends[1], &byte, 1), -EBADF);
    close_both(ends);
}
