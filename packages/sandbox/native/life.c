#define _GNU_SOURCE
#include "life.h"
#include "wire.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

void step_failed(int life, const char *step, const char *detail) {
    char text[512];
    int n = snprintf(text, sizeof text, "e%s: %s%s%s", step, strerror(errno), detail && *detail ? ": " : "", detail ? detail : "");
    if (n > (int)sizeof text - 1) n = (int)sizeof text - 1;
    send(life, text, (size_t)n, MSG_NOSIGNAL);
    _exit(70);
}

void await_go(int life) {
    char letter = 0;
    ssize_t n;
    do n = recv(life, &letter, 1, 0);
    while (n < 0 && errno == EINTR);
    if (n != 1 || letter != 'g') _exit(70);
}

void tell_exit(int life, int status, const struct rusage *usage) {
    struct life_exit message = {.letter = 'x', .status = status, .voluntary = usage->ru_nvcsw, .involuntary = usage->ru_nivcsw};
    send_fds(life, &message, sizeof message, NULL, 0);
}
