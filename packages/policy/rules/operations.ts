import { canWatch } from "../lower/part.ts";
import { files } from "../orders/intents.ts";
import type { Intent } from "../orders/order.ts";
import { S_ISGID, S_ISUID, S_IXUGO } from "../seccomp/constants.ts";
import { chmodDenials, setModeDenials } from "../seccomp/floor.ts";
import { anonymousPrograms, executableModes, noNewPrivileges, reading, running, setIdModes, writingEtc, writingSkills } from "./probes-files.ts";
import { type EnforcedRule, NOT_THERE, rulesOf } from "./rule.ts";

const MASKED_PROGRAM = "every program of that name in the root is masked; writable mounts are noexec and no anonymous executable file can be made";
const NO_COPIES = "a copy under another name does not run either. A program's own code can still do what the tool does, as far as other rules let it";

const forbidding = (name: string, programs: readonly string[], extra: Partial<Pick<EnforcedRule, "mechanism" | "selfTests">> = {}) => ({
  name,
  intents: files(["exec"], ...programs.map((program) => `/**/${program}`)),
  demands: { forbidden_programs: programs, noexec_writable: true },
  mechanism: MASKED_PROGRAM,
  fidelity: "stricter" as const,
  note: NO_COPIES,
  selfTests: [running(programs), anonymousPrograms],
  observedBy: [running(programs)],
  ...extra,
});

const hiding = (name: string, paths: string[], intents: readonly Intent[], note = "") => ({
  name,
  intents,
  demands: { hidden: paths },
  mechanism: "masked by a file that nobody in the sandbox may read",
  fidelity: note === "" ? ("exact" as const) : ("approximate" as const),
  note,
});

const SKILLS = files(["write", "append"], "/**/skills/**");

/** Rules of `attackProtectionRules` against sensitive operations. */
export const operationRules: EnforcedRule[] = rulesOf("attackProtectionRules", [
  {
    name: "disable-write-etc",
    intents: files(["write", "append"], "/etc/**"),
    mechanism: "/etc is made for the sandbox and mounted read-only",
    fidelity: "stricter",
    note: "unlink, rename, mkdir, truncate, chmod and chown are refused too, which pass upstream's BPF enforcer",
    selfTests: [writingEtc],
  },
  {
    name: "disable-write-skills",
    intents: SKILLS,
    watched: SKILLS,
    mechanism: "the root is read-only; in writable places a listener opens and changes files in the program's stead, and refuses what lies in a skills folder",
    fidelity: (host) =>
      canWatch(host)
        ? {
            fidelity: "approximate",
            note: "unlink, rename, mkdir, truncate, chmod and chown are refused too; the name of a unix socket, which holds no content, can still be made there",
          }
        : { fidelity: "approximate", note: "only the root is read-only: a skills folder in the workspace stays writable without seccomp user notification" },
    selfTests: (host) => [writingSkills(canWatch(host))],
  },
  {
    ...hiding("disable-access-passwd", ["/etc/passwd"], files(["read", "write", "append"], "/etc/passwd")),
    selfTests: [reading("read-passwd", ["/etc/passwd"], "hidden")],
  },
  {
    ...hiding("disable-access-shadow", ["/etc/shadow"], files(["read", "write", "append"], "/etc/shadow")),
    selfTests: [reading("read-shadow", ["/etc/shadow"], "planted_files")],
    withheld: NOT_THERE,
  },
  {
    ...hiding(
      "disable-access-ssh-dir",
      ["/**/.ssh"],
      files(["read", "write", "append"], "/**/.ssh", "/**/.ssh/**"),
      "a directory of that name which the program itself makes in its workspace is its own and stays readable",
    ),
    wholeWhenWatched: true,
    selfTests: [reading("read-ssh-directory", ["/root/.ssh", "/home/user/.ssh"], "planted_files")],
    observedBy: [],
  },
  forbidding("disable-busybox", ["busybox"]),
  forbidding("disable-shell", ["sh", "bash", "dash", "ash", "zsh", "ksh", "fish", "rbash"], {
    mechanism: `${MASKED_PROGRAM}; the bash runtime cannot start under this rule`,
  }),
  forbidding("disable-wget", ["wget", "wget2"]),
  forbidding("disable-curl", ["curl"]),
  forbidding("disable-chmod", ["chmod"]),
  forbidding("disable-su-sudo", ["su", "sudo"], { selfTests: [running(["su", "sudo"]), noNewPrivileges] }),
  {
    name: "disable-chmod-x-bit",
    intents: [{ kind: "syscall", entries: chmodDenials(S_IXUGO) }],
    demands: { denials: chmodDenials(S_IXUGO), noexec_writable: true },
    mechanism: "seccomp refuses chmod, fchmod, fchmodat and fchmodat2 with any execute bit; writable mounts are noexec",
    fidelity: "stricter",
    note: "a file that is created executable from the start does not run either",
    selfTests: [executableModes, running(["program"])],
    observedBy: [executableModes],
  },
  {
    name: "disable-chmod-s-bit",
    intents: [{ kind: "syscall", entries: setModeDenials(S_ISUID | S_ISGID) }],
    demands: { denials: setModeDenials(S_ISUID | S_ISGID) },
    mechanism: "seccomp refuses the set-id bits in the chmod family and in open, creat and mknod; mounts are nosuid and no_new_privs is set",
    fidelity: "stricter",
    note: "creating a file with the bit is refused too",
    selfTests: [setIdModes],
  },
]);
