"""What one call of the target gave, as the oracles see it. The interpreter's own audit events tell what goes through its doors, and cannot be taken away."""

import os
import re
import sys
import traceback

MARK = "pfzq7"
BARE = re.compile(r"(?<!\w)pfzq7(?!\w)")
CRASHES = (IndexError, AttributeError, ZeroDivisionError, RecursionError, UnboundLocalError, NameError, OverflowError, MemoryError, TypeError)
current = {"on": False, "told": None, "strings": [], "secret": "", "root": ""}


class Closed(BaseException):
    """Not an Exception, so that a target's own handlers do not swallow it."""


def shell_runs(command):
    """True where the marker stands where a command's name stands (POSIX shell, 2.2 and 2.9)."""
    quote, word, first, runs, i = "", "", True, False, 0
    while i < len(command):
        c = command[i]
        if quote != "'" and (c == "`" or command.startswith("$(", i)) and re.match(r"(`|\$\()\s*pfzq7\s*[)`;|&]", command[i : i + 64]):
            runs = True
        if quote:
            if c == quote:
                quote = ""
            elif c == "\\" and quote == '"':
                i += 1
            else:
                word += c
        elif c == "\\":
            i += 1
            word += command[i : i + 1]
        elif c in "'\"":
            quote = c
        elif c in ";|&\n(":
            runs = runs or (first and word == MARK)
            first, word = True, ""
        elif c in " \t)":
            runs = runs or (first and word == MARK)
            first, word = (first and not word), ""
        else:
            word += c
        i += 1
    return not quote and (runs or (first and word == MARK))


def bare(text):
    return BARE.search(re.sub(r"'[^']*'|\"[^\"]*\"|--[^\n]*|/\*.*?\*/|#[^\n]*", " ", text, flags=re.S)) is not None


def tell(oracle, message):
    if current["told"] is None:
        stack = "".join(traceback.format_stack(limit=30))
        current["told"] = {"oracle": oracle, "key": f"{oracle}:{place(stack)}", "message": message, "stack": stack[-4000:]}
    raise Closed(message)


def audit(event, args):
    if not current["on"]:
        return
    current["on"] = False
    try:
        watch(event, args)
    finally:
        current["on"] = True


def watch(event, args):
    if event in ("os.system", "subprocess.Popen", "os.exec", "os.posix_spawn", "os.spawn"):
        words = [args[0]] if event == "os.system" else list(args[1] or []) if len(args) > 1 and not isinstance(args[1], (str, bytes)) else [args[1] if len(args) > 1 else args[0]]
        words = [os.fsdecode(w) if isinstance(w, (str, bytes, os.PathLike)) else str(w) for w in words]
        line = words[0] if event == "os.system" else words[2] if len(words) > 2 and words[1] == "-c" and re.search(r"sh$", words[0]) else None
        if line is not None and shell_runs(line):
            tell("command-injection", "the input is run as a command of a shell")
        if line is None and words and MARK in words[0]:
            tell("command-injection", "the input names the program that is started")
        raise OSError("no program is started while fuzzing")
    if event in ("compile", "exec") and args and isinstance(args[0], (str, bytes)):
        text = args[0] if isinstance(args[0], str) else args[0].decode("latin1")
        if MARK in text and bare(text):
            tell("code-injection", "the input is evaluated as code")
    if event == "open" and isinstance(args[0], (str, bytes)):
        path = os.fsdecode(args[0])
        if MARK in path and os.path.abspath(path).startswith("/" + MARK):
            given = current["strings"]
            raw = any(os.path.abspath(s.strip()).startswith("/" + MARK) for s in given if "\0" not in s)
            if any(".." in s for s in given) and not raw:
                tell("path-traversal", "the input leads a path out of the directory that it was put below")
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto") and current["secret"] in repr(args):
        tell("secret-leak", "a secret of the environment is about to leave by the network")


def watch_databases():
    import sqlite3

    real = sqlite3.connect

    def judged(text):
        if current["on"] and isinstance(text, str) and MARK in text and bare(text):
            tell("sql-injection", "the input becomes part of the text of an SQL statement")

    class Cursor(sqlite3.Cursor):
        def execute(self, sql, *rest):
            judged(sql)
            return super().execute(sql, *rest)

        def executescript(self, sql):
            judged(sql)
            return super().executescript(sql)

    class Connection(sqlite3.Connection):
        def cursor(self, factory=Cursor):
            return super().cursor(factory)

        def execute(self, sql, *rest):
            return self.cursor().execute(sql, *rest)

        def executescript(self, sql):
            return self.cursor().executescript(sql)

    sqlite3.connect = lambda *args, **more: real(*args, **{"factory": Connection, **more})


class Screen:
    """Stands for stdout and stderr: what is printed is read and dropped."""

    encoding = "utf-8"

    def write(self, text):
        if current["on"] and current["secret"] and current["secret"] in str(text) and current["told"] is None:
            current["on"] = False
            stack = "".join(traceback.format_stack(limit=30))
            current["told"] = {"oracle": "secret-leak", "key": f"secret-leak:{place(stack)}", "message": "a secret of the environment is printed", "stack": stack[-4000:]}
            current["on"] = True
        return len(str(text))

    def flush(self):
        pass

    def isatty(self):
        return False


def install(secret, root):
    current["secret"] = secret
    current["root"] = root
    sys.addaudithook(audit)
    watch_databases()
    sys.stdout = sys.stderr = Screen()


def place(stack):
    found = re.findall(r'File "/workspace/t/([^"]+)", line (\d+), in (\S+)', stack)
    return " ".join([found[-1][2], found[-1][0] + ":" + found[-1][1]]) if found else ""


class Broken(Exception):
    """The counting failed, and not what is counted: nothing may be said of the target."""


def refuse_own(error):
    """Raises Broken for a fault of the engine's own. A recursion or memory that ends within it is the target's all the same."""
    if isinstance(error, (RecursionError, MemoryError)):
        return
    frames = traceback.extract_tb(error.__traceback__)
    inside = bool(frames) and os.path.basename(frames[-1].filename) == "pf_feedback.py"
    if inside or (isinstance(error, NameError) and "__pf_" in str(error)):
        raise Broken(f"coverage could not be counted: {type(error).__name__}: {error}")


def crash(error, raises):
    """A fault that the interpreter raised at the target's code; what is raised on purpose is its answer."""
    refuse_own(error)
    if not isinstance(error, CRASHES):
        return None
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename.startswith(current["root"] + "/")]
    if not own or (frames[-1] is not own[-1] and not isinstance(error, RecursionError)):
        return None
    last = own[-1]
    if last.lineno in raises.get(last.filename, ()):
        return None
    if isinstance(error, TypeError) and "NoneType" not in str(error):
        return None
    stack = "".join(traceback.format_list(list(reversed(own[-20:]))))
    name = type(error).__name__
    oracle = "stack-overflow" if isinstance(error, RecursionError) else "crash"
    at = "" if oracle == "stack-overflow" else f":{name}:{last.name} {last.filename[len(current['root']) + 1:]}:{last.lineno}"
    return {"oracle": oracle, "key": oracle + at, "message": f"{name}: {str(error)[:300]}", "stack": stack[:4000]}
