/* execve and execveat: recorded, and refused where a rule says so. The kernel reads the path of a call that goes on once more, so
 * this alone would be no wall: what a policy forbids to execute is masked, lies on a mount without exec, or Landlock refuses it. */
#define _GNU_SOURCE
#include "broker.h"
#include "hands.h"
#include "resolve.h"
#include "rules.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SCRIPT_LINE 256 /* what the kernel looks at */

static int note(const struct call *call, int thing) {
    char path[PATH_MAX];
    int failed = canonical(call->w, thing, path);
    return failed ? failed : may(call, path, MAY_EXEC);
}

/* The program named behind `#!`, which is executed as well. */
static int note_interpreter(const struct call *call, int thing) {
    char name[32], line[SCRIPT_LINE + 1], *end;
    struct path path = {.base = -1};
    struct stat info;
    if (fstat(thing, &info) || !S_ISREG(info.st_mode)) return 0;
    int fd = openat(call->w->proc, handle(thing, name), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, line, SCRIPT_LINE);
    if (fd >= 0) close(fd);
    line[n > 0 ? n : 0] = 0;
    if (strncmp(line, "#!", 2)) return 0;
    char *begin = line + 2 + strspn(line + 2, " \t");
    end = begin + strcspn(begin, " \t\n");
    *end = 0;
    if (*begin != '/') return 0;
    strcpy(path.text, begin);
    int interpreter = resolve_thing(call, &path, 1);
    if (interpreter < 0) return 0;
    int failed = note(call, interpreter);
    close(interpreter);
    return failed;
}

static int exec_at(const struct call *call, int dirfd, uint64_t address, unsigned flags) {
    struct path path = {.resolve = 0};
    int thing = path_of(call, dirfd, address, flags & AT_EMPTY_PATH, &path);
    if (!thing) thing = *path.text ? resolve_thing(call, &path, !(flags & AT_SYMLINK_NOFOLLOW)) : fcntl(path.base, F_DUPFD_CLOEXEC, 0);
    int failed = 0;
    if (thing >= 0) {
        failed = note(call, thing);
        if (!failed) failed = note_interpreter(call, thing);
        close(thing);
    }
    path_done(&path);
    if (failed == -EACCES) return failed;
    let_pass(call);
    return ANSWERED;
}

static int do_execve(const struct call *call) { return exec_at(call, AT_FDCWD, call->args[0], 0); }
static int do_execveat(const struct call *call) { return exec_at(call, int_arg(call, 0), call->args[1], (unsigned)call->args[4]); }

const struct brokered exec_calls[] = {{SYS_execve, do_execve}, {SYS_execveat, do_execveat}, {0, NULL}};
