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
         "numbers go up to pid_max and on at 300; one that is still a group's or session's is passed over")
{
    u32 limit = pid_limit, last = 0, wraps = 0;
    struct pid *held;

    pid_limit = PID_WRAP_START + MANY;
    held = pid_allocate();
    check_true(held != NULL);
    for (u32 i = 0; i < 3 * MANY; i++) {
        struct pid *pid = pid_allocate();

        check_true(pid != NULL && pid != held && pid->number != held->number);
        check_true(pid->number < pid_limit);
        if (pid->number < last) {
            wraps++;
            check_equal(last, pid_limit - 1 - (held->number == pid_limit - 1));
            check_equal(pid->number, PID_WRAP_START + (held->number == PID_WRAP_START));
        } else {
            check_true(last == 0 || pid->number == last + 1 || held->number == last + 1);
        }
        last = pid->number;
        pid_release(pid);
    }
    pid_release(held);
    pid_limit = limit;
    check_true(wraps >= 2);
}

SELFTEST(pid, the_last_number_is_not_the_limit, "with every number below pid_max in use there is none, and each that is released is the next")
{
    static struct pid *pids[MANY];
    u32 limit = pid_limit, count = 0, again;

    pid_limit = PID_WRAP_START + MANY / 2;
    while (pid_last() < PID_WRAP_START)
        pid_release(pid_allocate());
    while (count < MANY && (pids[count] = pid_allocate()) != NULL)
        count++;
    check_true(count > MANY / 4 && count < MANY);
    again = pids[count / 2]->number;
    pid_release(pids[count / 2]);
    pids[count / 2] = pid_allocate();
    check_true(pids[count / 2] != NULL);
    check_equal(pids[count / 2]->number, again);
    check_true(pid_allocate() == NULL);
    while (count > 0)
        pid_release(pids[--count]);
    pid_limit = limit;
}
