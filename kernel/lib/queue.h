/*
 * Linked lists whose links lie inside the elements, as macros in the manner of BSD's <sys/queue.h>: TAILQ is a doubly linked
 * queue (insert at both ends, remove anywhere), LIST a doubly linked list with a single pointer as its head. An
 * element may be on several lists, with one ENTRY field for each. Nothing here allocates or locks.
 *
 *     TAILQ:  head.first -> A -> B -> NULL        each entry.previous points at the pointer that points at the element,
 *             head.last  ------------^            so that removal needs no special case for the first one
 *
 * A LIST head of zeroes is an empty list; a TAILQ head needs TAILQ_INIT.
 */
#pragma once

#define TAILQ_HEAD(name, type)    \
    struct name {                 \
        struct type *first;       \
        struct type **last;       \
    }

#define TAILQ_ENTRY(type)         \
    struct {                      \
        struct type *next;        \
        struct type **previous;   \
    }

#define TAILQ_HEAD_INITIALIZER(head) { NULL, &(head).first }
#define TAILQ_INIT(head)          ((head)->first = NULL, (head)->last = &(head)->first)
#define TAILQ_EMPTY(head)         ((head)->first == NULL)
#define TAILQ_FIRST(head)         ((head)->first)
#define TAILQ_NEXT(element, link) ((element)->link.next)

#define TAILQ_INSERT_TAIL(head, element, link)        \
    do {                                              \
        (element)->link.next = NULL;                  \
        (element)->link.previous = (head)->last;      \
        *(head)->last = (element);                    \
        (head)->last = &(element)->link.next;         \
    } while (0)

#define TAILQ_INSERT_HEAD(head, element, link)                          \
    do {                                                                \
        (element)->link.next = (head)->first;                           \
        (element)->link.previous = &(head)->first;                      \
        if ((head)->first != NULL)                                      \
            (head)->first->link.previous = &(element)->link.next;       \
        else                                                            \
            (head)->last = &(element)->link.next;                       \
        (head)->first = (element);                                      \
    } while (0)

#define TAILQ_INSERT_BEFORE(successor, element, link)                   \
    do {                                                                \
        (element)->link.next = (successor);                             \
        (element)->link.previous = (successor)->link.previous;          \
        *(successor)->link.previous = (element);                        \
        (successor)->link.previous = &(element)->link.next;             \
    } while (0)

#define TAILQ_REMOVE(head, element, link)                                            \
    do {                                                                             \
        if ((element)->link.next != NULL)                                            \
            (element)->link.next->link.previous = (element)->link.previous;          \
        else                                                                         \
            (head)->last = (element)->link.previous;                                 \
        *(element)->link.previous = (element)->link.next;                            \
    } while (0)

#define TAILQ_FOREACH(element, head, link) \
    for ((element) = (head)->first; (element) != NULL; (element) = (element)->link.next)

/* The body may remove the element, but not the one that follows it. */
#define TAILQ_FOREACH_SAFE(element, head, link, following)                                    \
    for ((element) = (head)->first;                                                           \
         (element) != NULL && ((following) = (element)->link.next, true);                     \
         (element) = (following))

#define LIST_HEAD(name, type) \
    struct name {             \
        struct type *first;   \
    }

#define LIST_ENTRY(type)          \
    struct {                      \
        struct type *next;        \
        struct type **previous;   \
    }

#define LIST_INIT(head)          ((head)->first = NULL)
#define LIST_EMPTY(head)         ((head)->first == NULL)
#define LIST_FIRST(head)         ((head)->first)
#define LIST_NEXT(element, link) ((element)->link.next)

#define LIST_INSERT_HEAD(head, element, link)                           \
    do {                                                                \
        (element)->link.next = (head)->first;                           \
        (element)->link.previous = &(head)->first;                      \
        if ((head)->first != NULL)                                      \
            (head)->first->link.previous = &(element)->link.next;       \
        (head)->first = (element);                                      \
    } while (0)

#define LIST_REMOVE(element, link)                                                   \
    do {                                                                             \
        if ((element)->link.next != NULL)                                            \
            (element)->link.next->link.previous = (element)->link.previous;          \
        *(element)->link.previous = (element)->link.next;                            \
    } while (0)

#define LIST_FOREACH(element, head, link) \
    for ((element) = (head)->first; (element) != NULL; (element) = (element)->link.next)

/* The body may remove the element, but not the one that follows it. */
#define LIST_FOREACH_SAFE(element, head, link, following)                                     \
    for ((element) = (head)->first;                                                           \
         (element) != NULL && ((following) = (element)->link.next, true);                     \
         (element) = (following))
