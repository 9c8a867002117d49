"""A workload with a bit of everything; with an argument it does one thing besides."""
import ctypes, fcntl, json, os, socket, sqlite3, subprocess, sys, tempfile, threading

db = sqlite3.connect("db.sqlite")
db.execute("create table t (a int)")
db.executemany("insert into t values (?)", [(i,) for i in range(100)])
db.commit()


def part(i):
    with open(f"part-{i}.txt", "w") as file:
        file.write(str(i))


threads = [threading.Thread(target=part, args=(i,)) for i in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
with tempfile.NamedTemporaryFile("w", dir=".", delete=False) as file:
    file.write("done")
os.rename(file.name, "result.txt")
left, right = socket.socketpair()
left.send(b"x")
libc = ctypes.CDLL(None, use_errno=True)
libc.prctl(16, ctypes.create_string_buffer(16), 0, 0, 0)
pipe = os.pipe()
fcntl.ioctl(pipe[0], 0x541B, bytearray(4))
date = subprocess.run(["/usr/bin/date", "-u", "-d", "@0", "+%Y"], capture_output=True, text=True).stdout.strip()
try:
    open("/workspace/never").close()
except FileNotFoundError:
    pass


def call(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), "")


NEW = {
    "read": lambda: open("/etc/hostname").close(),
    "write": lambda: open("elsewhere.txt", "w").close(),
    "append": lambda: open("main.py", "a").close(),
    "remove": lambda: os.unlink("main.py"),
    "exec": lambda: subprocess.run(["/usr/bin/id"], capture_output=True),
    "call": lambda: os.getpriority(os.PRIO_PROCESS, 0),
    "netlink": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0),
    "inet": lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM),
    "ioctl": lambda: fcntl.ioctl(pipe[0], 0x5421, bytearray(4)),
    "prctl": lambda: call(libc.prctl(8, 0, 0, 0, 0)),
    "capability": lambda: os.chroot("/"),
}
outcome = "nothing"
if len(sys.argv) > 1:
    try:
        NEW[sys.argv[1]]()
        outcome = "allowed"
    except OSError as error:
        outcome = "denied" if error.errno in (1, 13) else str(error)
print(json.dumps([db.execute("select sum(a) from t").fetchone()[0], sorted(os.listdir(".")), date, open("result.txt").read()]))
print(outcome)
