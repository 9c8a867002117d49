#define _GNU_SOURCE
#include "flow.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Not a path of the host: the relay lives in a root that holds nothing else. */
static int egress_connect(void) {
    const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/relay.sock"};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && !connect(fd, (const struct sockaddr *)&address, sizeof address)) return fd;
    if (fd >= 0) close(fd);
    return -1;
}

/* Both families in one shape: IPv4 mapped into IPv6. */
static int original_destination(int fd, struct sockaddr_in6 *out) {
    socklen_t size = sizeof *out;
    if (getsockname(fd, (struct sockaddr *)out, &size)) return -1;
    if (out->sin6_family == AF_INET6) return 0;
    struct sockaddr_in four;
    memcpy(&four, out, sizeof four);
    *out = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = four.sin_port};
    out->sin6_addr.s6_addr[10] = out->sin6_addr.s6_addr[11] = 0xff;
    memcpy(out->sin6_addr.s6_addr + 12, &four.sin_addr, 4);
    return 0;
}

static int is_loopback(const struct in6_addr *address) {
    return IN6_IS_ADDR_LOOPBACK(address) || (IN6_IS_ADDR_V4MAPPED(address) && address->s6_addr[12] == 127);
}

/* With everything thrown away, the program sees "connection reset". */
static void reset(int fd) {
    struct linger now = {1, 0};
    if (fd < 0) return;
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(fd);
}

static void put_header(struct flow *flow, const struct relay *relay, uint8_t protocol, uint16_t port, const struct in6_addr *address) {
    uint8_t *at = flow->out.data;
    at[0] = 1;
    at[1] = protocol;
    at[2] = (uint8_t)port;
    at[3] = (uint8_t)(port >> 8);
    memcpy(at + 4, address, 16);
    memcpy(at + 20, relay->token, EGRESS_TOKEN);
    flow->out.end = EGRESS_HEADER;
}

static struct flow *flow_new(int inside) {
    struct flow *flow = malloc(sizeof *flow);
    if (!flow) return NULL;
    flow->next = NULL;
    flow->inside = inside;
    flow->dead = 0;
    flow->deadline = 0;
    flow->out.start = flow->out.end = flow->in.start = flow->in.end = 0;
    flow->out.ended = flow->out.told = flow->in.ended = flow->in.told = 0;
    flow->outside = egress_connect();
    if (flow->outside >= 0) return flow;
    free(flow);
    return NULL;
}

struct flow *flow_accept(const struct relay *relay) {
    struct sockaddr_in6 to;
    int fd = accept4(relay->tcp, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return NULL;
    struct flow *flow = original_destination(fd, &to) || is_loopback(&to.sin6_addr) ? NULL : flow_new(fd);
    if (!flow) {
        reset(fd);
        return NULL;
    }
    put_header(flow, relay, IPPROTO_TCP, ntohs(to.sin6_port), &to.sin6_addr);
    return flow;
}

/* The address that was asked, so that the answer can come from it; else a connected asker would not take it. */
static void find_asked(struct msghdr *message, struct in6_addr *asked) {
    memset(asked, 0, sizeof *asked);
    for (struct cmsghdr *head = CMSG_FIRSTHDR(message); head; head = CMSG_NXTHDR(message, head)) {
        if (head->cmsg_level == IPPROTO_IPV6 && head->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;
            memcpy(&info, CMSG_DATA(head), sizeof info);
            *asked = info.ipi6_addr;
        } else if (head->cmsg_level == IPPROTO_IP && head->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(head), sizeof info);
            memcpy(asked->s6_addr + 12, &info.ipi_addr, 4);
        }
    }
}

struct flow *flow_question(const struct relay *relay, int64_t now) {
    uint8_t bytes[QUESTION_MAX];
    struct sockaddr_in6 asker;
    union {
        struct cmsghdr align;
        char room[128];
    } control;
    struct iovec iov = {bytes, sizeof bytes};
    struct msghdr message = {.msg_name = &asker, .msg_namelen = sizeof asker, .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room};
    ssize_t n = recvmsg(relay->dns, &message, 0);
    if (n < 12 || message.msg_flags & MSG_TRUNC) return NULL;
    struct flow *flow = flow_new(-1);
    if (!flow) return NULL;
    flow->asker = asker;
    flow->deadline = now + QUESTION_MS;
    find_asked(&message, &flow->asked);
    put_header(flow, relay, IPPROTO_UDP, 53, &flow->asked);
    uint8_t *at = flow->out.data + flow->out.end;
    at[0] = (uint8_t)n;
    at[1] = (uint8_t)(n >> 8);
    memcpy(at + 2, bytes, (size_t)n);
    flow->out.end += (uint32_t)n + 2;
    return flow;
}

static void answer(const struct relay *relay, struct flow *flow) {
    struct iovec iov = {flow->in.data + 2, flow->in.end - 2};
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(sizeof(struct in6_pktinfo))];
    } control = {0};
    struct msghdr message = {.msg_name = &flow->asker, .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.room};
    struct cmsghdr *head = &control.align;
    if (flow->asker.sin6_family == AF_INET6) {
        struct in6_pktinfo info = {.ipi6_addr = flow->asked};
        message.msg_namelen = sizeof flow->asker;
        message.msg_controllen = CMSG_SPACE(sizeof info);
        *head = (struct cmsghdr){.cmsg_level = IPPROTO_IPV6, .cmsg_type = IPV6_PKTINFO, .cmsg_len = CMSG_LEN(sizeof info)};
        memcpy(CMSG_DATA(head), &info, sizeof info);
    } else {
        struct in_pktinfo info = {0};
        memcpy(&info.ipi_spec_dst, flow->asked.s6_addr + 12, 4);
        message.msg_namelen = sizeof(struct sockaddr_in);
        message.msg_controllen = CMSG_SPACE(sizeof info);
        *head = (struct cmsghdr){.cmsg_level = IPPROTO_IP, .cmsg_type = IP_PKTINFO, .cmsg_len = CMSG_LEN(sizeof info)};
        memcpy(CMSG_DATA(head), &info, sizeof info);
    }
    sendmsg(relay->dns, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static uint32_t room(const struct pipe_half *half) { return half->ended ? 0 : FLOW_BUFFER - half->end; }

void flow_wants(const struct flow *flow, struct pollfd wants[2]) {
    short inside = (short)((room(&flow->out) ? POLLIN : 0) | (flow->in.end ? POLLOUT : 0));
    short outside = (short)((room(&flow->in) ? POLLIN : 0) | (flow->out.end ? POLLOUT : 0));
    wants[0] = (struct pollfd){inside ? flow->inside : -1, inside, 0};
    wants[1] = (struct pollfd){outside ? flow->outside : -1, outside, 0};
}

/* 0, or -1 when the reader's side is broken. */
static int fill(struct pipe_half *half, int fd) {
    ssize_t n = read(fd, half->data + half->end, room(half));
    if (n < 0) return errno == EAGAIN || errno == EINTR ? 0 : -1;
    if (n == 0) half->ended = 1;
    half->end += (uint32_t)n;
    return 0;
}

static int empty(struct pipe_half *half, int fd) {
    if (half->end > half->start) {
        ssize_t n = sendto(fd, half->data + half->start, half->end - half->start, MSG_NOSIGNAL, NULL, 0);
        if (n < 0) return errno == EAGAIN || errno == EINTR ? 0 : -1;
        half->start += (uint32_t)n;
        if (half->start == half->end) half->start = half->end = 0;
    }
    if (half->ended && !half->end && !half->told) {
        half->told = 1;
        shutdown(fd, SHUT_WR);
    }
    return 0;
}

static void question_step(const struct relay *relay, struct flow *flow, short outside) {
    if (flow->out.end && empty(&flow->out, flow->outside)) flow->dead = 1;
    if (outside && fill(&flow->in, flow->outside)) flow->dead = 1;
    if (flow->in.end >= 2 && flow->in.end >= 2u + (uint32_t)(flow->in.data[0] | flow->in.data[1] << 8)) {
        answer(relay, flow);
        flow->dead = 1;
    }
    if (flow->in.ended || flow->in.end == FLOW_BUFFER) flow->dead = 1;
}

void flow_step(const struct relay *relay, struct flow *flow, short inside, short outside) {
    if (flow->inside < 0) return question_step(relay, flow, outside);
    int broken = inside & POLLERR ? 1 : 0;
    if (inside & (POLLIN | POLLHUP) && room(&flow->out) && fill(&flow->out, flow->inside)) broken = 1;
    if (outside & (POLLIN | POLLHUP | POLLERR) && room(&flow->in)) {
        /* The egress process says "end" by a shutdown, and stays until we have closed, or told it our own end. If it is gone
         * before, what came is cut short. */
        if (fill(&flow->in, flow->outside) || (flow->in.ended && outside & POLLHUP && !flow->out.told)) broken = 1;
    }
    /* It may not want to hear the rest of a request that it has answered: that is no reason to lose the answer. */
    if (!broken && empty(&flow->out, flow->outside)) flow->out.start = flow->out.end = 0;
    if (!broken && empty(&flow->in, flow->inside)) broken = 1;
    if (broken) {
        reset(flow->inside);
        flow->inside = -1;
    }
    if (broken || (flow->in.told && flow->out.told)) flow->dead = 1;
}

void flow_free(struct flow *flow) {
    if (flow->inside >= 0) close(flow->inside);
    close(flow->outside);
    free(flow);
}
