/*
 * The walker of paths.
 *
 * A walk stands at a directory and has the rest of the path before it. Each step takes one name. Where a name is a
 * symbolic link that is to be followed, the link's text and the rest after the name become the new rest:
 *
 *     at /usr, rest "lib/x.h"   --- "lib" is a link to "../lib" --->   at /usr, rest "../lib/x.h"
 */
#include "kernel/path.h"

#include "kernel/file.h"
#include "kernel/lib/string.h"
#include "kernel/permission.h"
#include "kernel/process.h"
#include "mm/kmem.h"
#include "mm/user.h"

#include <asm/errno.h>
#include <linux/fcntl.h>
#include <linux/stat.h>

#define PATH_MAXIMUM_LINKS 40u     /* as Linux */

#define PATH_USUAL_BYTES 128u      /* most paths are shorter, and then a small buffer does */

struct inode *path_root;

struct path_walk_state {
    struct inode *at;          /* directory reached so far; held */
    const char *rest;          /* names still to be walked */
    struct text_buffer text;   /* where rest lies once a link was followed */
    u32 links;                 /* symbolic links followed so far */
};

/* ---- One step ---- */

static const char *
path_skip_slashes(const char *path)
{
    while (*path == '/')
        path++;
    return path;
}

/* Moves the next name from the rest into end->name. */
static int
path_take_name(struct path_walk_state *walk, struct path_end *end)
{
    const char *from = path_skip_slashes(walk->rest);
    u32 length = 0;

    while (from[length] != '\0' && from[length] != '/') {
        if (length == NAME_MAX)
            return -ENAMETOOLONG;
        end->name[length] = from[length];
        length++;
    }
    end->name[length] = '\0';
    end->slash = from[length] == '/';
    walk->rest = path_skip_slashes(from + length);
    return 0;
}

/* What has the name in the directory, held; NULL in *result where nothing has. */
static int
path_find(struct inode *directory, const char *name, struct inode **result)
{
    int error;

    *result = NULL;
    if (!inode_is(directory, S_IFDIR))
        return -ENOTDIR;
    /* The root, as the path "/", is found without being searched. */
    error = name[0] == '\0' ? 0 : permission_check(directory, PERMISSION_EXECUTE);
    if (error < 0)
        return error;
    if (name[0] == '\0' || strcmp(name, ".") == 0)
        *result = inode_hold(directory);
    else if (strcmp(name, "..") == 0)
        *result = inode_hold(directory->parent == NULL ? directory : directory->parent);
    else
        error = directory->operations->lookup(directory, name, result);
    return error == -ENOENT ? 0 : error;
}

/* ---- Symbolic links ---- */

/* Puts a link's text (and the slash that followed its name) before the rest of the path. */
static int
path_substitute(struct path_walk_state *walk, struct text_buffer *target, bool slash)
{
    if (target->length == 0)
        return -ENOENT;
    if (slash)
        text_append(target, "/", 1);
    text_append(target, walk->rest, strlen(walk->rest));
    if (target->failed)
        return -ENOMEM;
    if (target->length >= PATH_MAX)
        return -ENAMETOOLONG;
    text_free(&walk->text);
    walk->text = *target;
    *target = (struct text_buffer){0};
    walk->rest = walk->text.data;
    if (*walk->rest == '/') {
        inode_release(walk->at);
        walk->at = inode_hold(path_root);
    }
    return 0;
}

/*
 * Follows a link that was found at the walk's directory. *reached becomes the inode that a link of /proc leads to by
 * itself, or NULL where the walk's rest now begins with the link's text.
 */
static int
path_follow(struct path_walk_state *walk, struct inode *link, bool slash, struct inode **reached)
{
    struct text_buffer target = {0};
    int error;

    *reached = NULL;
    if (++walk->links > PATH_MAXIMUM_LINKS)
        return -ELOOP;
    if (link->operations->follow != NULL) {
        error = link->operations->follow(link, reached);
        if (error != -EINVAL)
            return error;
    }
    inode_touch_accessed(link);
    error = link->operations->read_link(link, &target);
    if (error == 0)
        error = path_substitute(walk, &target, slash);
    text_free(&target);
    return error;
}

/* ---- The walk ---- */

static bool
path_follows(const struct inode *found, bool last, bool slash, u32 flags)
{
    if (found == NULL || !inode_is(found, S_IFLNK))
        return false;
    return !last || !(flags & PATH_NO_FOLLOW) || (slash && (flags & PATH_FOLLOW_SLASH));
}

/* One name further: 1 at the last name (then *end is complete), 0 to go on, or -errno. */
static int
path_step(struct path_walk_state *walk, u32 flags, struct path_end *end)
{
    struct inode *found;
    bool last;
    int error = path_take_name(walk, end);

    if (error == 0)
        error = path_find(walk->at, end->name, &found);
    if (error < 0)
        return error;
    last = *walk->rest == '\0';
    if (path_follows(found, last, end->slash, flags)) {
        struct inode *link = found;

        error = path_follow(walk, link, end->slash, &found);
        inode_release(link);
        if (error < 0 || found == NULL)
            return error;
    }
    if (last) {
        end->directory = inode_hold(walk->at);
        end->inode = found;
        return 1;
    }
    if (found == NULL)
        return -ENOENT;
    inode_release(walk->at);
    walk->at = found;
    return 0;
}

/* Where a path begins, held. */
static struct inode *
path_start(struct inode *start, const char *path)
{
    if (*path == '/')
        return inode_hold(path_root);
    if (start == NULL && current_thread() != NULL)
        start = current_process()->directory;
    return inode_hold(start == NULL ? path_root : start);
}

int
path_walk(struct inode *start, const char *path, u32 flags, struct path_end *end)
{
    struct path_walk_state walk = {.at = path_start(start, path), .rest = path};
    int result = *path == '\0' ? -ENOENT : 0;

    while (result == 0)
        result = path_step(&walk, flags, end);
    inode_release(walk.at);
    text_free(&walk.text);
    return result < 0 ? result : 0;
}

void
path_end_release(struct path_end *end)
{
    inode_release(end->directory);
    inode_release(end->inode);
}

bool
path_end_is_special(const struct path_end *end)
{
    return end->name[0] == '\0' || strcmp(end->name, ".") == 0 || strcmp(end->name, "..") == 0;
}

int
path_lookup(struct inode *start, const char *path, u32 flags, struct inode **result)
{
    struct path_end end;
    int error = path_walk(start, path, flags | PATH_FOLLOW_SLASH, &end);

    if (error < 0)
        return error;
    inode_release(end.directory);
    if (end.inode == NULL)
        return -ENOENT;
    if ((end.slash || (flags & PATH_DIRECTORY)) && !inode_is(end.inode, S_IFDIR)) {
        inode_release(end.inode);
        return -ENOTDIR;
    }
    *result = end.inode;
    return 0;
}

/* ---- Paths in user memory ---- */

/* Copies a path into a new buffer of just that size. */
static int
path_copy_sized(u32 user_address, char **path, usize size)
{
    char *buffer = kmem_allocate(size);
    int length;

    if (buffer == NULL)
        return -ENOMEM;
    length = user_copy_string(buffer, user_address, size);
    if (length <= 0) {
        kmem_free(buffer);
        return length < 0 ? length : -ENOENT;
    }
    *path = buffer;
    return 0;
}

int
path_copy_in(u32 user_address, char **path)
{
    int error = path_copy_sized(user_address, path, PATH_USUAL_BYTES);

    if (error == -ENAMETOOLONG)
        error = path_copy_sized(user_address, path, PATH_MAX);
    return error;
}

void
path_free(char *path)
{
    kmem_free(path);
}

/* The directory that a relative path begins at. */
static int
path_argument_start(int descriptor, struct path_argument *argument)
{
    int error;

    argument->start = NULL;
    if (descriptor == AT_FDCWD || argument->text[0] == '/')
        return 0;
    error = file_get_inode(current_process()->files, descriptor, &argument->start);
    if (error == 0 && !inode_is(argument->start, S_IFDIR)) {
        inode_release(argument->start);
        error = -ENOTDIR;
    }
    return error;
}

int
path_argument_read(int descriptor, u32 user_address, struct path_argument *argument)
{
    int error = path_copy_in(user_address, &argument->text);

    if (error < 0)
        return error;
    error = path_argument_start(descriptor, argument);
    if (error < 0)
        path_free(argument->text);
    return error;
}

void
path_argument_release(struct path_argument *argument)
{
    inode_release(argument->start);
    path_free(argument->text);
}

int
path_walk_user(int descriptor, u32 user_address, u32 flags, struct path_end *end)
{
    struct path_argument argument;
    int error = path_argument_read(descriptor, user_address, &argument);

    if (error < 0)
        return error;
    error = path_walk(argument.start, argument.text, flags, end);
    path_argument_release(&argument);
    return error;
}

int
path_lookup_user(int descriptor, u32 user_address, u32 flags, struct inode **result)
{
    struct path_argument argument;
    int error = path_argument_read(descriptor, user_address, &argument);

    if (error < 0)
        return error;
    error = path_lookup(argument.start, argument.text, flags, result);
    path_argument_release(&argument);
    return error;
}

int
path_lookup_empty(int descriptor, u32 user_address, struct inode **result)
{
    char first;

    if (user_copy_in(&first, user_address, sizeof(first)) < 0 || first != '\0')
        return -ENOENT;
    if (descriptor != AT_FDCWD)
        return file_get_inode(current_process()->files, descriptor, result);
    *result = inode_hold(current_process()->directory);
    return 0;
}

int
path_lookup_at(int descriptor, u32 user_address, u32 flags, struct inode **result)
{
    u32 walk = flags & AT_SYMLINK_NOFOLLOW ? PATH_NO_FOLLOW : 0;
    int error = path_lookup_user(descriptor, user_address, walk, result);

    if (error != -ENOENT || !(flags & AT_EMPTY_PATH))
        return error;
    return path_lookup_empty(descriptor, user_address, result);
}

int
path_check_executable(const struct inode *inode)
{
    if (inode_is(inode, S_IFLNK))
        return -ELOOP;
    if (!inode_is(inode, S_IFREG) || inode->operations->size == NULL)
        return -EACCES;
    return permission_check(inode, PERMISSION_EXECUTE);
}
