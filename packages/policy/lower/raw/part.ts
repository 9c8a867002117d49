import type { HostFacts } from "@plastron/contracts";
import type { Demands } from "../../confine.ts";
import type { Intent, Order } from "../../orders/order.ts";
import { NO_NAMESPACES, sentences } from "../claims.ts";
import { joinClaims, type Measure } from "../measure.ts";
import type { Claim, Part } from "../part.ts";
import { capabilityMeasure, mountMeasure, ptraceMeasure, socketMeasure, syscallMeasure } from "./calls.ts";
import { connectMeasure } from "./connects.ts";
import { fileMeasure } from "./files.ts";
import { listMeasure } from "./lists.ts";

/** What a raw rule becomes here where it denies, from what it means alone. `network`: whether the sandbox has a way out. */
export function rawPart(order: Order, host: HostFacts, network: boolean): Part {
  const measures = order.intents.map((intent, i) => measureOf(intent, `${order.rule}.${i}`, host, network));
  const claim = joinClaims(measures.map((measure) => measure.claim));
  return {
    order,
    demands: {
      denials: measures.flatMap(({ demands }) => demands?.denials ?? []),
      hidden: measures.flatMap(({ demands }) => demands?.hidden ?? []),
      unexecutable: measures.flatMap(({ demands }) => demands?.unexecutable ?? []),
      executables: measures.find(({ demands }) => demands?.executables)?.demands?.executables ?? null,
      noexec_writable: measures.some(({ demands }) => demands?.noexec_writable),
    } satisfies Partial<Demands>,
    watched: measures.flatMap(({ watched }) => watched ?? []),
    claim: { ...claim, note: sentences(claim.note, ...(order.notes ?? [])) },
  };
}

function measureOf(intent: Intent, id: string, host: HostFacts, network: boolean): Measure {
  const without = host.tier < 2 && !["socket", "syscall", "ptrace", "mount"].includes(intent.kind);
  const measure = chosen(intent, id, host, network);
  return without ? { claim: unsupported(measure.claim, NO_NAMESPACES) } : measure;
}

function chosen(intent: Intent, id: string, host: HostFacts, network: boolean): Measure {
  switch (intent.kind) {
    case "file":
      return fileMeasure(intent, id, host);
    case "file-list":
      return listMeasure(intent, host);
    case "connect":
      return connectMeasure(intent, id, host, network);
    case "socket":
      return socketMeasure(intent, id);
    case "capability":
      return capabilityMeasure(intent, id);
    case "mount":
      return mountMeasure(intent, id);
    case "ptrace":
      return ptraceMeasure(intent, host);
    case "syscall":
      return syscallMeasure(intent, id);
  }
}

const unsupported = ({ mechanism }: Claim, note: string): Claim => ({ fidelity: "unsupported", mechanism, note, self_tests: [] });
