#define _GNU_SOURCE
#include "mounts.h"
#include "life.h"
#include "lockdown.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MASK_FILE "/.mask-file"
#define MASK_DIR "/.mask-dir"

static const char *under(const char *root, const char *path, char out[PATH_MAX]) {
    snprintf(out, PATH_MAX, "%s%s", root, path);
    return out;
}

static void make_parents(const char *path, int life) {
    char part[PATH_MAX];
    snprintf(part, sizeof part, "%s", path);
    for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        if (mkdir(part, 0755) && errno != EEXIST && errno != EROFS) step_failed(life, "mkdir", part);
        *slash = '/';
    }
}

static void make_file(const char *path, const char *content, mode_t mode, int life) {
    make_parents(path, life);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0) step_failed(life, "create", path);
    if (write_all(fd, content, strlen(content)) || fchmod(fd, mode)) step_failed(life, "write", path);
    close(fd);
}

/* mount_setattr only ever adds restrictions, so it cannot trip over flags that a user namespace has locked. */
static void restrict_mount(const char *path, unsigned long long flags, int life) {
    struct mount_attr attr = {.attr_set = flags};
    if (syscall(SYS_mount_setattr, AT_FDCWD, path, AT_RECURSIVE, &attr, sizeof attr)) step_failed(life, "mount_setattr", path);
}

static void do_bind(const char *source, const char *path, const char *flags, int life) {
    struct stat info;
    if (stat(source, &info)) step_failed(life, "bind source", source);
    make_parents(path, life);
    if (S_ISDIR(info.st_mode)) {
        if (mkdir(path, 0755) && errno != EEXIST) step_failed(life, "mkdir", path);
    } else if (access(path, F_OK)) {
        make_file(path, "", 0644, life);
    }
    if (mount(source, path, NULL, MS_BIND | MS_REC, NULL)) step_failed(life, "bind", path);
    unsigned long long set = MOUNT_ATTR_NOSUID;
    if (!strstr(flags, "dev")) set |= MOUNT_ATTR_NODEV;
    if (strstr(flags, "ro")) set |= MOUNT_ATTR_RDONLY;
    if (strstr(flags, "noexec")) set |= MOUNT_ATTR_NOEXEC;
    restrict_mount(path, set, life);
}

/* What "self" stands for as an owner: each child of a zygote has another uid, but all have one spec. */
static char self_uid[16] = "self";

static void do_tmpfs(const struct record *r, const char *path, int life) {
    char options[160];
    const char *owner = strcmp(r->field[5].data, "self") ? r->field[5].data : self_uid;
    snprintf(options, sizeof options, "size=%s,nr_inodes=%s,mode=%s,uid=%s,gid=%s", r->field[2].data, r->field[3].data, r->field[4].data, owner, owner);
    make_parents(path, life);
    if (mkdir(path, 0755) && errno != EEXIST && errno != EROFS) step_failed(life, "mkdir", path);
    unsigned long flags = MS_NOSUID | MS_NODEV | (strstr(r->field[6].data, "noexec") ? MS_NOEXEC : 0);
    if (mount("tmpfs", path, "tmpfs", flags, options)) step_failed(life, "tmpfs", path);
}

static void do_proc(const char *path, int life) {
    if (mkdir(path, 0555) && errno != EEXIST && errno != EROFS) step_failed(life, "mkdir", path);
    if (mount("proc", path, "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, "hidepid=invisible")) step_failed(life, "proc", path);
    hold_sysctls(path, life);
}

static void do_mask(const char *root, const char *path, int life) {
    char source[PATH_MAX];
    struct stat info;
    if (lstat(path, &info) || S_ISLNK(info.st_mode)) return;
    under(root, S_ISDIR(info.st_mode) ? MASK_DIR : MASK_FILE, source);
    if (mount(source, path, NULL, MS_BIND, NULL)) step_failed(life, "mask", path);
}

/* Still there to be read. The mount, not the file, forbids it: so also to ld.so, and to a mapping that may be executed. */
static void do_noexec(const char *path, int life) {
    struct stat info;
    if (lstat(path, &info) || S_ISLNK(info.st_mode)) return;
    do_bind(path, path, "ro,noexec", life);
}

static void need(const struct record *r, int fields, int life) {
    errno = EINVAL;
    if (r->count < fields) step_failed(life, "spec", r->field[0].data);
}

/* One mount operation below `root`; false when `op` is not one. */
static int apply(const struct record *r, const char *op, const char *root, int life) {
    char path[PATH_MAX];
#define IS(name, fields) (!strcmp(op, name) && (need(r, fields, life), 1))
    if (IS("dir", 3)) {
        under(root, r->field[1].data, path);
        make_parents(path, life);
        if (mkdir(path, 0755) && errno != EEXIST) step_failed(life, "mkdir", path);
        if (chmod(path, (mode_t)strtol(r->field[2].data, NULL, 8))) step_failed(life, "chmod", path);
    } else if (IS("text", 4))
        make_file(under(root, r->field[1].data, path), r->field[2].data, (mode_t)strtol(r->field[3].data, NULL, 8), life);
    else if (IS("link", 3)) {
        make_parents(under(root, r->field[2].data, path), life);
        if (symlink(r->field[1].data, path)) step_failed(life, "symlink", path);
    } else if (IS("bind", 4))
        do_bind(r->field[1].data, under(root, r->field[2].data, path), r->field[3].data, life);
    else if (IS("tmpfs", 7))
        do_tmpfs(r, under(root, r->field[1].data, path), life);
    else if (IS("proc", 2))
        do_proc(under(root, r->field[1].data, path), life);
    else if (IS("ro", 2))
        under(root, r->field[1].data, path), do_bind(path, path, "ro", life);
    else if (IS("noexec", 2))
        do_noexec(under(root, r->field[1].data, path), life);
    else if (IS("mask", 2))
        do_mask(root, under(root, r->field[1].data, path), life);
    else
        return 0;
#undef IS
    return 1;
}

static void pivot(const char *root, int life) {
    if (chdir(root)) step_failed(life, "chdir", root);
    if (syscall(SYS_pivot_root, ".", ".")) step_failed(life, "pivot_root", root);
    if (umount2(".", MNT_DETACH)) step_failed(life, "umount old root", root);
    if (chdir("/")) step_failed(life, "chdir", "/");
}

void build_root(const struct spec *spec, const char *root, long uid, int life) {
    char path[PATH_MAX];
    snprintf(self_uid, sizeof self_uid, "%ld", uid);
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) step_failed(life, "make private", "/");
    if (mount("tmpfs", root, "tmpfs", MS_NOSUID | MS_NODEV, "size=4m,nr_inodes=2048,mode=0755")) step_failed(life, "tmpfs", root);
    make_file(under(root, MASK_FILE, path), "", 0, life);
    if (mkdir(under(root, MASK_DIR, path), 0)) step_failed(life, "mkdir", path);
    for (int i = 0; i < spec->count; i++) apply(&spec->record[i], spec->record[i].field[0].data, root, life);
    pivot(root, life);
    /* Not recursive: only the root's own tmpfs; what is mounted on it has its own flags. */
    if (mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV, NULL)) step_failed(life, "read-only root", "/");
}

void build_private(const struct spec *spec, const char *prefix, long uid, int life) {
    size_t skip = strlen(prefix);
    snprintf(self_uid, sizeof self_uid, "%ld", uid);
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) step_failed(life, "make private", "/");
    for (int i = 0; i < spec->count; i++)
        if (!strncmp(spec->record[i].field[0].data, prefix, skip)) apply(&spec->record[i], spec->record[i].field[0].data + skip, "", life);
}
