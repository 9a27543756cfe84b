/* The first C function. Console and traps come first, so that whatever goes wrong from here on can be said. */
#include "boot/main.h"

#include "kernel/console.h"
#include "kernel/main.h"
#include "kernel/x86/double_fault.h"
#include "kernel/x86/segments.h"
#include "kernel/x86/trap.h"

void
boot_main(u32 magic, u32 information)
{
    console_start();
    segments_start();
    double_fault_start();
    trap_start();
    boot_collect(magic, information);
    kernel_main();
}
