"""Coverage and comparisons of a Python target: counters put into its tree, or sys.monitoring where there is one (3.12 and newer)."""

import ast
import sys

# Within a class Python renames what begins with two underscores, unless it ends with them as well.
HIT, NOTE = "__pf_hit__", "__pf_note__"
seen = set()
pairs = []
words = set()
state = {"recording": False, "next": 1, "news": False, "raises": {}}


def hit(number):
    if number not in seen:
        seen.add(number)
        state["news"] = True
    return True


def compare(a, b):
    """Two operands that differ: one may replace the other in the input, and how near they are is progress of its own."""
    if type(a) is str and type(b) is str:
        near = 0
        for x, y in zip(a[:16], b):
            if x != y:
                break
            near += 1
        if state["recording"] and len(pairs) < 64 and a != b:
            pairs.append((a[:128], b[:128]))
        if near:
            hit(("near", b if len(b) < 32 else len(b), near))
    elif type(a) in (int, float) and type(b) in (int, float) and a != b:
        hit(("far", b, int(abs(a - b)).bit_length()))
        if state["recording"] and len(pairs) < 64:
            pairs.append((a, b))


def note(a, b):
    try:
        compare(a, b)
    except Exception:
        pass
    return a


class Rewriter(ast.NodeTransformer):
    """Counters into blocks where nothing of the interpreter's counts them, and an ear at comparisons with one operator."""

    def __init__(self, path, counting):
        self.path = path
        self.counting = counting
        self.raises = state["raises"].setdefault(path, set())

    def block(self, body):
        if not self.counting or not body:
            return body
        number = state["next"]
        state["next"] += 1
        call = ast.Expr(ast.Call(ast.Name(HIT, ast.Load()), [ast.Constant(number)], []))
        ast.copy_location(call, body[0])
        at = 1 if isinstance(body[0], ast.Expr) and isinstance(getattr(body[0], "value", None), ast.Constant) else 0
        return body[:at] + [call] + body[at:]

    def generic_visit(self, node):
        super().generic_visit(node)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.If, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.match_case)):
            node.body = self.block(node.body)
            if getattr(node, "orelse", None):
                node.orelse = self.block(node.orelse)
        if isinstance(node, ast.Raise):
            self.raises.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
        return node

    def reached(self, value):
        """The same value, counted where it is asked for."""
        if not self.counting:
            return value
        number = state["next"]
        state["next"] += 1
        call = ast.Call(ast.Name(HIT, ast.Load()), [ast.Constant(number)], [])
        return ast.copy_location(ast.BoolOp(ast.And(), [call, value]), value)

    def visit_BoolOp(self, node):
        self.generic_visit(node)
        node.values = [node.values[0], *(self.reached(value) for value in node.values[1:])]
        return node

    def visit_IfExp(self, node):
        self.generic_visit(node)
        node.body, node.orelse = self.reached(node.body), self.reached(node.orelse)
        return node

    def visit_Assert(self, node):
        self.generic_visit(node)
        self.raises.add(node.lineno)
        return node

    def visit_Compare(self, node):
        self.generic_visit(node)
        [op, *more] = node.ops
        if more or not isinstance(op, (ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE)) or not isinstance(node.comparators[0], ast.Constant):
            return node
        call = ast.Call(ast.Name(NOTE, ast.Load()), [node.left, node.comparators[0]], [])
        node.left = ast.copy_location(call, node.left)
        return node

    def visit_Constant(self, node):
        if type(node.value) is str and 0 < len(node.value) < 64 and len(words) < 2000:
            words.add(node.value)
        return node


def compile_source(text, path):
    monitored = hasattr(sys, "monitoring")
    tree = Rewriter(path, not monitored).visit(ast.parse(text, path))
    return compile(ast.fix_missing_locations(tree), path, "exec", dont_inherit=True)


def start(root):
    """Says by what means coverage is taken."""
    import builtins

    setattr(builtins, HIT, hit)
    setattr(builtins, NOTE, note)
    if not hasattr(sys, "monitoring"):
        return f"Python {sys.version_info.major}.{sys.version_info.minor} has no sys.monitoring: coverage is counted by rewritten sources"
    monitor(sys.monitoring, root)
    return "coverage is counted by sys.monitoring"


def monitor(mon, root):
    """Lines once each, and every branch until it was gone both ways: before Python 3.14, one that is switched off is off for both."""
    events = mon.events
    mon.use_tool_id(4, "plastron")
    ways = {}
    inside = root + "/"

    def line(code, number):
        if code.co_filename.startswith(inside):
            hit((code.co_filename, number))
        return mon.DISABLE

    def one_way(code, at, to):
        if code.co_filename.startswith(inside):
            hit((code.co_filename, at, to))
        return mon.DISABLE

    def either_way(code, at, to):
        if not code.co_filename.startswith(inside):
            return mon.DISABLE
        hit((code.co_filename, at, to))
        return mon.DISABLE if ways.setdefault((id(code), at), to) != to else None

    mon.register_callback(4, events.LINE, line)
    if hasattr(events, "BRANCH_LEFT"):
        branches = events.BRANCH_LEFT | events.BRANCH_RIGHT
        mon.register_callback(4, events.BRANCH_LEFT, one_way)
        mon.register_callback(4, events.BRANCH_RIGHT, one_way)
    else:
        branches = events.BRANCH
        mon.register_callback(4, events.BRANCH, either_way)
    mon.set_events(4, events.LINE | branches)
