#define _GNU_SOURCE
#include "broker.h"
#include "hands.h"
#include "life.h"
#include "resolve.h"
#include "rules.h"
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#define CALLS 1024

static broker_deed deeds[CALLS];

static void take(const struct brokered *calls) {
    for (; calls->act; calls++)
        if (calls->nr >= 0 && calls->nr < CALLS) deeds[calls->nr] = calls->act;
}

void broker_prepare(const struct watcher *w) {
    if (fchdir(w->proc)) step_failed(w->channel, "broker", "/proc");
    if (rules_prepare(w)) step_failed(w->channel, "broker", "rules");
    umask(0); /* the caller's is asked for where it matters */
    resolve_prepare();
    take(open_calls);
    take(name_calls);
    take(thing_calls);
    take(exec_calls);
    hands_prepare(w);
}

int broker_call(const struct call *call) {
    broker_deed act = call->nr >= 0 && call->nr < CALLS ? deeds[call->nr] : NULL;
    if (!act) return 0;
    int result = act(call);
    if (result != ANSWERED) answer(call, -result, 0);
    return 1;
}

int broker_waiting(void) { return hands_waiting(); }

void broker_tend(void) {
    if (hands_waiting()) hands_tend();
}
