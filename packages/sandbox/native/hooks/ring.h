/* The reader of a BPF ring buffer (kernel/bpf/ringbuf.c), and what it hands on of a flood. */
#ifndef PLASTRON_HOOKS_RING_H
#define PLASTRON_HOOKS_RING_H
#include <stdint.h>

/* contracts/watch.ts says what is in one. */
#define RECORD 72
#define RECORD_CGROUP 48

struct ring {
    unsigned long *consumer;
    const unsigned long *producer;
    const uint8_t *data;
    unsigned long mask;
};

/* 0, or -1 with errno. */
int ring_open(struct ring *ring, int fd, uint32_t bytes);
/* Hands every record that was begun before this call to `take`. A program that is stopped in the middle of one is waited for
 * a tenth of a second. */
void ring_drain(struct ring *ring, void (*take)(const uint8_t record[RECORD]));
#endif
