/* The supervisor's side of a guest kernel's trace (guest/trace.h): what it tells goes on to the agent as frames. */
#define _GNU_SOURCE
#include "guest/trace.h"
#include "watch.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* More than the socket can hold: who reads so many has all that was told before, and a guest that tells without end holds nothing up. */
#define ALL_OF_IT 4096
/* Between two looks at everything else. */
#define SOME 64

static const char REFUSED[] = "pids_refused 1";

void take_trace(struct watch *w, int fd) {
    if (w->trace >= 0) close(w->trace);
    w->trace = fd;
}

/* Where the agent is behind, a message is dropped and counted: output goes before it. A refused process or thread is a limit that was hit all the same. */
static void pass(struct watch *w, const uint8_t *message, size_t len) {
    if (trace_tells(message, len, EAGAIN)) memcpy(w->note, REFUSED, sizeof REFUSED);
    if (buffer_size(&w->to_agent) >= BACKLOG) {
        w->traces_dropped++;
        return;
    }
    frame_head(w, 'G', sizeof w->traces_dropped + len);
    buffer_add(&w->to_agent, &w->traces_dropped, sizeof w->traces_dropped);
    buffer_add(&w->to_agent, message, len);
}

static void read_traces(struct watch *w, int most) {
    static uint8_t message[TRACE_MESSAGE];
    for (int i = 0; w->trace >= 0 && i < most; i++) {
        ssize_t n = recv(w->trace, message, sizeof message, MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (n > 0) pass(w, message, (size_t)n);
        else close(w->trace), w->trace = -1;
    }
}

void on_trace(struct watch *w) { read_traces(w, SOME); }

void last_traces(struct watch *w) {
    read_traces(w, ALL_OF_IT);
    if (w->traces_dropped) frame(w, 'G', &w->traces_dropped, sizeof w->traces_dropped); /* none may come after the last that was dropped */
}
