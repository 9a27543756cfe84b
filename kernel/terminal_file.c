/*
 * A terminal as a file: opening, reading, writing, waiting. Its ioctls are in terminal_ioctl.c.
 */
#include "kernel/terminal.h"

#include "kernel/permission.h"
#include "kernel/poll.h"
#include "kernel/process.h"
#include "kernel/signal.h"
#include "mm/kmem.h"

#include <asm/errno.h>
#include <asm/ioctls.h>
#include <linux/fcntl.h>
#include <linux/major.h>

#define DEVICE_CONTROLLING (TTYAUX_MAJOR << 8 | 0)
#define DEVICE_CONSOLE     (TTYAUX_MAJOR << 8 | 1)

/* ---- Opening ---- */

static struct terminal *
terminal_of_device(u32 device)
{
    if (device == DEVICE_CONTROLLING)
        return terminal_controlling(current_process());
    return device == DEVICE_CONSOLE ? terminal_console() : terminal_find(device);
}

int
terminal_open(struct file *file, u32 device)
{
    struct terminal *terminal = terminal_of_device(device);
    struct terminal_opening *opening;

    if (terminal == NULL)
        return -ENXIO;
    if (terminal->exclusive && !permission_is_root())
        return -EBUSY;
    opening = kmem_allocate(sizeof(*opening));
    if (opening == NULL)
        return -ENOMEM;
    *opening = (struct terminal_opening){terminal, terminal->hang_ups, device == DEVICE_CONSOLE};
    file->operations = &terminal_operations;
    file->data = opening;
    if (terminal->device == device && !(file->flags & O_NOCTTY))
        terminal_acquire(terminal, false);
    return 0;
}

static void
terminal_file_release(struct file *file)
{
    kmem_free(file->data);
}

static bool
terminal_is_hung_up(const struct terminal_opening *opening)
{
    return !opening->lasts && opening->hang_ups != opening->terminal->hang_ups;
}

/* ---- Reading and writing ---- */

static s32
terminal_file_read(struct file *file, struct transfer *transfer, u64 *offset)
{
    struct terminal_opening *opening = file->data;
    struct terminal *terminal = opening->terminal;

    (void)offset;
    while (!terminal_is_hung_up(opening)) {
        u32 hang_ups = terminal->hang_ups;
        s32 result = terminal_check_foreground(terminal, SIGTTIN, true);

        if (result == 0)
            result = terminal_read(terminal, transfer, file->flags & O_NONBLOCK);
        if (result != -EIO || hang_ups == terminal->hang_ups)
            return result;
    }
    return 0;
}

static s32
terminal_file_write(struct file *file, struct transfer *transfer, u64 *offset)
{
    struct terminal_opening *opening = file->data;
    struct terminal *terminal = opening->terminal;
    int error = terminal->settings.c_lflag & TOSTOP ? terminal_check_foreground(terminal, SIGTTOU, false) : 0;

    (void)offset;
    if (terminal_is_hung_up(opening))
        return -EIO;
    return error < 0 ? error : terminal_write(terminal, transfer, file->flags & O_NONBLOCK);
}

static u32
terminal_file_poll(struct file *file, struct wait_queue **queue)
{
    struct terminal_opening *opening = file->data;
    u32 events = 0;

    *queue = &opening->terminal->queue;
    if (terminal_is_hung_up(opening))
        return POLL_WRITABLE | POLL_READABLE | POLLERR | POLLHUP;
    if (opening->terminal->held_bytes < TERMINAL_HELD_FEW)
        events |= POLL_WRITABLE;
    if (terminal_is_ready(opening->terminal))
        events |= POLL_READABLE;
    return events;
}

static s32
terminal_file_ioctl(struct file *file, u32 command, u32 argument)
{
    struct terminal_opening *opening = file->data;

    if (terminal_is_hung_up(opening))
        return command == TIOCSPGRP ? -ENOTTY : -EIO;
    return terminal_ioctl(opening->terminal, command, argument);
}

const struct file_operations terminal_operations = {
    .read = terminal_file_read,
    .write = terminal_file_write,
    .ioctl = terminal_file_ioctl,
    .poll = terminal_file_poll,
    .release = terminal_file_release,
    .splice_read = true,
    .splice_write = true,
    .tells_by_signal = true,
};
