/*
 * On the host: the switches that mm declares, gathered under a section name that the host's linker gives bounds to. Set by
 * host_switches() (tests/host/host.h).
 */
#pragma once

#include "kernel/types.h"

struct host_switch {
    const char *name;
    void *variable;             /* unsigned, u32 or u64, by bytes */
    usize bytes;
    const char *const *choices; /* NULL: a number */
    u32 choice_count;
};

#define HOST_SWITCH(switch_name, target, ...)                                                    \
    static const struct host_switch host_switch_of_##target                                     \
        __attribute__((section("host_switch_table"), used, aligned(__alignof__(void *)))) = {        \
            .name = #switch_name, .variable = &(target), .bytes = sizeof(target), __VA_ARGS__}

#define BOOT_CHOICE(switch_name, target, help_text, ...)                                         \
    static const char *const host_choices_of_##target[] = {__VA_ARGS__};                         \
    HOST_SWITCH(switch_name, target, .choices = host_choices_of_##target,                        \
        .choice_count = ARRAY_SIZE(host_choices_of_##target))

#define BOOT_NUMBER(switch_name, target, least, greatest, help_text) \
    HOST_SWITCH(switch_name, target, .choices = NULL)

#define BOOT_TEXT(switch_name, target, help_text) \
    HOST_SWITCH(switch_name, target, .choices = NULL)

extern u32 command_line_seed;
