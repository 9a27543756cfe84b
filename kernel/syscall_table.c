/* Which function does which system call. The numbers are Linux's; a call without an entry answers ENOSYS. */
#include "kernel/socket.h"
#include "kernel/syscall.h"
#include "kernel/syscall_file.h"
#include "kernel/syscall_memory.h"

#include <asm/unistd_32.h>

/*
 * Functions with fewer or signed parameters find them in the same places: the caller pushes six words and takes
 * them away again.
 */
#define CALL(name) [__NR_##name] = (syscall_t)(void (*)(void))sys_##name
#define CALL_AS(number_name, name) [__NR_##number_name] = (syscall_t)(void (*)(void))sys_##name

const syscall_t syscall_table[] = {
    /* Processes */
    CALL(fork), CALL(vfork), CALL(clone), CALL(execve), CALL(execveat), CALL(exit), CALL(exit_group), CALL(wait4),
    CALL(waitpid), CALL(waitid), CALL(getpid), CALL(getppid), CALL(gettid), CALL(set_tid_address),
    CALL(set_thread_area), CALL(get_thread_area), CALL(getpgid), CALL(getpgrp), CALL(setpgid), CALL(getsid),
    CALL(setsid),

    /* Futexes */
    CALL(futex), CALL(futex_time64), CALL(set_robust_list), CALL(get_robust_list),

    /* Signals */
    CALL(kill), CALL(tkill), CALL(tgkill), CALL(rt_sigqueueinfo), CALL(rt_tgsigqueueinfo), CALL(signal),
    CALL(sigaction), CALL(rt_sigaction), CALL(sigprocmask), CALL(rt_sigprocmask), CALL(sigpending), CALL(rt_sigpending),
    CALL(sigsuspend), CALL(rt_sigsuspend), CALL(rt_sigtimedwait), CALL(rt_sigtimedwait_time64),
    CALL(sigaltstack), CALL(pause), CALL(sigreturn), CALL(rt_sigreturn),

    /* Users and groups */
    CALL(getuid32), CALL(geteuid32), CALL(getgid32), CALL(getegid32), CALL(getresuid32), CALL(getresgid32),
    CALL(setuid32), CALL(setgid32), CALL(setreuid32), CALL(setregid32), CALL(setresuid32), CALL(setresgid32),
    CALL(setfsuid32), CALL(setfsgid32), CALL(getgroups32), CALL(setgroups32),
    CALL(capget),

    /* Time */
    CALL(time), CALL(stime), CALL(gettimeofday), CALL(settimeofday), CALL(clock_gettime), CALL(clock_gettime64),
    CALL(clock_settime), CALL(clock_settime64),
    CALL(clock_getres), CALL(clock_getres_time64), CALL(nanosleep), CALL(clock_nanosleep),
    CALL(clock_nanosleep_time64), CALL(restart_syscall), CALL(alarm), CALL(getitimer), CALL(setitimer),
    CALL(times), CALL(timer_create), CALL(timer_settime), CALL(timer_settime64), CALL(timer_gettime),
    CALL(timer_gettime64), CALL(timer_getoverrun), CALL(timer_delete),

    /* Resources and the system */
    CALL(getrusage), CALL(getrlimit), CALL(ugetrlimit), CALL(setrlimit), CALL(prlimit64), CALL(getpriority),
    CALL(setpriority), CALL(nice), CALL(sched_yield), CALL(sched_getaffinity), CALL(sched_setaffinity),
    CALL(sched_getscheduler), CALL(sched_setscheduler), CALL(sched_getparam), CALL(sched_setparam),
    CALL(sched_get_priority_max), CALL(sched_get_priority_min),
    CALL(sched_rr_get_interval), CALL(sched_rr_get_interval_time64), CALL(getcpu),
    CALL(uname), CALL(sysinfo), CALL(syslog), CALL(getrandom), CALL(prctl), CALL(personality),

    /* Memory */
    CALL(brk), CALL(mmap), CALL(mmap2), CALL(munmap), CALL(mprotect), CALL(madvise), CALL(mincore),
    CALL(msync), CALL(mremap), CALL(mlock), CALL(mlock2), CALL(munlock), CALL(mlockall), CALL(munlockall),

    /* Files: bytes */
    CALL(read), CALL(write), CALL(readv), CALL(writev), CALL(pread64), CALL(pwrite64), CALL(preadv), CALL(pwritev),
    CALL(preadv2), CALL(pwritev2),
    CALL(sendfile), CALL(sendfile64), CALL(copy_file_range),
    CALL(vmsplice), CALL(splice), CALL(tee),
    CALL(lseek), CALL(_llseek), CALL(fsync), CALL_AS(fdatasync, fsync), CALL(syncfs), CALL(sync),
    CALL(sync_file_range),
    CALL(fadvise64), CALL(fadvise64_64), CALL(readahead),

    /* Sockets */
    CALL(socket), CALL(socketpair), CALL(sendto), CALL(recvfrom), CALL(sendmsg), CALL(recvmsg), CALL(shutdown),
    CALL(getsockopt), CALL(setsockopt), CALL(getsockname), CALL_AS(getpeername, getsockname), CALL(bind), CALL(connect),
    CALL(listen), CALL_AS(accept4, listen), CALL(socketcall),

    /* Files: descriptors */
    CALL(open), CALL(creat), CALL(openat), CALL(close), CALL(dup), CALL(dup2), CALL(dup3), CALL(pipe),
    CALL(pipe2), CALL(fcntl64), CALL(fcntl), CALL(ioctl), CALL(flock), CALL(poll), CALL(select), CALL(_newselect),
    CALL(ppoll), CALL(ppoll_time64), CALL(pselect6), CALL(pselect6_time64),
    CALL(epoll_create), CALL(epoll_create1), CALL(epoll_ctl), CALL(epoll_wait), CALL(epoll_pwait), CALL(epoll_pwait2),
    CALL(eventfd), CALL(eventfd2), CALL(vhangup),

    /* Files: what they are */
    CALL(stat64), CALL(lstat64), CALL(fstat64), CALL(fstatat64), CALL(statx), CALL(statfs), CALL(fstatfs),
    CALL(statfs64), CALL(fstatfs64), CALL(access), CALL(faccessat), CALL(faccessat2), CALL(readdir), CALL(getdents),
    CALL(getdents64), CALL(readlink), CALL(readlinkat), CALL(getcwd),

    /* Files: changing them */
    CALL(chmod), CALL(fchmod), CALL(fchmodat), CALL(chown32), CALL(lchown32), CALL(fchown32), CALL(fchownat),
    CALL(truncate), CALL(ftruncate), CALL(truncate64), CALL(ftruncate64), CALL(fallocate), CALL(utimensat),
    CALL(utimensat_time64), CALL(utime), CALL(utimes), CALL(futimesat), CALL(umask), CALL(chdir), CALL(fchdir),

    /* Files: extended attributes, which no file has */
    CALL(getxattr), CALL_AS(setxattr, getxattr), CALL_AS(removexattr, getxattr), CALL(listxattr),
    CALL(lgetxattr), CALL_AS(lsetxattr, lgetxattr), CALL_AS(lremovexattr, lgetxattr), CALL(llistxattr),
    CALL(fgetxattr), CALL_AS(fsetxattr, fgetxattr), CALL_AS(fremovexattr, fgetxattr), CALL(flistxattr),

    /* Files: names */
    CALL(mkdir), CALL(mkdirat), CALL(mknod), CALL(mknodat), CALL(rmdir), CALL(unlink), CALL(unlinkat),
    CALL(link), CALL(linkat), CALL(symlink), CALL(symlinkat), CALL(rename), CALL(renameat), CALL(renameat2),
    CALL(mount), CALL(umount), CALL(umount2),

    /* Semaphores and shared memory */
    CALL(semget), CALL(semctl), CALL(semtimedop_time64), CALL(ipc), CALL(shmget), CALL(shmat), CALL(shmdt),
    CALL(shmctl), CALL(memfd_create),
};

const u32 syscall_table_length = ARRAY_SIZE(syscall_table);
