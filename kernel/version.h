/* What the system calls itself: uname and /proc/version. */
#pragma once

#define VERSION_SYSTEM "Belady"
#define VERSION_RELEASE "0.1"
#define VERSION_BUILD "#1"
