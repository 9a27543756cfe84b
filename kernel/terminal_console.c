/*
 * The terminals of this machine: the console (COM1 with screen and keyboard), which is ttyS0, and COM2, which is ttyS1
 * unless traces leave there.
 */
#include "kernel/terminal.h"

#include "drivers/serial.h"
#include "kernel/console.h"
#include "mm/trace.h"

#include <linux/major.h>

#define DEVICE_FIRST_LINE (TTY_MAJOR << 8 | 64)     /* ttyS0 */

static struct terminal console, second;

struct terminal *
terminal_console(void)
{
    return &console;
}

static void
terminal_console_receive(char character)
{
    terminal_receive(&console, character);
}

static void
terminal_second_receive(char character)
{
    terminal_receive(&second, character);
}

static void
terminal_second_output(const char *text, usize length)
{
    serial_write(SERIAL_COM2, text, length);
}

void
terminal_start(void)
{
    terminal_initialize(&console, DEVICE_FIRST_LINE, console_write);
    terminal_add(&console);
    console_input_register(terminal_console_receive);
    if (trace_is_on() || !serial_start(SERIAL_COM2))
        return;
    terminal_initialize(&second, DEVICE_FIRST_LINE + 1, terminal_second_output);
    terminal_add(&second);
    serial_receive(SERIAL_COM2, terminal_second_receive);
}
