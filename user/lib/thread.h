/*
 * Threads of the programs in tests/user/. All of it is here, so that programs without threads are linked with none.
 */
#pragma once

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "user/lib/check.h"

enum { THREAD_SMALL_STACK = 16 << 10, THREAD_NAP_MILLISECONDS = 20 };

/* Long enough for other threads to come to where they wait. */
static inline void
thread_nap(void)
{
    nanosleep(&(struct timespec) { .tv_nsec = THREAD_NAP_MILLISECONDS * 1000000 }, NULL);
}

/* A thread that runs body(argument) on a small stack; ends the program where there can be none. */
static inline pthread_t
thread_start(void *(*body)(void *), void *argument)
{
    pthread_attr_t attributes;
    pthread_t thread;

    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, THREAD_SMALL_STACK);
    int error = pthread_create(&thread, &attributes, body, argument);
    pthread_attr_destroy(&attributes);
    if (error != 0) {
        check_that(false, "a thread is created: %s", strerror(error));
        exit(check_end());
    }
    return thread;
}

/* Waits for a thread's end, and returns its result. */
static inline void *
thread_join(pthread_t thread)
{
    void *result = NULL;

    pthread_join(thread, &result);
    return result;
}
