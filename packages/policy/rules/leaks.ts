import type { HostFacts } from "@plastron/contracts";
import { type ServiceName, serviceIntents } from "../orders/cluster.ts";
import { addresses, files } from "../orders/intents.ts";
import { reading } from "./probes-files.ts";
import { hostAddresses, overlayOptions, reaching } from "./probes-world.ts";
import { type EnforcedRule, type Judgement, NOT_THERE, rulesOf } from "./rule.ts";

const SERVICE_ACCOUNT = ["/run/secrets/kubernetes.io/serviceaccount", "/var/run/secrets/kubernetes.io/serviceaccount"];

/** Where each cloud answers with credentials. */
const METADATA = {
  aws: ["169.254.169.254", "fd00:ec2::254"],
  volc: ["100.96.0.96"],
  alibaba: ["100.100.100.200"],
  oci: ["192.0.0.192"],
} as const;

const NO_ROUTE = "own network namespace with nothing but loopback: no packet can leave, whatever the protocol or the form of the address";
const NO_NETWORK = "no address outside the sandbox can be reached at all";

function overlay(host: HostFacts): Judgement {
  return host.root_on_overlay
    ? {
        fidelity: "unsupported",
        note: "this host's own root is an overlay and the sandbox's mount table names its directories; point the runtimes to a root file system that is not an overlay",
      }
    : { fidelity: "by-construction", note: "" };
}

const metadataRule = (name: string, hosts: readonly string[], aliases: string[] = []) => ({
  name,
  intents: addresses(...hosts),
  aliases,
  mechanism: NO_ROUTE,
  fidelity: "stricter" as const,
  note: NO_NETWORK,
  selfTests: [reaching(name, hosts)],
});

/** Rules of `attackProtectionRules` against leaks of information about the host. */
export const leakRules: EnforcedRule[] = rulesOf("attackProtectionRules", [
  {
    name: "mitigate-sa-leak",
    intents: files(["read"], ...SERVICE_ACCOUNT.map((path) => `${path}/**`)),
    demands: { hidden: SERVICE_ACCOUNT },
    mechanism: "the service account's directory is never mounted, and masked where a root file system brings one",
    fidelity: "exact",
    selfTests: [reading("read-service-account", SERVICE_ACCOUNT, "planted_files")],
    withheld: NOT_THERE,
  },
  {
    name: "mitigate-disk-device-number-leak",
    wholeWhenWatched: true,
    intents: files(["read"], "/proc/partitions", "/proc/**/mountinfo"),
    demands: { hidden: ["/proc/partitions", "/proc/diskstats"] },
    mechanism: "/proc/partitions and /proc/diskstats are masked; /dev has no block device",
    fidelity: "approximate",
    note: "/proc/PID/mountinfo stays readable and shows the device number of the file system that the root is on; no device can be opened or made with it",
    selfTests: [reading("read-partitions", ["/proc/partitions", "/proc/diskstats"], "hidden")],
  },
  {
    name: "mitigate-overlayfs-leak",
    intents: files(["read"], "/proc/**/mounts", "/proc/**/mountinfo"),
    mechanism: "no overlay is mounted in the sandbox, so its mount table has no directory of the host to tell",
    fidelity: overlay,
    selfTests: [overlayOptions],
  },
  {
    name: "mitigate-host-ip-leak",
    intents: files(["read"], "/proc/**/net/arp"),
    mechanism: "own network namespace: /proc/net tells of the sandbox's loopback only",
    fidelity: "by-construction",
    selfTests: [hostAddresses],
  },
  // Upstream's list lacks the last two clouds.
  metadataRule("block-access-to-metadata-service", Object.values(METADATA).flat(), ["disallow-metadata-service"]),
  ...Object.entries(METADATA).map(([cloud, addresses]) => metadataRule(`block-access-to-${cloud}-metadata-service`, addresses)),
  clusterRule("block-access-to-kube-apiserver", [{ namespace: "default", name: "kubernetes" }]),
]);

/** A rule about services that only a cluster knows: enforced where the operator's map has them. */
export function clusterRule(name: string, services: readonly ServiceName[]) {
  const unknown = `which addresses ${services.map(({ namespace, name: service }) => `${namespace}/${service}`).join(" and ")} has, only a cluster knows: give \
its map with --cluster-addresses. A sandbox without a network reaches no address in any case`;
  const hostsOf = (host: HostFacts): string[] =>
    (serviceIntents(host, services) ?? []).flatMap((intent) =>
      intent.kind === "connect" && intent.cidr?.match(/\/(32|128)$/) ? [intent.cidr.replace(/\/.*/, "")] : [],
    );
  return {
    name,
    intents: [],
    intentsOn: (host: HostFacts) => serviceIntents(host, services) ?? [],
    mechanism: NO_ROUTE,
    fidelity: (host: HostFacts): Judgement =>
      serviceIntents(host, services) ? { fidelity: "stricter", note: NO_NETWORK } : { fidelity: "unsupported", note: unknown },
    selfTests: (host: HostFacts) => [reaching(name, hostsOf(host).slice(0, 4))],
  };
}
