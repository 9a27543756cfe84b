/* From int 0x80 to the function that does it. */
#include "kernel/syscall.h"

#include "kernel/log.h"
#include "kernel/process.h"
#include "kernel/scheduler.h"
#include "kernel/signal.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/trap.h"
#include "mm/aspace.h"
#include "mm/frame.h"
#include "mm/pool.h"
#include "mm/reclaim.h"

#include <asm/errno.h>

static s32 __attribute__((noinline, cold))
syscall_unknown(u32 number)
{
    const struct process *process = current_process();

    log_debug("%s (%u): no system call %u", process->name, process->id, number);
    return -ENOSYS;
}

/*
 * Calls take frames without asking for them, so memory is looked after here, where nothing is half done. If
 * that fails, nobody is killed for it: the call goes on, and fails by itself if it needs memory.
 */
void
syscall_dispatch(struct trap_frame *frame)
{
    u32 number = frame->eax;
    syscall_t call = number < syscall_table_length ? syscall_table[number] : NULL;
    s32 result;

    if (frame_free_count() < RECLAIM_LOW)
        reclaim_share(POOL_SYSCALL_FRAMES);
    if (call == NULL)
        result = syscall_unknown(number);
    else
        result = call(frame->ebx, frame->ecx, frame->edx, frame->esi, frame->edi, frame->ebp);
    frame->eax = (u32)result;
    aspace_step(cpu()->aspace, frame);

    /*
     * A call that wants to be restarted has seen a signal, which may be gone again by now: have that looked at
     * all the same.
     */
    if (result >= -ERESTART_RESTARTBLOCK && result <= -ERESTARTSYS)
        cpu()->pending_work |= WORK_SIGNAL;
}
