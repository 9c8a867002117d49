/* The supervisor's side of the watcher (notify.h): it starts it, gives it the listener, and passes on what it records. */
#define _GNU_SOURCE
#include "cgroup.h"
#include "notify.h"
#include "watch.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int start_watcher(struct sandbox *box, const struct spec *rules, const char **what) {
    pid_t pid;
    *what = "watcher";
    if (!spec_get(rules, "watch", 0, NULL)) return 0;
    box->counts = mmap(NULL, sizeof *box->counts, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (box->counts == MAP_FAILED) return -1;
    atomic_store(&box->counts->room, NO_ROOM); /* until a program runs, nothing is recorded */
    box->watcher = watcher_start(rules, (uid_t)box->uid, box->counts, &pid);
    if (box->watcher < 0 || fcntl(box->watcher, F_SETFL, O_NONBLOCK)) return -1;
    box->watcher_process = (int)syscall(SYS_pidfd_open, pid, 0);
    if (box->watcher_process < 0) return -1;
    return cgroup_limit(box->spec, pid, what);
}

void give_listener(struct watch *w, const int *fds, int count) {
    if (w->box->watcher < 0 || count != 2 || send_fds(w->box->watcher, "l", 1, fds, 2) != 1) kill_sandbox(w, "nobody answers its calls");
    for (int i = 0; i < count; i++) close(fds[i]);
}

/* The watcher may be ahead of what we say of the room. */
static void pass_on(struct watch *w, const uint8_t *violation, size_t len) {
    struct watch_counts *counts = w->box->counts;
    struct violation v;
    if (len < sizeof v) return;
    memcpy(&v, violation, sizeof v);
    if (!has_room(counts, v.rule, v.denied)) {
        w->uncounted++;
        return;
    }
    atomic_uchar *told = &counts->told[told_key(v.rule, v.denied)];
    if (atomic_load(told) < FIRST_OF_EACH) atomic_fetch_add(told, 1);
    frame(w, 'V', violation, len);
    if (++w->violations == MAX_VIOLATIONS) atomic_store(&counts->room, ROOM_FOR_SELDOM);
    if (w->violations == MAX_VIOLATIONS + RESERVED_VIOLATIONS) atomic_store(&counts->room, NO_ROOM);
}

void on_watcher(struct watch *w) {
    static uint8_t message[1 + MAX_VIOLATION];
    for (;;) {
        ssize_t n = recv(w->box->watcher, message, sizeof message, MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (n <= 0) {
            close(w->box->watcher);
            w->box->watcher = -1;
            return w->ended || w->dead ? (void)0 : kill_sandbox(w, "the watcher of its calls has ended");
        }
        if (message[0] == 'e') {
            frame(w, 'N', message + 1, (size_t)n - 1);
            kill_sandbox(w, "its calls could not be watched");
        }
        if (message[0] != 'v' || w->state != RUNNING) continue;
        pass_on(w, message + 1, (size_t)n - 1);
    }
}

void count_anew(struct watch *w) {
    if (w->box->watcher < 0) return;
    atomic_store(&w->box->counts->began, 1); /* never taken back: in a session, what a program left behind goes on between runs */
    on_watcher(w); /* those of before are nobody's */
    w->violations = 0;
    w->uncounted = 0;
    atomic_store(&w->box->counts->dropped, 0);
    for (int i = 0; i < TOLD_RULES; i++) atomic_store(&w->box->counts->told[i], 0);
    atomic_store(&w->box->counts->room, ROOM_FOR_ALL);
}

unsigned long stop_counting(struct watch *w) {
    if (w->box->watcher >= 0) on_watcher(w);
    if (!w->box->counts) return 0;
    atomic_store(&w->box->counts->room, NO_ROOM);
    return w->uncounted + atomic_load(&w->box->counts->dropped);
}

void end_watcher(const struct sandbox *box) {
    if (box->watcher_process >= 0) syscall(SYS_pidfd_send_signal, box->watcher_process, SIGKILL, NULL, 0);
}
