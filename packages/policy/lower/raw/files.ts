import type { HostFacts } from "@plastron/contracts";
import { executingGlob, openingGlob, sampleOf } from "../../rules/probes-raw-files.ts";
import { joinClaims, type Measure } from "../measure.ts";
import { canWatch, type FileIntent } from "../part.ts";
import { isMoving, isOwn } from "../places.ts";

/** A rule on paths: what of it holds by masks and mounts, and what must be looked at call by call. */
export function fileMeasure(intent: FileIntent, id: string, host: HostFacts): Measure {
  const executing = intent.permissions.filter((each) => each === "exec");
  const opening = intent.permissions.filter((each) => each !== "exec");
  const measures = [
    ...(opening.length > 0 ? [openingMeasure({ ...intent, permissions: opening }, id, host)] : []),
    ...(executing.length > 0 ? [executingMeasure(intent.glob, id)] : []),
  ];
  const joined = joinClaims(measures.map(({ claim }) => claim));
  return {
    demands: {
      hidden: measures.flatMap(({ demands }) => demands?.hidden ?? []),
      unexecutable: measures.flatMap(({ demands }) => demands?.unexecutable ?? []),
    },
    watched: measures.flatMap(({ watched }) => watched ?? []),
    claim: { ...joined, observed: /^\/(workspace|tmp)\//.test(sampleOf(intent.glob)) ? joined.self_tests : [] },
  };
}

function openingMeasure(intent: FileIntent, id: string, host: HostFacts): Measure {
  const { glob, permissions } = intent;
  const tests = [openingGlob(`${id}.open`, glob, permissions)];
  if (!isMoving(glob)) {
    if (!permissions.includes("read")) {
      const mechanism = "no such path is writable: the root is read-only, and kernel switches belong to an id that is not mapped";
      return { claim: { fidelity: "by-construction", mechanism, note: "", self_tests: tests } };
    }
    const path = standing(glob);
    if (path !== null) {
      const mechanism = "masked by what nobody in the sandbox may read; the root is read-only";
      const note = ["nor can what is masked be run", ...(permissions.includes("write") ? [] : ["it cannot be written either"])].join("; ");
      return { demands: { hidden: [path] }, claim: { fidelity: "stricter", mechanism, note, self_tests: tests } };
    }
  }
  if (canWatch(host)) {
    const mechanism = "a listener opens and changes files in the program's stead, and refuses what the rule names";
    const whole = !permissions.includes("write");
    return { watched: [intent], claim: { fidelity: whole ? "exact" : "approximate", mechanism, note: whole ? "" : SOCKETS_REMAIN, self_tests: tests } };
  }
  if (!permissions.includes("read")) {
    const note = "in the program's own places it is not enforced: that needs seccomp user notification (Linux 5.9, local driver)";
    return { claim: { fidelity: isOwn(glob) ? "unsupported" : "approximate", mechanism: "the root is read-only", note, self_tests: [] } };
  }
  const note = "paths that the program makes itself, and those of proc, need seccomp user notification (Linux 5.9, local driver)";
  if (isOwn(glob)) return { claim: { fidelity: "unsupported", mechanism: "none", note, self_tests: [] } };
  const mechanism = "what the root has at the start is masked by what nobody in the sandbox may read";
  return { demands: { hidden: [glob.replace(/\/\*\*$/, "")] }, claim: { fidelity: "approximate", mechanism, note, self_tests: tests } };
}

function executingMeasure(glob: string, id: string): Measure {
  return {
    demands: { unexecutable: [glob] },
    claim: {
      fidelity: "stricter",
      mechanism: "what matches in the root cannot be executed; writable mounts are noexec and no anonymous executable file can be made",
      note: "nothing in a writable place runs, under any name",
      self_tests: [executingGlob(`${id}.exec`, glob)],
    },
  };
}

/** bind(2) makes a name, and is no call on a path. */
export const SOCKETS_REMAIN = "the name of a unix socket, which holds no content, can still be made there";

/** The one path, or the one directory with all below it, that can be masked from the start; null where that is not all. */
function standing(glob: string): string | null {
  const path = glob.replace(/\/\*\*$/, "");
  return /[*?[]/.test(path) || path === "" ? null : path;
}
