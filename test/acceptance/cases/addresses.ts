import type { Case } from "../case.ts";
import { connecting, sendingTo } from "../probes.ts";

const egress = (...toDestinations: Record<string, unknown>[]) => ({
  bpfRawRules: { network: { egress: { toDestinations: toDestinations.map((each) => ({ qualifiers: ["deny", "audit"], ...each })) } } },
});
const RULE = "bpfRawRules.network.egress.toDestinations[0]";

const address = (id: string, title: string, rule: Record<string, unknown>, denied: Case["denied"], control: Case["control"]): Case => ({
  ...{ id, title, enforcer: "BPF", enhanceProtect: egress(rule), denied, control, rule: RULE, operation: "Network" },
});
const port = (only: number, endPort?: number) => ({ ports: [{ port: only, ...(endPort ? { endPort } : {}) }] });

export const ADDRESS_CASES: Case[] = [
  address("11", "an address and a port", { ip: "11.30.31.68", ...port(6443) }, [connecting("11.30.31.68", 6443)], [connecting("11.30.31.68", 6444)]),
  address("12", "an IPv4 network", { cidr: "192.168.1.0/24" }, [connecting("192.168.1.101", 80)], [connecting("192.168.2.1", 80)]),
  address("13", "the border of an IPv4 network", { cidr: "172.16.0.0/11" }, [connecting("172.31.0.1", 80)], [connecting("172.32.1.101", 80)]),
  address(
    "14",
    "an IPv6 address",
    { ip: "fdbd:dc01:ff:307:9329:268d:3a27:2ca7" },
    [connecting("fdbd:dc01:ff:307:9329:268d:3a27:2ca7", 80)],
    [connecting("fdbd:dc01:ff:307:9329:268d:3a27:2ca8", 80)],
  ),
  address("15", "an IPv6 network of 31 bits", { cidr: "2001:db8::/31" }, [connecting("2001:db9:2:307::1", 80)], [connecting("2001:dba:2:307::1", 80)]),
  address(
    "16",
    "a port of any address",
    { cidr: "0.0.0.0/0", ...port(10250) },
    [connecting("127.0.0.1", 10250)],
    [connecting("127.0.0.1", 18898), connecting("::1", 18898)],
  ),
  address(
    "17",
    "a range of ports",
    { ip: "localhost", ...port(6670, 6680) },
    [connecting("127.0.0.1", 6670), connecting("::1", 6680)],
    [connecting("127.0.0.1", 6681)],
  ),
  address(
    "18",
    "a list of ports",
    { ip: "127.0.0.1", ports: [6670, 6672, 6673].map((each) => ({ port: each })) },
    [connecting("127.0.0.1", 6672)],
    [connecting("127.0.0.1", 6671)],
  ),
  address(
    "20",
    "the unspecified address",
    { ip: "unspecified", ...port(80, 8080) },
    [connecting("0.0.0.0", 6677), connecting("0.0.0.0", 8000), connecting("::", 6677)],
    [connecting("0.0.0.0", 9090), connecting("127.0.0.1", 80), connecting("::1", 80)],
  ),
  address(
    "21",
    "datagrams without connect, and IPv4 addresses written as IPv6",
    { cidr: "127.0.0.0/8", ...port(7000, 7100) },
    [sendingTo("127.0.0.1", 7001), sendingTo("::ffff:127.0.0.1", 7001), connecting("::ffff:127.0.0.1", 7001)],
    [sendingTo("127.0.0.1", 7101), connecting("::ffff:127.0.0.1", 7101)],
  ),
];
