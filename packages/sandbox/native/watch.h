/* The supervisor's own state, shared by its three parts: supervise.c (the loop and the sandbox's side), agent.c (what the
 * agent asks) and ending.c (what is told at the end of a run). */
#ifndef PLASTRON_WATCH_H
#define PLASTRON_WATCH_H
#include "buffer.h"
#include "supervise.h"

#define CHUNK 65536
#define BACKLOG (1u << 20) /* stop reading output while the agent has this much to take */
#define HOLD_US 4000       /* see holding() */
#define HOLD_BYTES 4096
#define MAX_STRAYS 64  /* frames of a program that nobody asked for: a flood would cost us more than it costs the program */
#define MAX_STDIN (64u << 20) /* input that the program has not read yet */
#define START_MS 30000     /* a worker that is not ready by then never will be */

#define MAX_STATS 16 /* files of the cgroup that are read at a run's end */

enum state { STARTING, READY, RUNNING };

struct stream {
    int fd;
    char letter;
    uint64_t left;
    int truncated;
};

struct watch {
    struct sandbox *box;
    enum state state;
    struct stream out, err;
    struct buffer to_agent, from_agent, to_stdin, to_control, from_control, globs;
    uint32_t collect_budget;
    int stdin_ends, killed, dead, conn_gone;
    uint64_t started, deadline;
    int ended, has_status, status, has_code, code, workspace, strays, cut_short;
    int stats[MAX_STATS]; /* descriptors; 0: not opened yet, -1: there is none */
    long long voluntary, involuntary;
    unsigned long violations, uncounted; /* of this run; beyond those that are told */
    char reason[160];
    int trace;  /* the guest kernel's, or -1 */
    int mounts; /* the sandbox's mount namespace, or -1 */
    uint32_t traces_dropped;
    char note[40]; /* a limit that a guest kernel saw hit, as a "key value" line of the result */
    char complaint[400]; /* what the worker wrote to stderr before it was ready */
};

uint64_t now_us(void);
/* Queues one frame for the agent; `frame_head` alone when the payload follows in parts. */
void frame_head(struct watch *w, char type, size_t len);
void frame(struct watch *w, char type, const void *bytes, size_t len);
void kill_sandbox(struct watch *w, const char *reason);
/* One read of a stream; 0 when there is nothing now. */
int pump(struct watch *w, struct stream *s);
/* Takes what is in the pipes now. A background process may go on writing for ever: at most so much is waited for. */
void drain(struct watch *w);

/* Sends the content of each `stat` file: U as they stand before a program is there, T at a run's end. */
void send_stats(struct watch *w, char type);

/* The watcher's part (watching.c): the listener that init's life line brought; its messages; a run's beginning and end. */
void give_listener(struct watch *w, const int *fds, int count);
void on_watcher(struct watch *w);
void count_anew(struct watch *w);
unsigned long stop_counting(struct watch *w);
void end_watcher(const struct sandbox *box);

/* The trace of a guest's kernel (tracing.c): its descriptor; some of what it says; at a run's end all of it, and how many were dropped. */
void take_trace(struct watch *w, int fd);
void on_trace(struct watch *w);
void last_traces(struct watch *w);

/* freeze.c: holds every process of the program where it is, or lets them go on; answers with frame z. */
void freeze(struct watch *w, int wanted);
/* The same: ends all of them with one word to the kernel (Linux 5.14), before pid 1 has had its turn. */
void kill_together(struct watch *w);

void on_agent(struct watch *w);
void end_run(struct watch *w);
/* Kills, and waits until every process of the sandbox is gone. */
void await_death(struct watch *w);
void report_no_start(struct watch *w);
#endif
