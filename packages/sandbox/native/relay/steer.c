/*
 * The program that gives the sandbox's traffic to the relay: BPF_PROG_TYPE_SK_LOOKUP, asked by the kernel for every new
 * connection and for every datagram of the network namespace that belongs to no connected socket.
 *
 *   TCP, not to 127.0.0.0/8 or ::1 → socket 0 of the map · UDP to port 53 → socket 1 · all else → as if it were not there
 *
 * A socket that is not in the map any more ends the connection: it never falls through to a socket of the program's own.
 */
#define _GNU_SOURCE
#include "egress.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CTX(field) ((int16_t)offsetof(struct bpf_sk_lookup, field))
#define LOAD(dst, src, at) {.code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = dst, .src_reg = src, .off = at}
#define MOVE(dst, src) {.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = dst, .src_reg = src}
#define SET(dst, value) {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = dst, .imm = value}
#define IF(op, dst, value, skip) {.code = BPF_JMP | op | BPF_K, .dst_reg = dst, .imm = value, .off = skip}
#define GOTO(skip) {.code = BPF_JMP | BPF_JA, .off = skip}
#define CALL(function) {.code = BPF_JMP | BPF_CALL, .imm = function}

static int bpf(int command, union bpf_attr *attr) { return (int)syscall(SYS_bpf, command, attr, sizeof *attr); }

static int put(int map, uint32_t key, int socket) {
    uint64_t value = (uint64_t)socket;
    union bpf_attr attr = {.map_fd = (uint32_t)map, .key = (uint64_t)(uintptr_t)&key, .value = (uint64_t)(uintptr_t)&value};
    return bpf(BPF_MAP_UPDATE_ELEM, &attr);
}

static int load(int map) {
    const struct bpf_insn program[] = {
        /*  0 */ MOVE(BPF_REG_6, BPF_REG_1),
        /*  1 */ LOAD(BPF_REG_2, BPF_REG_6, CTX(protocol)),
        /*  2 */ LOAD(BPF_REG_3, BPF_REG_6, CTX(family)),
        /*  3 */ IF(BPF_JEQ, BPF_REG_2, IPPROTO_TCP, 4),
        /*  4 */ SET(BPF_REG_7, 1),
        /*  5 */ LOAD(BPF_REG_4, BPF_REG_6, CTX(local_port)),
        /*  6 */ IF(BPF_JEQ, BPF_REG_4, 53, 15),
        /*  7 */ GOTO(30), /* pass */
        /* TCP: to loopback? */
        /*  8 */ SET(BPF_REG_7, 0),
        /*  9 */ IF(BPF_JEQ, BPF_REG_3, AF_INET6, 4),
        /* 10 */ LOAD(BPF_REG_4, BPF_REG_6, CTX(local_ip4)),
        /* 11 */ {.code = BPF_ALU64 | BPF_AND | BPF_K, .dst_reg = BPF_REG_4, .imm = 0xff}, /* the first octet */
        /* 12 */ IF(BPF_JEQ, BPF_REG_4, 127, 25),
        /* 13 */ GOTO(8),
        /* 14 */ LOAD(BPF_REG_4, BPF_REG_6, CTX(local_ip6[0])),
        /* 15 */ IF(BPF_JNE, BPF_REG_4, 0, 6),
        /* 16 */ LOAD(BPF_REG_4, BPF_REG_6, CTX(local_ip6[1])),
        /* 17 */ IF(BPF_JNE, BPF_REG_4, 0, 4),
        /* 18 */ LOAD(BPF_REG_4, BPF_REG_6, CTX(local_ip6[2])),
        /* 19 */ IF(BPF_JNE, BPF_REG_4, 0, 2),
        /* 20 */ LOAD(BPF_REG_4, BPF_REG_6, CTX(local_ip6[3])),
        /* 21 */ IF(BPF_JEQ, BPF_REG_4, 0x01000000, 16),
        /* To the socket in r7. */
        /* 22 */ {.code = BPF_STX | BPF_MEM | BPF_W, .dst_reg = BPF_REG_10, .src_reg = BPF_REG_7, .off = -4},
        /* 23 */ {.code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = BPF_REG_1, .src_reg = BPF_PSEUDO_MAP_FD, .imm = map},
        /* 24 */ {0},
        /* 25 */ MOVE(BPF_REG_2, BPF_REG_10),
        /* 26 */ {.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = BPF_REG_2, .imm = -4},
        /* 27 */ CALL(BPF_FUNC_map_lookup_elem),
        /* 28 */ IF(BPF_JEQ, BPF_REG_0, 0, 11),
        /* 29 */ MOVE(BPF_REG_8, BPF_REG_0),
        /* 30 */ MOVE(BPF_REG_1, BPF_REG_6),
        /* 31 */ MOVE(BPF_REG_2, BPF_REG_8),
        /* 32 */ SET(BPF_REG_3, 0),
        /* 33 */ CALL(BPF_FUNC_sk_assign),
        /* 34 */ MOVE(BPF_REG_9, BPF_REG_0),
        /* 35 */ MOVE(BPF_REG_1, BPF_REG_8),
        /* 36 */ CALL(BPF_FUNC_sk_release),
        /* 37 */ IF(BPF_JNE, BPF_REG_9, 0, 2),
        /* 38 pass */ SET(BPF_REG_0, SK_PASS),
        /* 39 */ {.code = BPF_JMP | BPF_EXIT},
        /* 40 drop */ SET(BPF_REG_0, SK_DROP),
        /* 41 */ {.code = BPF_JMP | BPF_EXIT},
    };
    union bpf_attr attr = {
        .prog_type = BPF_PROG_TYPE_SK_LOOKUP,
        .expected_attach_type = BPF_SK_LOOKUP,
        .insns = (uint64_t)(uintptr_t)program,
        .insn_cnt = sizeof program / sizeof *program,
        .license = (uint64_t)(uintptr_t) "Apache-2.0",
    };
    return bpf(BPF_PROG_LOAD, &attr);
}

/* The link stays open as long as this process: it is what keeps the program attached. */
int steer(const struct relay *relay) {
    union bpf_attr attr = {.map_type = BPF_MAP_TYPE_SOCKMAP, .key_size = 4, .value_size = 8, .max_entries = 2};
    int map = bpf(BPF_MAP_CREATE, &attr);
    if (map < 0 || put(map, 0, relay->tcp) || put(map, 1, relay->dns)) return -1;
    int program = load(map), netns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    if (program < 0 || netns < 0) return -1;
    union bpf_attr link = {.link_create = {.prog_fd = (uint32_t)program, .target_fd = (uint32_t)netns, .attach_type = BPF_SK_LOOKUP}};
    if (bpf(BPF_LINK_CREATE, &link) < 0) return -1;
    close(netns);
    close(program);
    close(map);
    return 0;
}
