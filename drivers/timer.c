/*
 * The PIT as the kernel's clock: channel 0 counts down from TIMER_RELOAD and interrupts at each wrap. Time is ticks
 * times the reload value, plus how far the counter has come; a wrap whose interrupt has not been handled yet is seen in
 * the interrupt controller's requests.
 */
#include "drivers/timer.h"

#include "drivers/interrupts.h"
#include "kernel/assert.h"
#include "kernel/lib/divide.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/io.h"

#define PIT_HERTZ 1193182
#define PIT_CHANNEL_0 0x40
#define PIT_COMMAND 0x43
#define PIT_RATE_GENERATOR 0x34 /* channel 0, low byte then high byte, mode 2 */
#define PIT_LATCH 0x00          /* channel 0: hold the count until it has been read */
#define TIMER_RELOAD ((PIT_HERTZ + TIMER_HERTZ / 2) / TIMER_HERTZ)
#define TICK_FUNCTIONS_MAX 4

static u64 ticks;
static u64 tick_nanoseconds; /* when the last one was */
static u64 last_count; /* what time_count() returned last, so that it never goes back */
static void (*tick_functions[TICK_FUNCTIONS_MAX])(void);
static u32 tick_function_count;

static u64
count_nanoseconds(u64 count)
{
    u32 rest;
    u64 seconds = divide_u64(count, PIT_HERTZ, &rest);

    return seconds * NANOSECONDS_PER_SECOND + divide_u64((u64)rest * NANOSECONDS_PER_SECOND, PIT_HERTZ, NULL);
}

static void
timer_interrupt(void)
{
    ticks++;
    tick_nanoseconds = count_nanoseconds(ticks * TIMER_RELOAD);
    for (u32 i = 0; i < tick_function_count; i++)
        tick_functions[i]();
}

void
timer_start(void)
{
    io_write8(PIT_COMMAND, PIT_RATE_GENERATOR);
    io_write8(PIT_CHANNEL_0, TIMER_RELOAD & 0xff);
    io_write8(PIT_CHANNEL_0, TIMER_RELOAD >> 8);
    irq_register(IRQ_TIMER, timer_interrupt);
}

/* What the interrupt handler writes, both halves of it together. */
static u64
tick_read(const u64 *written)
{
    u32 interrupts = interrupts_save();
    u64 result = *written;

    interrupts_restore(interrupts);
    return result;
}

u64
timer_ticks(void)
{
    return tick_read(&ticks);
}

/* How far the counter has come since it wrapped. */
static u32
counter_read(void)
{
    u32 count;

    io_write8(PIT_COMMAND, PIT_LATCH);
    count = io_read8(PIT_CHANNEL_0);
    count |= (u32)io_read8(PIT_CHANNEL_0) << 8;
    return count <= TIMER_RELOAD ? TIMER_RELOAD - count : 0;
}

/* Counts of the PIT since timer_start(), with interrupts disabled. */
static u64
time_count(void)
{
    u32 elapsed = counter_read();
    u64 count;

    if (irq_requested(IRQ_TIMER))
        elapsed = counter_read() + TIMER_RELOAD;
    count = ticks * TIMER_RELOAD + elapsed;
    if (count < last_count)
        count = last_count;
    last_count = count;
    return count;
}

u64
timer_nanoseconds(void)
{
    u32 interrupts = interrupts_save();
    u64 count = time_count();

    interrupts_restore(interrupts);
    return count_nanoseconds(count);
}

u64
timer_tick_nanoseconds(void)
{
    return tick_read(&tick_nanoseconds);
}

void
timer_on_tick(void (*function)(void))
{
    assert(tick_function_count < TICK_FUNCTIONS_MAX);
    tick_functions[tick_function_count++] = function;
}
