/*
 * plastron-enter: the first process inside a gVisor guest. Started by runsc as the sandbox's own user, without capabilities.
 *
 *     plastron-enter DOOR FILTERS FILES PROCESSES COMMAND [ARGUMENT...]
 *
 * It connects twice to the keeper outside (guest/keeper.h): its own line first, then the worker's control, which becomes
 * descriptor 3 of the command. It limits and confines the command, by the seccomp programs in FILTERS ("-" for none: lines of
 * "code jt jf k" in decimal, an empty line between two programs), reaps whatever is orphaned, and tells the command's end.
 *
 * It stays outside the filters, so that it is the program's init whatever the policy is. It trusts nothing that comes later:
 * the program can do no more to it than to lie about its own end.
 */
#define _GNU_SOURCE
#include "../guest/report.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_PROGRAM 4096

/* Standard error is the supervisor's to read until the worker is ready. */
static _Noreturn void failed(const char *step) {
    dprintf(2, "plastron-enter: %s: %s\n", step, strerror(errno));
    _exit(71);
}

static int knock(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || strlen(path) >= sizeof address.sun_path) failed("door");
    strcpy(address.sun_path, path);
    if (connect(fd, (struct sockaddr *)&address, sizeof address)) failed("door");
    return fd;
}

static void limit(__rlimit_resource_t which, const char *value) {
    struct rlimit now, wanted = {strtoul(value, NULL, 10), strtoul(value, NULL, 10)};
    if (getrlimit(which, &now)) failed("getrlimit");
    if (wanted.rlim_max > now.rlim_max) wanted.rlim_cur = wanted.rlim_max = now.rlim_max;
    if (setrlimit(which, &wanted)) failed("setrlimit");
}

/* One program of the file; its length, or 0 at the end. Anything but four numbers is an error, never a shorter filter. */
static unsigned short read_program(FILE *file, struct sock_filter *out) {
    char line[80];
    unsigned short count = 0;
    while (fgets(line, sizeof line, file) && line[0] != '\n') {
        unsigned code, jt, jf, k;
        char rest;
        errno = EINVAL;
        if (count == MAX_PROGRAM || sscanf(line, "%u %u %u %u %c", &code, &jt, &jf, &k, &rest) != 4) failed("filter");
        out[count++] = (struct sock_filter){(unsigned short)code, (unsigned char)jt, (unsigned char)jf, k};
    }
    if (ferror(file)) failed("filter");
    return count;
}

/* All are read before the first is on, for a policy may forbid to open and read. */
static void install_filters(const char *path) {
    static struct sock_filter space[4][MAX_PROGRAM];
    struct sock_fprog programs[4];
    int count = 0;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) failed("no_new_privs");
    if (!strcmp(path, "-")) return;
    FILE *file = fopen(path, "re");
    if (!file) failed("open filter");
    for (; count < 4 && (programs[count].len = read_program(file, space[count])); count++) programs[count].filter = space[count];
    fclose(file);
    for (int i = 0; i < count; i++)
        if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &programs[i])) failed("seccomp");
}

static _Noreturn void become_command(char **argv, int control) {
    setsid();
    if (dup2(control, 3) < 0) failed("control");
    for (int fd = 4; fd < 64; fd++) close(fd);
    limit(RLIMIT_CORE, "0");
    limit(RLIMIT_NOFILE, argv[3]);
    limit(RLIMIT_NPROC, argv[4]);
    install_filters(argv[2]);
    execv(argv[5], argv + 5);
    failed("exec");
}

/* Never returns: the end of this process is the end of the guest, which is the keeper's to decide. */
static _Noreturn void serve(int line, int command) {
    for (;;) {
        struct rusage usage;
        int status, pid = wait4(-1, &status, 0, &usage);
        if (pid < 0 && errno == ECHILD) pause();
        if (pid != command) continue;
        struct guest_report report = {status, 0, usage.ru_nvcsw, usage.ru_nivcsw};
        if (write(line, &report, sizeof report) != sizeof report) _exit(71);
    }
}

int main(int argc, char **argv) {
    if (argc < 6) return 64;
    signal(SIGPIPE, SIG_IGN);
    int line = knock(argv[1]), control = knock(argv[1]);
    int command = fork();
    if (command < 0) failed("fork");
    if (!command) {
        signal(SIGPIPE, SIG_DFL);
        become_command(argv, control);
    }
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* the program has our uid: it may not trace us */
    close(control);
    for (int fd = 0; fd < 3; fd++) close(fd);
    serve(line, command);
}
