/* The kernel proper, once the loader's information is in boot_info. */
#pragma once

/* Starts everything in its order and becomes the idle thread. Called by boot_main() with interrupts disabled. */
void kernel_main(void) __attribute__((noreturn));
