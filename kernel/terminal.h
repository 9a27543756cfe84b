/*
 * The terminal: line discipline between the console's drivers and the processes.
 *
 *     keyboard, COM1 ──► terminal_receive ──► line being edited ──► finished input ──► terminal_read
 *                              │ echo                └► ^C ^\ ^Z: signals to the foreground group
 *     screen, COM1   ◄──  output (ONLCR)  ◄──────────────────────────────────────── terminal_write
 *
 * Input arrives in interrupt handlers, which edit and echo at once; so the input's fields are used with interrupts
 * disabled.
 */
#pragma once

#include "kernel/file.h"
#include "kernel/mutex.h"
#include "kernel/types.h"
#include "kernel/wait.h"

#include <asm/termbits.h>
#include <asm/termios.h>

#define TERMINAL_INPUT_BYTES 4096u   /* as Linux: what is typed ahead beyond this is lost */
#define TERMINAL_END_OF_FILE '\0'    /* what ^D leaves in the input, as the end of a line */
#define TERMINAL_TAB_COLUMNS 8u

struct terminal {
    struct termios settings;
    struct winsize size;
    u32 foreground;                                 /* process group that reads and gets the signals; 0: none */
    u32 session;                                    /* session whose controlling terminal this is; 0: nobody's */
    u8 input[TERMINAL_INPUT_BYTES];                 /* ring */
    u8 line_ends[TERMINAL_INPUT_BYTES / 8];         /* canonical: bits of the characters that end a line */
    /* Positions that count up: [taken, finished) may be read; [finished, received) is being edited (raw: nothing). */
    u32 taken, finished, received;
    u32 column;                                     /* where the next character of output appears, from 0 */
    u32 line_column;                                /* the same when the line being edited began: for erasing tabs */
    bool literal_next;                              /* ^V was typed */
    u32 hang_ups;                                   /* how often a session has ended whose terminal it was */
    struct mutex reading;                           /* one reader at a time copies out */
    struct wait_queue readers;                      /* woken when input is finished */
    void (*output)(const char *text, usize length); /* raw; from anywhere, does not sleep */
};

extern const struct file_operations terminal_operations;   /* of the console's terminal */

/* Sets the console's terminal up and registers for its input. Once, at boot. */
void terminal_start(void);

/* A terminal in its initial state that writes to output. For terminal_start and the tests. */
void terminal_initialize(struct terminal *terminal, void (*output)(const char *text, usize length));

/* One character has arrived. Called by interrupt handlers; never sleeps. */
void terminal_receive(struct terminal *terminal, u8 character);

/* Throws away all input that has not been read. From anywhere. */
void terminal_flush_input(struct terminal *terminal);

/* Changes the settings; what was typed ahead stays readable. */
void terminal_set(struct terminal *terminal, const struct termios *settings);

/* Bytes that can be read, for FIONREAD. */
u32 terminal_waiting(const struct terminal *terminal);

/* Whether a read would not wait, as poll says it. */
bool terminal_is_ready(const struct terminal *terminal);

/* As file_operations.read and write, on a given terminal; a read that a hang-up ends is -EIO. */
s32 terminal_read(struct terminal *terminal, struct transfer *transfer, bool nonblocking);
s32 terminal_write(struct terminal *terminal, struct transfer *transfer);

/* Writes text to the screen with the output settings applied (ONLCR). Never sleeps. */
void terminal_print(struct terminal *terminal, const char *text, usize length);

/*
 * The session of the current process gets the console as its controlling terminal if it leads it and neither has
 * another.
 */
void terminal_acquire(void);

/* Whether the console is the controlling terminal of the current process. */
bool terminal_is_controlling(void);

/* The foreground process group and session of the console, for /proc/PID/stat; 0 if none. */
u32 terminal_foreground(void);
u32 terminal_session(void);

/* Opens the terminal: the file is cut off by the next hang-up, but for the console's own, which lasts. */
void terminal_open(struct file *file, bool lasts);

/*
 * A session has ended with its leader. If this was its terminal, the foreground group is sent SIGHUP, and the terminal
 * is nobody's again. A file that was opened on it before is at its end for a reader from now on; all else is -EIO.
 */
void terminal_hang_up(u32 session);
