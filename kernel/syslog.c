/*
 * syslog(2), which C libraries call klogctl: the kernel's log for programs, such as dmesg.
 *
 * Whoever reads the log line by line, as a daemon does (SYSLOG_READ), takes each once, for the whole system. All others
 * see what is kept, from the last clearing on, and the end of it if their buffer is too small.
 */
#include "drivers/timer.h"
#include "kernel/log.h"
#include "kernel/log_buffer.h"
#include "kernel/permission.h"
#include "kernel/signal.h"
#include "kernel/syscall.h"
#include "kernel/wait.h"
#include "mm/kmem.h"
#include "mm/user.h"

#include <asm/errno.h>

/* The kinds of call. <sys/klog.h> of a C library has no names for them, nor has any of Linux's own headers. */
enum {
    SYSLOG_CLOSE,
    SYSLOG_OPEN,
    SYSLOG_READ,
    SYSLOG_READ_ALL,
    SYSLOG_READ_CLEAR,
    SYSLOG_CLEAR,
    SYSLOG_CONSOLE_OFF,
    SYSLOG_CONSOLE_ON,
    SYSLOG_CONSOLE_LEVEL,
    SYSLOG_SIZE_UNREAD,
    SYSLOG_SIZE_BUFFER,
};

/* Whoever waits for a line looks this often: a line may be written where nobody can be woken. */
#define READ_INTERVAL (100ull * NANOSECONDS_PER_MILLISECOND)

static u32 cleared;         /* position in the log; what came before is shown no more */
static u32 unread;          /* position: SYSLOG_READ goes on here */
static unsigned level_before_off = LOG_INFO;

/* The position itself, or the oldest line, if what was there has been overwritten. */
static u32
still_there(u32 position)
{
    u32 first = log_buffer_first();

    return position - first <= log_buffer_end() - first ? position : first;
}

/* Bytes done, or an errno. The copy to the user may sleep, and the log go on meanwhile: so it is copied twice. */
static s32
log_copy_out(u32 address, u32 position, u32 bytes)
{
    char *text = kmem_allocate(bytes);
    s32 result;

    if (text == NULL)
        return -ENOMEM;
    log_buffer_copy(text, position, bytes);
    result = user_copy_out(address, text, bytes);
    kmem_free(text);
    return result < 0 ? result : (s32)bytes;
}

static s32
log_read(u32 address, u32 room)
{
    u32 bytes;
    s32 result;

    while ((unread = still_there(unread)) == log_buffer_end()) {
        result = wait_timeout(NULL, timer_nanoseconds() + READ_INTERVAL);
        if (result == -ERESTARTSYS)
            return result;
    }
    bytes = log_buffer_end() - unread;
    result = log_copy_out(address, unread, bytes < room ? bytes : room);
    if (result > 0)
        unread += (u32)result;
    return result;
}

/* As many of the last lines as there is room for. */
static s32
log_read_all(u32 address, u32 room, bool clear)
{
    u32 position = still_there(cleared), end = log_buffer_end();
    s32 result;

    while (end - position > room)
        position = log_buffer_next(position);
    result = end == position ? 0 : log_copy_out(address, position, end - position);
    if (result >= 0 && clear)
        cleared = end;
    return result;
}

/* Linux's console shows what has a lower number than this; here errors are always shown. */
static s32
log_set_console(u32 level)
{
    static const u8 level_of[] = {[5] = LOG_WARN, [6] = LOG_WARN, [7] = LOG_INFO, [8] = LOG_DEBUG};

    if (level < 1 || level >= sizeof(level_of))
        return -EINVAL;
    log_level = level_of[level];
    return 0;
}

static s32
log_switch_console(bool on)
{
    if (!on && log_level != LOG_ERROR)
        level_before_off = log_level;
    log_level = on ? level_before_off : LOG_ERROR;
    return 0;
}

static s32
log_call(u32 kind, u32 address, u32 length)
{
    switch (kind) {
    case SYSLOG_READ:
        return log_read(address, length);
    case SYSLOG_READ_ALL:
    case SYSLOG_READ_CLEAR:
        return log_read_all(address, length, kind == SYSLOG_READ_CLEAR);
    case SYSLOG_CLEAR:
        cleared = log_buffer_end();
        return 0;
    case SYSLOG_CONSOLE_OFF:
    case SYSLOG_CONSOLE_ON:
        return log_switch_console(kind == SYSLOG_CONSOLE_ON);
    case SYSLOG_CONSOLE_LEVEL:
        return log_set_console(length);
    case SYSLOG_SIZE_UNREAD:
        return (s32)(log_buffer_end() - still_there(unread));
    case SYSLOG_SIZE_BUFFER:
        return LOG_BUFFER_BYTES;
    default:        /* SYSLOG_OPEN, SYSLOG_CLOSE */
        return 0;
    }
}

s32
sys_syslog(u32 kind, u32 address, s32 length)
{
    bool reads = kind >= SYSLOG_READ && kind <= SYSLOG_READ_CLEAR;

    if (kind != SYSLOG_READ_ALL && kind != SYSLOG_SIZE_BUFFER && !permission_is_root())
        return -EPERM;
    if (kind > SYSLOG_SIZE_BUFFER || (reads && (address == 0 || length < 0)))
        return -EINVAL;
    if (reads && length == 0)
        return 0;
    if (reads && !user_range_ok(address, (u32)length))
        return -EFAULT;
    return log_call(kind, address, (u32)length);
}
