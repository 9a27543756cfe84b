/*
 * The terminal: line discipline between the console's drivers and the processes.
 *
 *     keyboard, COM1 ──► terminal_receive ──► line being edited ──► finished input ──► read
 *                              │ echo                ^C ^\ ^Z ──► signals to the foreground group
 *     screen, COM1   ◄──  output (ONLCR)  ◄──────────────────────────────────────────── write
 *
 * Input arrives in interrupt handlers, which echo and edit at once; a reader takes finished input with interrupts off.
 */
#pragma once

#include "kernel/types.h"
#include "kernel/file.h"
#include "kernel/wait.h"
#include <asm/termbits.h>
#include <asm/termios.h>

#define TERMINAL_INPUT_BYTES 4096u   /* as Linux: what is typed ahead beyond this is lost, with a bell */

struct terminal {
    struct termios settings;
    struct winsize size;
    s32 foreground;                  /* process group that reads and gets the signals; 0: nobody yet */
    s32 session;                     /* session whose controlling terminal this is; 0: nobody's */
    u8 input[TERMINAL_INPUT_BYTES];  /* ring: [taken, finished) may be read, [finished, received) is being edited */
    u32 taken, finished, received;   /* positions that count up; modulo TERMINAL_INPUT_BYTES in the ring */
    u32 column;                      /* of the output: what a tab's erasure needs */
    struct wait_queue readers;
    void (*output)(const char *text, usize length);
};

extern const struct file_operations terminal_operations;   /* of the console's terminal */

/* Sets the console's terminal up and registers for its input. Once, at boot. */
void terminal_start(void);

/* A terminal in its initial state that writes to output. For terminal_start and the tests. */
void terminal_initialize(struct terminal *terminal, void (*output)(const char *, usize));

/* One character has arrived. Called by interrupt handlers; never sleeps. */
void terminal_receive(struct terminal *terminal, char character);

/* As file_operations.read and write, on a given terminal. */
s32 terminal_read(struct terminal *terminal, struct transfer *transfer, bool nonblocking);
s32 terminal_write(struct terminal *terminal, struct transfer *transfer);

/* The process group in the foreground of the session's terminal, for /proc/PID/stat; 0 if none. */
s32 terminal_foreground(void);

/* A session has ended: the terminal is nobody's again. Called by the process layer when a session leader exits. */
void terminal_release_session(s32 session);
