/*
 * The two 8259 interrupt controllers: lines 0 to 15 arrive as vectors VECTOR_IRQ_FIRST + line. A line is masked until
 * it has a handler. What arrives without one, and spurious interrupts, are counted and otherwise ignored.
 */
#pragma once

#include "kernel/types.h"

#define IRQ_TIMER 0
#define IRQ_KEYBOARD 1
#define IRQ_CASCADE 2
#define IRQ_COM2 3
#define IRQ_COM1 4
#define IRQ_COUNT 16

/* Interrupts nobody wanted, since boot; for /proc. */
extern u32 interrupt_unwanted_count;

/* How often each line was handled, since boot; for /proc. */
extern u32 interrupt_counts[IRQ_COUNT];

/* Moves the lines to their vectors and masks all of them. Once. */
void interrupts_start(void);

/*
 * `handler` is called at each interrupt on the line, with interrupts disabled; the line is unmasked. One handler a
 * line.
 */
void irq_register(u32 irq, void (*handler)(void));

/* Whether the line has fired and its handler has not been called yet. */
bool irq_requested(u32 irq);

/* Handles an interrupt at `vector`, from VECTOR_IRQ_FIRST on. Only for trap_interrupt. */
void interrupts_dispatch(u32 vector);
