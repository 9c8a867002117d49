/* The program's own process: from "in all namespaces" to "confined". */
#ifndef PLASTRON_PROGRAM_H
#define PLASTRON_PROGRAM_H
#include "wire.h"

/*
 * Confines the calling process for good. `fds` are stdin, stdout, stderr and control; `ipc` leads to the init that maps the
 * user namespace. On return nothing of the host can be reached, and the filter is on. Nothing of a request has been read yet.
 */
void confine_program(const struct spec *spec, const int fds[4], int ipc, int life);
/* Sends the supervisor its way into the workspace. */
void hand_over_workspace(int life);
/* Execs `exec PATH` with its `arg`s and `env`s. */
_Noreturn void exec_program(const struct spec *spec, int life);
#endif
