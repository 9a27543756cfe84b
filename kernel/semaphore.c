/*
 * System V semaphores.
 *
 *     key ──► set (id) ──► counter, counter, ...
 *              ▲ ▲
 *              │ └── wait: on the stack of each thread that waits for one of its counters
 *              └──── undo: what each process that asked for it has changed each counter by, negated
 *
 * A call's operations are tried in order, and taken back if one of them cannot be done now: nothing sleeps in between,
 * so nobody sees that. Who changes a counter also does what others wait for and can be done now, since the counter may
 * change again, or the set be removed, before they run.
 */
#include "kernel/semaphore.h"

#include "kernel/ipc.h"
#include "kernel/process.h"
#include "kernel/syscall.h"
#include "kernel/syscall_file.h"
#include "kernel/time.h"
#include "kernel/wait.h"
#include "mm/kmem.h"
#include "mm/user.h"

#include <asm/errno.h>
#include <linux/sem.h>

struct semaphore {
    u16 value;
    s32 process;                        /* number of the last one that changed it, or 0 */
};

struct semaphore_set {
    struct ipc_object ipc;              /* first */
    u32 changed_time, operation_time;   /* seconds since 1970; 0: never */
    struct wait_queue changed;
    TAILQ_HEAD(, semaphore_wait) waits; /* who came first is first */
    u32 waiting;                        /* threads; the last one frees a set that was removed */
    bool removed;
    u32 count;
    struct semaphore semaphores[];
};

/* A call: its operations are all done, or none of them. */
struct semaphore_wait {
    TAILQ_ENTRY(semaphore_wait) link;
    const struct process *process;
    const struct sembuf *operations;
    u32 count;
    struct semaphore_undo *undo;        /* of this process and set, where an operation asks for it */
    u32 at;                             /* the operation that cannot be done now */
    bool waits;                         /* for that one; else it is over */
    int result;                         /* then */
};

struct semaphore_undo {
    LIST_ENTRY(semaphore_undo) link;
    const struct process *process;
    struct semaphore_set *set;
    s16 adjust[];                       /* to add to each counter when the process ends */
};

static struct ipc_table sets;
static LIST_HEAD(, semaphore_undo) undos = LIST_HEAD_INITIALIZER(undos);

static struct semaphore_set *
set_find(s32 id)
{
    return (struct semaphore_set *)ipc_find(&sets, id);
}

/* ---- Undoing ---- */

static struct semaphore_undo *
undo_find(const struct process *process, const struct semaphore_set *set)
{
    struct semaphore_undo *undo;

    LIST_FOREACH(undo, &undos, link) {
        if (undo->process == process && undo->set == set)
            return undo;
    }
    return NULL;
}

/* The current process's, which is made if need be; NULL without memory. */
static struct semaphore_undo *
undo_get(struct semaphore_set *set)
{
    struct semaphore_undo *undo = undo_find(current_process(), set);

    if (undo != NULL)
        return undo;
    undo = kmem_allocate_zeroed(sizeof(*undo) + set->count * sizeof(undo->adjust[0]));
    if (undo == NULL)
        return NULL;
    undo->process = current_process();
    undo->set = set;
    LIST_INSERT_HEAD(&undos, undo, link);
    return undo;
}

/* A counter has been set: what processes did to it before counts no more. */
static void
undo_forget(const struct semaphore_set *set, u32 number)
{
    struct semaphore_undo *undo;

    LIST_FOREACH(undo, &undos, link) {
        if (undo->set == set)
            undo->adjust[number] = 0;
    }
}

static void set_serve(struct semaphore_set *set);

static void
undo_remove(struct semaphore_undo *undo)
{
    LIST_REMOVE(undo, link);
    kmem_free(undo);
}

static void
undo_apply(const struct semaphore_undo *undo)
{
    struct semaphore_set *set = undo->set;

    for (u32 i = 0; i < set->count; i++) {
        s32 value = set->semaphores[i].value + undo->adjust[i];

        if (undo->adjust[i] == 0)
            continue;
        set->semaphores[i].value = (u16)(value < 0 ? 0 : value > SEMVMX ? SEMVMX : value);
        set->semaphores[i].process = (s32)undo->process->id;
    }
    set->operation_time = time_seconds();
    set_serve(set);
}

void
semaphore_process_ends(const struct process *process)
{
    struct semaphore_undo *undo = LIST_FIRST(&undos), *next;

    for (; undo != NULL; undo = next) {
        next = LIST_NEXT(undo, link);
        if (undo->process == process) {
            undo_apply(undo);
            undo_remove(undo);
        }
    }
}

/* ---- Sets ---- */

static s32
set_create(s32 key, u32 count, u32 flags)
{
    struct semaphore_set *set;

    if (count == 0 || count > SEMMSL)
        return -EINVAL;
    set = kmem_allocate_zeroed(sizeof(*set) + count * sizeof(set->semaphores[0]));
    if (set == NULL)
        return -ENOMEM;
    set->count = count;
    set->changed_time = time_seconds();
    TAILQ_INIT(&set->waits);
    ipc_add(&sets, &set->ipc, key, flags);
    return set->ipc.id;
}

s32
sys_semget(s32 key, s32 count, u32 flags)
{
    struct ipc_object *object;
    int error;

    if (count < 0 || count > SEMMSL)
        return -EINVAL;
    error = ipc_find_key(&sets, key, flags, &object);
    if (error < 0)
        return error;
    if (object == NULL)
        return set_create(key, (u32)count, flags);
    if ((u32)count > ((struct semaphore_set *)object)->count)
        return -EINVAL;
    return ipc_permits_get(object, flags) ? object->id : -EACCES;
}

static void
set_remove(struct semaphore_set *set)
{
    struct semaphore_undo *undo = LIST_FIRST(&undos), *next;

    for (; undo != NULL; undo = next) {
        next = LIST_NEXT(undo, link);
        if (undo->set == set)
            undo_remove(undo);
    }
    ipc_remove(&set->ipc);
    set->removed = true;
    wait_wake_all(&set->changed);
    if (set->waiting == 0)
        kmem_free(set);
}

/* ---- Operations ---- */

/* One operation: 0, -EAGAIN if it must wait, -ERANGE. */
static int
operation_try(struct semaphore_set *set, const struct sembuf *operation, struct semaphore_undo *undo)
{
    struct semaphore *semaphore = &set->semaphores[operation->sem_num];
    s32 value = semaphore->value + operation->sem_op;

    if (operation->sem_op == 0)
        return semaphore->value == 0 ? 0 : -EAGAIN;
    if (value < 0)
        return -EAGAIN;
    if (value > SEMVMX)
        return -ERANGE;
    if (operation->sem_flg & SEM_UNDO) {
        s32 adjust = undo->adjust[operation->sem_num] - operation->sem_op;

        if (adjust < -SEMAEM - 1 || adjust > SEMAEM)
            return -ERANGE;
        undo->adjust[operation->sem_num] = (s16)adjust;
    }
    semaphore->value = (u16)value;
    return 0;
}

static void
operation_take_back(struct semaphore_set *set, const struct sembuf *operation, struct semaphore_undo *undo)
{
    struct semaphore *semaphore = &set->semaphores[operation->sem_num];

    semaphore->value = (u16)(semaphore->value - operation->sem_op);
    if (operation->sem_flg & SEM_UNDO)
        undo->adjust[operation->sem_num] = (s16)(undo->adjust[operation->sem_num] + operation->sem_op);
}

/* All of them, or none and why not. */
static void
operations_try(struct semaphore_set *set, struct semaphore_wait *call)
{
    u32 done = 0;

    call->result = 0;
    while (done < call->count && (call->result = operation_try(set, &call->operations[done], call->undo)) == 0)
        done++;
    call->at = done;
    call->waits = call->result == -EAGAIN && !(call->operations[done].sem_flg & IPC_NOWAIT);
    if (call->result < 0) {
        while (done-- > 0)
            operation_take_back(set, &call->operations[done], call->undo);
        return;
    }
    for (u32 i = 0; i < call->count; i++)
        set->semaphores[call->operations[i].sem_num].process = (s32)call->process->id;
    set->operation_time = time_seconds();
}

/* Counters have changed: does what others wait for, and what that makes possible. */
static void
set_serve(struct semaphore_set *set)
{
    struct semaphore_wait *call = TAILQ_FIRST(&set->waits);

    while (call != NULL) {
        bool waited = call->waits;

        if (waited)
            operations_try(set, call);
        call = waited && call->result == 0 ? TAILQ_FIRST(&set->waits) : TAILQ_NEXT(call, link);
    }
    wait_wake_all(&set->changed);
}

/*
 * Sleeps until somebody has done the call's operations: 0, -ERANGE, -EIDRM, -EINTR or -EAGAIN (the deadline). With
 * -EIDRM the set may be gone.
 */
static int
set_wait(struct semaphore_set *set, struct semaphore_wait *call, u64 deadline)
{
    bool removed;
    int error = 0;

    TAILQ_INSERT_TAIL(&set->waits, call, link);
    set->waiting++;
    while (error == 0 && call->waits && !set->removed)
        error = wait_timeout(&set->changed, deadline);
    set->waiting--;
    TAILQ_REMOVE(&set->waits, call, link);
    removed = set->removed;
    if (removed && set->waiting == 0)
        kmem_free(set);
    if (!call->waits)
        return call->result;
    if (removed)
        return -EIDRM;
    return error == -ERESTARTSYS ? -EINTR : error == -ETIMEDOUT ? -EAGAIN : error;
}

/* Whether the operations make sense for the set, and are permitted. */
static int
operations_check(const struct semaphore_set *set, const struct sembuf *operations, u32 count)
{
    bool alters = false;

    for (u32 i = 0; i < count; i++) {
        if (operations[i].sem_num >= set->count)
            return -EFBIG;
        alters |= operations[i].sem_op != 0;
    }
    return ipc_permits(&set->ipc, alters ? PERMISSION_WRITE : PERMISSION_READ) ? 0 : -EACCES;
}

static bool
operations_undo(const struct sembuf *operations, u32 count)
{
    for (u32 i = 0; i < count; i++) {
        if (operations[i].sem_flg & SEM_UNDO)
            return true;
    }
    return false;
}

static int
operations_run(s32 id, const struct sembuf *operations, u32 count, u64 deadline)
{
    struct semaphore_set *set = set_find(id);
    struct semaphore_wait call = {.process = current_process(), .operations = operations, .count = count};
    int error = set == NULL ? -EINVAL : operations_check(set, operations, count);

    if (error < 0)
        return error;
    if (operations_undo(operations, count) && (call.undo = undo_get(set)) == NULL)
        return -ENOMEM;
    operations_try(set, &call);
    if (call.result == 0)
        set_serve(set);
    return call.waits ? set_wait(set, &call, deadline) : call.result;
}

/* The same, as the calls are given it. */
static s32
semaphore_operate(s32 id, u32 address, u32 count, u32 timeout, time_reader read)
{
    struct sembuf *operations;
    u64 deadline;
    s32 result = time_read_deadline(timeout, read, &deadline);

    if (result < 0)
        return result;
    if (count == 0 || id < 0)
        return -EINVAL;
    if (count > SEMOPM)
        return -E2BIG;
    operations = kmem_allocate(count * sizeof(*operations));
    if (operations == NULL)
        return -ENOMEM;
    result = user_copy_in(operations, address, count * sizeof(*operations));
    if (result == 0)
        result = operations_run(id, operations, count, deadline);
    kmem_free(operations);
    return result;
}

s32
sys_semtimedop(s32 id, u32 operations, u32 count, u32 timeout)
{
    return semaphore_operate(id, operations, count, timeout, time_read_old_timespec);
}

s32
sys_semtimedop_time64(s32 id, u32 operations, u32 count, u32 timeout)
{
    return semaphore_operate(id, operations, count, timeout, time_read_timespec);
}

/* ---- Control ---- */

static s32
set_status(const struct ipc_object *object, u32 address)
{
    const struct semaphore_set *set = (const struct semaphore_set *)object;
    struct semid64_ds status = {
        .sem_perm = set->ipc.permission,
        .sem_otime = set->operation_time,
        .sem_ctime = set->changed_time,
        .sem_nsems = set->count,
    };

    return ipc_permits(&set->ipc, PERMISSION_READ) ? user_copy_out(address, &status, sizeof(status)) : -EACCES;
}

static s32
set_change(struct semaphore_set *set, u32 address)
{
    struct semid64_ds status;
    int error;

    if (user_copy_in(&status, address, sizeof(status)) < 0)
        return -EFAULT;
    error = ipc_change(&set->ipc, &status.sem_perm);
    if (error == 0)
        set->changed_time = time_seconds();
    return error;
}

static s32
set_value(struct semaphore_set *set, u32 number, s32 value)
{
    if (value < 0 || value > SEMVMX)
        return -ERANGE;
    undo_forget(set, number);
    set->semaphores[number].value = (u16)value;
    set->semaphores[number].process = (s32)current_process()->id;
    set->changed_time = time_seconds();
    return 0;
}

/* SETVAL. */
static s32
set_value_alone(struct semaphore_set *set, u32 number, s32 value)
{
    s32 result = set_value(set, number, value);

    if (result == 0)
        set_serve(set);
    return result;
}

/* GETALL and SETALL: an array of u16. Copying may sleep, and the set be removed meanwhile. */
static s32
set_read_values(const struct semaphore_set *set, u32 address)
{
    u32 bytes = set->count * sizeof(u16);
    u16 *values = kmem_allocate(bytes);
    s32 result;

    if (values == NULL)
        return -ENOMEM;
    for (u32 i = 0; i < set->count; i++)
        values[i] = set->semaphores[i].value;
    result = user_copy_out(address, values, bytes);
    kmem_free(values);
    return result;
}

static s32
set_write_values(s32 id, u32 count, u32 address)
{
    u16 *values = kmem_allocate(count * sizeof(u16));
    s32 result = values == NULL ? -ENOMEM : user_copy_in(values, address, count * sizeof(u16));
    struct semaphore_set *set = set_find(id);

    if (result == 0 && set == NULL)
        result = -EIDRM;
    for (u32 i = 0; result == 0 && i < count; i++)
        result = values[i] > SEMVMX ? -ERANGE : 0;
    for (u32 i = 0; result == 0 && i < count; i++)
        set_value(set, i, values[i]);
    if (result == 0)
        set_serve(set);
    kmem_free(values);
    return result;
}

static s32
set_waiting(const struct semaphore_set *set, u32 number, bool for_zero)
{
    const struct semaphore_wait *wait;
    s32 count = 0;

    TAILQ_FOREACH(wait, &set->waits, link) {
        const struct sembuf *operation = &wait->operations[wait->at];

        count += wait->waits && operation->sem_num == number && (operation->sem_op == 0) == for_zero;
    }
    return count;
}

/* The commands about one counter. */
static s32
semaphore_control(struct semaphore_set *set, u32 number, u32 command, s32 value)
{
    if (command == SETVAL && (value < 0 || value > SEMVMX))
        return -ERANGE;
    if (number >= set->count)
        return -EINVAL;
    if (!ipc_permits(&set->ipc, command == SETVAL ? PERMISSION_WRITE : PERMISSION_READ))
        return -EACCES;
    switch (command) {
    case GETVAL:
        return set->semaphores[number].value;
    case GETPID:
        return set->semaphores[number].process;
    case GETNCNT:
    case GETZCNT:
        return set_waiting(set, number, command == GETZCNT);
    default:
        return set_value_alone(set, number, value);
    }
}

/* SEM_INFO: how many there are; IPC_INFO: what the limits are. Both return the last place. */
static s32
sets_info(u32 command, u32 address)
{
    struct seminfo info = {
        .semmap = SEMMAP, .semmni = INT32_MAX, .semmns = INT32_MAX, .semmnu = SEMMNU, .semmsl = SEMMSL,
        .semopm = SEMOPM, .semume = SEMUME, .semusz = SEMUSZ, .semvmx = SEMVMX, .semaem = SEMAEM,
    };
    const struct ipc_object *object;

    if (command == SEM_INFO) {
        info.semusz = (s32)ipc_count(&sets);
        info.semaem = 0;
        LIST_FOREACH(object, &sets.objects, link)
            info.semaem += (s32)((const struct semaphore_set *)object)->count;
    }
    return user_copy_out(address, &info, sizeof(info)) < 0 ? -EFAULT : ipc_last(&sets);
}

s32
sys_semctl(s32 id, s32 number, u32 command, u32 argument)
{
    struct semaphore_set *set = set_find(id);

    command &= ~(u32)IPC_64;
    if (command == IPC_INFO || command == SEM_INFO)
        return sets_info(command, argument);
    if (command == SEM_STAT)
        return ipc_status_at(&sets, id, argument, set_status);
    if (set == NULL)
        return -EINVAL;
    switch (command) {
    case IPC_STAT:
        return set_status(&set->ipc, argument);
    case IPC_SET:
        return set_change(set, argument);
    case IPC_RMID:
        if (!ipc_is_own(&set->ipc))
            return -EPERM;
        set_remove(set);
        return 0;
    case GETALL:
        return ipc_permits(&set->ipc, PERMISSION_READ) ? set_read_values(set, argument) : -EACCES;
    case SETALL:
        return ipc_permits(&set->ipc, PERMISSION_WRITE) ? set_write_values(id, set->count, argument) : -EACCES;
    case GETVAL:
    case GETPID:
    case GETNCNT:
    case GETZCNT:
    case SETVAL:
        return semaphore_control(set, (u32)number, command, (s32)argument);
    default:
        return -EINVAL;
    }
}
