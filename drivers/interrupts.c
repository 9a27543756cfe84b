/*
 * The two 8259 interrupt controllers, the second cascaded into line 2 of the first.
 *
 * Lines 7 and 15 can fire without a cause (the request went away before it was acknowledged). Such an interrupt has no
 * bit in the in-service register and must not be acknowledged, or a real one would be lost.
 */
#include "drivers/interrupts.h"

#include "kernel/assert.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/io.h"
#include "kernel/x86/trap.h"

#define FIRST_COMMAND 0x20
#define FIRST_DATA 0x21
#define SECOND_COMMAND 0xa0
#define SECOND_DATA 0xa1

#define INITIALISE 0x11 /* edge-triggered, cascaded, a fourth word follows */
#define MODE_8086 0x01
#define END_OF_INTERRUPT 0x20
#define READ_IN_SERVICE 0x0b
#define READ_REQUESTS 0x0a
#define MASK_ALL 0xff
#define LINES_EACH 8

u32 interrupt_unwanted_count;
u32 interrupt_counts[IRQ_COUNT];

static void (*handlers[IRQ_COUNT])(void);

/* The four initialisation words of one controller: vectors from `vector` on; `wiring` is how it is cascaded. */
static void
controller_start(u16 command, u16 data, u8 vector, u8 wiring)
{
    io_write8(command, INITIALISE);
    io_write8(data, vector);
    io_write8(data, wiring);
    io_write8(data, MODE_8086);
    io_write8(data, MASK_ALL);
}

static void
line_unmask(u32 irq)
{
    u16 data = irq < LINES_EACH ? FIRST_DATA : SECOND_DATA;

    io_write8(data, (u8)(io_read8(data) & ~(1u << irq % LINES_EACH)));
}

void
interrupts_start(void)
{
    controller_start(FIRST_COMMAND, FIRST_DATA, VECTOR_IRQ_FIRST, 1 << IRQ_CASCADE);
    controller_start(SECOND_COMMAND, SECOND_DATA, VECTOR_IRQ_FIRST + LINES_EACH, IRQ_CASCADE);
    line_unmask(IRQ_CASCADE);
}

void
irq_register(u32 irq, void (*handler)(void))
{
    u32 interrupts = interrupts_save();

    assert(irq < IRQ_COUNT && irq != IRQ_CASCADE && handlers[irq] == NULL);
    handlers[irq] = handler;
    line_unmask(irq);
    interrupts_restore(interrupts);
}

/* Whether the controller believes that the line's interrupt is being handled. */
static bool
line_is_in_service(u32 irq)
{
    u16 command = irq < LINES_EACH ? FIRST_COMMAND : SECOND_COMMAND;
    u8 in_service;

    io_write8(command, READ_IN_SERVICE);
    in_service = io_read8(command);
    io_write8(command, READ_REQUESTS);
    return in_service & 1u << irq % LINES_EACH;
}

bool
irq_requested(u32 irq)
{
    return io_read8(irq < LINES_EACH ? FIRST_COMMAND : SECOND_COMMAND) & 1u << irq % LINES_EACH;
}

static void
line_acknowledge(u32 irq)
{
    if (irq >= LINES_EACH)
        io_write8(SECOND_COMMAND, END_OF_INTERRUPT);
    io_write8(FIRST_COMMAND, END_OF_INTERRUPT);
}

/* An interrupt that has no handler, or no cause. */
static void
unwanted_dispatch(u32 irq)
{
    interrupt_unwanted_count++;
    if (irq >= IRQ_COUNT)
        return;
    if (line_is_in_service(irq))
        line_acknowledge(irq);
    else if (irq >= LINES_EACH && line_is_in_service(IRQ_CASCADE))
        io_write8(FIRST_COMMAND, END_OF_INTERRUPT);
}

void
interrupts_dispatch(u32 vector)
{
    u32 irq = vector - VECTOR_IRQ_FIRST;
    bool may_be_spurious = irq % LINES_EACH == LINES_EACH - 1;

    if (irq >= IRQ_COUNT || handlers[irq] == NULL || (may_be_spurious && !line_is_in_service(irq))) {
        unwanted_dispatch(irq);
        return;
    }
    interrupt_counts[irq]++;
    handlers[irq]();
    line_acknowledge(irq);
}
