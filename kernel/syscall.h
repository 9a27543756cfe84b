/*
 * The system calls of Linux i386: dispatch by number, and the calls of the process layer. A call is a function
 * sys_NAME with up to six 32-bit parameters, in the order of ebx, ecx, edx, esi, edi, ebp, that returns its
 * result or a negative errno; it is listed in syscall_table.c. File calls are declared in syscall_file.h,
 * memory calls in syscall_memory.h.
 *
 * A call that needs the user's registers finds them in current_thread()->frame.
 */
#pragma once

#include "kernel/types.h"

struct trap_frame;

typedef s32 (*syscall_t)(u32, u32, u32, u32, u32, u32);

/* By number; NULL: not there. */
extern const syscall_t syscall_table[];
extern const u32 syscall_table_length;

/* From entry.S, on int 0x80: calls, and leaves the result in frame->eax. Interrupts enabled. */
void syscall_dispatch(struct trap_frame *frame);

/* fork.c */
s32 sys_fork(void);
s32 sys_vfork(void);
s32 sys_clone(u32 flags, u32 stack, u32 parent_tid, u32 tls, u32 child_tid);

/* exec.c, exit.c, wait_child.c */
s32 sys_execve(u32 path, u32 arguments, u32 environment);
s32 sys_execveat(s32 directory, u32 path, u32 arguments, u32 environment, u32 flags);
s32 sys_exit(u32 code);
s32 sys_exit_group(u32 code);
s32 sys_wait4(u32 id, u32 status, u32 options, u32 usage);
s32 sys_waitpid(u32 id, u32 status, u32 options);
s32 sys_waitid(u32 which, u32 id, u32 info, u32 options, u32 usage);

/* futex_calls.c, futex_robust.c */
s32 sys_futex(u32 address, u32 operation, u32 value, u32 timeout, u32 second_address, u32 third_value);
s32 sys_futex_time64(u32 address, u32 operation, u32 value, u32 timeout, u32 second_address, u32 third_value);
s32 sys_set_robust_list(u32 head, u32 bytes);
s32 sys_get_robust_list(u32 id, u32 head, u32 bytes);

/* signal_calls.c */
s32 sys_kill(u32 id, u32 signal);
s32 sys_tkill(u32 thread, u32 signal);
s32 sys_tgkill(u32 process, u32 thread, u32 signal);
s32 sys_rt_sigqueueinfo(u32 process, u32 signal, u32 info);
s32 sys_rt_tgsigqueueinfo(u32 process, u32 thread, u32 signal, u32 info);
s32 sys_signal(u32 signal, u32 handler);
s32 sys_sigaction(u32 signal, u32 action, u32 old);
s32 sys_rt_sigaction(u32 signal, u32 action, u32 old, u32 set_bytes);
s32 sys_sigprocmask(u32 how, u32 set, u32 old);
s32 sys_rt_sigprocmask(u32 how, u32 set, u32 old, u32 set_bytes);
s32 sys_sigpending(u32 set);
s32 sys_rt_sigpending(u32 set, u32 set_bytes);
s32 sys_sigsuspend(u32 unused_1, u32 unused_2, u32 mask);
s32 sys_rt_sigsuspend(u32 set, u32 set_bytes);
s32 sys_rt_sigtimedwait(u32 set, u32 info, u32 timeout, u32 set_bytes);
s32 sys_rt_sigtimedwait_time64(u32 set, u32 info, u32 timeout, u32 set_bytes);
s32 sys_sigaltstack(u32 stack, u32 old);
s32 sys_pause(void);

/* x86/signal_frame.c */
s32 sys_sigreturn(void);
s32 sys_rt_sigreturn(void);

/* x86/tls.c */
s32 sys_set_thread_area(u32 description);
s32 sys_get_thread_area(u32 description);

/* identity.c */
s32 sys_getpid(void);
s32 sys_getppid(void);
s32 sys_gettid(void);
s32 sys_set_tid_address(u32 address);
s32 sys_getuid32(void);
s32 sys_geteuid32(void);
s32 sys_getgid32(void);
s32 sys_getegid32(void);
s32 sys_getresuid32(u32 user, u32 effective, u32 saved);
s32 sys_getresgid32(u32 group, u32 effective, u32 saved);
s32 sys_setuid32(u32 user);
s32 sys_setgid32(u32 group);
s32 sys_setreuid32(u32 user, u32 effective);
s32 sys_setregid32(u32 group, u32 effective);
s32 sys_setresuid32(u32 user, u32 effective, u32 saved);
s32 sys_setresgid32(u32 group, u32 effective, u32 saved);
s32 sys_setfsuid32(u32 user);
s32 sys_setfsgid32(u32 group);
s32 sys_getgroups32(u32 size, u32 list);
s32 sys_setgroups32(u32 size, u32 list);
s32 sys_capget(u32 header, u32 data);

/* session.c */
s32 sys_getpgid(u32 id);
s32 sys_getpgrp(void);
s32 sys_setpgid(u32 id, u32 group);
s32 sys_getsid(u32 id);
s32 sys_setsid(void);

/* time_calls.c */
s32 sys_time(u32 seconds);
s32 sys_stime(u32 seconds);
s32 sys_gettimeofday(u32 time, u32 zone);
s32 sys_clock_gettime(u32 clock, u32 time);
s32 sys_clock_gettime64(u32 clock, u32 time);
s32 sys_settimeofday(u32 time, u32 zone);
s32 sys_clock_settime(u32 clock, u32 time);
s32 sys_clock_settime64(u32 clock, u32 time);
s32 sys_clock_getres(u32 clock, u32 resolution);
s32 sys_clock_getres_time64(u32 clock, u32 resolution);
s32 sys_nanosleep(u32 duration, u32 remaining);
s32 sys_clock_nanosleep(u32 clock, u32 flags, u32 duration, u32 remaining);
s32 sys_clock_nanosleep_time64(u32 clock, u32 flags, u32 duration, u32 remaining);
s32 sys_restart_syscall(void);
s32 sys_alarm(u32 seconds);
s32 sys_getitimer(u32 which, u32 value);
s32 sys_setitimer(u32 which, u32 value, u32 old);
s32 sys_times(u32 buffer);

/* posix_timer.c */
s32 sys_timer_create(u32 clock, u32 event, u32 number);
s32 sys_timer_settime(u32 number, u32 flags, u32 value, u32 old);
s32 sys_timer_settime64(u32 number, u32 flags, u32 value, u32 old);
s32 sys_timer_gettime(u32 number, u32 value);
s32 sys_timer_gettime64(u32 number, u32 value);
s32 sys_timer_getoverrun(u32 number);
s32 sys_timer_delete(u32 number);

/* resource.c */
s32 sys_getrusage(u32 who, u32 usage);
s32 sys_getrlimit(u32 resource, u32 limit);
s32 sys_ugetrlimit(u32 resource, u32 limit);
s32 sys_setrlimit(u32 resource, u32 limit);
s32 sys_prlimit64(u32 id, u32 resource, u32 limit, u32 old);
s32 sys_getpriority(u32 which, u32 who);
s32 sys_setpriority(u32 which, u32 who, u32 nice);
s32 sys_nice(u32 increment);

/* scheduling_calls.c */
s32 sys_sched_yield(void);
s32 sys_sched_getaffinity(u32 id, u32 bytes, u32 mask);
s32 sys_sched_setaffinity(u32 id, u32 bytes, u32 mask);
s32 sys_sched_getscheduler(u32 id);
s32 sys_sched_setscheduler(u32 id, s32 policy, u32 priority_address);
s32 sys_sched_getparam(u32 id, u32 priority_address);
s32 sys_sched_setparam(u32 id, u32 priority_address);
s32 sys_sched_get_priority_max(s32 policy);
s32 sys_sched_get_priority_min(s32 policy);
s32 sys_sched_rr_get_interval(u32 id, u32 interval_address);
s32 sys_sched_rr_get_interval_time64(u32 id, u32 interval_address);
s32 sys_getcpu(u32 processor, u32 node);

/* system.c */
s32 sys_uname(u32 buffer);
s32 sys_sysinfo(u32 buffer);
s32 sys_syslog(u32 kind, u32 address, s32 length);
s32 sys_getrandom(u32 buffer, u32 bytes, u32 flags);
s32 sys_prctl(u32 option, u32 argument, u32 third, u32 fourth, u32 fifth);
s32 sys_personality(u32 personality);
