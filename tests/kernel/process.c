/* Structures of processes: what a new one holds. */
#include "kernel/process.h"
#include "kernel/selftest.h"

SELFTEST(process, new_one_can_be_freed, "a process that nothing was given yet holds nothing, whatever its memory held before")
{
    struct process *process = process_allocate();
    struct process *again;

    check_true(process != NULL);
    process_free(process);
    /* The cache hands the memory freed last out first. */
    process->identity.groups = (struct identity_groups *)process;
    again = process_allocate();
    check_true(again == process);
    check_true(again->identity.groups == NULL);
    process_free(again);
}
