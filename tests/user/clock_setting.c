/*
 * The clock on the wall can be set, by root, in three ways; clocks that count from boot do not notice.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "user/lib/check.h"

enum { NOBODY = 65534, LONG = 1000 };

static struct timespec
time_of(clockid_t clock)
{
    struct timespec time;

    clock_gettime(clock, &time);
    return time;
}

/* Whether the clock shows a time, or a little later. */
static bool
shows(time_t seconds)
{
    time_t now = time_of(CLOCK_REALTIME).tv_sec;

    return now >= seconds && now < seconds + LONG / 2;
}

static void
refusal_check(void)
{
    struct timespec time = time_of(CLOCK_REALTIME), wrong = { time.tv_sec, 1000000000 }, negative = { -1, 0 }, early = { 0, 1 };

    check_that(refused(clock_settime(CLOCK_MONOTONIC, &time), EINVAL) && refused(clock_settime(99, &time), EINVAL), "no other clock can be set");
    check_that(refused(clock_settime(CLOCK_REALTIME, &wrong), EINVAL) && refused(clock_settime(CLOCK_REALTIME, &negative), EINVAL), "nor to what is no time");
    check_that(refused(clock_settime(CLOCK_REALTIME, &early), getuid() == 0 ? EINVAL : EPERM), "nor to a time before the machine's beginning");
    check_that(refused(syscall(SYS_clock_settime64, CLOCK_REALTIME, -4096), EFAULT), "nor from nowhere");
    check_that(refused(syscall(SYS_settimeofday_time32, -4096, 0), EFAULT), "settimeofday: from nowhere");
}

static void
nobody_body(void)
{
    struct timespec time = time_of(CLOCK_REALTIME);
    struct timeval value = { time.tv_sec, 0 };

    setresuid(NOBODY, NOBODY, NOBODY);
    _exit(!refused(clock_settime(CLOCK_REALTIME, &time), EPERM) || !refused(settimeofday(&value, NULL), EPERM)
          || !refused(syscall(SYS_stime, &time.tv_sec), EPERM));
}

static void
setting_check(void)
{
    struct timespec before = time_of(CLOCK_MONOTONIC), old = time_of(CLOCK_REALTIME), new = { old.tv_sec + LONG, 5 };
    struct timeval value = { old.tv_sec + 2 * LONG, 0 };
    struct timezone zone = { 60, 0 }, read = { 0 };
    long seconds = (long) old.tv_sec;
    struct stat status;

    check_that(clock_settime(CLOCK_REALTIME, &new) == 0 && shows(old.tv_sec + LONG), "clock_settime");
    close(open("/tmp/clock_setting", O_CREAT | O_WRONLY, 0600));
    check_that(stat("/tmp/clock_setting", &status) == 0 && status.st_mtime >= old.tv_sec + LONG, "new files have the new time");
    unlink("/tmp/clock_setting");
    check_that(settimeofday(&value, NULL) == 0 && shows(old.tv_sec + 2 * LONG), "settimeofday");
    check_that(syscall(SYS_settimeofday_time32, NULL, &zone) == 0 && syscall(SYS_gettimeofday_time32, NULL, &read) == 0 && read.tz_minuteswest == 60, "a time zone is kept");
    zone.tz_minuteswest = 0;
    syscall(SYS_settimeofday_time32, NULL, &zone);
    check_that(syscall(SYS_stime, &seconds) == 0 && shows(old.tv_sec), "stime, and back");
    check_that(time_of(CLOCK_MONOTONIC).tv_sec - before.tv_sec < LONG / 2, "the clock from boot goes on as it was");
}

int
main(void)
{
    struct utsname name;

    uname(&name);
    refusal_check();
    if (getuid() == 0)
        check_that(check_child(nobody_body) == 0, "only root sets the clock: EPERM");
    if (getuid() == 0 && strcmp(name.machine, "x86_64") != 0)
        setting_check();
    else
        check_skip("setting the clock of a machine that is used");
    return check_end();
}
