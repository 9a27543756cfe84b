/*
 * The boot command line, as Linux has it: words of the form name=value, and behind " -- " the arguments of init. A word
 * may be quoted: name="some value". A switch is declared beside the code that it steers:
 *
 *     BOOT_CHOICE(policy, policy_choice, "which page is replaced", "fifo", "random", "clock");
 *
 * Declare the variable first (static or not); its initialiser is the default. The declarations are gathered by the
 * linker. An unknown name or value is reported in one line with those that exist, and ignored.
 */
#pragma once

#include "kernel/types.h"

enum boot_switch_kind { BOOT_SWITCH_CHOICE, BOOT_SWITCH_NUMBER, BOOT_SWITCH_SIZE, BOOT_SWITCH_TEXT };

struct boot_switch {
    const char *name;
    const char *help;
    enum boot_switch_kind kind;
    void *variable;             /* unsigned, u32, u64 or const char *, by kind */
    const char *const *choices; /* BOOT_SWITCH_CHOICE: the words, in the order of the variable's values */
    u32 choice_count;
    u32 minimum, maximum;       /* BOOT_SWITCH_NUMBER: limits, both included */
    const char *bare;           /* BOOT_SWITCH_TEXT: value when the name stands alone; NULL: it may not */
};

/* The alignment keeps the compiler from spreading the table's entries out. */
#define BOOT_SWITCH(switch_name, target, type, ...)                                          \
    static const struct boot_switch boot_switch_of_##target                                  \
        __attribute__((section(".boot_switches"), used, aligned(__alignof__(void *)))) = {   \
            .name = switch_name, .variable = (0 ? (type *)0 : &(target)), __VA_ARGS__}

/* `unsigned variable` becomes the index of the chosen word. */
#define BOOT_CHOICE(name, variable, help_text, ...)                                          \
    static const char *const boot_choices_of_##variable[] = {__VA_ARGS__};                   \
    BOOT_SWITCH(#name, variable, unsigned, .kind = BOOT_SWITCH_CHOICE, .help = help_text,    \
        .choices = boot_choices_of_##variable, .choice_count = ARRAY_SIZE(boot_choices_of_##variable))

/* `u32 variable` becomes the number, least and greatest included. */
#define BOOT_NUMBER(name, variable, least, greatest, help_text) \
    BOOT_SWITCH(#name, variable, u32, .kind = BOOT_SWITCH_NUMBER, .help = help_text, \
        .minimum = least, .maximum = greatest)

/* `u64 variable` becomes the number of bytes; the value may end in K, M or G. */
#define BOOT_SIZE(name, variable, help_text) \
    BOOT_SWITCH(#name, variable, u64, .kind = BOOT_SWITCH_SIZE, .help = help_text)

/* `const char *variable` becomes the value, which stays valid. */
#define BOOT_TEXT(name, variable, help_text) \
    BOOT_SWITCH(#name, variable, const char *, .kind = BOOT_SWITCH_TEXT, .help = help_text)

/* The same, but the name may also stand alone and then means `bare_text`. */
#define BOOT_FLAG_TEXT(name, variable, help_text, bare_text) \
    BOOT_SWITCH(#name, variable, const char *, .kind = BOOT_SWITCH_TEXT, .help = help_text, .bare = bare_text)

/* seed=: where every random sequence of the kernel starts. */
extern u32 command_line_seed;

/* Takes a copy of the loader's text and sets all switches. Once, at boot; the console must be ready. */
void command_line_start(const char *text);

/* Sets switches from more text, complaining in the same way: for tests. The text is split in place and must stay. */
void command_line_apply(char *text);

/* The whole line as the loader gave it. */
const char *command_line_text(void);

/* What follows " -- ", "" if nothing does. */
const char *command_line_init_arguments(void);

/*
 * Cuts the next word off *cursor, in place, without its quotation marks, and moves *cursor behind it. NULL at the end.
 */
char *command_line_word(char **cursor);

/*
 * Sets one switch, complaining in the same way: 0, or -EINVAL and nothing has changed. Not for switches that are texts,
 * which would point to the value.
 */
int command_line_set(const char *name, const char *value);

/* A switch's current value as text, COMMAND_LINE_VALUE_BYTES at most; there must be such a switch. */
#define COMMAND_LINE_VALUE_BYTES 64u
void command_line_get(const char *name, char *value);

/* Logs every switch with its values, its current value and its help (help on the command line). */
void command_line_show_switches(void);

/* Calls visit for each switch with its current value as text. */
void command_line_for_each(void (*visit)(const struct boot_switch *boot_switch, const char *value));
