/*
 * Terminals: the line discipline between a line (the console, COM2) and the processes.
 *
 *     keyboard, COM1 ──► terminal_receive ──► line being edited ──► finished input ──► terminal_read
 *                              │ echo                └► ^C ^\ ^Z: signals to the foreground group, ^S ^Q
 *     screen, COM1   ◄──  output (ONLCR)  ◄── held while it stands still ◄──────────── terminal_write
 *
 * Input arrives in interrupt handlers, which edit and echo at once; so the fields that they use are used with interrupts
 * disabled.
 */
#pragma once

#include <bsd/sys/queue.h>

#include "kernel/file.h"
#include "kernel/mutex.h"
#include "kernel/types.h"
#include "kernel/wait.h"

#include <asm/termbits.h>
#include <asm/termios.h>

struct process;

#define TERMINAL_INPUT_BYTES 4096u   /* as Linux: what is typed ahead beyond this is lost */
#define TERMINAL_HELD_BYTES 4096u    /* as Linux: so much may be written while output stands still */
#define TERMINAL_HELD_FEW 256u       /* and with less than this, poll still calls it writable */
#define TERMINAL_END_OF_FILE '\0'    /* what ^D leaves in the input, as the end of a line */
#define TERMINAL_TAB_COLUMNS 8u

struct terminal {
    LIST_ENTRY(terminal) link;                      /* in the list of all; terminal_session.c's */
    u32 device;                                     /* its number, as st_rdev has it */
    struct termios2 settings;
    struct winsize size;
    u32 foreground;                                 /* process group that reads and gets the signals; 0: none */
    u32 session;                                    /* session whose controlling terminal this is; 0: nobody's */
    bool exclusive;                                 /* TIOCEXCL: only root may open it */
    u32 modem;                                      /* TIOCMGET's lines; the other side is always ready */
    u8 input[TERMINAL_INPUT_BYTES];                 /* ring */
    u8 line_ends[TERMINAL_INPUT_BYTES / 8];         /* canonical: bits of the characters that end a line */
    /* Positions that count up: [taken, finished) may be read; [finished, received) is being edited (raw: nothing). */
    u32 taken, finished, received;
    u32 column;                                     /* where the next character of output appears, from 0 */
    u32 line_column;                                /* the same when the line being edited began: for erasing tabs */
    bool literal_next;                              /* ^V was typed */
    bool stopped;                                   /* output stands still: ^S was typed, */
    bool stopped_by_program;                        /* or tcflow said so, and only that lets it go on */
    char held[TERMINAL_HELD_BYTES];                 /* what was printed meanwhile, */
    u32 held_bytes;                                 /* so much of it */
    u32 hang_ups;                                   /* how often it was taken from those who had it open */
    struct mutex reading;                           /* one reader at a time copies out */
    struct wait_queue queue;                        /* woken when input is finished, or held output has gone out */
    void (*output)(const char *text, usize length); /* raw; from anywhere, does not sleep */
};

/* ---- The discipline: terminal.c, terminal_input.c ---- */

/* A terminal in its initial state that writes to output. */
void terminal_initialize(struct terminal *terminal, u32 device, void (*output)(const char *text, usize length));

/* One character has arrived. Called by interrupt handlers; never sleeps. */
void terminal_receive(struct terminal *terminal, u8 character);

/* Throws away all input that has not been read, and all output that is held. From anywhere. */
void terminal_flush_input(struct terminal *terminal);
void terminal_flush_output(struct terminal *terminal);

/* Output stands still from now on; and goes on, unless a program has stopped it. From anywhere. */
void terminal_stop(struct terminal *terminal);
void terminal_go_on(struct terminal *terminal);

/* Sleeps until no output is held: 0 or -ERESTARTSYS. */
int terminal_drain(struct terminal *terminal);

/* Changes the settings; what was typed ahead stays readable. */
void terminal_set(struct terminal *terminal, const struct termios2 *settings);

/* Bytes that can be read, for FIONREAD. */
u32 terminal_waiting(const struct terminal *terminal);

/* Whether a read would not wait, as poll says it. */
bool terminal_is_ready(const struct terminal *terminal);

/* As file_operations.read and write, on a given terminal; a read or write that a hang-up ends is -EIO. */
s32 terminal_read(struct terminal *terminal, struct transfer *transfer, bool nonblocking);
s32 terminal_write(struct terminal *terminal, struct transfer *transfer, bool nonblocking);

/* Writes text to the screen with the output settings applied (ONLCR). Never sleeps. */
void terminal_print(struct terminal *terminal, const char *text, usize length);

/* ---- Whose terminal it is: terminal_session.c ---- */

/* One more terminal, which lasts. At boot. */
void terminal_add(struct terminal *terminal);

/* The terminal with this device number; NULL: there is none. */
struct terminal *terminal_find(u32 device);

/* The controlling terminal of a process's session; NULL: it has none, or the process has left it. */
struct terminal *terminal_controlling(const struct process *process);

/*
 * The session of the current process gets the terminal as its controlling terminal if the process leads it and neither
 * has another; `steal`: even if the terminal has, whose session loses it then.
 */
void terminal_acquire(struct terminal *terminal, bool steal);

/* A process leaves its terminal; with its leader the whole session does. What is open stays so. */
void terminal_leave(struct terminal *terminal);

/*
 * A process in the background may not read or change its terminal: its group is stopped by the signal and the call
 * begins again after that (-ERESTARTSYS), or fails with -EIO where it does not take the signal (refused_is_error) or
 * goes on (0). A group that nobody could let go on again is not stopped: -EIO.
 */
int terminal_check_foreground(const struct terminal *terminal, int signal, bool refused_is_error);

/* Makes a process group of the current session the terminal's foreground: 0, -ENOTTY, -EINVAL, -ESRCH or -EPERM. */
int terminal_set_foreground(struct terminal *terminal, u32 group);

/*
 * The line is gone for who has it open: reads are at their end from now on, all else is -EIO. It is nobody's again; the
 * foreground group, or with `to_leader` the session's leader, is sent SIGHUP.
 */
void terminal_hang_up(struct terminal *terminal, bool to_leader);

/* A session has ended with its leader: its terminal hangs up. */
void terminal_end_session(u32 session);

/* ---- As a file: terminal_file.c, terminal_ioctl.c ---- */

extern const struct file_operations terminal_operations;

/* What an open file of a terminal has. */
struct terminal_opening {
    struct terminal *terminal;
    u32 hang_ups;               /* of the terminal, when it was opened; it is cut off by the next, */
    bool lasts;                 /* unless this is the console */
};

/*
 * Gives a file being opened its terminal, by device number: that of /dev/tty means the controlling one, that of
 * /dev/console the console. 0, -ENXIO, -EBUSY (TIOCEXCL) or -ENOMEM.
 */
int terminal_open(struct file *file, u32 device);

/* As file_operations.ioctl, on a terminal that is not hung up. */
s32 terminal_ioctl(struct terminal *terminal, u32 command, u32 argument);

/* ---- The terminals of this machine: terminal_console.c ---- */

/* The console; and ttyS1, where there is a second serial line that no trace needs. */
struct terminal *terminal_console(void);

/* Sets the terminals up and registers for their input. Once, at boot. */
void terminal_start(void);
