/*
 * The door to user memory through the simulated processor: a byte at a time, faults handled as the kernel does.
 */
#include "mm/user.h"

#include <asm/errno.h>

#include "kernel/x86/cpu.h"
#include "mm/fault.h"
#include "mm/pmap.h"
#include "tests/host/stub/machine.h"

/* The byte's place in memory, or NULL if the access is refused. */
static char *
door(u32 address, u32 access)
{
    struct machine_fault fault;
    struct fault_verdict verdict;
    u32 physical;

    while (!machine_access(address, access, false, &physical, &fault))
        if (fault_handle(cpu()->aspace, fault.address, &(struct trap_frame){.error = fault.error}, false, &verdict) < 0)
            return NULL;
    return direct_map + physical;
}

bool
user_range_ok(u32 address, usize bytes)
{
    return bytes <= user_top() && address <= user_top() - bytes;
}

usize
user_copy_in_partial(void *to, u32 from, usize bytes)
{
    usize done;

    for (done = 0; done < bytes && from + done < user_top(); done++) {
        char *place = door((u32)(from + done), FAULT_READ);

        if (!place)
            break;
        ((char *)to)[done] = *place;
    }
    return done;
}

usize
user_copy_out_partial(u32 to, const void *from, usize bytes)
{
    usize done;

    for (done = 0; done < bytes && to + done < user_top(); done++) {
        char *place = door((u32)(to + done), FAULT_WRITE);

        if (!place)
            break;
        *place = ((const char *)from)[done];
    }
    return done;
}

int
user_copy_in(void *to, u32 from, usize bytes)
{
    return user_range_ok(from, bytes) && user_copy_in_partial(to, from, bytes) == bytes ? 0 : -EFAULT;
}

int
user_copy_out(u32 to, const void *from, usize bytes)
{
    return user_range_ok(to, bytes) && user_copy_out_partial(to, from, bytes) == bytes ? 0 : -EFAULT;
}
