"""A Python that keeps its state: each start message runs one file in the same `__main__`, until the stream ends.

It is an ordinary script (`python3 session.py`) whose place in `sys.modules["__main__"]` is taken by the session's own
namespace, so pickling and multiprocessing find what the programs defined.
"""

import ast
import linecache
import os
import sys
import types

import control
import worker
from ending import code_of, flush

INTERRUPTED = 130


def main():
    """Prepares the interpreter and answers start messages with an exit code each. Control's end is the session's end."""
    _, imports = worker.take_settings()
    worker.load(imports)
    worker.leave_no_trace()
    sys.path.insert(0, os.getcwd())
    descriptor = control.out_of_sight(worker.CONTROL)
    namespace = _new_main()
    base = dict(os.environ)
    control.send(descriptor, b"R")
    while True:
        frame = control.receive(descriptor)
        if frame is None:
            sys.exit()
        code = _run(worker.parse(frame), namespace, base)
        if not flush():
            code = code or 120
        control.send(descriptor, b"D", code.to_bytes(4, "little"))


def _new_main():
    module = types.ModuleType("__main__")
    module.__dict__.update(__builtins__=sys.modules["builtins"], __annotations__={})
    sys.modules["__main__"] = module
    return module.__dict__


def _run(message, namespace, base):
    """Runs one file and returns its exit code. Variables that the start message set are gone again after the run."""
    worker.become(message)
    namespace["__file__"] = message["entry"]
    try:
        for code in _compile(message["entry"], message["display"]):
            exec(code, namespace)
        return 0
    except SystemExit as error:
        return code_of(error)
    except BaseException as error:
        _show(error)
        return INTERRUPTED if isinstance(error, KeyboardInterrupt) else 1
    finally:
        for name in message["env"]:
            os.environ.pop(name, None)
            if name in base:
                os.environ[name] = base[name]


def _compile(entry, display):
    """The file as code objects. With `display`, a last line that is an expression goes to `sys.displayhook`, as at a prompt."""
    with open(entry, "rb") as file:
        source = file.read()
    linecache.checkcache(entry)
    linecache.getlines(entry)  # later calls into this run's functions must show this run's lines, even when the file is gone
    if not display:
        return [compile(source, entry, "exec", dont_inherit=True)]
    tree = compile(source, entry, "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
    if not tree.body or not isinstance(tree.body[-1], ast.Expr):
        return [compile(tree, entry, "exec", dont_inherit=True)]
    last = ast.Interactive([tree.body.pop()])
    return [compile(tree, entry, "exec", dont_inherit=True), compile(last, entry, "single", dont_inherit=True)]


def _show(error):
    """Shows an uncaught exception through the program's own hook, without the frames of this file."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    error.__traceback__ = trace
    try:
        sys.excepthook(type(error), error, trace)
    except Exception as second:
        sys.stderr.write("Error in sys.excepthook:\n")
        sys.__excepthook__(type(second), second, second.__traceback__.tb_next)
        sys.stderr.write("\nOriginal exception was:\n")
        sys.__excepthook__(type(error), error, trace)


if __name__ == "__main__":
    main()
