/*
 * plastron-hooks: puts a confinement's eBPF programs on a cgroup and tells what they record.
 *
 * Started by the agent, one for each confinement with hooks. Frames (wire.h) on standard input: Q, a spec (records: cgroup DIR ·
 * uid UID · program POINT CODE), then F, a request to flush: u64 cgroup id, u32 token. On standard output: R when every program
 * is attached, or N and why not; V, records of 72 bytes each; F, the request and u32 how many records of that cgroup were left
 * out since its last flush. Everything recorded before a flush was asked for is in front of its answer.
 *
 * It has no privilege once the programs are attached, and ends with its input. The programs stay for as long as the cgroup.
 */
#define _GNU_SOURCE
#include "../wire.h"
#include "programs.h"
#include "ring.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define RING (1024u * 1024)
/* Handed on of one sandbox between two flushes: more than a run may record, and then the first few of each rule (contracts/violation-room.ts). */
#define ENOUGH 128
#define FIRST_OF_EACH 3
#define RULES 128 /* told apart; others share places, which loses records alone */
#define TALLIES 512
#define FLUSH 12
#define BATCH 256

static struct tally {
    uint64_t cgroup;
    uint32_t seen, left_out;
    uint8_t handed_on[RULES];
} tallies[TALLIES];
static uint8_t batch[FRAME_HEADER + BATCH * RECORD];
static uint32_t batched;

static _Noreturn void give_up(const char *step, const char *detail) {
    char text[FRAME_HEADER + 256 + COMPLAINT];
    int n = snprintf(text + FRAME_HEADER, sizeof text - FRAME_HEADER, "%s: %s%s%s", step, strerror(errno), *detail ? ": " : "", detail);
    text[0] = 'N';
    put_u32((uint8_t *)text + 1, (uint32_t)n);
    write_all(1, text, FRAME_HEADER + (size_t)n);
    _exit(71);
}

static void say(char type, const void *bytes, uint32_t len) {
    uint8_t head[FRAME_HEADER] = {(uint8_t)type};
    put_u32(head + 1, len);
    if (write_all(1, head, sizeof head) || write_all(1, bytes, len)) _exit(0);
}

static void send_batch(void) {
    if (!batched) return;
    batch[0] = 'V';
    put_u32(batch + 1, batched * RECORD);
    if (write_all(1, batch, FRAME_HEADER + batched * RECORD)) _exit(0);
    batched = 0;
}

/* That of the cgroup, or an empty one, or when all are taken that which has seen the least. */
static struct tally *tally_of(uint64_t cgroup) {
    struct tally *best = tallies;
    for (struct tally *t = tallies; t < tallies + TALLIES; t++) {
        if (t->cgroup == cgroup) return t;
        if (t->seen < best->seen) best = t;
    }
    *best = (struct tally){.cgroup = cgroup};
    return best;
}

/* A flood is counted and not handed on: reading it must not cost the agent more than it costs the program. */
static void take(const uint8_t record[RECORD]) {
    static struct tally *last = tallies;
    uint64_t cgroup;
    memcpy(&cgroup, record + RECORD_CGROUP, sizeof cgroup);
    if (last->cgroup != cgroup) last = tally_of(cgroup);
    uint32_t rule, denied;
    memcpy(&rule, record, sizeof rule);
    memcpy(&denied, record + sizeof rule, sizeof denied);
    uint8_t *handed_on = &last->handed_on[(rule * 2 + (denied == 1)) % RULES];
    if (last->seen >= ENOUGH && *handed_on >= FIRST_OF_EACH) {
        last->left_out++;
        return;
    }
    if (last->seen < ENOUGH) last->seen++;
    if (*handed_on < FIRST_OF_EACH) ++*handed_on;
    memcpy(batch + FRAME_HEADER + batched * RECORD, record, RECORD);
    if (++batched == BATCH) send_batch();
}

static void flush(struct ring *ring, const uint8_t request[FLUSH]) {
    uint8_t answer[FLUSH + 4];
    uint64_t cgroup;
    ring_drain(ring, take);
    send_batch();
    memcpy(answer, request, FLUSH);
    memcpy(&cgroup, request, sizeof cgroup);
    struct tally *tally = tally_of(cgroup);
    put_u32(answer + FLUSH, tally->left_out);
    *tally = (struct tally){0};
    say('F', answer, sizeof answer);
}

static int read_spec(struct spec *spec) {
    uint8_t head[FRAME_HEADER];
    if (read_all(0, head, sizeof head)) return -1;
    uint32_t len = get_u32(head + 1);
    uint8_t *bytes = head[0] == 'Q' && len <= MAX_FRAME ? malloc(len + 1u) : NULL;
    if (!bytes || read_all(0, bytes, len)) return -1;
    int failed = spec_parse(bytes, len, spec);
    free(bytes);
    return failed;
}

static void attach_all(const struct spec *spec, int ring) {
    struct failure failure = {.step = "", .detail = ""};
    const char *dir = spec_get(spec, "cgroup", 1, "");
    int cgroup = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (cgroup < 0) give_up("open cgroup", dir);
    for (int i = 0; i < spec->count; i++)
        if (is_op(&spec->record[i], "program") && program_attach(&spec->record[i], cgroup, ring, &failure)) give_up(failure.step, failure.detail);
    close(cgroup);
}

static void drop_privileges(long uid) {
    uid_t id = (uid_t)uid;
    errno = EINVAL;
    if (uid <= 0) give_up("spec", "no uid, or uid 0");
    if (setgroups(0, NULL) || setresgid(id, id, id) || setresuid(id, id, id)) give_up("drop privileges", "");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)) give_up("drop privileges", "");
}

static void serve(struct ring *ring, int fd) {
    for (;;) {
        struct pollfd wait[2] = {{0, POLLIN, 0}, {fd, POLLIN, 0}};
        if (poll(wait, 2, -1) < 0 && errno != EINTR) return;
        if (wait[1].revents) {
            ring_drain(ring, take);
            send_batch();
        }
        if (!wait[0].revents) continue;
        uint8_t frame[FRAME_HEADER + FLUSH];
        if (read_all(0, frame, sizeof frame) || frame[0] != 'F' || get_u32(frame + 1) != FLUSH) return;
        flush(ring, frame + FRAME_HEADER);
    }
}

int main(void) {
    struct spec spec;
    struct ring ring;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGINT, SIG_IGN); /* a Ctrl-C at the terminal is the agent's to handle */
    syscall(SYS_close_range, 3u, ~0u, 0);
    errno = EPROTO;
    if (read_spec(&spec)) give_up("spec", "malformed");
    int fd = ring_make(RING);
    if (fd < 0 || ring_open(&ring, fd, RING)) give_up("ring buffer", "");
    attach_all(&spec, fd);
    drop_privileges(spec_long(&spec, "uid", 1, -1));
    say('R', "", 0);
    serve(&ring, fd);
    return 0;
}
