#define _GNU_SOURCE
#include "egress.h"
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Ports that no program of a sandbox may bind, so that ours are never in its way. */
#define RELAY_PORT 1
#define DNS_PORT 53

static int loopback(void) {
    struct ifreq request = {0};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    memcpy(request.ifr_name, "lo", 3);
    int failed = fd < 0 || ioctl(fd, SIOCGIFINDEX, &request) ? -1 : request.ifr_ifindex;
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    if (failed >= 0 && ioctl(fd, SIOCSIFFLAGS, &request)) failed = -1;
    if (fd >= 0) close(fd);
    return failed;
}

/* What `ip route add local default dev lo` does. */
static int local_default(int netlink, unsigned char family, int lo) {
    struct {
        struct nlmsghdr head;
        struct rtmsg route;
        struct rtattr attribute;
        int lo;
    } request = {
        .head = {sizeof request, RTM_NEWROUTE, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, 1, 0},
        .route = {.rtm_family = family, .rtm_table = RT_TABLE_LOCAL, .rtm_protocol = RTPROT_BOOT, .rtm_scope = RT_SCOPE_HOST, .rtm_type = RTN_LOCAL},
        .attribute = {RTA_LENGTH(sizeof lo), RTA_OIF},
        .lo = lo,
    };
    struct {
        struct nlmsghdr head;
        struct nlmsgerr error;
        char rest[256];
    } answer;
    if (send(netlink, &request, sizeof request, 0) != sizeof request) return -1;
    if (recv(netlink, &answer, sizeof answer, 0) < (ssize_t)(sizeof answer.head + sizeof answer.error.error)) return -1;
    errno = -answer.error.error;
    return answer.head.nlmsg_type == NLMSG_ERROR && answer.error.error == 0 ? 0 : -1;
}

int network_open(void) {
    int lo = loopback(), netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (lo < 0 || netlink < 0) return -1;
    int failed = local_default(netlink, AF_INET, lo);
    int saved = errno;
    /* Where IPv6 is not there or switched off, its addresses stay unreachable: names have IPv4 addresses too. */
    local_default(netlink, AF_INET6, lo);
    close(netlink);
    errno = saved;
    return failed;
}

/* For both families; IPv4 alone where the kernel has no other. */
static int bound(int type, uint16_t port) {
    struct sockaddr_in6 any6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    struct sockaddr_in any4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET6, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), off = 0, on = 1;
    if (fd >= 0) {
        if (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) || bind(fd, (struct sockaddr *)&any6, sizeof any6)) return -1;
        if (type == SOCK_DGRAM && setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on)) return -1;
        return fd;
    }
    fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&any4, sizeof any4)) return -1;
    return type == SOCK_DGRAM && setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on) ? -1 : fd;
}

int relay_sockets(struct relay *relay) {
    relay->tcp = bound(SOCK_STREAM, RELAY_PORT);
    if (relay->tcp < 0 || listen(relay->tcp, 128)) return -1;
    relay->dns = bound(SOCK_DGRAM, DNS_PORT);
    return relay->dns < 0 ? -1 : 0;
}
