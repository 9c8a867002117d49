/*
 * plastron-lsm OBJECT TABLES [--cgroup DIRECTORY]... [--mount-namespace PID]...
 *
 * Loads the BPF LSM object, gives it the tables (plastron-lsm.h; made by `plastron policy export`), attaches its hooks for the
 * named cgroups and mount namespaces, and prints one JSON line for each record. `{"ready":true}` comes first: from then on the
 * rules hold, until this process ends, by a signal or by itself. Every failure is a line on stderr and exit 1.
 */
#include "tables.h"
#include <bpf/bpf.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static volatile sig_atomic_t ended;

static void on_signal(int number) {
    (void)number;
    ended = 1;
}

/* The records hold what the program chose (names, paths): only plain ASCII goes out as it is. */
static void print_text(const char *key, const char *text, size_t most) {
    printf(",\"%s\":\"", key);
    for (size_t i = 0; i < most && text[i]; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte < 0x20 || byte >= 0x7f || byte == '"' || byte == '\\')
            printf("\\u%04x", byte);
        else
            putchar(byte);
    }
    putchar('"');
}

static int print_event(void *context, void *data, size_t size) {
    static const char *const kinds[] = {"", "capability", "file", "exec", "socket", "connect", "ptrace", "mount"};
    const struct event *event = data;
    (void)context;
    if (size < sizeof *event || event->kind == 0 || event->kind > EVENT_MOUNT) return 0;
    printf("{\"kind\":\"%s\",\"rule\":%u,\"denied\":%s,\"pid\":%u", kinds[event->kind], event->rule, event->denied ? "true" : "false", event->pid);
    printf(",\"detail\":[%u,%u,%u],\"external\":%s", event->detail[0], event->detail[1], event->detail[2], event->external ? "true" : "false");
    print_text("comm", event->comm, sizeof event->comm);
    if (event->kind == EVENT_CONNECT) {
        printf(",\"address\":\"");
        for (int i = 0; i < 16; i++) printf("%02x", event->address[i]);
        putchar('"');
    }
    if (event->kind == EVENT_MOUNT) print_text("fstype", (const char *)event->address, sizeof event->address);
    if (event->kind == EVENT_FILE || event->kind == EVENT_EXEC || event->kind == EVENT_MOUNT) print_text("path", event->text, sizeof event->text);
    puts("}");
    return 0;
}

static int refuse(const char *step, const char *what) {
    fprintf(stderr, "plastron-lsm: %s: %s: %s\n", step, what, strerror(errno));
    return 1;
}

/* A cgroup's id is the inode of its directory; a mount namespace's number is the inode of its file. */
static int add_scope(struct bpf_object *object, const char *option, const char *value) {
    char path[64];
    struct stat found;
    __u8 one = 1;
    int cgroup = !strcmp(option, "--cgroup");
    if (!cgroup && strcmp(option, "--mount-namespace")) return errno = EINVAL, -1;
    if (!cgroup && (strspn(value, "0123456789") != strlen(value) || strlen(value) > 10)) return errno = EINVAL, -1;
    if (!cgroup) snprintf(path, sizeof path, "/proc/%s/ns/mnt", value);
    if (stat(cgroup ? value : path, &found)) return -1;
    __u64 id = found.st_ino;
    __u32 inum = (__u32)found.st_ino;
    int map = bpf_object__find_map_fd_by_name(object, cgroup ? "cgroups" : "mount_namespaces");
    return bpf_map_update_elem(map, cgroup ? (const void *)&id : (const void *)&inum, &one, BPF_ANY);
}

static int attach_all(struct bpf_object *object, const char **what) {
    struct bpf_program *program;
    bpf_object__for_each_program(program, object) {
        *what = bpf_program__name(program);
        if (!bpf_program__attach(program)) return -1;
    }
    return 0;
}

static void tell_lost(int map, __u64 *told) {
    __u32 zero = 0;
    __u64 count = 0;
    if (bpf_map_lookup_elem(map, &zero, &count) || count == *told) return;
    *told = count;
    printf("{\"lost\":%llu}\n", (unsigned long long)count);
}

int main(int argc, char **argv) {
    const char *what = "";
    __u64 told = 0;
    if (argc < 5 || argc % 2 == 0) return errno = EINVAL, refuse("arguments", "OBJECT TABLES (--cgroup DIRECTORY | --mount-namespace PID)...");
    setvbuf(stdout, NULL, _IOLBF, 0);
    struct bpf_object *object = bpf_object__open_file(argv[1], NULL);
    if (!object) return refuse("open", argv[1]);
    if (bpf_object__load(object)) return refuse("load: does this kernel have lsm=bpf and BTF?", argv[1]);
    if (load_tables(object, argv[2], &what)) return refuse("tables", what);
    for (int i = 3; i < argc; i += 2)
        if (add_scope(object, argv[i], argv[i + 1])) return refuse(argv[i], argv[i + 1]);
    struct ring_buffer *ring = ring_buffer__new(bpf_object__find_map_fd_by_name(object, "events"), print_event, NULL, NULL);
    if (!ring) return refuse("ring buffer", "");
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    if (attach_all(object, &what)) return refuse("attach", what);
    puts("{\"ready\":true}");
    int lost = bpf_object__find_map_fd_by_name(object, "lost");
    while (!ended) {
        int got = ring_buffer__poll(ring, 200);
        if (got < 0 && got != -EINTR) return refuse("ring buffer", "");
        tell_lost(lost, &told);
    }
    ring_buffer__consume(ring);
    tell_lost(lost, &told);
    return 0;
}
