/*
 * loop KIND CALLS ROUNDS [filter]: waits for a line, then makes CALLS system calls of a kind, ROUNDS times, and prints for each
 * round the nanoseconds of one: getppid (nothing but the way in and out), open (of a file that is there, and close), denied (a file
 * that may not be opened), paths (files that are not there, of 4096 names). `filter`: under a seccomp filter, as every program in a
 * sandbox is. A number instead: as many processes do the same at once, each with names of its own.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int filtered(void) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_keyctl, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = 4, .filter = code};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) ? -1 : 0;
}

#define NAMES 4096
static char names[NAMES][32];

static void name(int process) {
    for (int i = 0; i < NAMES; i++) snprintf(names[i], sizeof names[i], "/etc/none-%d-%d", process, i);
}

/* Which of so many processes this is: the first waits for the others at its end. */
static int process_of(int count) {
    for (int i = 1; i < count; i++)
        if (fork() == 0) return i;
    return 0;
}

static void once(const char *kind, long calls) {
    if (!strcmp(kind, "getppid"))
        for (long i = 0; i < calls; i++) syscall(SYS_getppid);
    else if (!strcmp(kind, "open"))
        for (long i = 0; i < calls; i++) syscall(SYS_close, syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY));
    else if (!strcmp(kind, "paths"))
        for (long i = 0; i < calls; i++) syscall(SYS_openat, AT_FDCWD, names[i % NAMES], O_RDONLY);
    else
        for (long i = 0; i < calls; i++) syscall(SYS_openat, AT_FDCWD, "/etc/shadow", O_RDONLY);
}

int main(int argc, char **argv) {
    char line[8];
    if (argc < 4) return 2;
    if (argc > 4 && !strcmp(argv[4], "filter") && filtered()) return 1;
    if (!strcmp(argv[1], "denied") && setresuid(65534, 65534, 65534)) return 1;
    puts("ready");
    fflush(stdout);
    if (read(0, line, sizeof line) < 1) return 1;
    int process = process_of(argc > 4 ? atoi(argv[4]) : 1);
    name(process);
    long calls = atol(argv[2]);
    for (long round = atol(argv[3]); round > 0; round--) {
        double start = now();
        once(argv[1], calls);
        if (process == 0) printf("%.2f\n", (now() - start) / (double)calls);
    }
    if (process == 0)
        while (wait(0) > 0) {
        }
    return 0;
}
