import { MIB } from "@plastron/contracts";
import { type Attack, POLICY, trial, WEAK_USER } from "../attack.ts";
import { python } from "../programs/load.ts";

const BOUND = 400;

/**
 * Every process makes more, as in the classic bomb, but each birth takes a token from a pipe, so that it stops by itself where
 * nothing else stops it.
 */
const FORK_BOMB = python(`
import signal, time

BOUND = ${BOUND}
tokens, births, refusals = os.pipe(), os.pipe(), os.pipe()
os.write(tokens[1], b"x" * BOUND)
for pipe in (tokens, births, refusals):
    os.set_blocking(pipe[0], False)

def token():
    try:
        return os.read(tokens[0], 1)
    except BlockingIOError:
        return b""

def spread():
    while token():
        try:
            child = os.fork()
        except OSError as problem:
            os.write(refusals[1], bytes([problem.errno]))
            return
        if child == 0:
            os.write(births[1], b"x")

def read_all(pipe):
    try:
        return os.read(pipe[0], 65536)
    except BlockingIOError:
        return b""

def settle():
    born, refused, quiet = 0, b"", 0
    while quiet < 10 and born < BOUND:
        time.sleep(0.05)
        more, errors = read_all(births), read_all(refusals)
        quiet = 0 if more or errors else quiet + 1
        born, refused = born + len(more), refused + errors
    return born, refused

first = os.fork()
if first == 0:
    os._exit(0)
os.waitpid(first, 0)
control(0)
me = os.getpid()
spread()
if os.getpid() != me:
    while True:
        signal.pause()
born, refused = settle()
if born >= BOUND:
    tell("succeeded", f"{born} processes, and no end but its own")
elif errno.EAGAIN in refused:
    tell("denied", f"no process after {born}")
else:
    tell("broken", f"{born} processes, errors {list(refused)}")
os._exit(0)
`);

const MEMORY_BOMB = python(`
held = [b"x" * (64 << 20)]
control(0)
for _ in range(10):
    held.append(b"x" * (64 << 20))
tell("succeeded", f"holds {sum(map(len, held)) >> 20} MiB")
`);

const FLOOD = `
import sys
block = "x" * (1 << 20)
for _ in range(int(sys.argv[1])):
    sys.stdout.write(block)
`;

/** What many home-made runners do: start the program and keep all that it prints. */
const NAIVE_COLLECTOR = python(`
import subprocess
control(attempt(lambda: subprocess.run([sys.executable, "-c", "pass"], check=True)))
kept = subprocess.run([sys.executable, "-c", ${JSON.stringify(FLOOD)}, "256"], capture_output=True).stdout
if len(kept) == 256 << 20:
    tell("succeeded", f"the runner holds {len(kept) >> 20} MiB of its output in memory")
else:
    tell("broken", f"{len(kept)} bytes")
`);

const PRINT_A_GIGABYTE = python(`
control(0)
block = "x" * (1 << 20)
for _ in range(1024):
    sys.stdout.write(block)
sys.stdout.flush()
`);

const SURVIVOR = "import os, time; os.setsid(); time.sleep(60)";

/** The program leaves as soon as it is told that it was looked at; what it started shall stay. */
const LEAVE_A_PROCESS = python(`
import subprocess, time
child = subprocess.Popen([sys.executable, "-c", ${JSON.stringify(SURVIVOR)}, sys.argv[-1]], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
time.sleep(0.1)
print(child.pid)
control(0 if child.poll() is None else errno.ECHILD)
sys.stdin.readline()
os._exit(0)
`);

/** A runner that waits for the program and takes its end for the end of everything that it started. */
const NAIVE_RUNNER = python(`
import subprocess, time
ran = subprocess.run([sys.executable, "-c", ${JSON.stringify(LEAVE_A_PROCESS)}, sys.argv[-1]], capture_output=True, text=True, input="go on")
pids = [int(line) for line in ran.stdout.splitlines() if line.isdigit()]
control(0 if ran.returncode == 0 and pids else errno.ECHILD)
time.sleep(0.2)
error = attempt(os.kill, pids[0], 0)
if error == 0:
    tell("succeeded", "its process lives on after the run")
else:
    tell("broken", errno.errorcode[error])
`);

/** Taking so much that nothing is left for others. */
export const exhaustionAttacks: Attack[] = [
  {
    id: "fork-bomb",
    heavy: true,
    title: "A fork bomb",
    story: "Processes that make processes fill the host's table until nobody can start anything.",
    rule: "built-in limit: pids (100)",
    without: [
      trial("with room for 600 processes", {
        code: FORK_BOMB,
        place: WEAK_USER,
        limits: { pids: 600, memory_bytes: 2048 * MIB, cpus: 2 },
        expect: "succeeded",
      }),
    ],
    with: [trial("with the default limits", { code: FORK_BOMB, place: POLICY, sign: { by: "limit", limit: "pids" }, expect: "denied" })],
  },
  {
    id: "memory-bomb",
    heavy: true,
    title: "A memory bomb (704 MiB)",
    story: "One program that takes all memory has the kernel kill others to save itself.",
    rule: "built-in limit: memory (512 MiB)",
    without: [trial("with room for 1 GiB", { code: MEMORY_BOMB, place: WEAK_USER, limits: { memory_bytes: 1024 * MIB }, expect: "succeeded" })],
    with: [trial("with the default limits", { code: MEMORY_BOMB, place: POLICY, sign: { by: "limit", limit: "memory" }, expect: "denied" })],
  },
  {
    id: "output-flood",
    heavy: true,
    title: "A gigabyte of output",
    story: "A runner that keeps what programs print runs out of memory itself, and takes every other run with it.",
    rule: "built-in limit: output (1 MiB a stream)",
    without: [
      trial("a runner that keeps everything, with 256 MiB to keep", {
        code: NAIVE_COLLECTOR,
        place: WEAK_USER,
        limits: { memory_bytes: 1024 * MIB },
        expect: "succeeded",
      }),
    ],
    with: [trial("with the default limits", { code: PRINT_A_GIGABYTE, place: POLICY, sign: { by: "limit", limit: "stdout" }, expect: "denied" })],
  },
  {
    id: "background-process",
    title: "Leaving a process behind",
    story: "What lives on after its run can mine, listen, and wait for the next tenant's data.",
    rule: "built-in: a run ends with its pid namespace",
    without: [trial("a runner that waits for the program only", { code: NAIVE_RUNNER, place: WEAK_USER, expect: "succeeded" })],
    with: [trial("the same program", { code: LEAVE_A_PROCESS, place: POLICY, sign: { by: "survivor" }, expect: "denied" })],
  },
];
