/*
 * The zygote: an interpreter of one tenant, inside a user namespace of its own with a range of uids, that forks ready,
 * confined children. It never sees a program of the tenant.
 *
 * Agent → its supervisor: frame Y (records: token, uid, inside, cgroup, cgset, cgjoin, knob, stat). The supervisor forks a
 * supervisor for the child, which makes channels and cgroups, sends the zygote the child's ends, waits for init and program
 * to say hello (the kernel tells their pids), joins them to the cgroup, says go, and connects to the agent with the token:
 * from there on it is a sandbox like any other.
 */
#ifndef PLASTRON_ZYGOTE_H
#define PLASTRON_ZYGOTE_H
#include "supervise.h"

/* What the supervisor sends the zygote with 5 descriptors: stdin, stdout, stderr, control, life. */
struct zygote_order {
    int32_t uid; /* in the zygote's user namespace, never 0 */
};

/* Descriptors of the zygote's interpreter: 3 control, 4 orders, 5 spec (memfd). */
enum { ZYGOTE_ORDERS = 4, ZYGOTE_SPEC };

/* What only a zygote needs at its start; `orders` < 0 = this is none. */
struct zygote_start {
    int orders; /* its end of the orders socket */
    long uids;
};

_Noreturn void zygote_exec(const struct spec *spec, const int theirs[5], const struct zygote_start *start, int ipc, int life);
void zygote_request(struct sandbox *box, char type, const uint8_t *payload, uint32_t len);
#endif
