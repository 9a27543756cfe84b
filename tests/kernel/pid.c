/* Process numbers. */
#include "kernel/pid.h"
#include "kernel/selftest.h"

#define MANY 300u

SELFTEST(pid, numbers_are_found_while_used, "a number is found from its allocation to its last release")
{
    struct pid *pid = pid_allocate();
    u32 number;

    check_true(pid != NULL);
    number = pid->number;
    check_true(pid_find(number) == pid);
    pid_hold(pid);
    pid_release(pid);
    check_true(pid_find(number) == pid);
    pid_release(pid);
    check_true(pid_find(number) == NULL);
}

SELFTEST(pid, many_numbers_are_distinct, "however many there are, each number is found at its own place")
{
    static struct pid *pids[MANY];

    for (u32 i = 0; i < MANY; i++) {
        pids[i] = pid_allocate();
        check_true(pids[i] != NULL);
        check_true(i == 0 || pids[i]->number != pids[i - 1]->number);
    }
    for (u32 i = 0; i < MANY; i++)
        check_true(pid_find(pids[i]->number) == pids[i]);
    for (u32 i = 0; i < MANY; i++)
        pid_release(pids[i]);
}

SELFTEST(pid, used_numbers_are_not_handed_out,
         "numbers wrap round, and one that is still a group's or session's is passed over")
{
    struct pid *held = pid_allocate();
    u32 last = 0;
    bool wrapped = false;

    check_true(held != NULL);
    for (u32 i = 0; i < PID_MAXIMUM + MANY; i++) {
        struct pid *pid = pid_allocate();

        check_true(pid != NULL && pid != held && pid->number != held->number);
        check_true(pid->number > 0 && pid->number < PID_MAXIMUM);
        wrapped |= pid->number < last;
        last = pid->number;
        pid_release(pid);
    }
    pid_release(held);
    check_true(wrapped);
}
