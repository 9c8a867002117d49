#define _GNU_SOURCE
#include "ring.h"
#include <linux/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

#define WAIT_US 50
#define WAITS 2000

int ring_open(struct ring *ring, int fd, uint32_t bytes) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    void *ours = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    /* The kernel maps the data twice in a row, so that a record never has a seam. */
    uint8_t *theirs = mmap(NULL, page + 2 * (size_t)bytes, PROT_READ, MAP_SHARED, fd, (off_t)page);
    if (ours == MAP_FAILED || theirs == MAP_FAILED) return -1;
    *ring = (struct ring){.consumer = ours, .producer = (const unsigned long *)theirs, .data = theirs + page, .mask = bytes - 1ul};
    return 0;
}

void ring_drain(struct ring *ring, void (*take)(const uint8_t record[RECORD])) {
    unsigned long at = *ring->consumer, until = __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE);
    for (int waits = 0; at < until;) {
        const uint8_t *header = ring->data + (at & ring->mask);
        uint32_t len = __atomic_load_n((const uint32_t *)header, __ATOMIC_ACQUIRE);
        if (len & BPF_RINGBUF_BUSY_BIT) {
            if (++waits > WAITS) return;
            usleep(WAIT_US);
            continue;
        }
        uint32_t size = len & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
        if (!(len & BPF_RINGBUF_DISCARD_BIT) && size == RECORD) take(header + BPF_RINGBUF_HDR_SZ);
        at += (size + BPF_RINGBUF_HDR_SZ + 7ul) & ~7ul;
        __atomic_store_n(ring->consumer, at, __ATOMIC_RELEASE);
    }
}
