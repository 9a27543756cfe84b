/*
 * The system calls on sockets. Libraries of 32-bit programs also reach them through socketcall, with a number and a
 * pointer to the arguments.
 */
#include "kernel/file.h"
#include "kernel/pipe.h"
#include "kernel/process.h"
#include "kernel/socket.h"
#include "kernel/syscall_file.h"
#include "kernel/transfer.h"
#include "mm/user.h"

#include <asm/errno.h>
#include <asm/socket.h>
#include <linux/fcntl.h>
#include <linux/net.h>

/* Not in the UAPI headers: families, types, flags and ways to shut are the C library's to name. */
#define AF_UNIX 1
#define SOCK_STREAM 1
#define SOCK_TYPE_MASK 0xf
#define SOCK_TYPE_LAST 10
#define SOCK_NONBLOCK O_NONBLOCK
#define SOCK_CLOEXEC O_CLOEXEC
#define MSG_OOB 0x1u
#define MSG_PEEK 0x2u
#define MSG_DONTWAIT 0x40u
#define MSG_WAITALL 0x100u
#define MSG_NOSIGNAL 0x4000u
#define MSG_MISSING (MSG_OOB | MSG_PEEK)   /* what is not there; all other flags do nothing to a pair */

enum { SHUT_RD, SHUT_WR, SHUT_RDWR };

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

/* ---- making ---- */

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
    return (type & SOCK_TYPE_MASK) == SOCK_STREAM ? 0 : -ESOCKTNOSUPPORT;
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
        error = socket_create_pair(type & SOCK_NONBLOCK, ends);
    return error < 0 ? error : descriptor_install_pair(ends, type & SOCK_CLOEXEC, descriptors);
}

/* ---- bytes ---- */

typedef s32 (*socket_function)(struct file *, struct transfer *, struct socket_manner);

static s32
socket_transfer(s32 descriptor, u32 address, u32 bytes, u32 flags, socket_function function)
{
    struct file *file;
    s32 result = socket_get(descriptor, &file);

    if (result < 0)
        return result;
    if (flags & MSG_MISSING) {
        result = -EOPNOTSUPP;
    } else if (!user_range_ok(address, read_limit(bytes))) {
        result = -EFAULT;
    } else {
        struct transfer transfer = transfer_user(address, read_limit(bytes));
        struct socket_manner manner = {
            .at_once = (flags & MSG_DONTWAIT) || (file->flags & O_NONBLOCK),
            .whole = flags & MSG_WAITALL,
            .silent = flags & MSG_NOSIGNAL,
        };

        result = function(file, &transfer, manner);
    }
    file_release(file);
    return result;
}

/* It is connected, so that an address is a mistake. */
s32
sys_sendto(s32 descriptor, u32 address, u32 bytes, u32 flags, u32 to, u32 to_bytes)
{
    (void)to_bytes;
    if (to != 0)
        return -EISCONN;
    return socket_transfer(descriptor, address, bytes, flags, socket_send);
}

/* The sender has no address, which has no bytes. */
s32
sys_recvfrom(s32 descriptor, u32 address, u32 bytes, u32 flags, u32 from, u32 from_bytes)
{
    s32 result = socket_transfer(descriptor, address, bytes, flags, socket_receive);

    if (result >= 0 && from != 0 && user_write_word(from_bytes, 0) < 0)
        return -EFAULT;
    return result;
}

/* ---- state ---- */

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
socket_option(s32 option, u32 *value)
{
    switch (option) {
    case SO_TYPE:
        *value = SOCK_STREAM;
        return 0;
    case SO_DOMAIN:
        *value = AF_UNIX;
        return 0;
    case SO_ERROR:
    case SO_PROTOCOL:
    case SO_ACCEPTCONN:
        *value = 0;
        return 0;
    case SO_SNDBUF:
    case SO_RCVBUF:
        *value = PIPE_BYTES;
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

s32
sys_getsockopt(s32 descriptor, s32 level, s32 option, u32 value, u32 value_bytes)
{
    struct file *file;
    u32 answer, room;
    s32 result = socket_get(descriptor, &file);

    if (result < 0)
        return result;
    file_release(file);
    result = level == SOL_SOCKET ? socket_option(option, &answer) : -EOPNOTSUPP;
    if (result < 0)
        return result;
    if (user_read_word(&room, value_bytes) < 0)
        return -EFAULT;
    if ((s32)room < 0)
        return -EINVAL;
    if (room > sizeof(answer))
        room = sizeof(answer);
    return user_copy_out(value, &answer, room) < 0 ? -EFAULT : user_write_word(value_bytes, room);
}

/* ---- all in one ---- */

s32
sys_socketcall(u32 call, u32 arguments)
{
    /* How many arguments each call has that is there. */
    static const u8 counts[] = {
        [SYS_SOCKET] = 3, [SYS_SOCKETPAIR] = 4, [SYS_SEND] = 4, [SYS_RECV] = 4, [SYS_SENDTO] = 6, [SYS_RECVFROM] = 6,
        [SYS_SHUTDOWN] = 2, [SYS_GETSOCKOPT] = 5,
    };
    u32 a[6] = {0};

    if (call >= ARRAY_SIZE(counts) || counts[call] == 0)
        return -EINVAL;
    if (user_copy_in(a, arguments, counts[call] * sizeof(u32)) < 0)
        return -EFAULT;
    switch (call) {
    case SYS_SOCKET:
        return sys_socket((s32)a[0], (s32)a[1], (s32)a[2]);
    case SYS_SOCKETPAIR:
        return sys_socketpair((s32)a[0], (s32)a[1], (s32)a[2], a[3]);
    case SYS_SEND:
    case SYS_SENDTO:
        return sys_sendto((s32)a[0], a[1], a[2], a[3], a[4], a[5]);
    case SYS_RECV:
    case SYS_RECVFROM:
        return sys_recvfrom((s32)a[0], a[1], a[2], a[3], a[4], a[5]);
    case SYS_SHUTDOWN:
        return sys_shutdown((s32)a[0], (s32)a[1]);
    default:
        return sys_getsockopt((s32)a[0], (s32)a[1], (s32)a[2], a[3], a[4]);
    }
}
