#define _GNU_SOURCE
#include "program.h"
#include "life.h"
#include "lockdown.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#define WORKSPACE "/workspace"

/* The supervisor puts files in and takes them out through this descriptor, so it never walks a path of ours. */
void hand_over_workspace(int life) {
    int workspace = open(WORKSPACE, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (workspace < 0 || send_fds(life, "w", 1, &workspace, 1) != 1) step_failed(life, "workspace", WORKSPACE);
    close(workspace);
}

void confine_program(const struct spec *spec, const int fds[4], int ipc, int life) {
    hand_over_workspace(life);
    setsid();
    /* "keep-root" is written only for the deliberately weak confinement of the demo and of tests. */
    if (!spec_get(spec, "keep-root", 0, NULL)) {
        enter_user_namespace(ipc, spec_long(spec, "uid", 1, 0), life);
        if (!spec_get(spec, "keep-user-namespaces", 0, NULL)) forbid_user_namespaces(life);
        if (kept_capabilities(spec)) enter_own_namespaces(spec, life);
        limit_capabilities(kept_capabilities(spec), life);
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) step_failed(life, "no_new_privs", "");
    }
    /* Cleared by the change of uid; a program must be able to look at its own /proc/self. */
    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    if (chdir(WORKSPACE)) step_failed(life, "chdir", WORKSPACE);
    settle_descriptors(fds, life);
    set_rlimits(spec, life); /* after: the least number of files that may be asked for is less than we have open until here */
    restrict_files(spec, life);
    install_seccomp(spec, life);
}

void exec_program(const struct spec *spec, int life) {
    char **argv = calloc((size_t)spec->count + 1, sizeof *argv), **envp = calloc((size_t)spec->count + 1, sizeof *envp);
    int args = 0, envs = 0;
    if (!argv || !envp) step_failed(life, "exec", "memory");
    for (int i = 0; i < spec->count; i++) {
        const struct record *r = &spec->record[i];
        if (r->count < 2) continue;
        if (is_op(r, "arg")) argv[args++] = (char *)(uintptr_t)r->field[1].data;
        if (is_op(r, "env")) envp[envs++] = (char *)(uintptr_t)r->field[1].data;
    }
    const char *path = spec_get(spec, "exec", 1, "");
    execve(path, argv, envp);
    step_failed(life, "exec", path);
}
