"""What runs in a build's sandbox: `python3 main.py MODE`, with settings and inputs beside it in the workspace.

Progress goes to standard error, the result to standard output: `python-resolve` and `nodejs-resolve` say what was chosen,
`python-install` and `nodejs-install` send the tree (images/unpack.ts reads it). Code of packages runs beside this program with the same
rights, and may forge all of it: whoever reads it checks every word, and trusts it with no more than what those packages could do anyway.
"""

import glob
import json
import os
import struct
import subprocess
import sys
import time

WORK = "/workspace"
TREE = f"{WORK}/tree"
NODE = "/opt/plastron/node/bin/node"
NPM = "/opt/plastron/npm/bin/npm-cli.js"
RESULT = os.dup(1)
SETTINGS = json.load(open(f"{WORK}/settings.json"))


def main():
    os.set_inheritable(RESULT, False)
    os.dup2(2, 1)  # what is started here says everything as progress
    {
        "python-resolve": python_resolve,
        "python-install": python_install,
        "nodejs-resolve": node_resolve,
        "nodejs-install": node_install,
    }[sys.argv[1]]()


def python_resolve():
    pip(
        *("install", "--dry-run", "--ignore-installed", "--target", TREE, "--report", f"{WORK}/report.json"),
        *("--prefer-binary", "-r", f"{WORK}/requirements.txt"),
    )
    chosen = []
    for item in json.load(open(f"{WORK}/report.json"))["install"]:
        archive = item["download_info"].get("archive_info") or {}
        digest = (archive.get("hashes") or {}).get("sha256") or (archive.get("hash") or "").removeprefix("sha256=")
        metadata = item["metadata"]
        if not digest:
            give_up(f"the registry names no sha256 for {metadata['name']}, and pip computed none")
        chosen.append({"name": metadata["name"], "version": metadata["version"], "sha256": digest})
    say(json.dumps(chosen).encode())


def python_install():
    pip("install", "--require-hashes", "--no-deps", "--ignore-installed", "--no-compile", "--target", TREE, "-r", f"{WORK}/lock.txt")
    place = SETTINGS["place"]
    # Compiled here, where they are compared with nothing later: the image is read-only.
    compiling = [sys.executable, "-I", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", "-s", TREE, "-p", place, TREE]
    subprocess.run(compiling, stdout=2)
    send(TREE)


def node_resolve():
    npm("install", "--package-lock-only", "--ignore-scripts")
    say(open(f"{WORK}/package-lock.json", "rb").read())


def node_install():
    npm("ci", "--ignore-scripts=false", "--foreground-scripts", "--omit=dev")
    os.makedirs(f"{WORK}/node_modules", exist_ok=True)
    send(f"{WORK}/node_modules")


def pip(*words):
    command, env = [sys.executable, "-m", "pip"], {}
    if subprocess.run([sys.executable, "-c", "import pip"], stderr=subprocess.DEVNULL).returncode != 0:
        wheels = sorted(glob.glob("/usr/share/python-wheels/pip-*.whl"))
        if not wheels:
            give_up("pip is not installed on this machine; on Debian: apt-get install python3-venv")
        env = {"PYTHONPATH": wheels[-1]}
    fixed = ("--no-input", "--disable-pip-version-check", "--no-cache-dir", "--progress-bar", "off", "--retries", "2", "--timeout", "20")
    run([*command, *words, *fixed, *SETTINGS["options"], *certificates("--cert")], {**env, "PIP_CONFIG_FILE": "/dev/null"})


def npm(*words):
    fixed = ("--no-audit", "--no-fund", "--no-update-notifier", "--cache", "/tmp/npm", "--fetch-retries", "2", "--fetch-timeout", "20000")
    configuration = ("--userconfig", "/nonexistent/user", "--globalconfig", "/nonexistent/global")
    run([NODE, NPM, *words, *fixed, *configuration, *SETTINGS["options"], *certificates("--cafile")], {})


def certificates(option):
    return [option, f"{WORK}/certificates.pem"] if os.path.exists(f"{WORK}/certificates.pem") else []


def run(command, env):
    path = f"/opt/plastron/node/bin:{os.environ['PATH']}"
    ended = subprocess.run(command, cwd=WORK, stdin=subprocess.DEVNULL, env={**os.environ, "PATH": path, "HOME": "/tmp/home", **env})
    if ended.returncode != 0:
        raise SystemExit(ended.returncode if ended.returncode > 0 else 1)


def send(tree):
    """Every directory before what is in it; the path of each thing relative to the tree."""
    for folder, folders, files in os.walk(tree):
        folders.sort()
        for name in sorted(folders + files):
            full = f"{folder}/{name}"
            path = os.path.relpath(full, tree).encode("utf-8", "surrogateescape")
            if os.path.islink(full):
                frame(b"L", path + b"\0" + os.readlink(os.fsencode(full)))
            elif os.path.isdir(full):
                frame(b"D", path)
            elif os.path.isfile(full):
                frame(b"G" if os.stat(full).st_mode & 0o111 else b"F", path)
                with open(full, "rb", buffering=0) as file:
                    while piece := file.read(1 << 18):
                        frame(b"B", piece)
            else:
                give_up(f"{path.decode(errors='replace')} is neither a file, a directory nor a link")
    frame(b"Z", b"")


def frame(kind, payload):
    say(kind + struct.pack("<I", len(payload)) + payload)


def say(data):
    view = memoryview(data)
    while view:
        view = view[os.write(RESULT, view) :]


def give_up(why):
    print(f"build: {why}", file=sys.stderr)
    raise SystemExit(1)


if __name__ == "__main__":
    started = time.monotonic()
    main()
    print(f"{sys.argv[1]}: {time.monotonic() - started:.1f} s", file=sys.stderr)
