/* What the system calls itself: uname and /proc/version. */
#pragma once

#define VERSION_SYSTEM "Belady"
#define VERSION_RELEASE "0.1"
#define VERSION_BUILD "#1"

/* Name and release tell programs what the system can do: they are those of the Linux whose interfaces these are. */
#define VERSION_COMPATIBLE_SYSTEM "Linux"
#define VERSION_COMPATIBLE_RELEASE "6.1.0-belady"
#define VERSION_HOST "belady"
