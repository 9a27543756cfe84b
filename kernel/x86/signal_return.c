/* The page with the code that returns from signal handlers. */
#include "kernel/x86/signal_return.h"

#include "kernel/process.h"
#include "mm/aspace.h"
#include "mm/mmap.h"
#include "mm/transfer.h"

#include <asm/unistd_32.h>
#include <linux/mman.h>

/* popl %eax; movl $sigreturn, %eax; int $0x80 -- and without the popl, padded. */
const struct signal_return_code signal_return_code[2] = {
    {{0x58, 0xb8, __NR_sigreturn, 0, 0, 0, 0xcd, 0x80}},
    {{0xb8, __NR_rt_sigreturn, 0, 0, 0, 0xcd, 0x80, 0}},
};

/* Maps the page, writes it, and makes it read-only and executable: its address, or 0. */
static u32
signal_return_map(struct aspace *aspace)
{
    struct mmap_request request = {
        .bytes = PAGE_SIZE,
        .protection = PROT_READ | PROT_WRITE,
        .flags = MAP_PRIVATE | MAP_ANONYMOUS,
        .maximum = PROT_READ | PROT_WRITE | PROT_EXEC,
    };

    if (mmap_map(aspace, &request) < 0)
        return 0;
    if (aspace_write(aspace, request.address, signal_return_code, sizeof(signal_return_code)) < 0
        || mmap_protect(aspace, request.address, PAGE_SIZE, PROT_READ | PROT_EXEC) < 0) {
        mmap_unmap(aspace, request.address, PAGE_SIZE);
        return 0;
    }
    return request.address;
}

u32
signal_return_address(bool with_info)
{
    struct aspace *aspace = current_process()->aspace;

    if (aspace->signal_return == 0)
        aspace->signal_return = signal_return_map(aspace);
    return aspace->signal_return == 0 ? 0 : aspace->signal_return + with_info * SIGNAL_RETURN_BYTES;
}
