/** Numbers of socket(2) by the names that upstream's records use. What has no name is told as its number. */
const FAMILIES: Record<number, string> = {
  0: "AF_UNSPEC",
  1: "AF_UNIX",
  2: "AF_INET",
  3: "AF_AX25",
  4: "AF_IPX",
  5: "AF_APPLETALK",
  6: "AF_NETROM",
  7: "AF_BRIDGE",
  8: "AF_ATMPVC",
  9: "AF_X25",
  10: "AF_INET6",
  11: "AF_ROSE",
  12: "AF_DECnet",
  13: "AF_NETBEUI",
  14: "AF_SECURITY",
  15: "AF_KEY",
  16: "AF_NETLINK",
  17: "AF_PACKET",
  18: "AF_ASH",
  19: "AF_ECONET",
  20: "AF_ATMSVC",
  21: "AF_RDS",
  22: "AF_SNA",
  23: "AF_IRDA",
  24: "AF_PPPOX",
  25: "AF_WANPIPE",
  26: "AF_LLC",
  27: "AF_IB",
  28: "AF_MPLS",
  29: "AF_CAN",
  30: "AF_TIPC",
  31: "AF_BLUETOOTH",
  32: "AF_IUCV",
  33: "AF_RXRPC",
  34: "AF_ISDN",
  35: "AF_PHONET",
  36: "AF_IEEE802154",
  37: "AF_CAIF",
  38: "AF_ALG",
  39: "AF_NFC",
  40: "AF_VSOCK",
  41: "AF_KCM",
  42: "AF_QIPCRTR",
  43: "AF_SMC",
  44: "AF_XDP",
  45: "AF_MCTP",
};
const TYPES: Record<number, string> = {
  1: "SOCK_STREAM",
  2: "SOCK_DGRAM",
  3: "SOCK_RAW",
  4: "SOCK_RDM",
  5: "SOCK_SEQPACKET",
  6: "SOCK_DCCP",
  10: "SOCK_PACKET",
};
const PROTOCOLS: Record<number, string> = {
  0: "IPPROTO_IP",
  1: "IPPROTO_ICMP",
  2: "IPPROTO_IGMP",
  4: "IPPROTO_IPIP",
  6: "IPPROTO_TCP",
  8: "IPPROTO_EGP",
  17: "IPPROTO_UDP",
  33: "IPPROTO_DCCP",
  41: "IPPROTO_IPV6",
  47: "IPPROTO_GRE",
  50: "IPPROTO_ESP",
  51: "IPPROTO_AH",
  58: "IPPROTO_ICMPV6",
  132: "IPPROTO_SCTP",
  136: "IPPROTO_UDPLITE",
  255: "IPPROTO_RAW",
  262: "IPPROTO_MPTCP",
};
/** SOCK_NONBLOCK and SOCK_CLOEXEC, which are no part of the type. */
const TYPE_BITS = 0xf;
const INTERNET = new Set([2, 10]);

const named = (names: Record<number, string>, value: number): string => names[value] ?? String(value);

export const familyName = (family: number): string => named(FAMILIES, family);
export const socketTypeName = (type: number): string => named(TYPES, type & TYPE_BITS);
/** Protocol numbers mean something else in every family: only those of IP have these names. */
export const protocolName = (family: number, protocol: number): string => (INTERNET.has(family) ? named(PROTOCOLS, protocol) : String(protocol));
