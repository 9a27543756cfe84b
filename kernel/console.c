/* The console: the one place that knows which devices it is made of. */
#include "kernel/console.h"

#include "drivers/keyboard.h"
#include "drivers/serial.h"
#include "drivers/vga.h"

static console_receiver receiver;

void
console_start(void)
{
    serial_start(SERIAL_COM1);
    vga_start();
}

static void
receive(char character)
{
    if (receiver != NULL)
        receiver(character);
}

void
console_start_input(void)
{
    serial_receive(SERIAL_COM1, receive);
    keyboard_start(receive);
}

void
console_write(const char *text, usize length)
{
    serial_write(SERIAL_COM1, text, length);
    vga_write(text, length);
}

void
console_flush(void)
{
    serial_flush(SERIAL_COM1);
}

console_receiver
console_input_register(console_receiver new_receiver)
{
    console_receiver before = receiver;

    receiver = new_receiver;
    return before;
}
