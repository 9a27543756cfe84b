/* Outcomes of calls, in words. See outcome.h. */
#include "user/lib/outcome.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* Where names are looked up: a list that ends with a NULL name. */
struct name {
    int number;
    const char *name;
};

#define NAME(number) { number, #number }

static const struct name errors[] = {
    NAME(EPERM), NAME(ENOENT), NAME(ESRCH), NAME(EINTR), NAME(EIO), NAME(ENXIO), NAME(E2BIG), NAME(ENOEXEC), NAME(EBADF),
    NAME(ECHILD), NAME(EAGAIN), NAME(ENOMEM), NAME(EACCES), NAME(EFAULT), NAME(ENOTBLK), NAME(EBUSY), NAME(EEXIST), NAME(EXDEV),
    NAME(ENODEV), NAME(ENOTDIR), NAME(EISDIR), NAME(EINVAL), NAME(ENFILE), NAME(EMFILE), NAME(ENOTTY), NAME(ETXTBSY), NAME(EFBIG),
    NAME(ENOSPC), NAME(ESPIPE), NAME(EROFS), NAME(EMLINK), NAME(EPIPE), NAME(EDOM), NAME(ERANGE), NAME(EDEADLK),
    NAME(ENAMETOOLONG), NAME(ENOLCK), NAME(ENOSYS), NAME(ENOTEMPTY), NAME(ELOOP), NAME(EIDRM), NAME(ENODATA), NAME(ETIME),
    NAME(EOVERFLOW), NAME(EOPNOTSUPP), NAME(ETIMEDOUT), NAME(EOWNERDEAD), NAME(ENOTRECOVERABLE), { 0, NULL },
};

static const struct name signals[] = {
    NAME(SIGHUP), NAME(SIGINT), NAME(SIGQUIT), NAME(SIGILL), NAME(SIGTRAP), NAME(SIGABRT), NAME(SIGBUS), NAME(SIGFPE), NAME(SIGKILL),
    NAME(SIGUSR1), NAME(SIGSEGV), NAME(SIGUSR2), NAME(SIGPIPE), NAME(SIGALRM), NAME(SIGTERM), NAME(SIGSTKFLT), NAME(SIGCHLD),
    NAME(SIGCONT), NAME(SIGSTOP), NAME(SIGTSTP), NAME(SIGTTIN), NAME(SIGTTOU), NAME(SIGURG), NAME(SIGXCPU), NAME(SIGXFSZ),
    NAME(SIGVTALRM), NAME(SIGPROF), NAME(SIGWINCH), NAME(SIGIO), NAME(SIGPWR), NAME(SIGSYS), { 0, NULL },
};

static const char *
name_find(const struct name *names, int number)
{
    static char digits[16];

    for (; names->name != NULL; names++)
        if (names->number == number)
            return names->name;
    snprintf(digits, sizeof digits, "%d", number);
    return digits;
}

const char *
error_name(int error)
{
    return name_find(errors, error);
}

const char *
signal_name(int signal)
{
    return name_find(signals, signal);
}

const char *
status_text(int status)
{
    static char text[64];

    if (WIFEXITED(status))
        snprintf(text, sizeof text, "exited %d", WEXITSTATUS(status));
    else if (WIFSIGNALED(status))
        snprintf(text, sizeof text, "killed by %s%s", signal_name(WTERMSIG(status)), WCOREDUMP(status) ? ", core dumped" : "");
    else if (WIFSTOPPED(status))
        snprintf(text, sizeof text, "stopped by %s", signal_name(WSTOPSIG(status)));
    else
        snprintf(text, sizeof text, WIFCONTINUED(status) ? "continued" : "status %#x", status);
    return text;
}

void
tell(const char *line, ...)
{
    va_list arguments;

    va_start(arguments, line);
    vprintf(line, arguments);
    va_end(arguments);
    putchar('\n');
    fflush(stdout);
}

long
outcome(long result, const char *what, ...)
{
    int error = errno;
    va_list arguments;

    va_start(arguments, what);
    vprintf(what, arguments);
    va_end(arguments);
    if (result == -1)
        printf(": %s\n", error_name(error));
    else
        printf(": %ld\n", result);
    fflush(stdout);
    errno = error;
    return result;
}

void *
outcome_pointer(void *result, const char *what, ...)
{
    int error = errno;
    va_list arguments;

    va_start(arguments, what);
    vprintf(what, arguments);
    va_end(arguments);
    printf(": %s\n", result == MAP_FAILED ? error_name(error) : "done");
    fflush(stdout);
    errno = error;
    return result;
}

void
outcome_of_child(void (*body)(void), const char *what, ...)
{
    va_list arguments;
    int status = 0;

    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        body();
        fflush(stdout);
        _exit(EXIT_SUCCESS);
    }
    waitpid(child, &status, 0);
    va_start(arguments, what);
    vprintf(what, arguments);
    va_end(arguments);
    printf(": %s\n", status_text(status));
    fflush(stdout);
}

void *
four_words(uint32_t first, uint32_t second, uint32_t third, uint32_t fourth)
{
    static uint32_t four[4];

    memcpy(four, (uint32_t[]){ first, second, third, fourth }, sizeof four);
    return four;
}
