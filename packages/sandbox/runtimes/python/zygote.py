"""A Python that forks one confined child per run, for a tenant whose rate asks for it. It runs no program itself.

The fork, the namespaces and the confinement are C's (native/): `int plastron_zygote_serve(int control)` blocks in the
parent, and returns once in each child, with that child's own control socket, when the child is fully confined. Python knows
nothing of that fork. With one thread and no lock held, nothing has to be repaired after it but the thread's id, and CPython's
fork handlers would copy 200 pages for that; only libraries that were imported on request may have handlers of their own,
and then all of them are run. What a fork shares and must not, every source of randomness, is renewed by `reseed`. What stays shared by the
children of one zygote is the address-space layout and the seed of `hash()`: that is why a zygote serves one tenant only.
"""

import ctypes
import gc
import os
import sys
import threading

import control


def serve(descriptor, imports):
    """Serves fork requests on `descriptor` until its end (then leaves); returns the control socket of a child, in it."""
    _one_thread(descriptor)
    library = ctypes.PyDLL(os.environ.pop("PLASTRON_ZYGOTE_LIB"))  # PyDLL keeps the interpreter's lock over the call
    library.plastron_zygote_serve.argtypes = [ctypes.c_int]
    library.plastron_zygote_serve.restype = ctypes.c_int
    gc.collect()
    gc.freeze()  # a collection in a child must not write to every inherited object: pages stay shared
    if imports:
        ctypes.pythonapi.PyOS_BeforeFork()
    child = library.plastron_zygote_serve(descriptor)
    if child < 0:
        os._exit(0)
    if imports:
        ctypes.pythonapi.PyOS_AfterFork_Child()
    threading.main_thread()._set_native_id()
    reseed()
    return child


def reseed():
    """Gives this process random states of its own. `random` and `os.urandom` users are covered by CPython and the kernel."""
    modules = sys.modules
    modules["random"].seed()
    if "numpy.random" in modules:
        modules["numpy.random"].seed()
    if "_ssl" in modules:
        modules["_ssl"].RAND_add(os.urandom(48), 48.0)  # OpenSSL tells forks by pid, and pids repeat between pid namespaces
    if "tempfile" in modules:
        modules["tempfile"]._name_sequence = None
    if "multiprocessing.process" in modules:
        modules["multiprocessing.process"].current_process().authkey = os.urandom(32)


def _one_thread(descriptor):
    """A fork copies only the thread that asks for it: another one's locks would stay locked for ever."""
    threads = os.listdir("/proc/self/task")
    if len(threads) > 1:
        control.send(descriptor, b"N", f"an import started {len(threads) - 1} threads: this set cannot be forked".encode())
        os._exit(97)
