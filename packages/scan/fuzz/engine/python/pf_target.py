"""Harnesses of Python sources, read off their trees, and the calling of one."""

import ast
import asyncio
import importlib.abc
import importlib.util
import inspect
import os
import sys

import pf_feedback

ROOT = "/workspace/t"
KINDS = {"str": "string", "int": "integer", "float": "number", "bool": "boolean", "bytes": "bytes", "dict": "object", "list": "array", "Any": "string"}
OF_STRINGS = {"startswith", "endswith", "split", "strip", "lower", "upper", "replace", "encode", "find", "splitlines", "partition", "rstrip", "lstrip", "format", "isdigit", "join"}


def schema_of(annotation):
    if annotation is None:
        return None
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        try:
            return schema_of(ast.parse(annotation.value, mode="eval").body)
        except SyntaxError:
            return None
    if isinstance(annotation, ast.Name) and annotation.id in KINDS:
        kind = KINDS[annotation.id]
        return {"type": kind, "items": {"type": "string"}} if kind == "array" else {"type": kind}
    if isinstance(annotation, ast.Subscript) and isinstance(annotation.value, ast.Name):
        name = annotation.value.id
        if name in ("list", "List", "Sequence", "Iterable"):
            inner = schema_of(annotation.slice)
            return inner and {"type": "array", "items": inner}
        if name == "Optional":
            return schema_of(annotation.slice)
        if name in ("dict", "Dict"):
            return {"type": "object"}
    if isinstance(annotation, ast.BinOp) and isinstance(annotation.op, ast.BitOr):
        sides = [side for side in (annotation.left, annotation.right) if not (isinstance(side, ast.Constant) and side.value is None)]
        schemas = [schema_of(side) for side in sides]
        return None if None in schemas else {"anyOf": schemas}
    return None


def guessed(name, function, default):
    if isinstance(default, ast.Constant) and type(default.value).__name__ in KINDS:
        return {"type": KINDS[type(default.value).__name__]}
    for node in ast.walk(function):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == name:
            if node.attr in OF_STRINGS:
                return {"type": "string"}
            if node.attr in ("items", "keys", "get", "values"):
                return {"type": "object"}
            if node.attr == "append":
                return {"type": "array", "items": {"type": "string"}}
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Sub, ast.Div, ast.FloorDiv, ast.Pow)) and any(isinstance(side, ast.Name) and side.id == name for side in (node.left, node.right)):
            return {"type": "integer"}
    return {"type": "string"}


def harnesses_of(path, text):
    found = []
    for node in ast.parse(text, path).body:
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        tool = any("tool" in ast.unparse(decorator).split("(")[0].split(".")[-1:] for decorator in node.decorator_list)
        if (node.name.startswith("_") and not tool) or not node.args.args or len(node.args.args) > 8:
            continue
        args = node.args.args
        defaults = [None] * (len(args) - len(node.args.defaults)) + node.args.defaults
        declared = [schema_of(arg.annotation) for arg in args]
        params = [known or guessed(arg.arg, node, default) for known, arg, default in zip(declared, args, defaults)]
        kind = "tool" if tool else "function"
        types = "inferred" if None in declared else "declared"
        found.append({"id": f"{path}:{'tool ' if tool else ''}{node.name}"[:400], "language": "python", "kind": kind, "module": path, "export": node.name, "name": node.name, "params": params, "types": types, "line": node.lineno})
    return found


class Loader(importlib.abc.SourceLoader):
    def __init__(self, path):
        self.path = path

    def get_filename(self, fullname):
        return self.path

    def get_data(self, path):
        with open(path, "rb") as file:
            return file.read()

    def path_stats(self, path):
        raise OSError

    def source_to_code(self, data, path, **_):
        return pf_feedback.compile_source(data, path)


class Finder(importlib.abc.MetaPathFinder):
    """Modules of the target are rewritten as they are imported; decorators of MCP servers that are not there give back what they decorate."""

    def find_spec(self, name, path=None, target=None):
        for base in path or sys.path:
            whole = os.path.join(base, name.rpartition(".")[2])
            if not whole.startswith(ROOT + "/"):
                continue
            for file, package in ((os.path.join(whole, "__init__.py"), True), (whole + ".py", False)):
                if os.path.isfile(file):
                    return importlib.util.spec_from_file_location(name, file, loader=Loader(file), submodule_search_locations=[whole] if package else None)
        return None


class Decorators:
    def __init__(self, *_, **__):
        pass

    def __getattr__(self, name):
        return lambda *args, **more: args[0] if args and callable(args[0]) else (lambda function: function)


class StandIns(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        return importlib.util.spec_from_loader(name, self, is_package=True) if name.split(".")[0] in ("mcp", "fastmcp") else None

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        module.FastMCP = module.Server = Decorators


def open_target(harness):
    sys.meta_path.insert(0, Finder())
    sys.meta_path.append(StandIns())
    parts = harness["module"][:-3].split("/")
    base = len(parts) - 1
    while base > 0 and os.path.isfile("/".join([ROOT, *parts[:base], "__init__.py"])):
        base -= 1
    sys.path.insert(0, "/".join([ROOT, *parts[:base]]))
    if base > 0:
        sys.path.insert(1, ROOT)
    module = importlib.import_module(".".join(parts[base:]).removesuffix(".__init__"))
    function = getattr(module, harness["export"])
    if inspect.iscoroutinefunction(function):
        return lambda *args: asyncio.run(function(*args))
    return function
