import { type Attack, attack, WEAK_ROOT, WEAK_USER } from "../attack.ts";
import { python } from "../programs/load.ts";

/** A copied program in the workspace, and every call that sets a mode. 0o600 is the harmless mode that must work. */
const MODES = `
import shutil

PATH = os.path.join(os.getcwd(), "copied-program")
shutil.copyfile("/usr/bin/env", PATH)
NAME = PATH.encode()
CHMOD, FCHMODAT, FCHMODAT2 = {"x86_64": 90}, {"x86_64": 268, "aarch64": 53}, {"x86_64": 452, "aarch64": 452}
HERE = 2**64 - 100

def set_mode(number, *arguments):
    """A mode that is not on the file afterwards was not set, whatever the call said."""
    error = call(number, *arguments)
    wanted = arguments[1 if number is CHMOD else 2]
    return error if error or os.stat(PATH).st_mode & 0o7777 == wanted & 0o7777 else errno.EPERM
`;

const SET_ID = python(`${MODES}
control(set_mode(FCHMODAT, HERE, NAME, 0o600))
ways = {"setuid by fchmodat": set_mode(FCHMODAT, HERE, NAME, 0o4755), "setgid by fchmodat": set_mode(FCHMODAT, HERE, NAME, 0o2755)}
if MACHINE in CHMOD:
    ways["setuid by chmod"] = set_mode(CHMOD, NAME, 0o4755)
conclude(ways)
`);

const SET_ID_BY_THE_NEW_CALL = python(`${MODES}
control(set_mode(FCHMODAT, HERE, NAME, 0o600))
conclude({"setuid by fchmodat2": set_mode(FCHMODAT2, HERE, NAME, 0o4755, 0)}, absent=(errno.ENOSYS,))
`);

const RUN_A_COPY = python(`${MODES}
import subprocess

def run(path):
    subprocess.run([path, "true"], check=True)

def run_copy():
    with open(os.open(PATH + "-2", os.O_CREAT | os.O_WRONLY, 0o755), "wb") as copy, open("/usr/bin/env", "rb") as source:
        copy.write(source.read())
    run(PATH + "-2")

control(attempt(run, "/usr/bin/env"))
conclude({"execute bit by fchmodat": set_mode(FCHMODAT, HERE, NAME, 0o755), "a program of its own ran": attempt(run_copy)})
`);

const WRITE_ETC = python(`
def append(path):
    with open(path, "a") as file:
        file.write("intruder::0:0:root:/:/bin/sh\\n")

def replace():
    with open("/etc/passwd-new", "w") as file:
        file.write("intruder::0:0::/:/bin/sh\\n")
    os.rename("/etc/passwd-new", "/etc/passwd")

control(attempt(append, "/tmp/passwd"))
conclude({"append to /etc/passwd": attempt(append, "/etc/passwd"), "replace /etc/passwd": attempt(replace), "unlink": attempt(os.unlink, "/etc/hosts")})
`);

/** Ways to become somebody else. */
export const privilegeAttacks: Attack[] = [
  attack({
    id: "set-id-bit",
    title: "Marking a copied program setuid (chmod 4755)",
    story: "A program with this mark runs with its owner's rights, whoever starts it: the classic way back to root.",
    rule: "disable-chmod-s-bit",
    weak: WEAK_USER,
    code: SET_ID,
  }),
  attack({
    id: "set-id-bit-fchmodat2",
    title: "Marking it setuid by the newer call fchmodat2",
    story: "Filters written before 2023 do not know this call and let it through.",
    rule: "disable-chmod-s-bit",
    optional: true,
    weak: WEAK_USER,
    code: SET_ID_BY_THE_NEW_CALL,
  }),
  attack({
    id: "own-program",
    title: "Making a dropped file executable and running it",
    story: "A binary that the attacker brought along, such as a miner or a scanner, needs the execute bit.",
    rule: "disable-chmod-x-bit",
    weak: WEAK_USER,
    code: RUN_A_COPY,
  }),
  attack({
    id: "write-etc",
    title: "Adding a root account to /etc/passwd",
    story: "What is in /etc decides who may log in, what runs at start and which libraries are loaded.",
    rule: "disable-write-etc",
    weak: WEAK_ROOT,
    code: WRITE_ETC,
  }),
];
