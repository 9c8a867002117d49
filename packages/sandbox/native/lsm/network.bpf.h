/* Sockets and where they may reach: connect, every message with an address, and the socket files of other programs. */
#ifndef PLASTRON_LSM_NETWORK_H
#define PLASTRON_LSM_NETWORK_H

#define FAMILY_NONE 0
#define FAMILY_UNIX 1
#define FAMILY_IPV4 2
#define FAMILY_IPV6 10
#define TYPE_STREAM 1
#define TYPE_DATAGRAM 2

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, MAX_SOCKETS);
    __type(key, __u32);
    __type(value, struct socket_rule);
} sockets SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, MAX_CONNECTS);
    __type(key, __u32);
    __type(value, struct connect_rule);
} connects SEC(".maps");

struct socket_search {
    __u32 family, type, protocol, meant;
    struct verdict verdict;
};

static long try_socket_rule(__u32 index, void *context) {
    struct socket_search *search = context;
    const struct socket_rule *rule = bpf_map_lookup_elem(&sockets, &index);
    if (!rule) return 1;
    if (rule->families && !(search->family < 64 && rule->families >> (search->family & 63) & 1)) return 0;
    if (rule->types && !(rule->types >> (search->type & 15) & 1)) return 0;
    int fits = rule->protocols == 0;
#pragma unroll
    for (__u32 i = 0; i < 8; i++)
        if (i < rule->protocols && (rule->protocol[i] == search->protocol || rule->protocol[i] == search->meant)) fits = 1;
    if (fits) found(&search->verdict, rule->rule, rule->flags);
    return 0;
}

/* Protocol 0 is TCP or UDP by another name. A pair of sockets comes here too. */
SEC("lsm/socket_create")
int BPF_PROG(create_socket, int family, int type, int protocol, int kern, int ret) {
    if (ret || kern || !is_confined()) return ret;
    struct socket_search search = {.family = (__u32)family, .type = (__u32)type & 15, .protocol = (__u32)protocol, .meant = (__u32)protocol};
    if (protocol == 0 && (family == FAMILY_IPV4 || family == FAMILY_IPV6))
        search.meant = search.type == TYPE_STREAM ? 6 : search.type == TYPE_DATAGRAM ? 17 : 0;
    const struct counts *have = counted();
    if (!have) return -E_PERM;
    bpf_loop(have->sockets, try_socket_rule, &search, 0);
    struct event *event = record(&search.verdict, EVENT_SOCKET);
    if (event) {
        event->detail[0] = search.family;
        event->detail[1] = search.type;
        event->detail[2] = search.protocol;
        bpf_ringbuf_submit(event, 0);
    }
    return answer(&search.verdict);
}

struct connect_search {
    __u32 address[4], port;
    struct verdict verdict;
};

static long try_connect_rule(__u32 index, void *context) {
    struct connect_search *search = context;
    const struct connect_rule *rule = bpf_map_lookup_elem(&connects, &index);
    if (!rule) return 1;
#pragma unroll
    for (int i = 0; i < 4; i++)
        if ((search->address[i] & rule->mask[i]) != rule->address[i]) return 0;
    int fits = rule->ports == 0;
#pragma unroll
    for (__u32 i = 0; i < 16; i++)
        if (i < rule->ports && search->port >= rule->port[i][0] && search->port <= rule->port[i][1]) fits = 1;
    if (fits) found(&search->verdict, rule->rule, rule->flags);
    return 0;
}

/* IPv4 is ::ffff:a.b.c.d here, which is also what an IPv6 socket calls it. */
static __always_inline int read_address(struct connect_search *search, const void *address, int length, __u16 family) {
    __u16 port = 0;
    if (family == FAMILY_IPV4) {
        if (length < 8) return 0;
        search->address[2] = bpf_htonl(0xffff);
        bpf_probe_read_kernel(&search->address[3], 4, address + 4);
    } else if (family == FAMILY_IPV6) {
        if (length < 24) return 0;
        bpf_probe_read_kernel(search->address, 16, address + 8);
    } else
        return 0;
    bpf_probe_read_kernel(&port, 2, address + 2);
    search->port = bpf_ntohs(port);
    return 1;
}

static __noinline int check_address(const void *address, int length, __u32 family) {
    struct connect_search search = {};
    const struct counts *have = counted();
    if (!have) return -E_PERM;
    if (!have->connects || !read_address(&search, address, length, (__u16)family)) return 0;
    bpf_loop(have->connects, try_connect_rule, &search, 0);
    struct event *event = record(&search.verdict, EVENT_CONNECT);
    if (event) {
        __builtin_memcpy(event->address, search.address, 16);
        event->detail[0] = search.port;
        bpf_ringbuf_submit(event, 0);
    }
    return answer(&search.verdict);
}

static __always_inline __u16 family_of(const void *address, int length) {
    __u16 family = FAMILY_NONE;
    if (length >= 2) bpf_probe_read_kernel(&family, 2, address);
    return family;
}

SEC("lsm/socket_connect")
int BPF_PROG(connect_socket, struct socket *sock, struct sockaddr *address, int length, int ret) {
    if (ret || !is_confined()) return ret;
    return check_address(address, length, family_of(address, length));
}

/* Also TCP's MSG_FASTOPEN. Without a family the kernel takes the address for IPv4 on an IPv4 socket. */
SEC("lsm/socket_sendmsg")
int BPF_PROG(send_message, struct socket *sock, struct msghdr *message, int size, int ret) {
    if (ret || !is_confined()) return ret;
    void *address = BPF_CORE_READ(message, msg_name);
    int length = BPF_CORE_READ(message, msg_namelen);
    if (!address) return 0;
    __u16 family = family_of(address, length);
    if (family == FAMILY_NONE && BPF_CORE_READ(sock, sk, __sk_common.skc_family) == FAMILY_IPV4) family = FAMILY_IPV4;
    return check_address(address, length, family);
}

/* The file that the other side is bound to, whatever name led there; abstract names and unnamed sockets have none. */
static __always_inline int check_peer(struct sock *other) {
    struct unix_sock *peer = (void *)other;
    struct dentry *dentry = BPF_CORE_READ(peer, path.dentry);
    return dentry ? check_entry(BPF_CORE_READ(peer, path.mnt), dentry, FILE_WRITE) : 0;
}

SEC("lsm/unix_stream_connect")
int BPF_PROG(connect_unix, struct sock *sock, struct sock *other, struct sock *created, int ret) {
    if (ret || !is_confined()) return ret;
    return check_peer(other);
}

SEC("lsm/unix_may_send")
int BPF_PROG(send_unix, struct socket *sock, struct socket *other, int ret) {
    if (ret || !is_confined()) return ret;
    return check_peer(BPF_CORE_READ(other, sk));
}
#endif
