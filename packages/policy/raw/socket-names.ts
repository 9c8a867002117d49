/** What vArmor (and AppArmor) call the arguments of socket(2), with their numbers: linux/socket.h, linux/net.h, linux/in.h. */
export const DOMAINS: Readonly<Record<string, number>> = {
  unix: 1,
  inet: 2,
  ax25: 3,
  ipx: 4,
  appletalk: 5,
  netrom: 6,
  bridge: 7,
  atmpvc: 8,
  x25: 9,
  inet6: 10,
  rose: 11,
  netbeui: 13,
  security: 14,
  key: 15,
  netlink: 16,
  packet: 17,
  ash: 18,
  econet: 19,
  atmsvc: 20,
  rds: 21,
  sna: 22,
  irda: 23,
  pppox: 24,
  wanpipe: 25,
  llc: 26,
  ib: 27,
  mpls: 28,
  can: 29,
  tipc: 30,
  bluetooth: 31,
  iucv: 32,
  rxrpc: 33,
  isdn: 34,
  phonet: 35,
  ieee802154: 36,
  caif: 37,
  alg: 38,
  nfc: 39,
  vsock: 40,
  kcm: 41,
  qipcrtr: 42,
  smc: 43,
  xdp: 44,
  mctp: 45,
};

export const TYPES: Readonly<Record<string, number>> = { stream: 1, dgram: 2, raw: 3, rdm: 4, seqpacket: 5, dccp: 6, packet: 10 };

/**
 * What a protocol's name stands for. `implied`: the type whose protocol 0 means it, over IPv4 and IPv6, which is how nearly every
 * program asks for it; upstream compares the protocol's number alone and lets that through.
 */
export const PROTOCOLS: Readonly<Record<string, { numbers: readonly number[]; implied: number | null }>> = {
  icmp: { numbers: [1, 58], implied: null },
  // 262: MPTCP. 136: UDP-Lite.
  tcp: { numbers: [6, 262], implied: TYPES.stream as number },
  udp: { numbers: [17, 136], implied: TYPES.dgram as number },
};

export const IP_FAMILIES: readonly number[] = [2, 10];
