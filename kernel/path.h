/*
 * From a path to an inode: the only walker of paths.
 *
 * A name may have NAME_MAX (255) bytes, a path PATH_MAX (4096) with its NUL, and 40 symbolic links may be followed.
 */
#pragma once

#include "kernel/types.h"
#include "kernel/inode.h"
#include <linux/limits.h>

#define PATH_NO_FOLLOW 1u       /* a symbolic link in the last place is itself the result */
#define PATH_DIRECTORY 2u       /* the result must be a directory: else -ENOTDIR */
#define PATH_FOLLOW_SLASH 4u    /* such a link is followed if a slash follows it: path_lookup always does so */

/* The root of the tree; set once by ramfs_start. */
extern struct inode *path_root;

/* Where a path ends: what calls need that make, remove or rename something. */
struct path_end {
    struct inode *directory;     /* holds the last name; held */
    struct inode *inode;         /* what has that name, held; NULL if nothing has */
    char name[NAME_MAX + 1];     /* the last name; ".", ".." or "" (the path was "/") are possible */
    bool slash;                  /* a slash follows the last name: only a directory is meant */
};

/*
 * Finds the inode that a path names; a path that does not begin with '/' begins at start (NULL: the current process's
 * working directory, or the root before there are processes). *result is held.
 * Returns 0, -ENOENT, -ENOTDIR, -ELOOP, -ENAMETOOLONG or -ENOMEM. Never sleeps.
 */
int path_lookup(struct inode *start, const char *path, u32 flags, struct inode **result);

/*
 * Walks to the directory of the last name; that name itself need not exist. Symbolic links in the last place are
 * followed as flags say. Errors as path_lookup. On success the caller calls path_end_release.
 */
int path_walk(struct inode *start, const char *path, u32 flags, struct path_end *end);
void path_end_release(struct path_end *end);

/* True where the last name is "." or ".." or the path is the root: nothing can be made, removed or renamed there. */
bool path_end_is_special(const struct path_end *end);

/*
 * Copies a path from user memory: *path is a buffer for path_free. -EFAULT, -ENAMETOOLONG, -ENOMEM, or -ENOENT for an
 * empty one.
 */
int path_copy_in(u32 user_address, char **path);
void path_free(char *path);

/*
 * A path as a system call is given it: in user memory, relative to an open directory or (AT_FDCWD) to the current
 * one. Reading it may sleep and walking it does not, so a call with two paths reads both before it walks: what it
 * finds is then true of one moment.
 */
struct path_argument {
    char *text;
    struct inode *start;         /* held; NULL for AT_FDCWD and for an absolute path */
};

/* 0, or an error of path_copy_in, or -EBADF or -ENOTDIR for the descriptor. */
int path_argument_read(int descriptor, u32 user_address, struct path_argument *argument);
void path_argument_release(struct path_argument *argument);

/* path_walk and path_lookup of such a path. */
int path_walk_user(int descriptor, u32 user_address, u32 flags, struct path_end *end);
int path_lookup_user(int descriptor, u32 user_address, u32 flags, struct inode **result);

/* The inode of the descriptor itself (AT_FDCWD: the current directory), where the path is empty; -ENOENT where not. */
int path_lookup_empty(int descriptor, u32 user_address, struct inode **result);

/* path_lookup_user with flags as the …at calls have them: AT_SYMLINK_NOFOLLOW, and AT_EMPTY_PATH for the above. */
int path_lookup_at(int descriptor, u32 user_address, u32 flags, struct inode **result);

/*
 * For exec: 0 for a regular file that the caller may execute; inode->object is its pages. -ELOOP for a symbolic link,
 * -EACCES for what else is not regular or may not be executed.
 */
int path_check_executable(const struct inode *inode);
