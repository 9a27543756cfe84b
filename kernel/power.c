/* The end of the machine. */
#include "kernel/power.h"

#include "kernel/console.h"
#include "kernel/log.h"
#include "kernel/types.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/io.h"

/* QEMU's isa-debug-exit ends with exit code 2v + 1. */
#define DEBUG_EXIT_PORT 0xf4
#define DEBUG_EXIT_PASS 0x10
#define DEBUG_EXIT_FAIL 0x11
#define DEBUG_EXIT_PANIC 0x12

/* Bochs and old QEMUs end when this word is written to the port, a byte at a time. */
#define SHUTDOWN_PORT 0x8900

static void __attribute__((noreturn))
end(u8 code)
{
    console_flush();
    io_write8(DEBUG_EXIT_PORT, code);
    /* Without the device we are still here. */
    log_info("The system is halted.");
    console_flush();
    for (const char *word = "Shutdown"; *word; word++)
        io_write8(SHUTDOWN_PORT, (u8)*word);
    cpu_halt();
}

void
power_off(int status)
{
    end(status == 0 ? DEBUG_EXIT_PASS : DEBUG_EXIT_FAIL);
}

void
power_panic(void)
{
    end(DEBUG_EXIT_PANIC);
}
