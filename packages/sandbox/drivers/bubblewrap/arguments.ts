import type { Confinement } from "@plastron/contracts";
import { ENVIRONMENT, NODE_INSIDE, rootArguments, WORKSPACE } from "./layout.ts";
import type { Mask } from "./masks.ts";

/** Descriptors as bubblewrap will see them, by number. */
export interface Descriptors {
  info: number;
  report: number;
  seccomp: number | null;
  files: { path: string; fd: number; executable: boolean }[];
}

/** What is put into the sandbox beside the common root. */
export interface Contents {
  confinement: Pick<Confinement, "user_namespaces">;
  masks: Mask[];
  env: Record<string, string>;
  /** Host directories of our own, shown read-only. */
  shown: { host: string; inside: string }[];
}

/**
 * bubblewrap's arguments for one sandbox. Order matters: later mounts cover earlier ones, the root becomes read-only last.
 * Namespaces of every kind, uid 1000 inside, no capability, no environment, no user namespaces any deeper.
 */
export function bubblewrapArguments(contents: Contents, fds: Descriptors, command: string[]): string[] {
  return [
    ...["--unshare-all", "--unshare-user", "--uid", "1000", "--gid", "1000", "--hostname", "sandbox"],
    ...(contents.confinement.user_namespaces ? [] : ["--disable-userns"]),
    ...["--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv"],
    ...Object.entries({ ...ENVIRONMENT, ...contents.env }).flatMap(([name, value]) => ["--setenv", name, value]),
    ...rootArguments(),
    ...["--ro-bind", "/run/node", NODE_INSIDE],
    ...contents.shown.flatMap(({ host, inside }) => ["--ro-bind", host, inside]),
    ...["--proc", "/proc", "--dev", "/dev", "--bind", "/run/box/shm", "/dev/shm", "--remount-ro", "/dev"],
    ...["--bind", "/run/box/tmp", "/tmp", "--bind", "/run/box/work", WORKSPACE],
    ...fds.files.flatMap(({ path, fd, executable }) => ["--perms", executable ? "0755" : "0644", "--file", String(fd), `${WORKSPACE}/${path}`]),
    ...contents.masks.flatMap(({ path, directory }) => ["--ro-bind", directory ? "/run/masked-directory" : "/run/masked-file", path]),
    ...["--remount-ro", "/", "--chdir", WORKSPACE, "--info-fd", String(fds.info)],
    ...(fds.seccomp === null ? [] : ["--seccomp", String(fds.seccomp)]),
    "--",
    ...command,
  ];
}

/**
 * bubblewrap folds a signal into exit code 128+n, as a shell does. A reporter between it and the program tells them apart: it
 * says "start" when the sandbox is finished and "status N" (as of wait(2)) when the program has ended. It is inside the sandbox, so a
 * hostile program can make it lie about the program's own end, and about nothing else.
 */
export function reporter(interpreter: "perl" | "python3", fd: number): string[] {
  if (interpreter === "perl") return ["/usr/bin/perl", "-e", PERL_REPORTER, String(fd)];
  return ["/usr/bin/python3", "-I", "-S", "-c", PYTHON_REPORTER, String(fd)];
}

// Perl closes what it opens above 2 on exec.
const PERL_REPORTER = 'open(my $r, ">&=", shift) or die; syswrite($r, "start\\n"); my $s = system { $ARGV[0] } @ARGV; syswrite($r, "status $s\\n")';
const PYTHON_REPORTER =
  "import os,sys;f=int(sys.argv[1]);os.set_inheritable(f,False);os.write(f,b'start\\n');p=os.fork();" +
  "p or os.execv(sys.argv[2],sys.argv[2:]);os.write(f,b'status %d\\n'%os.waitpid(p,0)[1])";
