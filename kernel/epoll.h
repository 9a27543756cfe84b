/*
 * Waiting for many files that stay the same from one wait to the next: epoll(7). poll hands over its list each time, and
 * looks at every file; here the list is a file itself, and only those are looked at that have had news.
 */
#pragma once

struct file;

/* The file is being closed for good: no epoll watches it any more. May sleep. */
void epoll_forget_file(struct file *file);
