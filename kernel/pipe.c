/*
 * Pipes.
 *
 *     ring of PIPE_PAGES pages: the first is there from the beginning, each other one since a byte came to lie in it
 *
 *     |        | taken ......... put |        |      positions count up; modulo PIPE_BYTES in the ring
 *               └── bytes waiting ──┘
 *
 * Bytes are copied straight between user memory and the ring, and such a copy may sleep for a page of the user's;
 * `busy` lets one thread at a time do so. When the ring runs empty both positions go back to 0, so that small
 * messages stay in the first page. A piece, which does not cross a page of the ring, is taken or counted as there
 * only after all of it was copied: a bad pointer consumes nothing, as on Linux.
 */
#include "kernel/pipe.h"

#include "kernel/assert.h"
#include "kernel/mutex.h"
#include "kernel/process.h"
#include "kernel/reserve.h"
#include "kernel/signal.h"
#include "kernel/wait.h"
#include "mm/frame.h"
#include "mm/kmem.h"
#include "mm/user.h"

#include <asm/errno.h>
#include <asm/ioctls.h>
#include <linux/fcntl.h>
#include <linux/limits.h>
#include <linux/magic.h>
#include <linux/poll.h>
#include <linux/stat.h>

#define PIPE_PAGES (PIPE_BYTES / PAGE_SIZE)

struct pipe {
    struct mutex busy;
    u32 taken, put;                    /* bytes ever read and written since the ring was last empty */
    u32 readers, writers;              /* files that have it open */
    u32 reader_opens, writer_opens;    /* ever: what an open of the other side waits to see grow */
    struct wait_queue read_queue;      /* sleep until there is something to read, or no writer */
    struct wait_queue write_queue;     /* sleep until there is room, or no reader */
    struct frame *pages[PIPE_PAGES];
};

static struct kmem_cache pipe_cache = KMEM_CACHE("pipe", sizeof(struct pipe), sizeof(u32));

static u32
pipe_waiting(const struct pipe *pipe)
{
    return pipe->put - pipe->taken;
}

static struct pipe *
pipe_of(const struct file *file)
{
    return file->data;
}

/* ---- the ring ---- */

/* Bytes from a position to the end of its page, at most `bytes`. */
static u32
pipe_chunk(u32 position, u32 bytes)
{
    u32 rest = PAGE_SIZE - position % PAGE_SIZE;

    return bytes < rest ? bytes : rest;
}

/* Where a position lies, NULL if its page has no memory yet. */
static u8 *
pipe_address(const struct pipe *pipe, u32 position)
{
    struct frame *page = pipe->pages[position / PAGE_SIZE % PIPE_PAGES];

    return page == NULL ? NULL : (u8 *)frame_data(page) + position % PAGE_SIZE;
}

/* Bytes that can be put before a page is needed that has no memory yet, at most `room`. */
static u32
pipe_allocated_room(const struct pipe *pipe, u32 room)
{
    u32 bytes = 0;

    while (bytes < room && pipe_address(pipe, pipe->put + bytes) != NULL)
        bytes += PAGE_SIZE - (pipe->put + bytes) % PAGE_SIZE;
    return bytes < room ? bytes : room;
}

/*
 * Bytes that can be put now. An empty ring has at least its first page, so there is progress however short memory is.
 */
static u32
pipe_room(const struct pipe *pipe)
{
    u32 room = PIPE_BYTES - pipe_waiting(pipe);

    return reserve_is_reached() ? pipe_allocated_room(pipe, room) : room;
}

/*
 * Bytes copied out of the ring: all that wait or as many as are wanted, fewer where the reader's memory cannot be
 * written; or -EFAULT.
 */
static s32
pipe_take(struct pipe *pipe, struct transfer *transfer)
{
    u32 wanted = transfer->remaining < pipe_waiting(pipe) ? transfer->remaining : pipe_waiting(pipe);
    u32 done = 0;

    while (done < wanted) {
        u32 chunk = pipe_chunk(pipe->taken, wanted - done);

        if (transfer_out(transfer, pipe_address(pipe, pipe->taken), chunk) < chunk)
            return done > 0 ? (s32)done : -EFAULT;
        pipe->taken += chunk;
        done += chunk;
    }
    if (pipe->taken == pipe->put)
        pipe->taken = pipe->put = 0;
    return done;
}

/* Bytes copied into the ring, at most `bytes`, for which there is room; or -ENOMEM or -EFAULT if none could be. */
static s32
pipe_put(struct pipe *pipe, struct transfer *transfer, u32 bytes)
{
    u32 done = 0;

    while (done < bytes) {
        u32 chunk = pipe_chunk(pipe->put, bytes - done);
        struct frame **page = &pipe->pages[pipe->put / PAGE_SIZE % PIPE_PAGES];

        if (*page == NULL)
            *page = frame_allocate(FRAME_KERNEL);
        if (*page == NULL)
            return done > 0 ? (s32)done : -ENOMEM;
        if (transfer_in(transfer, pipe_address(pipe, pipe->put), chunk) < chunk)
            return done > 0 ? (s32)done : -EFAULT;
        pipe->put += chunk;
        done += chunk;
    }
    return done;
}

/* ---- reading and writing ---- */

/* Sleeps, without the pipe, until a queue is woken. */
static int
pipe_wait(struct pipe *pipe, struct wait_queue *queue)
{
    int error;

    mutex_unlock(&pipe->busy);
    error = wait_interruptible(queue);
    mutex_lock(&pipe->busy);
    return error;
}

static s32
pipe_read(struct file *file, struct transfer *transfer, u64 *offset)
{
    struct pipe *pipe = pipe_of(file);
    s32 result = 0;

    (void)offset;
    if (transfer->remaining == 0)
        return 0;
    mutex_lock(&pipe->busy);
    while (pipe_waiting(pipe) == 0 && pipe->writers > 0 && result == 0)
        result = file->flags & O_NONBLOCK ? -EAGAIN : pipe_wait(pipe, &pipe->read_queue);
    if (result == 0 && pipe_waiting(pipe) > 0) {
        result = pipe_take(pipe, transfer);
        if (result > 0)
            wait_wake_all(&pipe->write_queue);
    }
    mutex_unlock(&pipe->busy);
    return result;
}

/* Room that a writer waits for: a short message goes in whole or not at all, a long one bit by bit. */
static u32
pipe_room_needed(const struct transfer *transfer, bool whole)
{
    return whole ? transfer->remaining : 1;
}

/* Waits for room and puts in what fits: bytes, or -errno. */
static s32
pipe_write_some(struct file *file, struct transfer *transfer, bool whole)
{
    struct pipe *pipe = pipe_of(file);
    u32 room = pipe_room(pipe);
    s32 result = 0;

    while (pipe->readers > 0 && room < pipe_room_needed(transfer, whole) && result == 0) {
        result = file->flags & O_NONBLOCK ? -EAGAIN : pipe_wait(pipe, &pipe->write_queue);
        room = pipe_room(pipe);
    }
    if (result < 0)
        return result;
    if (pipe->readers == 0)
        return -EPIPE;
    result = pipe_put(pipe, transfer, transfer->remaining < room ? transfer->remaining : room);
    if (result > 0)
        wait_wake_all(&pipe->read_queue);
    return result;
}

static s32
pipe_write(struct file *file, struct transfer *transfer, u64 *offset)
{
    struct pipe *pipe = pipe_of(file);
    bool whole = transfer->remaining <= PIPE_BUF;
    u32 done = 0;
    s32 result = 0;

    (void)offset;
    mutex_lock(&pipe->busy);
    while (transfer->remaining > 0) {
        result = pipe_write_some(file, transfer, whole);
        if (result < 0)
            break;
        done += result;
    }
    mutex_unlock(&pipe->busy);
    if (result == -EPIPE)
        signal_send_thread(current_thread(), SIGPIPE, NULL);
    return done > 0 ? (s32)done : result;
}

static u32
pipe_poll(struct file *file, struct wait_queue **queue)
{
    struct pipe *pipe = pipe_of(file);
    u32 access = file->flags & O_ACCMODE;
    u32 events = 0;

    *queue = access == O_WRONLY ? &pipe->write_queue : &pipe->read_queue;
    if (access != O_WRONLY) {
        if (pipe_waiting(pipe) > 0)
            events |= POLLIN | POLLRDNORM;
        if (pipe->writers == 0 && pipe->writer_opens > 0)
            events |= POLLHUP;
    }
    if (access != O_RDONLY) {
        if (pipe_room(pipe) >= PIPE_BUF)
            events |= POLLOUT | POLLWRNORM;
        if (pipe->readers == 0)
            events |= POLLERR;
    }
    return events;
}

static s32
pipe_ioctl(struct file *file, u32 command, u32 argument)
{
    if (command != FIONREAD)
        return -ENOTTY;
    return user_write_word(argument, pipe_waiting(pipe_of(file)));
}

/* ---- opening and closing ---- */

static void
pipe_free(struct pipe *pipe)
{
    for (u32 i = 0; i < PIPE_PAGES; i++) {
        if (pipe->pages[i] != NULL)
            frame_free(pipe->pages[i]);
    }
    kmem_cache_free(&pipe_cache, pipe);
}

/* One more file has the pipe open. */
static void
pipe_count(struct pipe *pipe, u32 access)
{
    if (access != O_WRONLY) {
        pipe->readers++;
        pipe->reader_opens++;
        wait_wake_all(&pipe->write_queue);
    }
    if (access != O_RDONLY) {
        pipe->writers++;
        pipe->writer_opens++;
        wait_wake_all(&pipe->read_queue);
    }
}

static void
pipe_release(struct file *file)
{
    struct pipe *pipe = pipe_of(file);
    u32 access = file->flags & O_ACCMODE;

    if (access != O_WRONLY && --pipe->readers == 0)
        wait_wake_all(&pipe->write_queue);
    if (access != O_RDONLY && --pipe->writers == 0)
        wait_wake_all(&pipe->read_queue);
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
};

/* For an open of one side: waits until the other side is, or has been, open. */
static int
pipe_wait_for_peer(struct pipe *pipe, u32 access)
{
    u32 *opens = access == O_RDONLY ? &pipe->writer_opens : &pipe->reader_opens;
    u32 *peers = access == O_RDONLY ? &pipe->writers : &pipe->readers;
    struct wait_queue *queue = access == O_RDONLY ? &pipe->read_queue : &pipe->write_queue;
    u32 seen = *opens;
    int error = 0;

    while (*peers == 0 && *opens == seen && error == 0)
        error = wait_interruptible(queue);
    return error;
}

/* A pipe with its first page, not yet open; NULL if memory is short. */
static struct pipe *
pipe_allocate(void)
{
    struct pipe *pipe = reserve_is_reached() ? NULL : kmem_cache_allocate_zeroed(&pipe_cache);

    if (pipe == NULL)
        return NULL;
    pipe->pages[0] = frame_allocate(FRAME_KERNEL);
    if (pipe->pages[0] == NULL) {
        kmem_cache_free(&pipe_cache, pipe);
        return NULL;
    }
    return pipe;
}

/* Lets a file use its inode's pipe, making one if nobody has it open. */
static int
pipe_attach(struct inode *inode, struct file *file)
{
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

u32
pipe_bytes(const struct inode *inode)
{
    return inode->pipe == NULL ? 0 : pipe_waiting(inode->pipe);
}

/* ---- pipes without a name ---- */

static const struct file_system pipe_file_system = {"pipefs", 2, PIPEFS_MAGIC};

/* Opening one again (/proc/self/fd/0) waits for nobody: the other side may have come and gone. */
static const struct inode_operations pipe_inode_operations = {
    .file_system = &pipe_file_system,
    .open = pipe_attach,
};

int
pipe_create(u32 flags, struct file *ends[2])
{
    struct inode *inode = inode_create(&pipe_inode_operations, S_IFIFO | 0600);
    int error;

    if (inode == NULL)
        return -ENOMEM;
    error = file_open_inode(inode, O_RDONLY | (flags & O_NONBLOCK), &ends[0]);
    if (error == 0) {
        error = file_open_inode(inode, O_WRONLY | (flags & O_NONBLOCK), &ends[1]);
        if (error < 0)
            file_release(ends[0]);
    }
    inode_release(inode);
    return error;
}
