import type { Intent } from "../orders/order.ts";
import type { Said } from "./said.ts";

/**
 * AppArmor knows a socket by its family and type. A protocol is kept where it is what the type means anyway (TCP of `stream`);
 * other protocols of the same type are then denied with it, which a note says.
 */
export function networkLines({ families, types, protocols }: Extract<Intent, { kind: "socket" }>): Said {
  const notes: string[] = [];
  const named = families.map((family) => FAMILIES[family]);
  if (named.includes(undefined)) notes.push(`AppArmor has no name for socket families ${families.filter((family) => !FAMILIES[family]).join(", ")}`);
  const wantedTypes = types.length > 0 ? types.map((type) => TYPES[type]).filter((type) => type !== undefined) : undefined;
  if (wantedTypes && wantedTypes.length < types.length) notes.push("AppArmor has no name for one of the socket types");
  const said = protocols.length === 0 ? wantedTypes : typesOf(protocols, wantedTypes, notes);
  const known = named.filter((family) => family !== undefined);
  if (families.length > 0 && known.length === 0) return { lines: [], notes };
  // Without a family, a protocol is one of the Internet's.
  const among = families.length === 0 && protocols.length > 0 ? ["inet", "inet6"] : known;
  return { lines: combine(among, said), notes };
}

function combine(families: readonly string[], types: readonly string[] | undefined): string[] {
  if (types?.length === 0) return [];
  const each = types ?? [""];
  const lines = families.length === 0 ? each.map((type) => `network ${type}`) : families.flatMap((family) => each.map((type) => `network ${family} ${type}`));
  return lines.map((line) => line.trim());
}

function typesOf(protocols: readonly number[], wanted: readonly string[] | undefined, notes: string[]): string[] {
  const found = (wanted ?? ["stream", "dgram", "raw"]).filter((type) => {
    const natural = NATURAL[type] ?? [];
    const named = protocols.filter((protocol) => protocol !== 0 || wanted !== undefined);
    return natural.some((protocol) => named.includes(protocol));
  });
  notes.push(
    found.length > 0
      ? `AppArmor does not see protocols: every ${found.join(" and ")} socket of the family counts`
      : `AppArmor does not see protocols, and ${protocols.join(", ")} cannot be told by the type of the socket`,
  );
  return found;
}

/** What each type carries: without a protocol (0), TCP, MPTCP and SCTP; UDP and UDP-Lite; ICMP of both versions. */
const NATURAL: Record<string, readonly number[]> = { stream: [0, 6, 132, 262], dgram: [0, 17, 136], raw: [1, 58] };

const TYPES: Record<number, string> = { 1: "stream", 2: "dgram", 3: "raw", 4: "rdm", 5: "seqpacket", 10: "packet" };

/** socket(2)'s numbers, in AppArmor's names (apparmor.d(5), "Network Rules"). */
const FAMILIES: Record<number, string | undefined> = Object.fromEntries(
  (
    "1:unix 2:inet 3:ax25 4:ipx 5:appletalk 6:netrom 7:bridge 8:atmpvc 9:x25 10:inet6 11:rose 13:netbeui 14:security 15:key 16:netlink 17:packet " +
    "18:ash 19:econet 20:atmsvc 21:rds 22:sna 23:irda 24:pppox 25:wanpipe 26:llc 27:ib 28:mpls 29:can 30:tipc 31:bluetooth 32:iucv 33:rxrpc 34:isdn " +
    "35:phonet 36:ieee802154 37:caif 38:alg 39:nfc 40:vsock 41:kcm 42:qipcrtr 43:smc 44:xdp 45:mctp"
  )
    .split(" ")
    .map((pair) => pair.split(":") as [string, string]),
);
