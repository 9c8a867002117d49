import { globMatches } from "../orders/glob.ts";

/** Where a program may make names itself: there, and nowhere else, names can be random. */
const WRITABLE = ["/workspace/", "/tmp/", "/dev/shm/", "/run/"];
export const isWritable = (path: string): boolean => WRITABLE.some((place) => path.startsWith(place));

interface Secret {
  globs: readonly string[];
  why: string;
}

/** What a workload has no business with, and what whoever poisons the learning would have a policy give. */
const SECRETS: readonly Secret[] = [
  { globs: ["/etc/shadow", "/etc/shadow-", "/etc/gshadow", "/etc/gshadow-", "/etc/sudoers", "/etc/sudoers.d/**"], why: "passwords and privileges of the host" },
  { globs: ["/proc/*/environ", "/proc/*/task/*/environ"], why: "the environment of processes, where credentials are" },
  { globs: ["/proc/*/mem", "/proc/*/task/*/mem", "/proc/kcore", "/proc/kmem", "/dev/mem", "/dev/kmem"], why: "the memory of processes or of the kernel" },
  { globs: ["/proc/kallsyms", "/proc/sysrq-trigger", "/proc/sys/kernel/core_pattern"], why: "a way into the kernel" },
  { globs: ["/run/secrets/**", "/var/run/secrets/**"], why: "tokens of services" },
  {
    globs: ["/**/.ssh/**", "/**/.aws/**", "/**/.kube/**", "/**/.docker/config.json", "/**/.netrc", "/**/.pgpass", "/**/.git-credentials"],
    why: "credentials of people",
  },
  { globs: ["/**/docker.sock", "/**/containerd.sock", "/**/crio.sock"], why: "the control of a container runtime" },
  { globs: ["/sys/fs/cgroup/**/release_agent", "/sys/kernel/security/**", "/sys/firmware/**"], why: "a way out of a container" },
];

/** A path that each of those globs names: a generalisation must reach none that it was not made of. */
const SAMPLES: readonly string[] = SECRETS.flatMap(({ globs }) =>
  globs.map((glob) => glob.replaceAll("/**/", "/root/").replaceAll("/**", "/x").replaceAll("*", "17")),
).concat("/proc/1/environ", "/proc/self/environ", "/run/secrets/kubernetes.io/serviceaccount/token");

/** Why nobody should be given this path, however often it was seen; undefined where nothing speaks against it. */
export function danger(path: string): string | undefined {
  return SECRETS.find(({ globs }) => globs.some((glob) => globMatches(glob, path)))?.why;
}

/** Whether a pattern would reach what is secret, or has no place of its own left (`/**`, `/etc/*`…). */
export function reachesTooFar(pattern: string): boolean {
  const fixed = pattern.slice(0, Math.max(0, pattern.search(/[*?[]/)));
  return fixed.split("/").length < 3 || SAMPLES.some((sample) => globMatches(pattern, sample));
}
