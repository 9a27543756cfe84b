/* The system calls about the system as a whole. */
#include "kernel/entropy.h"
#include "kernel/lib/string.h"
#include "kernel/load_average.h"
#include "kernel/permission.h"
#include "kernel/process.h"
#include "kernel/signal.h"
#include "kernel/syscall.h"
#include "kernel/time.h"
#include "kernel/transfer.h"
#include "kernel/version.h"
#include "mm/report.h"
#include "mm/user.h"

#include <asm/errno.h>
#include <linux/personality.h>
#include <linux/prctl.h>
#include <linux/random.h>
#include <linux/securebits.h>
#include <linux/sysinfo.h>
#include <linux/utsname.h>

static const struct new_utsname system_name = {
    .sysname = VERSION_COMPATIBLE_SYSTEM,
    .nodename = VERSION_HOST,
    .release = VERSION_COMPATIBLE_RELEASE,
    .version = VERSION_SYSTEM " " VERSION_RELEASE " " VERSION_BUILD,
    .machine = "i686",
    .domainname = "(none)",
};

s32
sys_uname(u32 buffer)
{
    return user_copy_out(buffer, &system_name, sizeof(system_name));
}

s32
sys_sysinfo(u32 buffer)
{
    struct report_memory memory;
    struct sysinfo info = {0};

    report_memory(&memory);
    info.uptime = (__kernel_long_t)time_split(timer_nanoseconds(), NULL);
    for (u32 i = 0; i < LOAD_AVERAGES; i++)
        info.loads[i] = load_average(i);
    info.totalram = memory.total;
    info.freeram = memory.free;
    info.sharedram = memory.shared;
    info.bufferram = 0;
    info.totalswap = memory.swap_total;
    info.freeswap = memory.swap_free;
    info.procs = (u16)process_count;
    info.mem_unit = PAGE_SIZE;
    return user_copy_out(buffer, &info, sizeof(info));
}

s32
sys_getrandom(u32 buffer, u32 bytes, u32 flags)
{
    struct transfer transfer;
    u32 done;

    if ((flags & ~(u32)(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE)) != 0)
        return -EINVAL;
    if ((flags & GRND_RANDOM) != 0 && (flags & GRND_INSECURE) != 0)
        return -EINVAL;
    if (bytes > INT32_MAX)
        bytes = INT32_MAX;
    if (!user_range_ok(buffer, bytes))
        return -EFAULT;
    transfer = transfer_user(buffer, bytes);
    done = entropy_transfer(&transfer, bytes);
    return done == 0 && bytes > 0 ? -EFAULT : (s32)done;
}

static s32
prctl_set_name(u32 address)
{
    char name[THREAD_NAME_BYTES];
    int length = user_copy_string(name, address, sizeof(name));

    if (length < 0 && length != -ENAMETOOLONG)
        return length;
    name[sizeof(name) - 1] = '\0';
    memcpy(thread_name(current_thread()), name, sizeof(name));
    return 0;
}

/* Remembers something of a process; what comes of that is done elsewhere. */
static s32
prctl_set(struct process *process, u32 option, u32 argument)
{
    u32 most = option == PR_SET_PDEATHSIG ? SIGNAL_COUNT : option == PR_SET_CHILD_SUBREAPER ? UINT32_MAX : true;

    if (argument > most || (option == PR_SET_NO_NEW_PRIVS && argument == 0))
        return -EINVAL;
    if (option == PR_SET_PDEATHSIG)
        process->parent_end_signal = (int)argument;
    else if (option == PR_SET_CHILD_SUBREAPER)
        process->is_reaper = argument != 0;
    else if (option == PR_SET_DUMPABLE)
        process->dumpable = argument;
    else
        process->no_new_privileges = true;
    return 0;
}

/* What a thread is told of its timer slack later; 0 is for what it began with. */
static s32
prctl_set_timer_slack(struct thread *thread, u32 nanoseconds)
{
    thread->timer_slack = nanoseconds != 0 ? nanoseconds : thread->timer_slack_default;
    return 0;
}

/* Of the bits that secure what it is to be root there is one: whether capabilities are kept. */
static s32
prctl_keep_capabilities(struct identity *identity, u32 option, u32 argument)
{
    const u32 bit = issecure_mask(SECURE_KEEP_CAPS);

    switch (option) {
    case PR_GET_KEEPCAPS:
        return identity->keeps_capabilities;
    case PR_GET_SECUREBITS:
        return identity->keeps_capabilities ? (s32)bit : 0;
    case PR_SET_KEEPCAPS:
        if (argument > true)
            return -EINVAL;
        break;
    default: /* PR_SET_SECUREBITS */
        if (argument & ~bit || !permission_is_root())
            return -EPERM;
        break;
    }
    identity->keeps_capabilities = argument != 0;
    return 0;
}

/* What holds for every process here: nothing is bounded, secured, or filtered, and time is counted in ticks. */
static s32
prctl_get_constant(u32 option, u32 argument)
{
    switch (option) {
    case PR_CAPBSET_READ:
        return argument <= CAP_LAST_CAP ? 1 : -EINVAL;
    case PR_GET_TSC:
        return user_write_word(argument, PR_TSC_ENABLE);
    case PR_SET_TIMING:
        return argument == PR_TIMING_STATISTICAL ? 0 : -EINVAL;
    case PR_GET_TIMING:
        return PR_TIMING_STATISTICAL;
    case PR_GET_SECCOMP:
        return 0;
    default:
        return -EINVAL;
    }
}

s32
sys_prctl(u32 option, u32 argument, u32 third, u32 fourth, u32 fifth)
{
    struct process *process = current_process();
    bool more = (third | fourth | fifth) != 0;

    switch (option) {
    case PR_SET_NAME:
        return prctl_set_name(argument);
    case PR_GET_NAME:
        return user_copy_out(argument, thread_name(current_thread()), THREAD_NAME_BYTES);
    case PR_SET_NO_NEW_PRIVS:
        return more ? -EINVAL : prctl_set(process, option, argument);
    case PR_SET_PDEATHSIG:
    case PR_SET_DUMPABLE:
    case PR_SET_CHILD_SUBREAPER:
        return prctl_set(process, option, argument);
    case PR_GET_NO_NEW_PRIVS:
        return more || argument != 0 ? -EINVAL : process->no_new_privileges;
    case PR_GET_PDEATHSIG:
        return user_write_word(argument, (u32)process->parent_end_signal);
    case PR_GET_DUMPABLE:
        return process->dumpable;
    case PR_GET_CHILD_SUBREAPER:
        return user_write_word(argument, process->is_reaper);
    case PR_SET_TIMERSLACK:
        return prctl_set_timer_slack(current_thread(), argument);
    case PR_GET_TIMERSLACK:
        return (s32)current_thread()->timer_slack;
    case PR_GET_KEEPCAPS:
    case PR_SET_KEEPCAPS:
    case PR_GET_SECUREBITS:
    case PR_SET_SECUREBITS:
        return prctl_keep_capabilities(&process->identity, option, argument);
    case PR_GET_TID_ADDRESS:
        return user_write_word(argument, current_thread()->clear_child_tid);
    default:
        return prctl_get_constant(option, argument);
    }
}

/* Asks only. */
#define PERSONALITY_QUERY UINT32_MAX

#define PERSONALITY_FLAGS (ADDR_NO_RANDOMIZE | ADDR_COMPAT_LAYOUT | ADDR_LIMIT_32BIT | ADDR_LIMIT_3GB)

/*
 * There is one personality, Linux's own for 32 bits, by two names. Of the flags those are kept that ask for what is so
 * anyway: addresses are not random.
 */
s32
sys_personality(u32 personality)
{
    struct process *process = current_process();
    u32 old = process->personality;

    if (personality == PERSONALITY_QUERY)
        return (s32)old;
    if ((personality & ~PERSONALITY_FLAGS) != PER_LINUX && (personality & ~PERSONALITY_FLAGS) != PER_LINUX32)
        return -EINVAL;
    process->personality = personality;
    return (s32)old;
}
