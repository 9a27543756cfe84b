/*
 * System calls that hand pages on instead of copying them: vmsplice, splice and tee.
 *
 *     user memory ── vmsplice ──► pipe ── tee, splice ──► pipe ── vmsplice, read ──► user memory
 *                                  ▲ splice                │ splice
 *                                 file                    file
 *
 * A page goes from memory to pipe to memory as an anon, copy-on-write; what comes from a file is copied once, into a
 * page of its own, and what goes to a file is copied once, out of the pipe.
 */
#include "kernel/syscall_file.h"

#include "kernel/file.h"
#include "kernel/pipe.h"
#include "kernel/poll.h"
#include "kernel/process.h"
#include "mm/evictable.h"
#include "mm/frame.h"
#include "mm/move.h"
#include "mm/user.h"

#include <asm/errno.h>
#include <linux/fcntl.h>
#include <linux/stat.h>

/* The UAPI headers leave these out. */
#define SPLICE_F_MOVE     1u
#define SPLICE_F_NONBLOCK 2u
#define SPLICE_F_MORE     4u
#define SPLICE_F_GIFT     8u
#define SPLICE_F_ALL      (SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT)

/* ---- Memory and pipe ---- */

static s32
vmsplice_with(struct file *file, struct transfer *transfer, bool at_once)
{
    struct pipe *pipe = pipe_of(file);

    if (pipe == NULL)
        return -EBADF;
    if (!file_may_write(file))
        return pipe_receive(pipe, transfer, at_once);
    return pipe_lend(pipe, transfer, at_once);
}

s32
sys_vmsplice(s32 descriptor, u32 address, u32 count, u32 flags)
{
    struct segments segments;
    struct transfer transfer;
    struct file *file;
    s32 result;

    if (flags & ~SPLICE_F_ALL)
        return -EINVAL;
    result = file_get(current_process()->files, descriptor, &file);
    if (result < 0)
        return result;
    result = segments_read(&segments, address, count, &transfer);
    if (result == 0) {
        result = vmsplice_with(file, &transfer, flags & SPLICE_F_NONBLOCK);
        segments_end(&segments);
    }
    file_release(file);
    return result;
}

/* ---- Pipe and pipe ---- */

/* Both pipes, in an order that is the same for everybody. */
static void
splice_lock(struct pipe *one, struct pipe *other)
{
    mutex_lock(one < other ? &one->busy : &other->busy);
    mutex_lock(one < other ? &other->busy : &one->busy);
}

static void
splice_unlock(struct pipe *one, struct pipe *other)
{
    mutex_unlock(&one->busy);
    mutex_unlock(&other->busy);
}

/* Waits until the one has bytes and the other room; 0 with both locked, or an error with neither. */
static int
splice_wait(struct pipe *from, struct pipe *to, bool at_once)
{
    int error;

    mutex_lock(&from->busy);
    error = pipe_wait_bytes(from, at_once);
    mutex_unlock(&from->busy);
    if (error < 0)
        return error;
    mutex_lock(&to->busy);
    error = pipe_wait_slot(to, at_once);
    mutex_unlock(&to->busy);
    if (error == 0)
        splice_lock(from, to);
    return error;
}

/* Moves, or with tee only shares, what is there and fits. Bytes or -ENOMEM. */
static s32
splice_slots(struct pipe_ring *from, struct pipe_ring *to, u32 bytes, bool tee)
{
    u32 done = 0, slots = from->put - from->taken;

    for (u32 i = 0; i < slots && done < bytes && pipe_ring_free_slots(to) > 0; i++) {
        const struct pipe_slot *slot = &from->slots[(from->taken + (tee ? i : 0)) & (from->count - 1)];
        s32 piece = pipe_ring_share(to, slot, bytes - done);

        if (piece < 0)
            return done > 0 ? (s32)done : piece;
        if (!tee)
            pipe_ring_skip(from, piece);
        done += piece;
    }
    return done;
}

static s32
splice_pipes(struct pipe *from, struct pipe *to, u32 bytes, bool at_once, bool tee)
{
    bool ended;
    s32 result;

    if (from == to)
        return -EINVAL;
    do {
        result = splice_wait(from, to, at_once);
        if (result < 0)
            break;
        result = splice_slots(&from->ring, &to->ring, bytes, tee);
        ended = from->ring.bytes == 0 && from->writers == 0;
        if (result > 0) {
            wait_wake_events(&to->queue, POLL_READABLE);
            wait_wake_events(&from->queue, POLL_WRITABLE);
        }
        splice_unlock(from, to);
    } while (result == 0 && !ended);    /* somebody else was faster */
    if (result == -EPIPE)
        pipe_signal_broken();
    return result;
}

/* ---- File and pipe ---- */

/* Reads at most a page of a file into a page of its own, in the next slot of the ring. Bytes, 0 at the end. */
static s32
splice_page_in(struct file *file, u64 *offset, struct pipe_ring *ring, u32 bytes)
{
    u32 wanted = bytes < PAGE_SIZE ? bytes : PAGE_SIZE;
    struct anon_loan *loan = &pipe_ring_next(ring)->loan;
    struct frame *frame = move_create(loan);
    struct transfer transfer;
    s32 result;

    if (frame == NULL)
        return -ENOMEM;
    transfer = transfer_kernel(frame_data(frame), wanted);
    result = file_read_at(file, &transfer, offset);
    evictable_unpin(frame);
    if (result > 0)
        pipe_ring_filled(ring, 0, result);
    else
        move_drop(loan);
    return result;
}

s32
splice_from_file(struct file *file, u64 *offset, struct pipe *pipe, u32 bytes, bool at_once)
{
    bool may_wait = !inode_is(file->inode, S_IFREG);    /* then it is read once */
    u32 done = 0;
    s32 result;

    if (!file->operations->splice_read)
        return -EINVAL;
    mutex_lock(&pipe->busy);
    result = pipe_wait_slot(pipe, at_once);
    if (result == 0)
        result = 1;
    while (result > 0 && done < bytes && pipe_ring_free_slots(&pipe->ring) > 0) {
        result = splice_page_in(file, offset, &pipe->ring, bytes - done);
        if (result > 0)
            done += result;
        if (may_wait)
            break;
    }
    if (done > 0)
        wait_wake_events(&pipe->queue, POLL_READABLE);
    mutex_unlock(&pipe->busy);
    if (result == -EPIPE)
        pipe_signal_broken();
    return done > 0 || result > 0 ? (s32)done : result;
}

/* Writes the first slot's bytes to the file. */
static s32
splice_page_out(struct pipe_ring *ring, struct file *file, u64 *offset, u32 bytes)
{
    struct pipe_slot *slot = pipe_ring_first(ring);
    u32 there = slot->end - slot->start;
    struct frame *frame = slot->frame;
    struct transfer transfer;
    s32 result = 0;

    if (slot->loan.anon != NULL)
        result = move_pin(&slot->loan, &frame);
    if (result < 0)
        return result;
    transfer = transfer_kernel((u8 *)frame_data(frame) + slot->start, bytes < there ? bytes : there);
    result = file_write_at(file, &transfer, offset);
    if (slot->loan.anon != NULL)
        evictable_unpin(frame);
    if (result > 0)
        pipe_ring_skip(ring, result);
    return result;
}

static s32
splice_to_file(struct pipe *pipe, struct file *file, u64 *offset, u32 bytes, bool at_once)
{
    u32 done = 0;
    s32 result;

    if (file->flags & O_APPEND || !file->operations->splice_write)
        return -EINVAL;
    mutex_lock(&pipe->busy);
    result = pipe_wait_bytes(pipe, at_once);
    while (result >= 0 && done < bytes && pipe->ring.bytes > 0) {
        result = splice_page_out(&pipe->ring, file, offset, bytes - done);
        if (result <= 0)
            break;
        done += result;
    }
    if (done > 0)
        wait_wake_events(&pipe->queue, POLL_WRITABLE);
    mutex_unlock(&pipe->busy);
    return done > 0 ? (s32)done : result;
}

/* ---- The calls ---- */

/* One end of a call. */
struct splice_end {
    struct file *file;      /* held */
    u32 address;            /* of its offset in user memory; 0: the file's own */
    u64 given;
    u64 *offset;            /* one of these two */
};

static s32
splice_files(struct splice_end *in, struct splice_end *out, u32 bytes, u32 flags)
{
    struct pipe *from = pipe_of(in->file), *to = pipe_of(out->file);
    bool at_once = flags & SPLICE_F_NONBLOCK;

    if (from != NULL && to != NULL)
        return splice_pipes(from, to, bytes, at_once || ((in->file->flags | out->file->flags) & O_NONBLOCK), false);
    if (from != NULL)
        return splice_to_file(from, out->file, out->offset, bytes, at_once);
    if (to != NULL)
        return splice_from_file(in->file, in->offset, to, bytes, at_once);
    return -EINVAL;
}

static int
splice_read_offset(struct splice_end *end)
{
    end->offset = end->address == 0 ? &end->file->offset : &end->given;
    if (end->address == 0)
        return 0;
    if (end->file->operations->size == NULL)
        return -EINVAL;
    if (user_copy_in(&end->given, end->address, sizeof(end->given)) < 0)
        return -EFAULT;
    return (s64)end->given < 0 ? -EINVAL : 0;
}

static int
splice_write_offset(const struct splice_end *end)
{
    return end->address == 0 ? 0 : user_copy_out(end->address, &end->given, sizeof(end->given));
}

static s32
splice_with_offsets(struct splice_end *in, struct splice_end *out, u32 bytes, u32 flags)
{
    s32 result = splice_read_offset(in);

    if (result == 0)
        result = splice_read_offset(out);
    if (result == 0)
        result = splice_files(in, out, bytes, flags);
    if (result > 0 && (splice_write_offset(in) < 0 || splice_write_offset(out) < 0))
        return -EFAULT;
    return result;
}

/* Whether one may be read and the other written, and none is a pipe with an offset: 0, -EBADF or -ESPIPE. */
static int
splice_check(const struct splice_end *in, const struct splice_end *out)
{
    if ((in->address != 0 && pipe_of(in->file) != NULL) || (out->address != 0 && pipe_of(out->file) != NULL))
        return -ESPIPE;
    return !file_may_read(in->file) || !file_may_write(out->file) ? -EBADF : 0;
}

static void
splice_release(struct splice_end *in, struct splice_end *out)
{
    file_release(in->file);
    file_release(out->file);
}

/* The files of two descriptors, held: 0, -EBADF or -ESPIPE (an offset in a pipe) with none held. */
static int
splice_get(s32 in, s32 out, struct splice_end *from, struct splice_end *to)
{
    struct file_table *files = current_process()->files;
    int error = file_get(files, in, &from->file);

    if (error < 0)
        return error;
    error = file_get(files, out, &to->file);
    if (error < 0) {
        file_release(from->file);
        return error;
    }
    error = splice_check(from, to);
    if (error < 0)
        splice_release(from, to);
    return error;
}

s32
sys_splice(s32 in, u32 in_offset, s32 out, u32 out_offset, u32 bytes, u32 flags)
{
    struct splice_end from = {.address = in_offset}, to = {.address = out_offset};
    s32 result;

    if (bytes == 0)
        return 0;
    if (flags & ~SPLICE_F_ALL)
        return -EINVAL;
    result = splice_get(in, out, &from, &to);
    if (result < 0)
        return result;
    result = splice_with_offsets(&from, &to, read_limit(bytes), flags);
    splice_release(&from, &to);
    return result;
}

s32
sys_tee(s32 in, s32 out, u32 bytes, u32 flags)
{
    struct splice_end from = {0}, to = {0};
    bool at_once;
    s32 result;

    if (flags & ~SPLICE_F_ALL)
        return -EINVAL;
    if (bytes == 0)
        return 0;
    result = splice_get(in, out, &from, &to);
    if (result < 0)
        return result;
    at_once = flags & SPLICE_F_NONBLOCK || (from.file->flags | to.file->flags) & O_NONBLOCK;
    result = -EINVAL;
    if (pipe_of(from.file) != NULL && pipe_of(to.file) != NULL)
        result = splice_pipes(pipe_of(from.file), pipe_of(to.file), read_limit(bytes), at_once, true);
    splice_release(&from, &to);
    return result;
}
