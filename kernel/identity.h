/*
 * Who a process acts as: user and group numbers as Linux keeps them. Everything starts as root; the calls that
 * give that up are obeyed, so that programs which check find what they asked for.
 */
#pragma once

#include "kernel/types.h"

#define IDENTITY_ROOT 0u

struct identity {
    u32 user, effective_user, saved_user;
    u32 group, effective_group, saved_group;
};
