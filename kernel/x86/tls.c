/* set_thread_area and its like: a thread's own descriptors. */
#include "kernel/x86/tls.h"

#include "kernel/syscall.h"
#include "kernel/thread.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/segments.h"
#include "mm/user.h"

#include <asm/errno.h>
#include <asm/ldt.h>

#define ENTRY_ANY UINT32_MAX
#define CONTENTS_EXPAND_DOWN 1u                    /* the last of the kinds of data segment; code comes above */

/* An entry can be emptied; otherwise it must be a 32-bit data segment that is present. */
static bool
tls_is_acceptable(const struct user_desc *description)
{
    return segments_tls_is_empty(description)
        || (description->seg_32bit && description->contents <= CONTENTS_EXPAND_DOWN && !description->seg_not_present);
}

/* The index of a free entry in thread->tls, or SEGMENT_TLS_COUNT if there is none. */
static u32
tls_pick(const struct thread *thread)
{
    u32 index = 0;

    while (index < SEGMENT_TLS_COUNT && thread->tls[index] != 0)
        index++;
    return index;
}

int
tls_set(struct thread *thread, u32 description_address, bool may_pick)
{
    u32 number_address = description_address + offsetof(struct user_desc, entry_number);
    struct user_desc description;
    bool picks;
    u32 index;

    if (user_copy_in(&description, description_address, sizeof(description)) < 0)
        return -EFAULT;
    if (!tls_is_acceptable(&description))
        return -EINVAL;
    picks = may_pick && description.entry_number == ENTRY_ANY;
    index = picks ? tls_pick(thread) : description.entry_number - SEGMENT_TLS_FIRST;
    if (index >= SEGMENT_TLS_COUNT)
        return picks ? -ESRCH : -EINVAL;
    if (picks && user_write_word(number_address, SEGMENT_TLS_FIRST + index) < 0)
        return -EFAULT;
    thread->tls[index] = segments_make_tls(&description);
    return 0;
}

s32
sys_set_thread_area(u32 description)
{
    struct thread *thread = current_thread();
    int result = tls_set(thread, description, true);
    u32 interrupts;

    if (result < 0)
        return result;
    interrupts = interrupts_save();
    segments_load_tls(thread->tls);
    cpu_load_fs(cpu_read_fs());
    cpu_load_gs(cpu_read_gs());
    interrupts_restore(interrupts);
    return 0;
}

s32
sys_get_thread_area(u32 description_address)
{
    struct user_desc description = {0};
    u32 index;

    if (user_read_word(&description.entry_number, description_address) < 0)
        return -EFAULT;
    index = description.entry_number - SEGMENT_TLS_FIRST;
    if (index >= SEGMENT_TLS_COUNT)
        return -EINVAL;
    segments_describe_tls(current_thread()->tls[index], &description);
    return user_copy_out(description_address, &description, sizeof(description));
}
