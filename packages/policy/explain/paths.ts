import { globMatches } from "@plastron/contracts";
import type { FileIntent, Part } from "../lower/part.ts";
import { MFD_NOEXEC_SEAL } from "../seccomp/constants.ts";
import type { Call } from "./call.ts";

/** Where a program may write, and where the sandbox's own memory files are. Everything else of the root is read-only. */
const WRITABLE = ["/workspace", "/tmp", "/var/tmp", "/dev/shm"];
const MERGED = /^\/(bin|sbin|lib|lib64|lib32|libx32)\//;

export const below = (path: string, place: string): boolean => path === place || path.startsWith(`${place}/`);
export const isWritablePlace = (path: string): boolean => WRITABLE.some((place) => below(path, place));

/** Whether this part of the policy, which denies, keeps the call from that path. `watches`: a listener decides call by call. */
export function deniesPath({ order, demands, watched }: Part, call: Call, watches: boolean): boolean {
  const { path, permissions, denial } = call;
  const forbids = [demands.forbidden_programs, demands.unexecutable].some((names) => names !== undefined && names.length > 0);
  const noexec = forbids || demands.noexec_writable === true;
  if (path === null) return noexec && mapsProgram(call);
  const files = order.intents.filter((each): each is FileIntent => each.kind === "file");
  const names = spellings(path);
  if (denial.errno === "EACCES" && names.some((name) => isMasked(demands, name, permissions.includes("exec")))) return true;
  if (noexec && permissions.includes("exec") && isWritablePlace(path)) return true;
  if (watches && isOffList(order, call)) return true;
  const decided = watches ? [...(order.audit ? files : []), ...watched] : [];
  if (decided.some((intent) => covers(intent, call, names))) return true;
  // The read-only root stands behind every rule on changes, so such a rule is true of it without more.
  return !isWritablePlace(path) && files.some((intent) => changes(intent) && covers({ ...intent, permissions: CHANGE }, call, names));
}

type FileList = Extract<Part["order"]["intents"][number], { kind: "file-list" }>;

/** What the list of all that may be done does not give. The listener is asked about what opens, changes and runs, and not who looks. */
export function isOffList({ intents }: Part["order"], { path, permissions, wanted, denial }: Call): boolean {
  if (path === null || denial.errno !== "EACCES" || LOOKING.test(denial.call)) return false;
  const lists = intents.filter((each): each is FileList => each.kind === "file-list");
  const names = spellings(path);
  const asked = permissions.filter((each) => each !== "append" || wanted.includes("append"));
  return lists.some((list) =>
    asked.some((each) => {
      const giving = each === "append" ? ["append", "write"] : [each];
      const entries = list.allowed.filter((entry) => entry.permissions.some((given) => giving.includes(given)));
      return list.permissions.includes(each) && !entries.some(({ glob }) => names.some((name) => globMatches(glob, name)));
    }),
  );
}

const LOOKING = /stat|access|readlink|getdents|chdir|xattr|inotify|connect|bind|send/;

const CHANGE: FileIntent["permissions"] = ["write", "append"];
const changes = ({ permissions }: FileIntent): boolean => permissions.includes("write") || permissions.includes("append");

function covers({ glob, permissions }: FileIntent, call: Call, names: readonly string[]): boolean {
  return call.permissions.some((each) => permissions.includes(each)) && names.some((name) => globMatches(glob, name));
}

function isMasked({ hidden = [], forbidden_programs: programs = [], unexecutable = [] }: Part["demands"], path: string, exec: boolean): boolean {
  if (hidden.some((glob) => coversTree(glob, path))) return true;
  if (exec && unexecutable.some((glob) => globMatches(glob, path))) return true;
  return !isWritablePlace(path) && programs.includes(path.slice(path.lastIndexOf("/") + 1));
}

/** What is put over a directory holds for all that lies in it. */
function coversTree(glob: string, path: string): boolean {
  if (!/[*?[]/.test(glob)) return below(path, glob);
  for (let end = path.length; end > 0; end = path.lastIndexOf("/", end - 1)) if (globMatches(glob, path.slice(0, end))) return true;
  return false;
}

/** A file of a writable place that is to be mapped as code: the descriptor tells no path. Only a mount that forbids it answers EPERM. */
export function mapsProgram({ denial, permissions }: Call): boolean {
  return (denial.call === "mmap" || denial.call === "mprotect") && permissions.includes("exec") && denial.errno === "EPERM";
}

/** memfd_create of a file that could be executed. */
export function makesProgram({ denial, words }: Call): boolean {
  return denial.call === "memfd_create" && ((words[1] ?? 0n) & BigInt(MFD_NOEXEC_SEAL)) === 0n;
}

/** /bin may be a link to /usr/bin, and /var/tmp is one to /tmp: a rule may name either. */
function spellings(path: string): string[] {
  if (MERGED.test(path)) return [path, `/usr${path}`];
  if (/^\/usr\/(bin|sbin|lib|lib64|lib32|libx32)\//.test(path)) return [path, path.slice("/usr".length)];
  return below(path, "/var/tmp") ? [path, path.slice("/var".length)] : [path];
}
