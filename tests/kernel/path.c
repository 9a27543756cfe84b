/*
 * Paths, in a directory of their own below the root.
 */
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"
#include "kernel/path.h"
#include "kernel/ramfs.h"
#include "kernel/selftest.h"
#include "mm/kmem.h"
#include "tests/kernel/mm_case.h"

#include <asm/errno.h>
#include <linux/stat.h>

/* The numbers of the files made by build, to tell them apart. */
struct tree {
    struct inode *top, *directory, *file;
};

SELFTEST(path, names_leave_the_reserve, "no file gets a name where the reserve of memory is reached: -ENOSPC, and nothing is made")
{
    struct inode *inode;
    int error;

    case_hoard(64);
    error = ramfs_create(path_root, "path-reserve", S_IFREG | 0644, 0, &inode);
    case_unhoard();
    check_equal(error, -ENOSPC);
    check_equal(path_lookup(path_root, "/path-reserve", 0, &inode), -ENOENT);
}

static void
make_link(struct inode *directory, const char *name, const char *target)
{
    struct inode *link;

    if (ramfs_create_link(directory, name, target, &link) == 0)
        inode_release(link);
}

/* /path-test: directory "d" with file "f"; links "to-d", "to-f" (through to-d), "loop", "nowhere". */
static bool
build(struct tree *tree)
{
    if (ramfs_create(path_root, "path-test", S_IFDIR | 0755, 0, &tree->top) < 0 ||
        ramfs_create(tree->top, "d", S_IFDIR | 0755, 0, &tree->directory) < 0 ||
        ramfs_create(tree->directory, "f", S_IFREG | 0644, 0, &tree->file) < 0)
        return false;
    make_link(tree->top, "to-d", "d");
    make_link(tree->top, "to-f", "/path-test/to-d/f");
    make_link(tree->top, "loop", "loop");
    make_link(tree->top, "nowhere", "d/missing");
    return true;
}

static void
remove_name(struct inode *directory, const char *name)
{
    struct inode *inode;

    if (directory->operations->lookup(directory, name, &inode) < 0)
        return;
    directory->operations->unlink(directory, name, inode);
    inode_release(inode);
}

static void
tear_down(struct tree *tree)
{
    static const char *const names[] = {"to-d", "to-f", "loop", "nowhere", "d"};

    remove_name(tree->directory, "f");
    for (u32 i = 0; i < ARRAY_SIZE(names); i++)
        remove_name(tree->top, names[i]);
    remove_name(path_root, "path-test");
    inode_release(tree->file);
    inode_release(tree->directory);
    inode_release(tree->top);
}

/* The error of a lookup, or 0 where it finds just this inode, or 1 where it finds another. */
static int
find(struct inode *start, const char *path, u32 flags, const struct inode *expected)
{
    struct inode *found;
    int error = path_lookup(start, path, flags, &found);

    if (error < 0)
        return error;
    inode_release(found);
    return found == expected ? 0 : 1;
}

SELFTEST(path, finds_names, "absolute and relative paths, '.', '..' and extra slashes lead where they should")
{
    struct tree tree;

    check_true(build(&tree));
    check_equal(find(NULL, "/path-test/d/f", 0, tree.file), 0);
    check_equal(find(NULL, "//path-test///d//f", 0, tree.file), 0);
    check_equal(find(tree.top, "d/f", 0, tree.file), 0);
    check_equal(find(tree.directory, "../d/./f", 0, tree.file), 0);
    check_equal(find(tree.directory, ".", 0, tree.directory), 0);
    check_equal(find(tree.directory, "..", 0, tree.top), 0);
    check_equal(find(tree.top, "d/", 0, tree.directory), 0);
    check_equal(find(NULL, "/../../..", 0, path_root), 0);
    check_equal(find(NULL, "/", 0, path_root), 0);
    tear_down(&tree);
}

SELFTEST(path, refuses_as_Linux, "what cannot be found is refused with Linux's errno")
{
    struct tree tree;

    check_true(build(&tree));
    check_equal(find(tree.top, "", 0, NULL), -ENOENT);
    check_equal(find(tree.top, "missing", 0, NULL), -ENOENT);
    check_equal(find(tree.top, "missing/f", 0, NULL), -ENOENT);
    check_equal(find(tree.top, "d/f/x", 0, NULL), -ENOTDIR);
    check_equal(find(tree.top, "d/f/", 0, NULL), -ENOTDIR);
    check_equal(find(tree.top, "d/f/.", 0, NULL), -ENOTDIR);
    check_equal(find(tree.top, "d/f", PATH_DIRECTORY, NULL), -ENOTDIR);
    check_equal(find(tree.top, "nowhere", 0, NULL), -ENOENT);
    tear_down(&tree);
}

SELFTEST(path, follows_links,
         "symbolic links are followed, in the last place unless told otherwise, or if a slash follows")
{
    struct tree tree;
    struct inode *link;

    check_true(build(&tree));
    check_equal(find(tree.top, "to-d", 0, tree.directory), 0);
    check_equal(find(tree.top, "to-d/f", PATH_NO_FOLLOW, tree.file), 0);
    check_equal(find(tree.top, "to-f", 0, tree.file), 0);
    check_equal(find(tree.top, "to-d/", PATH_NO_FOLLOW, tree.directory), 0);
    check_equal(path_lookup(tree.top, "to-d", PATH_NO_FOLLOW, &link), 0);
    check_true(inode_is(link, S_IFLNK));
    inode_release(link);
    tear_down(&tree);
}

SELFTEST(path, bounds_links,
         "a link that leads to itself is refused with ELOOP, and so are more than 40 of them in a row")
{
    struct tree tree;

    check_true(build(&tree));
    check_equal(find(tree.top, "loop", 0, NULL), -ELOOP);
    check_equal(find(tree.top, "loop/x", 0, NULL), -ELOOP);
    make_link(tree.top, "link-0", "d");
    for (u32 i = 1; i <= 40; i++) {
        char name[16], target[16];

        format(name, sizeof(name), "link-%u", i);
        format(target, sizeof(target), "link-%u", i - 1);
        make_link(tree.top, name, target);
    }
    check_equal(find(tree.top, "link-39", 0, tree.directory), 0);
    check_equal(find(tree.top, "link-40", 0, NULL), -ELOOP);
    for (u32 i = 0; i <= 40; i++) {
        char name[16];

        format(name, sizeof(name), "link-%u", i);
        remove_name(tree.top, name);
    }
    tear_down(&tree);
}

SELFTEST(path, bounds_names, "a name may have 255 bytes, not more")
{
    struct tree tree;
    char name[NAME_MAX + 2];

    check_true(build(&tree));
    memset(name, 'n', sizeof(name));
    name[NAME_MAX + 1] = '\0';
    check_equal(find(tree.top, name, 0, NULL), -ENAMETOOLONG);
    name[NAME_MAX] = '\0';
    check_equal(find(tree.top, name, 0, NULL), -ENOENT);
    tear_down(&tree);
}

SELFTEST(path, says_paths, "an inode's path is where it can be found, through renames, and a removed one says so")
{
    struct tree tree;
    struct text_buffer path = {0};

    check_true(build(&tree));
    check_equal(inode_path(tree.file, &path), 0);
    check_text(path.data, "/path-test/d/f");
    text_free(&path);
    check_equal(ramfs_rename(tree.directory, "f", tree.top, "g"), 0);
    check_equal(inode_path(tree.file, &path), 0);
    check_text(path.data, "/path-test/g");
    text_free(&path);
    check_equal(ramfs_rename(tree.top, "g", tree.directory, "f"), 0);
    tear_down(&tree);
}

SELFTEST(path, keeps_link_counts,
         "link counts are 2 + subdirectories, and names of files, also after renames and removals")
{
    struct tree tree;

    check_true(build(&tree));
    check_equal(tree.top->links, 3);
    check_equal(tree.directory->links, 2);
    check_equal(tree.top->operations->link(tree.top, "second", tree.file), 0);
    check_equal(tree.file->links, 2);
    remove_name(tree.top, "second");
    check_equal(tree.file->links, 1);
    check_equal(ramfs_rename(tree.top, "d", path_root, "path-test-moved"), 0);
    check_equal(tree.top->links, 2);
    check_equal(tree.directory->parent == path_root, true);
    check_equal(ramfs_rename(path_root, "path-test-moved", tree.top, "d"), 0);
    check_equal(tree.top->links, 3);
    tear_down(&tree);
}
