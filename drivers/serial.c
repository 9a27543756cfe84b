/*
 * The 16550 serial ports. A port that is not there reads as 0xff everywhere and fails the scratch register's test;
 * nothing is ever sent to it, so nobody waits for it. The transmitter is polled: the log must come out in interrupt
 * handlers and in a panic.
 */
#include "drivers/serial.h"

#include "drivers/interrupts.h"
#include "kernel/assert.h"
#include "kernel/x86/io.h"

/*
 * Registers, as offsets from the port's base; the divisor takes the place of the first two while LINE_DIVISOR_ACCESS is
 * set.
 */
#define DATA 0
#define INTERRUPT_ENABLE 1
#define DIVISOR_LOW 0
#define DIVISOR_HIGH 1
#define FIFO_CONTROL 2
#define LINE_CONTROL 3
#define MODEM_CONTROL 4
#define LINE_STATUS 5
#define SCRATCH 7

#define INTERRUPT_ON_DATA 0x01
#define FIFO_ENABLE_AND_CLEAR 0x07
#define LINE_8N1 0x03
#define LINE_DIVISOR_ACCESS 0x80
#define MODEM_READY 0x0b /* DTR, RTS, and OUT2, which lets the interrupt through */
#define MODEM_LOOPBACK 0x10
#define STATUS_DATA 0x01
#define STATUS_SENT 0x20 /* the FIFO is empty */
#define STATUS_IDLE 0x40 /* and so is the wire */
#define DIVISOR_115200 1
#define SCRATCH_PATTERN 0x5a
#define FIFO_BYTES 16

static struct {
    u16 base;
    u8 irq;
    bool present;
    void (*receiver)(char character);
    bool has_early;
    char early;                 /* was sent before there was a receiver */
} ports[SERIAL_PORT_COUNT] = {
    [SERIAL_COM1] = {.base = 0x3f8, .irq = IRQ_COM1},
    [SERIAL_COM2] = {.base = 0x2f8, .irq = IRQ_COM2},
};

/*
 * Enables the FIFO, which clears it, but keeps the byte that has been sent already, as in `echo cow | make run`. In
 * loopback no other follows it. QEMU sends the next when the port is read, and not before: the last read is for that.
 */
static void
fifo_start(enum serial_port port)
{
    u16 base = ports[port].base;

    io_write8(base + MODEM_CONTROL, MODEM_LOOPBACK);
    ports[port].has_early = io_read8(base + LINE_STATUS) & STATUS_DATA;
    if (ports[port].has_early)
        ports[port].early = (char)io_read8(base + DATA);
    io_write8(base + FIFO_CONTROL, FIFO_ENABLE_AND_CLEAR);
    io_write8(base + MODEM_CONTROL, MODEM_READY);
    io_read8(base + DATA);
}

bool
serial_start(enum serial_port port)
{
    u16 base = ports[port].base;

    io_write8(base + SCRATCH, SCRATCH_PATTERN);
    ports[port].present = io_read8(base + SCRATCH) == SCRATCH_PATTERN;
    if (!ports[port].present)
        return false;
    io_write8(base + INTERRUPT_ENABLE, 0);
    io_write8(base + LINE_CONTROL, LINE_8N1 | LINE_DIVISOR_ACCESS);
    io_write8(base + DIVISOR_LOW, DIVISOR_115200);
    io_write8(base + DIVISOR_HIGH, 0);
    io_write8(base + LINE_CONTROL, LINE_8N1);
    fifo_start(port);
    return true;
}

void
serial_write(enum serial_port port, const void *data, usize length)
{
    const u8 *bytes = data;
    u16 base = ports[port].base;

    if (!ports[port].present)
        return;
    while (length > 0) {
        while (!(io_read8(base + LINE_STATUS) & STATUS_SENT))
            continue;
        /* The whole FIFO is empty now. */
        for (u32 room = FIFO_BYTES; room > 0 && length > 0; room--, length--)
            io_write8(base + DATA, *bytes++);
    }
}

void
serial_flush(enum serial_port port)
{
    while (ports[port].present && !(io_read8(ports[port].base + LINE_STATUS) & STATUS_IDLE))
        continue;
}

static void
port_receive(enum serial_port port)
{
    u16 base = ports[port].base;

    while (io_read8(base + LINE_STATUS) & STATUS_DATA)
        ports[port].receiver((char)io_read8(base + DATA));
}

static void
com1_interrupt(void)
{
    port_receive(SERIAL_COM1);
}

static void
com2_interrupt(void)
{
    port_receive(SERIAL_COM2);
}

void
serial_receive(enum serial_port port, void (*receiver)(char character))
{
    assert(receiver != NULL);
    if (!ports[port].present)
        return;
    ports[port].receiver = receiver;
    if (ports[port].has_early)
        receiver(ports[port].early);
    ports[port].has_early = false;
    irq_register(ports[port].irq, port == SERIAL_COM1 ? com1_interrupt : com2_interrupt);
    io_write8(ports[port].base + INTERRUPT_ENABLE, INTERRUPT_ON_DATA);
}
