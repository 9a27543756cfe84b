/*
 * The system calls on sockets. Libraries of 32-bit programs also reach them through socketcall, with a number and a
 * pointer to the arguments.
 */
#include "kernel/file.h"
#include "kernel/process.h"
#include "kernel/socket.h"
#include "kernel/syscall.h"
#include "kernel/syscall_file.h"
#include "kernel/transfer.h"
#include "mm/user.h"

#include <asm/errno.h>
#include <asm/socket.h>
#include <asm/unistd_32.h>
#include <linux/fcntl.h>
#include <linux/net.h>

/* Not in the UAPI headers: families, types, flags and ways to shut are the C library's to name. */
#define AF_UNIX 1
#define SOCK_TYPE_MASK 0xf
#define SOCK_TYPE_LAST 10
#define SOCK_NONBLOCK O_NONBLOCK
#define SOCK_CLOEXEC O_CLOEXEC
#define MSG_OOB 0x1u
#define MSG_PEEK 0x2u
#define MSG_TRUNC 0x20u
#define MSG_DONTWAIT 0x40u
#define MSG_WAITALL 0x100u
#define MSG_NOSIGNAL 0x4000u               /* MSG_OOB is not there; all others do nothing to a pair */

enum { SHUT_RD, SHUT_WR, SHUT_RDWR };

/* The C library's struct msghdr. */
struct socket_header {
    u32 name;                   /* user address */
    s32 name_bytes;
    u32 segments;               /* user address of struct iovec */
    u32 count;                  /* of segments */
    u32 control;                /* user address of descriptors and the like, which are not there */
    u32 control_bytes;
    u32 flags;                  /* MSG_*, written by recvmsg */
};

/* The open socket of a descriptor, held: 0, -EBADF, -ENOTSOCK. */
static int
socket_get(s32 descriptor, struct file **file)
{
    int error = file_get(current_process()->files, descriptor, file);

    if (error == 0 && !socket_is(*file)) {
        file_release(*file);
        error = -ENOTSOCK;
    }
    return error;
}

/* ---- Making ---- */

/* What can be had: 0, or the error that tells what cannot. */
static int
socket_check_kind(s32 family, s32 type, s32 protocol)
{
    if ((type & ~(SOCK_TYPE_MASK | SOCK_NONBLOCK | SOCK_CLOEXEC)) != 0 || (type & SOCK_TYPE_MASK) > SOCK_TYPE_LAST)
        return -EINVAL;
    if (family != AF_UNIX)
        return -EAFNOSUPPORT;
    if (protocol != 0 && protocol != AF_UNIX)
        return -EPROTONOSUPPORT;
    switch (type & SOCK_TYPE_MASK) {
    case SOCK_STREAM:
    case SOCK_DGRAM:
    case SOCK_RAW:
    case SOCK_SEQPACKET:
        return 0;
    default:
        return -ESOCKTNOSUPPORT;
    }
}

/* A socket by itself would need an address to be of use. */
s32
sys_socket(s32 family, s32 type, s32 protocol)
{
    int error = socket_check_kind(family, type, protocol);

    return error < 0 ? error : -EAFNOSUPPORT;
}

s32
sys_socketpair(s32 family, s32 type, s32 protocol, u32 descriptors)
{
    struct file *ends[2];
    int error = socket_check_kind(family, type, protocol);

    if (error == 0)
        error = socket_create_pair(type & SOCK_TYPE_MASK, type & SOCK_NONBLOCK, ends);
    return error < 0 ? error : descriptor_install_pair(ends, type & SOCK_CLOEXEC, descriptors);
}

/* ---- Bytes ---- */

static struct socket_manner
socket_manner(const struct file *file, u32 flags)
{
    return (struct socket_manner){
        .at_once = (flags & MSG_DONTWAIT) || (file->flags & O_NONBLOCK),
        .whole = flags & MSG_WAITALL,
        .peek = flags & MSG_PEEK,
        .silent = flags & MSG_NOSIGNAL,
    };
}

/* Who is connected needs no name to send to, and there is none that datagrams could be sent to. */
static int
socket_check_name(const struct file *file, u32 name, s32 name_bytes)
{
    if (name == 0 || name_bytes == 0)
        return 0;
    if (name_bytes < 0)
        return -EINVAL;
    if (socket_type(file) == SOCK_SEQPACKET)
        return 0;
    return socket_type(file) == SOCK_STREAM ? -EISCONN : -ECONNREFUSED;
}

static s32
socket_send_with(struct file *file, struct transfer *transfer, u32 flags, u32 name, s32 name_bytes)
{
    int error = socket_check_name(file, name, name_bytes);

    if (error == 0 && (flags & MSG_OOB))
        error = -EOPNOTSUPP;
    return error < 0 ? error : socket_send(file, transfer, socket_manner(file, flags));
}

/* *is_cut becomes whether the message was longer than the transfer. */
static s32
socket_receive_with(struct file *file, struct transfer *transfer, u32 flags, bool *is_cut)
{
    u32 length;
    s32 result;

    if (flags & MSG_OOB)
        return -EOPNOTSUPP;
    result = socket_receive(file, transfer, socket_manner(file, flags), &length);
    *is_cut = result >= 0 && length > (u32)result;
    return *is_cut && (flags & MSG_TRUNC) ? (s32)length : result;
}

s32
sys_sendto(s32 descriptor, u32 address, u32 bytes, u32 flags, u32 name, s32 name_bytes)
{
    struct transfer transfer = transfer_user(address, read_limit(bytes));
    struct file *file;
    s32 result = socket_get(descriptor, &file);

    if (result < 0)
        return result;
    if (user_range_ok(address, read_limit(bytes)))
        result = socket_send_with(file, &transfer, flags, name, name_bytes);
    else
        result = -EFAULT;
    file_release(file);
    return result;
}

/* Writes a name as far as the caller has room, which *name_bytes says, and there how long it is. */
static int
socket_write_name(const void *name, u32 length, u32 address, u32 name_bytes)
{
    u32 room;

    if (user_read_word(&room, name_bytes) < 0)
        return -EFAULT;
    if ((s32)room < 0)
        return -EINVAL;
    if (user_copy_out(address, name, room < length ? room : length) < 0)
        return -EFAULT;
    return user_write_word(name_bytes, length);
}

/* The sender's name is empty. */
s32
sys_recvfrom(s32 descriptor, u32 address, u32 bytes, u32 flags, u32 name, u32 name_bytes)
{
    struct transfer transfer = transfer_user(address, read_limit(bytes));
    struct file *file;
    s32 result = socket_get(descriptor, &file), error = 0;
    bool is_cut;

    if (result < 0)
        return result;
    if (user_range_ok(address, read_limit(bytes)))
        result = socket_receive_with(file, &transfer, flags, &is_cut);
    else
        result = -EFAULT;
    file_release(file);
    if (result >= 0 && name != 0)
        error = socket_write_name(NULL, 0, name, name_bytes);
    return error < 0 ? error : result;
}

/* ---- Bytes in segments ---- */

/* What a header in user memory says, and its segments: 0, or with no segments -EFAULT, -EMSGSIZE, -EINVAL, -ENOMEM. */
static int
socket_read_header(struct socket_header *header, u32 address, struct segments *segments, struct transfer *transfer)
{
    if (user_copy_in(header, address, sizeof(*header)) < 0)
        return -EFAULT;
    if (header->count > UIO_MAXIOV)
        return -EMSGSIZE;
    return segments_read(segments, header->segments, header->count, transfer);
}

static s32
socket_send_header(struct file *file, u32 address, u32 flags)
{
    struct socket_header header;
    struct segments segments;
    struct transfer transfer;
    s32 result = socket_read_header(&header, address, &segments, &transfer);

    if (result < 0)
        return result;
    if (header.control_bytes > 0)
        result = -EOPNOTSUPP;
    else
        result = socket_send_with(file, &transfer, flags, header.name, header.name_bytes);
    segments_end(&segments);
    return result;
}

s32
sys_sendmsg(s32 descriptor, u32 message, u32 flags)
{
    struct file *file;
    s32 result = socket_get(descriptor, &file);

    if (result < 0)
        return result;
    result = socket_send_header(file, message, flags);
    file_release(file);
    return result;
}

/* What recvmsg says of a message beyond its bytes: 0 or -EFAULT. */
static int
socket_write_header(u32 address, const struct socket_header *header, u32 flags)
{
    if (header->name != 0 && user_write_word(address + offsetof(struct socket_header, name_bytes), 0) < 0)
        return -EFAULT;
    if (user_write_word(address + offsetof(struct socket_header, control_bytes), 0) < 0)
        return -EFAULT;
    return user_write_word(address + offsetof(struct socket_header, flags), flags);
}

static s32
socket_receive_header(struct file *file, u32 address, u32 flags)
{
    struct socket_header header;
    struct segments segments;
    struct transfer transfer;
    bool is_cut;
    s32 result = socket_read_header(&header, address, &segments, &transfer);

    if (result < 0)
        return result;
    result = socket_receive_with(file, &transfer, flags, &is_cut);
    segments_end(&segments);
    if (result >= 0 && socket_write_header(address, &header, is_cut ? MSG_TRUNC : 0) < 0)
        return -EFAULT;
    return result;
}

s32
sys_recvmsg(s32 descriptor, u32 message, u32 flags)
{
    struct file *file;
    s32 result = socket_get(descriptor, &file);

    if (result < 0)
        return result;
    result = socket_receive_header(file, message, flags);
    file_release(file);
    return result;
}

/* ---- State ---- */

s32
sys_shutdown(s32 descriptor, s32 how)
{
    struct file *file;
    int error = socket_get(descriptor, &file);

    if (error < 0)
        return error;
    if (how < SHUT_RD || how > SHUT_RDWR)
        error = -EINVAL;
    else
        socket_shut(file, how != SHUT_WR, how != SHUT_RD);
    file_release(file);
    return error;
}

/* The options that can be asked for, each a word; or -ENOPROTOOPT. */
static s32
socket_option(struct file *file, s32 option, u32 *value)
{
    switch (option) {
    case SO_TYPE:
        *value = socket_type(file);
        return 0;
    case SO_DOMAIN:
        *value = AF_UNIX;
        return 0;
    case SO_ERROR:
        *value = (u32)-socket_take_error(file);
        return 0;
    case SO_PROTOCOL:
    case SO_ACCEPTCONN:
        *value = 0;
        return 0;
    case SO_SNDBUF:
    case SO_RCVBUF:
        *value = SOCKET_BYTES;
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

static s32
socket_write_option(struct file *file, s32 option, u32 value, u32 value_bytes)
{
    u32 answer, room;
    s32 result;

    if (user_read_word(&room, value_bytes) < 0)
        return -EFAULT;
    if ((s32)room < 0)
        return -EINVAL;
    result = socket_option(file, option, &answer);
    if (result < 0)
        return result;
    if (room > sizeof(answer))
        room = sizeof(answer);
    return user_copy_out(value, &answer, room) < 0 ? -EFAULT : user_write_word(value_bytes, room);
}

s32
sys_getsockopt(s32 descriptor, s32 level, s32 option, u32 value, u32 value_bytes)
{
    struct file *file;
    s32 result = socket_get(descriptor, &file);

    if (result < 0)
        return result;
    result = level == SOL_SOCKET ? socket_write_option(file, option, value, value_bytes) : -EOPNOTSUPP;
    file_release(file);
    return result;
}

/* What a call on a socket comes to whose kind alone decides: this for what is connected, that for datagrams. */
static s32
socket_refuse(s32 descriptor, s32 connected, s32 datagrams)
{
    struct file *file;
    s32 result = socket_get(descriptor, &file);

    if (result < 0)
        return result;
    result = socket_type(file) == SOCK_DGRAM ? datagrams : connected;
    file_release(file);
    return result;
}

/* None of the options can be changed. */
s32
sys_setsockopt(s32 descriptor, s32 level)
{
    s32 error = level == SOL_SOCKET ? -ENOPROTOOPT : -EOPNOTSUPP;

    return socket_refuse(descriptor, error, error);
}

/* Its own name, and that of the other end: both are empty, so that they have a family and nothing else. */
s32
sys_getsockname(s32 descriptor, u32 name, u32 name_bytes)
{
    const u16 family = AF_UNIX;
    s32 result = socket_refuse(descriptor, 0, 0);

    return result < 0 ? result : socket_write_name(&family, sizeof(family), name, name_bytes);
}

s32
sys_bind(s32 descriptor)
{
    return socket_refuse(descriptor, -EOPNOTSUPP, -EOPNOTSUPP);
}

s32
sys_connect(s32 descriptor)
{
    return socket_refuse(descriptor, -EISCONN, -ECONNREFUSED);
}

/* To listen, and to accept: an end of a pair cannot. */
s32
sys_listen(s32 descriptor)
{
    return socket_refuse(descriptor, -EINVAL, -EOPNOTSUPP);
}

/* ---- All in one ---- */

s32
sys_socketcall(u32 call, u32 arguments)
{
    /* Each call that is there, and how many arguments it has. */
    static const struct {
        u32 number, count;
    } calls[] = {
        [SYS_SOCKET] = {__NR_socket, 3}, [SYS_BIND] = {__NR_bind, 3}, [SYS_CONNECT] = {__NR_connect, 3},
        [SYS_LISTEN] = {__NR_listen, 2}, [SYS_ACCEPT] = {__NR_accept4, 3}, [SYS_GETSOCKNAME] = {__NR_getsockname, 3},
        [SYS_GETPEERNAME] = {__NR_getpeername, 3}, [SYS_SOCKETPAIR] = {__NR_socketpair, 4},
        [SYS_SEND] = {__NR_sendto, 4}, [SYS_RECV] = {__NR_recvfrom, 4}, [SYS_SENDTO] = {__NR_sendto, 6},
        [SYS_RECVFROM] = {__NR_recvfrom, 6}, [SYS_SHUTDOWN] = {__NR_shutdown, 2},
        [SYS_SETSOCKOPT] = {__NR_setsockopt, 5}, [SYS_GETSOCKOPT] = {__NR_getsockopt, 5},
        [SYS_SENDMSG] = {__NR_sendmsg, 3}, [SYS_RECVMSG] = {__NR_recvmsg, 3}, [SYS_ACCEPT4] = {__NR_accept4, 4},
    };
    u32 a[6] = {0};

    if (call >= ARRAY_SIZE(calls) || calls[call].count == 0)
        return -EINVAL;
    if (user_copy_in(a, arguments, calls[call].count * sizeof(u32)) < 0)
        return -EFAULT;
    return syscall_table[calls[call].number](a[0], a[1], a[2], a[3], a[4], a[5]);
}
