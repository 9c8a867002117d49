/* What the starter inside the guest tells the keeper outside: the end of the program. */
#ifndef PLASTRON_GUEST_REPORT_H
#define PLASTRON_GUEST_REPORT_H
#include <stdint.h>

struct guest_report {
    int32_t status; /* as wait4 gives it, inside the guest */
    int32_t pad;
    int64_t voluntary;
    int64_t involuntary;
};

/* The status of a program whose kernel ended under it: SIGKILL, and a bit that no wait status has. */
#define GUEST_DIED (0x10000 | 9)
#endif
