"""A warm Python that waits, inside a finished sandbox, for one program. See sitecustomize.py for how it is entered."""

import atexit
import gc
import json
import os
import sys

import control
import ending

CONTROL = 3
IMPORT_FAILED = 97
OURS = ("control", "ending", "session", "worker", "zygote")

# What ordinary programs import first. Each costs every worker memory and start time (dataclasses, with inspect: 1 MiB and
# 3 ms, so it is not here); none starts a thread.
ORDINARY = (
    "base64 collections contextlib copy datetime enum functools io itertools linecache math operator pathlib "
    "random re string textwrap threading time traceback types typing"
).split()

# Where numerical libraries read how many threads to start when they are imported (numexpr comes with Debian's pandas).
ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "NUMEXPR_MAX_THREADS")


def start():
    """Prepares the interpreter, waits for the start message, and returns when CPython may run the program."""
    mode, imports = take_settings()
    end = ending.Ending()
    load(imports)
    if mode == "zygote":
        import zygote
    leave_no_trace()
    rehearse()
    gc.collect()
    gc.freeze()  # what is here now is not the program's: neither its collections nor the end look at it (and copy it) again
    descriptor = control.out_of_sight(zygote.serve(CONTROL, imports) if mode == "zygote" else CONTROL)
    end.watch(descriptor)
    message = wait(descriptor)
    if message["entry"] != sys.argv[0]:  # CPython opens the file that it was started for
        os.write(2, f"worker: started for {sys.argv[0]}, asked to run {message['entry']}\n".encode())
        os._exit(IMPORT_FAILED)
    become(message)


def rehearse():
    """Does once what every run begins with. Not in a zygote's child: there each page that is touched early is one more copy."""
    json.loads('{"entry": "/workspace/main.py", "argv": ["a"], "env": {"A": "b"}, "display": true}')
    exec(compile("def f(a, b=1, *c, **d):\n    return [a, b]\nx = {'a': f(1)}\nfor y in x: y.upper()\ntry:\n    import sys\nfinally:\n    pass", "main.py", "exec"), {})
    sys.stdout.write("")
    sys.stdout.flush()


def wait(descriptor):
    """Says ready and blocks until the start message; at the end of the stream nobody will ever ask, so it leaves."""
    try:
        control.send(descriptor, b"R")
        frame = control.receive(descriptor)
    except OSError:
        frame = None
    return parse(frame)


def parse(frame):
    """A start message: {"entry": path, "argv": [...], "env": {...}, "display": bool}."""
    if frame is None or frame[0] != b"B":
        os._exit(0)
    return json.loads(frame[1])


def take_settings():
    """Reads the worker's settings and takes them out of the environment that the program will see."""
    mode = os.environ.get("PLASTRON_MODE", "run")
    imports = [name for name in os.environ.get("PLASTRON_IMPORTS", "").split(",") if name]
    for name in list(os.environ):
        if name.startswith("PLASTRON_") and name != "PLASTRON_ZYGOTE_LIB":
            del os.environ[name]
    for name in ("PYTHONPATH", "PYTHONINSPECT"):
        os.environ.pop(name, None)
    return mode, imports


def load(imports):
    """Imports ahead of time. A numerical library that starts a thread per core would spend the sandbox's pids and could
    not be forked, so it gets one thread while it loads; the program's own environment is left as it was."""
    given = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
    try:
        for name in ORDINARY + imports:
            __import__(name)
    except BaseException as error:
        control.send(CONTROL, b"N", f"{type(error).__name__}: {error}".encode("utf-8", "replace")[:4000])
        os._exit(IMPORT_FAILED)
    for name, value in given.items():
        if value is None:
            del os.environ[name]
        else:
            os.environ[name] = value


def leave_no_trace():
    """Undoes what the way in needed: our folder on the path, our modules by name, and a site hook that hid the system's."""
    folder = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if entry != folder]
    sys.path_importer_cache.pop(folder, None)
    for name in ("sitecustomize", *OURS):
        sys.modules.pop(name, None)
    try:
        import sitecustomize  # noqa: F401  the one of the installation, if it has one
    except ImportError:
        sys.modules["sitecustomize"] = None  # the import system takes the name back; ending.py removes it after that
    sys.stdout.reconfigure(line_buffering=True)  # what was printed must survive a kill


def become(message):
    """Makes this process look like `python3 ENTRY ARGV...` started with that environment."""
    entry, arguments = message["entry"], message["argv"]
    sys.argv[:] = [entry, *arguments]
    sys.orig_argv[:] = [sys.orig_argv[0], entry, *arguments]
    os.environ.update(message["env"])
    if "TZ" in message["env"]:
        import time

        time.tzset()
