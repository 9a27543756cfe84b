/*
 * The root directory as it is before any archive is laid over it: /dev /proc /tmp.
 */
#pragma once

/*
 * Builds it and sets the terminal up. Called once by kernel_main in the boot thread, after mm and the console's
 * drivers have started and before the first cpio_unpack.
 */
void root_start(void);
