import type { SelfTest } from "@plastron/contracts";
import { numbers, pythonProbe, STARTING } from "./probes.ts";

/** Programs that try files, programs and modes which a policy forbids. */

const READ_OWN = `open("/proc/self/status").read()`;

/** Reading any of these, or anything below them. What does not exist cannot leak either. */
export function reading(id: string, paths: readonly string[], weakness: string | null, allowed: string = READ_OWN): SelfTest {
  return pythonProbe({
    id,
    forbidden: `
def read(path):
    if os.path.isdir(path):
        for directory, _, names in os.walk(path, onerror=lambda problem: (_ for _ in ()).throw(problem)):
            for name in names:
                open(os.path.join(directory, name), "rb").read(1)
        os.listdir(path)
    else:
        open(path, "rb").read(1)
judge({path: attempt(read, path) for path in ${JSON.stringify(paths)}}, denied=DENIED + (errno.ENOENT,))
`,
    allowed,
    weakness,
  });
}

/** Writing any of these kernel switches. They are opened and not written: opening is what is checked. */
export function openingForWrite(id: string, paths: readonly string[], weakness: string | null): SelfTest {
  return pythonProbe({
    id,
    forbidden: `judge({path: attempt(lambda: os.close(os.open(path, os.O_WRONLY))) for path in ${JSON.stringify(paths)}}, denied=DENIED + (errno.ENOENT,))`,
    allowed: READ_OWN,
    weakness,
  });
}

export const writingEtc: SelfTest = pythonProbe({
  id: "write-etc",
  forbidden: `
probe = "/etc/plastron-probe"
existing = [entry.path for entry in os.scandir("/etc") if entry.is_file(follow_symlinks=False)][:1]
results = {
    "create": attempt(lambda: open(probe, "w").close()),
    "mkdir": attempt(os.mkdir, probe + ".d"),
    "symlink": attempt(os.symlink, "x", probe + ".l"),
}
for path in existing:
    results["write"] = attempt(lambda: open(path, "a").close())
    results["truncate"] = attempt(lambda: os.truncate(path, os.stat(path).st_size))
    results["chmod"] = attempt(os.chmod, path, 0o644)
    results["rename out"] = attempt(os.rename, path, os.path.join(os.getcwd(), "moved"))
    results["unlink"] = attempt(os.unlink, path)
judge(results, denied=DENIED + (errno.EXDEV,))
`,
  allowed: `
os.listdir("/etc")
open(os.path.join(os.getcwd(), "note"), "w").close()
`,
  weakness: "readonly_etc",
});

/** In the root, and in a folder of that name that the program makes itself where `own` folders are covered too. */
export function writingSkills(own: boolean): SelfTest {
  return pythonProbe({
    id: "write-skills",
    forbidden: `
OWN = ${own ? "True" : "False"}
def own_folder():
    folder = os.path.join(os.getcwd(), "a", "skills")
    os.makedirs(folder, exist_ok=True)
    return folder
def spoil(folder):
    path = os.path.join(folder, "SKILL.md")
    return {
        "create in " + folder: attempt(lambda: open(path, "w").close()),
        "mkdir in " + folder: attempt(os.mkdir, path + ".d"),
        "symlink in " + folder: attempt(os.symlink, "x", path + ".l"),
        "rename into " + folder: attempt(os.rename, os.path.join(os.getcwd(), "note"), path),
    }
open(os.path.join(os.getcwd(), "note"), "w").close()
results = spoil("/usr/share/skills")
if OWN:
    results.update(spoil(own_folder()))
judge(results, denied=DENIED + (errno.ENOENT, errno.EXDEV))
`,
    allowed: `
os.makedirs(os.path.join(os.getcwd(), "tools"))
open(os.path.join(os.getcwd(), "tools", "SKILL.md"), "w").close()
`,
    weakness: null,
  });
}

/** By its own name where it is installed, and any other program under that name in a writable place. */
export function running(names: readonly string[]): SelfTest {
  return pythonProbe({
    id: `run-${names[0]}`,
    forbidden: `${STARTING}
results = {}
for name in ${JSON.stringify(names)}:
    for place in PLACES:
        results[place + "/" + name] = start(place + "/" + name)
    results["planted " + name] = start(plant(name))
results["renamed"] = start(plant("harmless"))
judge(results, denied=DENIED + (errno.ENOENT,))
`,
    allowed: `
import subprocess
sys.exit(subprocess.run(["/usr/bin/env", "true"]).returncode)
`,
    weakness: "noexec_writable",
  });
}

/** Every call that sets a mode. A kernel older than fchmodat2 answers ENOSYS: not possible either. */
const SETTING_MODES = `
path = os.path.join(os.getcwd(), "mode-probe")
file = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
AT_FDCWD = 2**64 - 100
def ways(mode):
    name = path.encode()
    results = {
        "fchmod %o" % mode: call(${numbers("fchmod")}, file, mode),
        "fchmodat %o" % mode: call(${numbers("fchmodat")}, AT_FDCWD, name, mode),
        "fchmodat2 %o" % mode: call(${numbers("fchmodat2")}, AT_FDCWD, name, mode, 0),
        "fchmod %o with high bits" % mode: call(${numbers("fchmod")}, file, mode | 1 << 16),
    }
    if os.uname().machine == "x86_64":
        results["chmod %o" % mode] = call(${numbers("chmod")}, name, mode)
    return results
`;

const PLAIN_MODES = `${SETTING_MODES}
sys.exit(1 if any(error not in (0, errno.ENOSYS) for mode in (0o600, 0o644) for error in ways(mode).values()) else 0)
`;

export const executableModes: SelfTest = pythonProbe({
  id: "chmod-executable",
  forbidden: `${SETTING_MODES}
judge({way: error for mode in (0o100, 0o010, 0o001, 0o755) for way, error in ways(mode).items()})
`,
  allowed: PLAIN_MODES,
  weakness: "seccomp",
});

export const setIdModes: SelfTest = pythonProbe({
  id: "chmod-set-id",
  forbidden: `${SETTING_MODES}
results = {way: error for mode in (0o4755, 0o4644, 0o2755, 0o2644) for way, error in ways(mode & 0o7666).items()}
for mode in (0o4600, 0o2600):
    results["create %o" % mode] = attempt(lambda: os.close(os.open(path + "%o" % mode, os.O_CREAT | os.O_WRONLY, mode)))
    results["unnamed %o" % mode] = attempt(lambda: os.close(os.open(os.getcwd(), os.O_TMPFILE | os.O_WRONLY, mode)))
judge(results, denied=DENIED + (errno.EOPNOTSUPP,))
`,
  allowed: PLAIN_MODES,
  weakness: "seccomp",
});

export const noNewPrivileges: SelfTest = pythonProbe({
  id: "gain-privileges-by-exec",
  forbidden: `
PR_GET_NO_NEW_PRIVS = 39
done(_libc.prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
`,
  allowed: READ_OWN,
  weakness: null,
});

export const anonymousPrograms: SelfTest = pythonProbe({
  id: "run-from-memory",
  forbidden: `
import subprocess
def run_from_memory(flags):
    file = os.memfd_create("program", flags)
    with open("/usr/bin/env", "rb") as source:
        os.write(file, source.read())
    subprocess.run(["/proc/self/fd/%d" % file, "true"], pass_fds=[file], check=False)
judge({"memfd": attempt(run_from_memory, 0), "MFD_EXEC": attempt(run_from_memory, 0x10), "MFD_NOEXEC_SEAL": attempt(run_from_memory, 8)},
    denied=DENIED + (errno.EINVAL,))
`,
  allowed: `
import mmap
mmap.mmap(-1, 4096).close()
`,
  weakness: "seccomp",
});
