#define _GNU_SOURCE
#include "egress.h"
#include "flow.h"
#include <time.h>
#include <unistd.h>

#define FLOWS (EGRESS_FLOWS + EGRESS_QUESTIONS)

static int64_t now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

struct all {
    struct flow *first;
    int connections, questions;
};

static void add(struct all *all, struct flow *flow, int *count) {
    if (!flow) return;
    flow->next = all->first;
    all->first = flow;
    ++*count;
}

static void remove_dead(struct all *all, int64_t now) {
    for (struct flow **at = &all->first; *at;) {
        struct flow *flow = *at;
        if (!flow->dead && !(flow->deadline && now >= flow->deadline)) {
            at = &flow->next;
            continue;
        }
        *at = flow->next;
        --*(flow->deadline ? &all->questions : &all->connections);
        flow_free(flow);
    }
}

/* What is over the bounds waits in the kernel's queues, which belong to the sandbox. */
void relay_serve(const struct relay *relay) {
    static struct pollfd polled[3 + 2 * FLOWS];
    struct all all = {0};
    const struct timespec second = {1, 0};
    for (;;) {
        int n = 3;
        polled[0] = (struct pollfd){relay->alive, POLLIN, 0};
        polled[1] = (struct pollfd){all.connections < EGRESS_FLOWS ? relay->tcp : -1, POLLIN, 0};
        polled[2] = (struct pollfd){all.questions < EGRESS_QUESTIONS ? relay->dns : -1, POLLIN, 0};
        for (struct flow *flow = all.first; flow; flow = flow->next, n += 2) flow_wants(flow, polled + n);
        if (ppoll(polled, (nfds_t)n, all.questions ? &second : NULL, NULL) < 0) continue;
        if (polled[0].revents) _exit(0);
        n = 3;
        for (struct flow *flow = all.first; flow; flow = flow->next, n += 2)
            if (polled[n].revents || polled[n + 1].revents) flow_step(relay, flow, polled[n].revents, polled[n + 1].revents);
        remove_dead(&all, now_ms());
        if (polled[1].revents) add(&all, flow_accept(relay), &all.connections);
        if (polled[2].revents) add(&all, flow_question(relay, now_ms()), &all.questions);
    }
}
