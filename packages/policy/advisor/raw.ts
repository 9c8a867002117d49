import { globMatches } from "../orders/glob.ts";
import type { EnhanceProtect } from "../parse/schema.ts";
import type { Behavior } from "./behavior.ts";

/** Raw rules that a behaviour profile justifies, each with its reason. `field` is the part of `enhanceProtect` that it goes to. */
export interface RawAdvice {
  field: "bpfRawRules.processes" | "bpfRawRules.files" | "bpfRawRules.network.sockets" | "syscallRawRules" | "networkProxyRawRules";
  what: string;
  reason: string;
}

type Raw = Pick<EnhanceProtect, "bpfRawRules" | "syscallRawRules" | "networkProxyRawRules">;

/** Tools of intruders that no rule of upstream's names. */
const TOOLS = ["nc", "ncat", "socat", "nmap", "tcpdump", "gdb", "strace", "gcc", "cc", "perl", "ssh", "scp"];
/** Places of credentials. A raw rule may have one `**` only, so directories are named for root, whose they are in most images. */
const CREDENTIALS = ["/root/.aws/**", "/root/.kube/**", "/root/.docker/**", "/**/.netrc", "/**/.git-credentials", "/**/.npmrc", "/**/.pypirc"];
/** Calls that exploits want and that few programs make. */
const CALLS = [
  "add_key",
  "io_uring_setup",
  "kcmp",
  "keyctl",
  "name_to_handle_at",
  "open_by_handle_at",
  "perf_event_open",
  "personality",
  "process_vm_readv",
  "process_vm_writev",
  "ptrace",
  "request_key",
  "vmsplice",
];
const FAMILIES = ["alg", "netlink", "packet", "vsock"];

/**
 * Denials of what was looked for and never seen: a list that the profile does not have justifies nothing. Only the enforcers
 * that were asked for get rules.
 */
export function rawAdvice(behavior: Behavior, enforcers: readonly string[]): { rules: Raw; advice: RawAdvice[] } {
  const advice: RawAdvice[] = [];
  const rules: Raw = {};
  const deny = ["deny", "audit"];
  if (enforcers.includes("BPF")) {
    const processes = unusedTools(behavior).map((tool) => ({ qualifiers: deny, pattern: `/**/${tool}`, permissions: ["exec"] }));
    const files = unreadCredentials(behavior).map((pattern) => ({ qualifiers: deny, pattern, permissions: ["read", "write"] }));
    const domains = unusedFamilies(behavior);
    if (processes.length > 0 || files.length > 0 || domains.length > 0) {
      rules.bpfRawRules = {
        ...(processes.length > 0 ? { processes } : {}),
        ...(files.length > 0 ? { files } : {}),
        ...(domains.length > 0 ? { network: { sockets: [{ qualifiers: deny, domains }] } } : {}),
      };
    }
    for (const { pattern } of processes) advice.push({ field: "bpfRawRules.processes", what: pattern, reason: "the workload never started this tool" });
    for (const { pattern } of files) advice.push({ field: "bpfRawRules.files", what: pattern, reason: "credentials that the workload never touched" });
    if (domains.length > 0)
      advice.push({ field: "bpfRawRules.network.sockets", what: domains.join(", "), reason: "kinds of sockets that the workload never opened" });
  }
  const calls = enforcers.includes("Seccomp") ? unusedCalls(behavior) : [];
  if (calls.length > 0) {
    rules.syscallRawRules = [{ names: calls, action: "SCMP_ACT_ERRNO" }];
    advice.push({ field: "syscallRawRules", what: calls.join(", "), reason: "calls that exploits want and the workload never made" });
  }
  const connections = enforcers.includes("NetworkProxy") ? behavior.connections : undefined;
  if (connections) {
    const allowed = [...new Set(connections.map(({ ip, port }) => `${ip} ${port}`))].map((each) => each.split(" ") as [string, string]);
    rules.networkProxyRawRules = {
      egress: { defaultAction: "deny", rules: allowed.map(([ip, port]) => ({ qualifiers: ["allow"], ip, ports: [{ port: Number(port) }] })) },
    };
    const where = allowed.length > 0 ? allowed.map(([ip, port]) => `${ip}:${port}`).join(", ") : "nowhere";
    advice.push({ field: "networkProxyRawRules", what: where, reason: "the only places that the workload connected to; all others are denied" });
  }
  return { rules, advice };
}

function unusedTools({ executions }: Behavior): string[] {
  return executions ? TOOLS.filter((tool) => !executions.some((path) => path.endsWith(`/${tool}`))) : [];
}

function unreadCredentials({ files }: Behavior): string[] {
  return files ? CREDENTIALS.filter((glob) => !files.some(({ path }) => globMatches(glob, path))) : [];
}

function unusedCalls({ syscalls }: Behavior): string[] {
  return syscalls ? CALLS.filter((name) => !syscalls.includes(name)) : [];
}

function unusedFamilies({ sockets }: Behavior): string[] {
  if (!sockets) return [];
  const used = sockets.map(({ family }) => family.toLowerCase().replace(/^af_/, ""));
  return FAMILIES.filter((family) => !used.includes(family));
}
