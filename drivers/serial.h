/* The 16550 serial ports: COM1 the console, COM2 bulk output. Output is polled, input comes by interrupt. */
#pragma once

#include "kernel/types.h"

enum serial_port { SERIAL_COM1, SERIAL_COM2, SERIAL_PORT_COUNT };

/* Sets the port to 115200 8N1 with FIFOs. Returns whether there is one; output to a missing port is thrown away. */
bool serial_start(enum serial_port port);

/* Sends all bytes, waiting for the port. From anywhere. */
void serial_write(enum serial_port port, const void *data, usize length);

/* Waits until the last byte has left the port. */
void serial_flush(enum serial_port port);

/* From now on each byte received is given to `receiver`, in the interrupt handler; but at once, if one came before. */
void serial_receive(enum serial_port port, void (*receiver)(char character));
