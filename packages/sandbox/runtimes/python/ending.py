"""The end of a program: its exit code, said at once.

Taking a whole interpreter apart costs milliseconds (with numpy tens of them), and nobody reads the result, so the process
leaves by `_exit` when all that a program can observe has happened, in CPython's order: the uncaught exception is shown,
threads are joined, atexit callbacks run, globals die (`__del__` runs, open files are flushed), the streams are flushed.

How the code is known. Only C sees it. PYTHONINSPECT makes CPython hand SystemExit to the same place as every uncaught
exception, where it raises the audit event `sys.excepthook`; we treat SystemExit there as CPython would have, and let it
handle the rest. Where that is lost (`atexit._clear()`), CPython ends the long way and the wait status has the code.

The audit hook is called for every `id()`, `open()` and import of the program. One written in Python costs 300 ns there and
makes `copy.deepcopy` 2.5 times slower; `dict.pop` of a dictionary whose values act when they die costs 90.

Functions are taken from their modules here, before the program can replace them there.
"""

import sys
from atexit import _run_exitfuncs, register
from builtins import BaseException, Exception, KeyboardInterrupt, OSError, SystemExit, getattr, isinstance
from gc import collect, get_objects
from io import BufferedRandom, BufferedWriter, TextIOWrapper
from os import _exit, getpid, kill, write
from resource import RUSAGE_SELF, getrusage
from signal import SIG_DFL, SIGINT, signal
from sys import _getframe, is_finalizing
from _struct import pack

INTERRUPTED = 128 + SIGINT
# With PYTHONINSPECT set, CPython loads these for a prompt that never comes.
FOR_A_PROMPT = ("readline", "rlcompleter")


class Ending:
    """Made before anything else registers with atexit, so that its callback is the last one."""

    def __init__(self):
        self.wires = {}
        self.descriptor = -1
        self.pid = 0
        self.code = 0
        for name in FOR_A_PROMPT:
            sys.modules.setdefault(name, None)
        register(self._finish)

    def watch(self, descriptor):
        """From here on the end of this very process (not of its forks) is told on `descriptor`."""
        self.descriptor = descriptor
        self.pid = getpid()
        self.wires = {"cpython.run_file": Tripwire(_forget_prompt), "sys.excepthook": Tripwire(self._uncaught)}
        sys.addaudithook(self.wires.pop)

    def _uncaught(self):
        """CPython is about to show an exception; with no frame under us, it reached the bottom of the program."""
        value, trace = getattr(sys, "last_value", None), getattr(sys, "last_traceback", None)
        if isinstance(value, SystemExit):
            self._exit(value, trace)
        self.wires["sys.excepthook"] = Tripwire(self._uncaught)
        if _getframe(1).f_back is not None:
            return
        self.code = INTERRUPTED if isinstance(value, KeyboardInterrupt) else 1
        hook = sys.__dict__.get("excepthook")
        if hook is None or hook is sys.__excepthook__:
            return
        try:
            hook(type(value), value, trace)
        except SystemExit as error:
            self._exit(error, trace)
        except BaseException as error:
            _say("Error in sys.excepthook:\n")
            sys.__excepthook__(type(error), error.with_traceback(error.__traceback__.tb_next), error.__traceback__)
            _say("\nOriginal exception was:\n")
            sys.__excepthook__(type(value), value, trace)
        self._end()

    def _exit(self, error, trace):
        self.code = code_of(error)
        while trace is not None:
            _quietly(trace.tb_frame.clear)
            trace = trace.tb_next
        self._end()

    def _end(self):
        if "threading" in sys.modules:
            _quietly(sys.modules["threading"]._shutdown)
        _run_exitfuncs()
        self._finish()  # only where the program emptied the list of callbacks

    def _finish(self):
        _let_globals_die()
        if not flush():
            self.code = 120  # CPython's code for output that could not be written at the end
        if self.code == INTERRUPTED:
            signal(SIGINT, SIG_DFL)
            kill(getpid(), SIGINT)
        if getpid() == self.pid:
            try:
                switches = getrusage(RUSAGE_SELF)
                write(self.descriptor, pack("<cIiqq", b"D", 20, self.code, switches.ru_nvcsw, switches.ru_nivcsw))
            except OSError:
                pass  # nobody listens: the wait status says it
        _exit(self.code)


class Tripwire:
    """Acts once, when it is dropped. Not at the interpreter's own end, where everything is dropped."""

    __slots__ = ("action",)

    def __init__(self, action):
        self.action = action

    def __del__(self):
        if not is_finalizing():
            self.action()


def _forget_prompt():
    """CPython opens the program: what stood in for modules of a prompt must not be seen."""
    for name in (*FOR_A_PROMPT, "sitecustomize"):
        if name in sys.modules and sys.modules[name] is None:
            del sys.modules[name]


def code_of(error):
    """`sys.exit(value)` → exit code, as CPython: nothing is 0, a number is cut to eight bits, all else is shown and is 1."""
    value = getattr(error, "code", error)
    if value is None:
        return 0
    if isinstance(value, int):
        return value & 0xFF if -(1 << 63) <= value < 1 << 63 else 0xFF
    try:
        _say(f"{value!s}\n")
    except Exception:
        _say("\n")
    return 1


def _let_globals_die():
    """Destructors run and forgotten files reach the disk, as when CPython clears `__main__`. Where daemon threads still
    run they would see their globals vanish, which CPython spares them by stopping them; files are flushed all the same."""
    for name in ("last_type", "last_value", "last_traceback", "last_exc"):
        sys.__dict__.pop(name, None)
    if len(sys._current_frames()) == 1 and "__main__" in sys.modules:
        names = vars(sys.modules["__main__"])
        for private in (True, False):
            for name in list(names):
                if name != "__builtins__" and (name[:1] == "_" and name[1:2] != "_") == private:
                    names[name] = None
        collect()
    for thing in get_objects():
        if type(thing) in (TextIOWrapper, BufferedWriter, BufferedRandom) and thing not in (sys.stdout, sys.stderr):
            _quietly(thing.flush)


def flush():
    clean = True
    if sys.stdout is not None and not getattr(sys.stdout, "closed", False):
        try:
            sys.stdout.flush()
        except BaseException as error:
            clean = False
            _unraisable(error, sys.stdout)
    if sys.stderr is not None and not getattr(sys.stderr, "closed", False):
        try:
            sys.stderr.flush()
        except BaseException:
            clean = False
    return clean


def _unraisable(error, thing):
    _say(f"Exception ignored in: {thing!r}\n{type(error).__name__}: {error}\n")


def _say(text):
    if sys.stderr is not None:
        sys.stderr.write(text)


def _quietly(action):
    try:
        action()
    except BaseException:
        pass
