/*
 * Pipes: who waits for whom, and opening and closing. The bytes lie in the ring of kernel/pipe_ring.h.
 *
 * Readers wait while it is empty, and writers while it is full, so that there is one queue for both; what is opened for
 * reading and writing waits there for either.
 *
 * Bytes are copied straight between user memory and the ring, and such a copy may sleep for a page of the user's;
 * `busy` lets one thread at a time do so. A bad pointer consumes nothing of the piece it stopped, as on Linux.
 */
#include "kernel/pipe.h"

#include "kernel/assert.h"
#include "kernel/permission.h"
#include "kernel/poll.h"
#include "kernel/process.h"
#include "kernel/reserve.h"
#include "kernel/signal.h"
#include "mm/kmem.h"
#include "mm/user.h"

#include <asm/errno.h>
#include <asm/ioctls.h>
#include <linux/fcntl.h>
#include <linux/limits.h>
#include <linux/magic.h>
#include <linux/stat.h>

static struct kmem_cache pipe_cache = KMEM_CACHE("pipe", sizeof(struct pipe), sizeof(u32));

static const struct file_operations pipe_operations;

struct pipe *
pipe_of(const struct file *file)
{
    return file->operations == &pipe_operations ? file->data : NULL;
}

/* ---- Reading and writing ---- */

/* Sleeps, without the pipe, until something has changed. */
static int
pipe_sleep(struct pipe *pipe)
{
    int error;

    mutex_unlock(&pipe->busy);
    error = wait_interruptible(&pipe->queue);
    mutex_lock(&pipe->busy);
    return error;
}

int
pipe_wait_bytes(struct pipe *pipe, bool at_once)
{
    int result = 0;

    while (pipe->ring.bytes == 0 && pipe->writers > 0 && result == 0)
        result = at_once ? -EAGAIN : pipe_sleep(pipe);
    return result;
}

static inline s32
pipe_take(struct pipe *pipe, struct transfer *transfer, bool at_once)
{
    s32 result;

    if (transfer->remaining == 0)
        return 0;
    mutex_lock(&pipe->busy);
    result = pipe->ring.bytes > 0 ? 0 : pipe_wait_bytes(pipe, at_once);
    if (result == 0 && pipe->ring.bytes > 0) {
        result = pipe_ring_read(&pipe->ring, transfer);
        if (result > 0)
            wait_wake_events(&pipe->queue, POLL_WRITABLE);
    }
    mutex_unlock(&pipe->busy);
    return result;
}

s32
pipe_receive(struct pipe *pipe, struct transfer *transfer, bool at_once)
{
    return pipe_take(pipe, transfer, at_once);
}

/* Nobody asks a pipe without a name when it was used, and to note it would take time. */
static bool
pipe_has_name(const struct file *file)
{
    return file->inode->parent != NULL;
}

static s32
pipe_read(struct file *file, struct transfer *transfer, u64 *offset)
{
    s32 result = pipe_take(file->data, transfer, file->flags & O_NONBLOCK);

    (void)offset;
    if (result > 0 && pipe_has_name(file))
        inode_touch_accessed(file->inode);
    return result;
}

/* Waits for room and puts in what fits: bytes, or -errno. */
static inline s32
pipe_write_some(struct file *file, struct transfer *transfer)
{
    struct pipe *pipe = file->data;
    u32 room = pipe_ring_room(&pipe->ring, transfer->remaining);
    s32 result = 0;

    while (pipe->readers > 0 && room == 0 && result == 0) {
        result = file->flags & O_NONBLOCK ? -EAGAIN : pipe_sleep(pipe);
        room = pipe_ring_room(&pipe->ring, transfer->remaining);
    }
    if (result < 0)
        return result;
    if (pipe->readers == 0)
        return -EPIPE;
    result = pipe_ring_write(&pipe->ring, transfer, room);
    if (result > 0)
        wait_wake_events(&pipe->queue, POLL_READABLE);
    return result;
}

void
pipe_signal_broken(void)
{
    signal_send_thread(current_thread(), SIGPIPE, NULL);
}

static s32
pipe_write(struct file *file, struct transfer *transfer, u64 *offset)
{
    struct pipe *pipe = file->data;
    u32 done = 0;
    s32 result = 0;

    static_assert(PIPE_BUF <= PAGE_SIZE, "as much is written in one piece");
    (void)offset;
    mutex_lock(&pipe->busy);
    while (transfer->remaining > 0) {
        result = pipe_write_some(file, transfer);
        if (result < 0)
            break;
        done += result;
    }
    mutex_unlock(&pipe->busy);
    if (result == -EPIPE)
        pipe_signal_broken();
    if (done == 0)
        return result;
    if (pipe_has_name(file))
        inode_touch_modified(file->inode);
    return (s32)done;
}

int
pipe_wait_slot(struct pipe *pipe, bool at_once)
{
    int result = 0;

    while (pipe->readers > 0 && pipe_ring_free_slots(&pipe->ring) == 0 && result == 0)
        result = at_once ? -EAGAIN : pipe_sleep(pipe);
    return result == 0 && pipe->readers == 0 ? -EPIPE : result;
}

s32
pipe_lend(struct pipe *pipe, struct transfer *transfer, bool at_once)
{
    u32 done = 0;
    s32 result;

    if (transfer->remaining == 0)
        return 0;
    mutex_lock(&pipe->busy);
    result = pipe_wait_slot(pipe, at_once);
    while (result >= 0 && transfer->remaining > 0 && pipe_ring_free_slots(&pipe->ring) > 0) {
        result = pipe_ring_lend(&pipe->ring, transfer);
        if (result > 0)
            done += result;
    }
    if (done > 0)
        wait_wake_events(&pipe->queue, POLL_READABLE);
    mutex_unlock(&pipe->busy);
    if (result == -EPIPE)
        pipe_signal_broken();
    return done > 0 ? (s32)done : result;
}

static u32
pipe_poll(struct file *file, struct wait_queue **queue)
{
    struct pipe *pipe = file->data;
    u32 access = file->flags & O_ACCMODE;
    u32 events = 0;

    *queue = &pipe->queue;
    if (access != O_WRONLY) {
        if (pipe->ring.bytes > 0)
            events |= POLL_READABLE;
        if (pipe->writers == 0 && pipe->writer_opens > 0)
            events |= POLLHUP;
    }
    if (access != O_RDONLY) {
        if (pipe_ring_free_slots(&pipe->ring) > 0)
            events |= POLL_WRITABLE;
        if (pipe->readers == 0)
            events |= POLLERR;
    }
    return events;
}

static s32
pipe_ioctl(struct file *file, u32 command, u32 argument)
{
    struct pipe *pipe = file->data;

    if (command != FIONREAD)
        return -ENOTTY;
    return user_write_word(argument, pipe->ring.bytes);
}

/* ---- Size ---- */

s32
pipe_size(const struct pipe *pipe)
{
    return (s32)(pipe->ring.count * PAGE_SIZE);
}

s32
pipe_set_size(struct pipe *pipe, u32 bytes)
{
    u32 slots = 1;
    int error;

    if ((s32)bytes < 0)
        return -EINVAL;
    if (bytes > PIPE_LARGEST_BYTES && !permission_is_root())
        return -EPERM;
    while (slots * PAGE_SIZE < bytes)
        slots *= 2;
    mutex_lock(&pipe->busy);
    error = pipe_ring_resize(&pipe->ring, slots);
    if (error == 0)
        wait_wake_events(&pipe->queue, POLL_WRITABLE);
    mutex_unlock(&pipe->busy);
    return error < 0 ? error : pipe_size(pipe);
}

/* ---- Opening and closing ---- */

static void
pipe_free(struct pipe *pipe)
{
    pipe_ring_end(&pipe->ring);
    kmem_cache_free(&pipe_cache, pipe);
}

/* One more file has the pipe open. */
static void
pipe_count(struct pipe *pipe, u32 access)
{
    if (access != O_WRONLY) {
        pipe->readers++;
        pipe->reader_opens++;
    }
    if (access != O_RDONLY) {
        pipe->writers++;
        pipe->writer_opens++;
    }
    wait_wake_all(&pipe->queue);
}

static void
pipe_release(struct file *file)
{
    struct pipe *pipe = file->data;
    u32 access = file->flags & O_ACCMODE;

    if (access != O_WRONLY)
        pipe->readers--;
    if (access != O_RDONLY)
        pipe->writers--;
    wait_wake_all(&pipe->queue);
    if (pipe->readers == 0 && pipe->writers == 0) {
        file->inode->pipe = NULL;
        pipe_free(pipe);
    }
}

static const struct file_operations pipe_operations = {
    .read = pipe_read,
    .write = pipe_write,
    .ioctl = pipe_ioctl,
    .poll = pipe_poll,
    .release = pipe_release,
    .tells_by_signal = true,
};

/* For an open of one side: waits until the other side is, or has been, open. */
static int
pipe_wait_for_peer(struct pipe *pipe, u32 access)
{
    u32 *opens = access == O_RDONLY ? &pipe->writer_opens : &pipe->reader_opens;
    u32 *peers = access == O_RDONLY ? &pipe->writers : &pipe->readers;
    u32 seen = *opens;
    int error = 0;

    while (*peers == 0 && *opens == seen && error == 0)
        error = wait_interruptible(&pipe->queue);
    return error;
}

/* A pipe with its first page, not yet open; NULL if memory is short. */
static struct pipe *
pipe_allocate(void)
{
    struct pipe *pipe = reserve_is_reached() ? NULL : kmem_cache_allocate_zeroed(&pipe_cache);

    if (pipe == NULL)
        return NULL;
    if (!pipe_ring_start(&pipe->ring)) {
        kmem_cache_free(&pipe_cache, pipe);
        return NULL;
    }
    return pipe;
}

/* Lets a file use its inode's pipe, making one if nobody has it open. A pipe has no fourth way to be opened. */
static int
pipe_attach(struct inode *inode, struct file *file)
{
    if ((file->flags & O_ACCMODE) == O_ACCMODE)
        return -EINVAL;
    if (inode->pipe == NULL)
        inode->pipe = pipe_allocate();
    if (inode->pipe == NULL)
        return -ENFILE;
    pipe_count(inode->pipe, file->flags & O_ACCMODE);
    file->data = inode->pipe;
    file->operations = &pipe_operations;
    return 0;
}

int
pipe_open(struct inode *inode, struct file *file)
{
    u32 access = file->flags & O_ACCMODE;
    bool has_readers = inode->pipe != NULL && inode->pipe->readers > 0;
    int error;

    if (access == O_WRONLY && (file->flags & O_NONBLOCK) && !has_readers)
        return -ENXIO;
    error = pipe_attach(inode, file);
    if (error < 0 || access == O_RDWR || (file->flags & O_NONBLOCK))
        return error;
    return pipe_wait_for_peer(inode->pipe, access);
}

/* ---- Pipes without a name ---- */

static const struct file_system pipe_file_system = {"pipefs", DEVICE_PIPES, PIPEFS_MAGIC, false};

/* Opening one again (/proc/self/fd/0) waits for nobody: the other side may have come and gone. */
static const struct inode_operations pipe_inode_operations = {
    .open = pipe_attach,
};

int
pipe_create(u32 flags, struct file *ends[2])
{
    struct inode *inode = inode_create(&pipe_inode_operations, &pipe_file_system, S_IFIFO | 0600);
    int error;

    if (inode == NULL)
        return -ENOMEM;
    inode->links = 1;
    error = file_open_inode(inode, O_RDONLY | (flags & O_NONBLOCK), &ends[0]);
    if (error == 0) {
        error = file_open_inode(inode, O_WRONLY | (flags & O_NONBLOCK), &ends[1]);
        if (error < 0)
            file_release(ends[0]);
    }
    inode_release(inode);
    return error;
}
