"""The fuzz loop for Python. A parent that never loads the target watches the child that does: it sees hangs and aborts, and knows the last input."""

import json
import mmap
import os
import random
import signal
import sys
import time
import traceback

import pf_feedback
import pf_oracles
import pf_target
from pf_values import Values

HERE = "/workspace/.pf"
SKIPPED = ("test", "tests", "examples", "docs", "setup.py", "conftest.py", "node_modules", "benchmarks", "scripts")


def main():
    with open(f"{HERE}/job.json", encoding="utf-8") as file:
        job = json.load(file)
    os.unlink(f"{HERE}/job.json")
    word = sys.stdin.readline().strip()
    out = os.dup(1)

    def say(**message):
        data = f"\n{word}{json.dumps(message)}\n".encode("utf-8", "surrogatepass")
        while data:
            data = data[os.write(out, data) :]

    if job["mode"] == "discover":
        return discover(job, say)
    unpack(job)
    beat = mmap.mmap(-1, 16)
    child = os.fork()
    if child == 0:
        try:
            work(job, say, beat)
        except BaseException as error:
            what = f"{type(error).__name__}: {error}".splitlines()[0][:300]
            say(type="broken", message=f"{what}\n{traceback.format_exc()[-700:]}")
        os._exit(0)
    watch(child, beat, job["patienceMs"] / 1000, say)


def watch(child, beat, patience, say):
    last, since = b"", time.monotonic()
    while True:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            if os.WIFSIGNALED(status):
                os.kill(os.getpid(), os.WTERMSIG(status))
            os._exit(os.waitstatus_to_exitcode(status))
        now = beat[:9]
        if now != last or now[8] == 0:
            last, since = now, time.monotonic()
        elif time.monotonic() - since > patience:
            say(type="hang")
            os.kill(child, signal.SIGKILL)
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.05)


def unpack(job):
    for path, text in job["files"]:
        full = f"{pf_target.ROOT}/{path}"
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8", errors="surrogatepass") as file:
            file.write(text)
    deep = "/workspace/w/" + "d/" * 16
    os.makedirs(deep)
    os.chdir(deep)
    for name in ("API_KEY", "AWS_SECRET_ACCESS_KEY", "DATABASE_URL", "GITHUB_TOKEN", "OPENAI_API_KEY", "SECRET"):
        os.environ[name] = job["secret"]


def discover(job, say):
    found, notes = [], []
    for path, text in job["files"]:
        try:
            pf_feedback.compile_source(text, path)
            if not any(part in SKIPPED or part.startswith("test_") for part in path.split("/")):
                found += pf_target.harnesses_of(path, text)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            notes.append(f"{path} could not be parsed: {type(error).__name__}"[:500])
    words = sorted(word for word in pf_feedback.words if word.isprintable())
    say(type="harnesses", harnesses=found[:2000], dictionary=words[:2000], notes=notes[:200])


class Executor:
    def __init__(self, job, beat, call):
        self.job, self.beat, self.call = job, beat, call
        self.count, self.ms = 0, 0.0
        self.file = os.open(f"{HERE}/input", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)

    def run(self, args):
        self.count += 1
        self.beat[:8] = self.count.to_bytes(8, "little")
        text = json.dumps(args)
        os.pwrite(self.file, (text + "\n").encode(), 0)
        given = revive(json.loads(text))
        state = pf_oracles.current
        state["told"], state["strings"] = None, strings_of(args)
        pf_feedback.state["news"] = False
        value = error = None
        state["on"] = True
        start = time.perf_counter()
        try:
            value = self.call(*given)
        except BaseException as caught:
            error = caught
        self.ms = (time.perf_counter() - start) * 1000
        state["on"] = False
        if state["told"] is not None:
            return state["told"]
        if self.job["secret"] and self.job["secret"] in (str(error) if error else value if isinstance(value, str) else repr(value)[:100000] if isinstance(value, (dict, list, tuple, bytes)) else ""):
            return {"oracle": "secret-leak", "key": "secret-leak", "message": "what it gives back holds a secret of the environment", "stack": ""}
        return pf_oracles.crash(error, pf_feedback.state["raises"]) if error is not None else None


def work(job, say, beat):
    means = pf_feedback.start(pf_target.ROOT)
    pf_oracles.install(job["secret"], pf_target.ROOT)
    beat[8] = 1
    call = pf_target.open_target(job["harness"])
    beat[8] = 0
    executor = Executor(job, beat, call)
    say(type="ready", standins=[], means=means)
    beat[8] = 1
    {"fuzz": fuzz, "replay": replay, "growth": growth}[job["mode"]](job, say, executor)
    beat[8] = 0


def replay(job, say, executor):
    for index, args in enumerate(job["inputs"]):
        say(type="start", index=index)
        outcome = executor.run(args)
        say(type="outcome", index=index, ms=executor.ms, outcome=outcome)
    say(type="done")


def fuzz(job, say, executor):
    rng = random.Random(job["seed"])
    values = Values(rng, list(job["dictionary"]) + sorted(pf_feedback.words), job["pumps"])
    schemas = job["harness"]["params"]
    corpus, keys, found = [], set(job["known"]), None
    start = said = time.monotonic()
    end = start + job["ms"] / 1000
    probes = 0

    def stat():
        say(type="stat", executions=executor.count, ms=(time.monotonic() - start) * 1000, edges=len(pf_feedback.seen), corpus=len(corpus), found=found)

    def seeds():
        yield from job["corpus"]
        for _ in range(24):
            yield [values.generate(schema) for schema in schemas]
        fixed = [values.generate(schema) for schema in schemas]
        for at, schema in enumerate(schemas):
            if schema.get("type") in ("string", None):
                for word in values.words[:256]:
                    yield fixed[:at] + [word] + fixed[at + 1 :]
        while True:
            if not corpus:
                yield [values.generate(schema) for schema in schemas]
                continue
            entry = corpus[-1 - rng.randrange(min(4, len(corpus)))] if rng.random() < 0.4 else rng.choice(corpus)
            yield values.arguments(entry[0], schemas, entry[1])

    for args in seeds():
        now = time.monotonic()
        if now > end or (job["most"] and executor.count >= job["most"]) or (job["stopAtFirst"] and found):
            break
        if now - said > 0.5:
            said = now
            stat()
        values_pumped = values.pumped
        outcome = executor.run(args)
        took = executor.ms
        if outcome is not None and outcome["key"] not in keys and len(keys) < 64:
            keys.add(outcome["key"])
            found = {"ms": (time.monotonic() - start) * 1000, "executions": executor.count}
            least = minimise(args, lambda some: (executor.run(some) or {}).get("key") == outcome["key"])
            say(type="candidate", input=least, **found, **outcome)
        elif outcome is None and pf_feedback.state["news"] and job["guided"] and len(corpus) < 2048:
            pf_feedback.pairs.clear()
            pf_feedback.state["recording"] = True
            executor.run(args)
            pf_feedback.state["recording"] = False
            corpus.append((args, list(pf_feedback.pairs)))
        if outcome is None and values_pumped and took > 25 and probes < 100 and "slow" not in keys:
            probes += 1
            pump = values_pumped
            half = put(args, pump["path"], pump["prefix"] + pump["unit"] * (pump["times"] // 2) + pump["suffix"])
            if executor.run(half) is None and took > 2.7 * executor.ms:
                keys.add("slow")
                found = {"ms": (time.monotonic() - start) * 1000, "executions": executor.count}
                say(type="candidate", oracle="slow", key="slow", message="", stack="", input=args, pump=pump, **found)
    stat()
    say(type="done", corpus=[args for args, _ in corpus[:128] if len(json.dumps(args)) < 4096])


def growth(job, say, executor):
    pump, times = job["pump"], job["first"]
    while True:
        text = pump["prefix"] + pump["unit"] * times + pump["suffix"]
        if len(text) > 1 << 16:
            break
        say(type="start", index=len(text))
        args = put(job["inputs"][0], pump["path"], text)
        least = min(executor.ms for _ in range(2) if executor.run(args) is None or True)
        say(type="time", length=len(text), times=times, ms=least)
        if least > 400:
            break
        times = max(times + 2, -int(-times * job["factor"] // 1))
    say(type="done")


def minimise(args, same):
    left = 300
    for at, value in enumerate(args):
        if not isinstance(value, str):
            continue
        size = len(value)
        while size >= 1 and left > 0:
            i = 0
            while i < len(value) and left > 0:
                shorter = value[:i] + value[i + size :]
                left -= 1
                if same([*args[:at], shorter, *args[at + 1 :]]):
                    value = shorter
                else:
                    i += size
            size //= 2
        args = [*args[:at], value, *args[at + 1 :]]
    return args


def put(value, path, inner):
    if not path:
        return inner
    key, *rest = path
    copy = list(value) if isinstance(value, list) else dict(value)
    copy[key] = put(value[key], rest, inner)
    return copy


def strings_of(value, depth=0):
    if isinstance(value, str):
        return [value]
    if depth > 8 or not isinstance(value, (list, dict)):
        return []
    return [one for inner in (value.values() if isinstance(value, dict) else value) for one in strings_of(inner, depth + 1)]


def revive(value):
    if isinstance(value, list):
        return [revive(one) for one in value]
    if isinstance(value, dict):
        if isinstance(value.get("$bytes"), str):
            return value["$bytes"].encode("utf-8", "surrogatepass")
        return {key: revive(one) for key, one in value.items()}
    return value
