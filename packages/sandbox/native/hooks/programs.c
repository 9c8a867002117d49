#define _GNU_SOURCE
#include "programs.h"
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOG (256 * 1024)
#define MAX_INSTRUCTIONS 1000000u

static const struct point {
    const char *name;
    uint32_t type, attach;
} points[] = {
    {"connect4", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_CONNECT},
    {"connect6", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET6_CONNECT},
    {"sendmsg4", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_UDP4_SENDMSG},
    {"sendmsg6", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_UDP6_SENDMSG},
    {"bind4", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_BIND},
    {"bind6", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET6_BIND},
    {"sock_create", BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET_SOCK_CREATE},
    {"device", BPF_PROG_TYPE_CGROUP_DEVICE, BPF_CGROUP_DEVICE},
};

static int bpf(int command, union bpf_attr *attr) { return (int)syscall(SYS_bpf, command, attr, sizeof *attr); }

int ring_make(uint32_t bytes) {
    union bpf_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.map_type = BPF_MAP_TYPE_RINGBUF;
    attr.max_entries = bytes;
    memcpy(attr.map_name, "plastron_hooks", sizeof "plastron_hooks");
    return bpf(BPF_MAP_CREATE, &attr);
}

static int fail(struct failure *failure, const char *step, const char *name) {
    int saved = errno;
    snprintf(failure->text, sizeof failure->text, "%s %.32s", step, name);
    failure->step = failure->text;
    errno = saved;
    return -1;
}

/* The instructions, with the ring's descriptor where they ask for it (BPF_PSEUDO_MAP_FD). */
static struct bpf_insn *instructions(const struct field *code, int ring, uint32_t *count) {
    errno = EINVAL;
    *count = code->len / (uint32_t)sizeof(struct bpf_insn);
    if (!*count || code->len % sizeof(struct bpf_insn) || *count > MAX_INSTRUCTIONS) return NULL;
    struct bpf_insn *insn = malloc(code->len);
    if (!insn) return NULL;
    memcpy(insn, code->data, code->len);
    for (uint32_t i = 0; i < *count; i++) {
        if (insn[i].code != (BPF_LD | BPF_IMM | BPF_DW)) continue;
        if (insn[i].src_reg == BPF_PSEUDO_MAP_FD) insn[i].imm = ring;
        i++;
    }
    return insn;
}

/* Asks again with a log, since a log costs more than the check. Only the end says why; long ones do not fit on older kernels. */
static void read_log(union bpf_attr *attr, char *detail) {
    char *log = calloc(1, LOG);
    if (!log) return;
    attr->log_level = 1;
    attr->log_size = LOG;
    attr->log_buf = (uint64_t)(uintptr_t)log;
    int fd = bpf(BPF_PROG_LOAD, attr);
    if (fd >= 0) close(fd);
    size_t len = strnlen(log, LOG - 1);
    snprintf(detail, COMPLAINT, "%s", len < COMPLAINT ? log : log + len - COMPLAINT + 1);
    free(log);
}

static int load(const struct point *point, const struct field *code, int ring, struct failure *failure) {
    union bpf_attr attr;
    uint32_t count;
    struct bpf_insn *insn = instructions(code, ring, &count);
    if (!insn) return -1;
    memset(&attr, 0, sizeof attr);
    attr.prog_type = point->type;
    attr.expected_attach_type = point->attach;
    attr.insns = (uint64_t)(uintptr_t)insn;
    attr.insn_cnt = count;
    attr.license = (uint64_t)(uintptr_t) "Apache-2.0";
    snprintf(attr.prog_name, sizeof attr.prog_name, "p_%s", point->name);
    int fd = bpf(BPF_PROG_LOAD, &attr), saved = errno;
    if (fd < 0) read_log(&attr, failure->detail);
    free(insn);
    errno = saved;
    return fd;
}

int program_attach(const struct record *record, int cgroup, int ring, struct failure *failure) {
    const struct point *point = NULL;
    const char *name = record->count == 3 ? record->field[1].data : "";
    for (size_t i = 0; i < sizeof points / sizeof *points; i++)
        if (!strcmp(points[i].name, name)) point = &points[i];
    errno = EINVAL;
    if (!point) return fail(failure, "attach point", name);
    int program = load(point, &record->field[2], ring, failure);
    if (program < 0) return fail(failure, "load", name);
    union bpf_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.target_fd = (uint32_t)cgroup;
    attr.attach_bpf_fd = (uint32_t)program;
    attr.attach_type = point->attach;
    attr.attach_flags = BPF_F_ALLOW_MULTI;
    int attached = bpf(BPF_PROG_ATTACH, &attr), saved = errno;
    close(program);
    errno = saved;
    return attached < 0 ? fail(failure, "attach", name) : 0;
}
