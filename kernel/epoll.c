/*
 * epoll.
 *
 *     epoll ──► items: a file, the descriptor it was named by, what is wanted of it, a word of the program's
 *       │         ▲ each has a place in its file's wait queue, and is told of wake-ups
 *       └──► ready: those that were told since somebody looked
 *
 * epoll_wait asks the ready items only. One that has nothing to tell leaves the list until its next wake-up. One that has
 * is told of and stays, so that it is asked again next time; unless it is wanted by its edges (EPOLLET), when it leaves,
 * too, or once only (EPOLLONESHOT), when nothing is wanted of it any more.
 *
 * An item does not hold its file: the last close takes it away. Who adds, changes, removes or harvests items holds
 * `busy`, and may sleep with it; ready lists change with interrupts disabled, since wake-ups come from their handlers.
 */
#include "kernel/epoll.h"

#include "kernel/anonymous_file.h"
#include "kernel/file.h"
#include "kernel/mutex.h"
#include "kernel/poll.h"
#include "kernel/process.h"
#include "kernel/reserve.h"
#include "kernel/signal.h"
#include "kernel/syscall_file.h"
#include "kernel/x86/cpu.h"
#include "mm/kmem.h"
#include "mm/kmem_cache.h"
#include "mm/user.h"

#include <asm/errno.h>
#include <linux/eventpoll.h>

#define EPOLL_ALWAYS (EPOLLERR | EPOLLHUP)      /* told of whether wanted or not */
#define EPOLL_WAYS (EPOLLET | EPOLLONESHOT | EPOLLWAKEUP | EPOLLEXCLUSIVE)
#define EPOLL_EXCLUSIVE_ALLOWS (EPOLLIN | EPOLLOUT | EPOLL_ALWAYS | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE)
#define EPOLL_EVENTS_MAXIMUM (INT32_MAX / sizeof(struct epoll_event))
#define EPOLL_LEVELS_MAXIMUM 4u                 /* of epoll files that watch epoll files, as on Linux */

TAILQ_HEAD(epoll_ready, epoll_item);

struct epoll {
    u32 references;                 /* its file's, and those of epoll_forget_file at work */
    struct file *file;
    struct mutex busy;
    LIST_HEAD(, epoll_item) items;
    struct epoll_ready ready;
    struct wait_queue queue;        /* sleep until an item is ready */
    u32 search, levels;             /* the search that has met it, and what came out: see epoll_check_levels */
};

struct epoll_item {
    struct epoll *epoll;
    struct file *file;
    s32 descriptor;
    struct epoll_event wanted;      /* with EPOLL_ALWAYS; only EPOLL_WAYS once it has told of what it should tell once */
    bool is_ready;                  /* in a list of ready items */
    struct wait_entry entry;
    LIST_ENTRY(epoll_item) epoll_link, file_link;
    TAILQ_ENTRY(epoll_item) ready_link;
};

static struct kmem_cache item_cache = KMEM_CACHE("epoll_item", sizeof(struct epoll_item), sizeof(u32));

static const struct file_operations epoll_operations;

static struct epoll *
epoll_of(const struct file *file)
{
    return file->operations == &epoll_operations ? file->data : NULL;
}

/* ---- Items. With interrupts disabled ---- */

/* What there is of what is wanted. */
static u32
item_poll(const struct epoll_item *item)
{
    struct wait_queue *queue;

    return item->file->operations->poll(item->file, &queue) & item->wanted.events & ~EPOLL_WAYS;
}

static void
item_make_ready(struct epoll_item *item)
{
    if (item->is_ready)
        return;
    item->is_ready = true;
    TAILQ_INSERT_TAIL(&item->epoll->ready, item, ready_link);
}

/* Makes it ready if it has something to tell. */
static void
item_look(struct epoll_item *item)
{
    if (item_poll(item) == 0)
        return;
    item_make_ready(item);
    wait_wake_one(&item->epoll->queue);
}

/* The file has news. What they are is asked only when somebody wants to know. */
static void
item_notify(struct wait_entry *entry, u32 events)
{
    struct epoll_item *item = container_of(entry, struct epoll_item, entry);

    if ((events & item->wanted.events & ~EPOLL_WAYS) == 0)
        return;
    item_make_ready(item);
    wait_wake_one(&item->epoll->queue);
}

/* ---- Adding, changing, removing. With the epoll busy ---- */

static struct epoll_item *
item_find(const struct epoll *epoll, const struct file *file, s32 descriptor)
{
    struct epoll_item *item;

    LIST_FOREACH(item, &file->watchers, file_link) {
        if (item->epoll == epoll && item->descriptor == descriptor)
            return item;
    }
    return NULL;
}

static int
item_add(struct epoll *epoll, struct file *file, s32 descriptor, const struct epoll_event *wanted)
{
    struct epoll_item *item = reserve_is_reached() ? NULL : kmem_cache_allocate(&item_cache);
    struct wait_queue *queue = NULL;
    u32 interrupts;

    if (item == NULL)
        return -ENOMEM;
    *item = (struct epoll_item){
        .epoll = epoll, .file = file, .descriptor = descriptor, .wanted = *wanted, .entry.notify = item_notify};
    LIST_INSERT_HEAD(&epoll->items, item, epoll_link);
    LIST_INSERT_HEAD(&file->watchers, item, file_link);
    interrupts = interrupts_save();
    file->operations->poll(file, &queue);
    if (queue != NULL)
        wait_watch(queue, &item->entry);
    item_look(item);
    interrupts_restore(interrupts);
    return 0;
}

static int
item_change(struct epoll_item *item, const struct epoll_event *wanted)
{
    u32 interrupts = interrupts_save();

    item->wanted = *wanted;
    item_look(item);
    interrupts_restore(interrupts);
    return 0;
}

static int
item_remove(struct epoll_item *item)
{
    u32 interrupts = interrupts_save();

    if (item->entry.queue != NULL)
        wait_delist(&item->entry);
    if (item->is_ready)
        TAILQ_REMOVE(&item->epoll->ready, item, ready_link);
    interrupts_restore(interrupts);
    LIST_REMOVE(item, epoll_link);
    LIST_REMOVE(item, file_link);
    kmem_cache_free(&item_cache, item);
    return 0;
}

/* ---- Epoll files that watch epoll files ---- */

static u32 latest_search;

/* All that a search meets it marks, and asks only once. */
static bool
search_has_met(struct epoll *epoll)
{
    if (epoll->search == latest_search)
        return true;
    epoll->search = latest_search;
    epoll->levels = 0;
    return false;
}

static void
search_found(struct epoll *epoll, u32 levels)
{
    if (levels > epoll->levels)
        epoll->levels = levels;
}

/*
 * How many levels of epoll files lie below one, or above it. The depth of the calls is bounded: no more levels can be
 * made.
 */
static u32
levels_below(struct epoll *epoll)
{
    struct epoll_item *item;

    if (search_has_met(epoll))
        return epoll->levels;
    LIST_FOREACH(item, &epoll->items, epoll_link) {
        if (epoll_of(item->file) != NULL)
            search_found(epoll, 1 + levels_below(epoll_of(item->file)));
    }
    return epoll->levels;
}

static u32
levels_above(struct epoll *epoll)
{
    struct epoll_item *item;

    if (search_has_met(epoll))
        return epoll->levels;
    LIST_FOREACH(item, &epoll->file->watchers, file_link)
        search_found(epoll, 1 + levels_above(item->epoll));
    return epoll->levels;
}

/* Whether one may watch another: 0, or -ELOOP where it would watch itself, or there would be too many levels. */
static int
epoll_check_levels(struct epoll *outer, struct epoll *inner)
{
    u32 below, above;

    latest_search++;
    below = levels_below(inner);
    if (outer->search == latest_search)
        return -ELOOP;
    latest_search++;
    above = levels_above(outer);
    return above + 1 + below > EPOLL_LEVELS_MAXIMUM ? -ELOOP : 0;
}

/* ---- Changing what is watched ---- */

/* Whether the file can be watched so: 0, -EPERM, -EINVAL. */
static int
epoll_check(const struct file *watching, const struct file *file, u32 operation, u32 events)
{
    if (file->operations->poll == NULL)
        return -EPERM;
    if (epoll_of(watching) == NULL || watching == file)
        return -EINVAL;
    if (!(events & EPOLLEXCLUSIVE) || operation == EPOLL_CTL_DEL)
        return 0;
    if (operation == EPOLL_CTL_MOD)
        return -EINVAL;
    return operation == EPOLL_CTL_ADD && (epoll_of(file) != NULL || (events & ~EPOLL_EXCLUSIVE_ALLOWS)) ? -EINVAL : 0;
}

static int
epoll_apply(struct epoll *epoll, u32 operation, struct file *file, s32 descriptor, const struct epoll_event *wanted)
{
    struct epoll_item *item = item_find(epoll, file, descriptor);
    struct epoll *inner = epoll_of(file);
    int error;

    switch (operation) {
    case EPOLL_CTL_ADD:
        error = inner != NULL ? epoll_check_levels(epoll, inner) : 0;
        if (error == 0 && item != NULL)
            error = -EEXIST;
        return error < 0 ? error : item_add(epoll, file, descriptor, wanted);
    case EPOLL_CTL_MOD:
        if (item == NULL)
            return -ENOENT;
        return item->wanted.events & EPOLLEXCLUSIVE ? -EINVAL : item_change(item, wanted);
    case EPOLL_CTL_DEL:
        return item == NULL ? -ENOENT : item_remove(item);
    default:
        return -EINVAL;
    }
}

static s32
epoll_control(struct file *watching, u32 operation, s32 descriptor, struct epoll_event *wanted)
{
    struct epoll *epoll = epoll_of(watching);
    struct file *file;
    int error = file_get(current_process()->files, descriptor, &file);

    if (error < 0)
        return error;
    error = epoll_check(watching, file, operation, wanted->events);
    if (error == 0) {
        wanted->events |= EPOLL_ALWAYS;
        mutex_lock(&epoll->busy);
        error = epoll_apply(epoll, operation, file, descriptor, wanted);
        mutex_unlock(&epoll->busy);
    }
    file_release(file);
    return error;
}

s32
sys_epoll_ctl(s32 descriptor, u32 operation, s32 watched, u32 event_address)
{
    struct epoll_event wanted = {0};
    struct file *watching;
    s32 result;

    if (operation != EPOLL_CTL_DEL && user_copy_in(&wanted, event_address, sizeof(wanted)) < 0)
        return -EFAULT;
    result = file_get(current_process()->files, descriptor, &watching);
    if (result < 0)
        return result;
    result = epoll_control(watching, operation, watched, &wanted);
    file_release(watching);
    return result;
}

/* ---- Waiting ---- */

/* Tells what the first of the items being harvested has to tell: 1, 0 if it has nothing, or -EFAULT, and it stays ready. */
static s32
item_harvest(struct epoll_item *item, struct epoll_ready *harvest, u32 address)
{
    struct epoll_event event = item->wanted;
    u32 interrupts = interrupts_save();
    s32 result = 0;

    TAILQ_REMOVE(harvest, item, ready_link);
    item->is_ready = false;
    event.events = item_poll(item);
    interrupts_restore(interrupts);
    if (event.events != 0)
        result = user_copy_out(address, &event, sizeof(event)) < 0 ? -EFAULT : 1;
    interrupts = interrupts_save();
    if (result < 0 || (result == 1 && !(item->wanted.events & (EPOLLET | EPOLLONESHOT))))
        item_make_ready(item);
    else if (result == 1 && (item->wanted.events & EPOLLONESHOT))
        item->wanted.events &= EPOLL_WAYS;
    interrupts_restore(interrupts);
    return result;
}

/* Tells of at most so many items that are ready: how many, or -EFAULT. What becomes ready meanwhile is left for others. */
static s32
epoll_harvest(struct epoll *epoll, u32 address, u32 maximum)
{
    struct epoll_ready harvest = TAILQ_HEAD_INITIALIZER(harvest);
    u32 count = 0, interrupts;
    s32 result = 0;

    mutex_lock(&epoll->busy);
    interrupts = interrupts_save();
    TAILQ_CONCAT(&harvest, &epoll->ready, ready_link);
    interrupts_restore(interrupts);
    while (count < maximum && result >= 0 && !TAILQ_EMPTY(&harvest)) {
        result = item_harvest(TAILQ_FIRST(&harvest), &harvest, address + count * sizeof(struct epoll_event));
        count += result == 1;
    }
    interrupts = interrupts_save();
    TAILQ_CONCAT(&harvest, &epoll->ready, ready_link);
    TAILQ_CONCAT(&epoll->ready, &harvest, ready_link);
    if (!TAILQ_EMPTY(&epoll->ready))
        wait_wake_one(&epoll->queue);
    interrupts_restore(interrupts);
    mutex_unlock(&epoll->busy);
    return count > 0 ? (s32)count : result;
}

/* 0, -ETIMEDOUT or -ERESTARTSYS. */
static int
epoll_sleep(struct epoll *epoll, u64 deadline)
{
    u32 interrupts = interrupts_save();
    int error = TAILQ_EMPTY(&epoll->ready) ? wait_timeout(&epoll->queue, deadline) : 0;

    interrupts_restore(interrupts);
    return error;
}

static s32
epoll_wait_until(struct epoll *epoll, u32 address, u32 maximum, u64 deadline)
{
    s32 result = epoll_harvest(epoll, address, maximum);
    int ended = 0;

    while (result == 0 && ended == 0 && deadline != POLL_AT_ONCE) {
        ended = epoll_sleep(epoll, deadline);
        if (ended == 0)
            result = epoll_harvest(epoll, address, maximum);
    }
    return ended == -ERESTARTSYS ? -ERESTARTNOHAND : result;
}

/* How many events there are, 0 at the deadline, -ERESTARTNOHAND for a signal, which ends the call as -EINTR. */
static s32
epoll_wait_for(s32 descriptor, u32 address, s32 maximum, u64 deadline)
{
    struct file *file;
    s32 result;

    if (maximum <= 0 || (u32)maximum > EPOLL_EVENTS_MAXIMUM)
        return -EINVAL;
    if (!user_range_ok(address, (u32)maximum * sizeof(struct epoll_event)))
        return -EFAULT;
    result = file_get(current_process()->files, descriptor, &file);
    if (result < 0)
        return result;
    result = epoll_of(file) == NULL ? -EINVAL : epoll_wait_until(epoll_of(file), address, (u32)maximum, deadline);
    file_release(file);
    return result;
}

/* The same under a mask of signals. */
static s32
epoll_wait_masked(s32 descriptor, u32 address, s32 maximum, u64 deadline, u32 set, u32 set_bytes)
{
    s32 result = poll_block_signals(set, set_bytes);

    if (result < 0)
        return result;
    result = poll_unblock_signals(epoll_wait_for(descriptor, address, maximum, deadline));
    return result == -ERESTARTNOHAND ? -EINTR : result;
}

s32
sys_epoll_pwait(s32 descriptor, u32 events, s32 maximum, s32 timeout_milliseconds, u32 set, u32 set_bytes)
{
    return epoll_wait_masked(descriptor, events, maximum, poll_deadline(timeout_milliseconds), set, set_bytes);
}

s32
sys_epoll_wait(s32 descriptor, u32 events, s32 maximum, s32 timeout_milliseconds)
{
    return sys_epoll_pwait(descriptor, events, maximum, timeout_milliseconds, 0, 0);
}

s32
sys_epoll_pwait2(s32 descriptor, u32 events, s32 maximum, u32 timeout, u32 set, u32 set_bytes)
{
    u64 deadline;
    s32 result = time_read_deadline(timeout, time_read_timespec, &deadline);

    return result < 0 ? result : epoll_wait_masked(descriptor, events, maximum, deadline, set, set_bytes);
}

/* ---- Opening and closing ---- */

static u32
epoll_poll(struct file *file, struct wait_queue **queue)
{
    struct epoll *epoll = file->data;
    struct epoll_item *item;

    *queue = &epoll->queue;
    TAILQ_FOREACH(item, &epoll->ready, ready_link) {
        if (item_poll(item) != 0)
            return POLL_READABLE;
    }
    return 0;
}

static void
epoll_drop(struct epoll *epoll)
{
    if (--epoll->references == 0)
        kmem_free(epoll);
}

static void
epoll_release(struct file *file)
{
    struct epoll *epoll = file->data;

    mutex_lock(&epoll->busy);
    while (!LIST_EMPTY(&epoll->items))
        item_remove(LIST_FIRST(&epoll->items));
    mutex_unlock(&epoll->busy);
    epoll_drop(epoll);
}

void
epoll_forget_file(struct file *file)
{
    while (!LIST_EMPTY(&file->watchers)) {
        struct epoll_item *item = LIST_FIRST(&file->watchers);
        struct epoll *epoll = item->epoll;

        epoll->references++;
        mutex_lock(&epoll->busy);
        /* Meanwhile the epoll may have been closed, and the item with it; no new one can have come. */
        if (item == LIST_FIRST(&file->watchers))
            item_remove(item);
        mutex_unlock(&epoll->busy);
        epoll_drop(epoll);
    }
}

static const struct file_operations epoll_operations = {
    .poll = epoll_poll,
    .release = epoll_release,
    .seeks_nowhere = true,
};

static const struct inode_operations epoll_inode_operations = {
    .label = "anon_inode:[eventpoll]",
    .open = anonymous_file_refuse_open,
};

s32
sys_epoll_create1(u32 flags)
{
    struct epoll *epoll;
    s32 descriptor;

    if (flags & ~(u32)EPOLL_CLOEXEC)
        return -EINVAL;
    epoll = reserve_is_reached() ? NULL : kmem_allocate_zeroed(sizeof(*epoll));
    if (epoll != NULL) {
        epoll->references = 1;
        TAILQ_INIT(&epoll->ready);
    }
    descriptor = anonymous_file_install(&epoll_inode_operations, &epoll_operations, epoll, flags);
    if (descriptor >= 0)
        epoll->file = file_descriptor(current_process()->files, descriptor)->file;
    return descriptor;
}

s32
sys_epoll_create(s32 size)
{
    return size <= 0 ? -EINVAL : sys_epoll_create1(0);
}
