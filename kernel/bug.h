/* bug=null|stack|assert|free: provokes a bug of the kernel, so that the tests see what a panic looks like. */
#pragma once

/* Arms what bug= asks for: it happens at a later clock tick, while a user program runs. Needs the timer. */
void bug_start(void);
