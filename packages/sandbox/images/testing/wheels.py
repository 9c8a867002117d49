"""Writes archives of Python packages for the tests: `wheels.py DIRECTORY`, or `wheels.py DIRECTORY NAME < CODE` for one whose code runs when it is
built. Nothing of it comes from a registry."""

import base64
import hashlib
import io
import os
import subprocess
import sys
import sysconfig
import tarfile
import zipfile

OUT = sys.argv[1]


def digest(data):
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def wheel(name, version, files, tag="py3-none-any", requires=()):
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n" + "".join(f"Requires-Dist: {one}\n" for one in requires)
    root = "true" if tag.endswith("any") else "false"
    files = {
        **{path: text.encode() if isinstance(text, str) else text for path, text in files.items()},
        f"{info}/METADATA": metadata.encode(),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: {root}\nTag: {tag}\n".encode(),
    }
    record = "".join(f"{path},{digest(data)},{len(data)}\n" for path, data in files.items()) + f"{info}/RECORD,,\n"
    with zipfile.ZipFile(f"{OUT}/{name}-{version}-{tag}.whl", "w") as archive:
        for path, data in files.items():
            archive.writestr(path, data)
        archive.writestr(f"{info}/RECORD", record)


def sdist(name, version, setup, files=()):
    with tarfile.open(f"{OUT}/{name}-{version}.tar.gz", "w:gz") as archive:
        given = {"PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", "setup.py": setup, **dict(files)}
        for path, text in given.items():
            info = tarfile.TarInfo(f"{name}-{version}/{path}")
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))


NATIVE = """
#define PY_SSIZE_T_CLEAN
#include <Python.h>
static PyObject *add(PyObject *self, PyObject *args) {
  long a, b;
  if (!PyArg_ParseTuple(args, "ll", &a, &b)) return NULL;
  return PyLong_FromLong(a + b);
}
static PyMethodDef methods[] = {{"add", add, METH_VARARGS, ""}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_fast", NULL, -1, methods};
PyMODINIT_FUNC PyInit__fast(void) { return PyModule_Create(&module); }
"""


def native():
    """A wheel with a compiled module, as numpy is one. Without Python's headers there is none."""
    include = sysconfig.get_paths()["include"]
    if not os.path.exists(f"{include}/Python.h"):
        return
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    with open(f"{OUT}/fast.c", "w") as file:
        file.write(NATIVE)
    subprocess.run(["gcc", "-shared", "-fPIC", f"-I{include}", "-o", f"{OUT}/fast.so", f"{OUT}/fast.c"], check=True)
    abi = f"cp{sys.version_info.major}{sys.version_info.minor}"
    tag = f"{abi}-{abi}-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"
    code = open(f"{OUT}/fast.so", "rb").read()
    wheel("fastmath", "1.0", {"fastmath/__init__.py": "from ._fast import add\n", f"fastmath/_fast{suffix}": code}, tag)
    os.remove(f"{OUT}/fast.c")
    os.remove(f"{OUT}/fast.so")


SETUP = """
from setuptools import setup
import os, subprocess, sys
{code}
setup(name="{name}", version="1.0", py_modules=["{module}"])
"""


def source(name, code="", text="x = 1\n"):
    """An archive of sources, whose `code` runs when it is built."""
    module = name.replace("-", "_")
    sdist(name, "1.0", SETUP.format(name=name, module=module, code=code), {f"{module}.py": text})


def main():
    native()
    wheel("leaf", "1.0", {"leaf.py": "VALUE = 'leaf 1.0'\n"})
    wheel("leaf", "2.0", {"leaf.py": "VALUE = 'leaf 2.0'\n"})
    wheel("tree", "1.0", {"tree/__init__.py": "import leaf\nVALUE = 'tree of ' + leaf.VALUE\n", "tree/data.txt": "data"}, requires=["leaf<2"])
    wheel("tool", "1.0", {"tool.py": "def main():\n    print('tool ran')\n", "tool-1.0.dist-info/entry_points.txt": "[console_scripts]\nthetool = tool:main\n"})
    wheel("shadow", "1.0", {"json.py": "raise SystemExit('shadowed json')\n", "worker.py": "raise SystemExit('shadowed worker')\n",
                            "control.py": "raise SystemExit('shadowed control')\n", "sitecustomize.py": "open('/workspace/sitecustomize-ran', 'w')\n", "shadow.py": "x = 1\n"})
    wheel("pth", "1.0", {"pth.pth": "import os; open('/workspace/pth-ran', 'w')\n", "pth.py": "x = 1\n"})
    wheel("escape", "1.0", {"../../../../escaped.py": "x = 1\n", "escape.py": "x = 1\n"})
    wheel("many", "1.0", {"many.py": "x = 1\n", **{f"many_data/{i}": "" for i in range(100_000)}})
    source("plain-source", text="VALUE = 'built from source'\n")


if len(sys.argv) > 2:
    source(sys.argv[2], sys.stdin.read())
else:
    main()
