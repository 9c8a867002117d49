/*
 * loop CALLS ROUNDS [FILTER]: loads the filter (a file of struct sock_filter[]), calls getpid and an ioctl that fails at once in
 * turns, and prints for each round the nanoseconds of one call of each: "getpid ioctl". Nothing else runs between the clocks.
 */
#define _GNU_SOURCE
#include <linux/filter.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int load(const char *path) {
    static struct sock_filter code[4096];
    FILE *file = fopen(path, "rb");
    if (!file) return -1;
    struct sock_fprog program = {.len = (unsigned short)fread(code, sizeof *code, 4096, file), .filter = code};
    fclose(file);
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(SYS_seccomp, 1, 0, &program) ? -1 : 0;
}

int main(int argc, char **argv) {
    if (argc < 3) return 2;
    long calls = atol(argv[1]), rounds = atol(argv[2]);
    if (argc > 3 && load(argv[3])) return perror("filter"), 1;
    for (long round = 0; round < rounds; round++) {
        double start = now();
        for (long i = 0; i < calls; i++) syscall(SYS_getpid);
        double middle = now();
        for (long i = 0; i < calls; i++) syscall(SYS_ioctl, -1, 0x5401, 0);
        printf("%.2f %.2f\n", (middle - start) / (double)calls, (now() - middle) / (double)calls);
    }
    return 0;
}
