"""A few rules that help a beginner; each is certain when it speaks."""
import ast

from .analysis import nodes

MAX = 200
# Names that beginners do use, and that break something later.
SHADOWED = {"list", "dict", "set", "str", "int", "float", "sum", "max", "min", "len", "input", "print", "type", "id", "sorted", "range", "map", "filter", "next", "open", "object", "tuple", "bool", "any", "all"}


def check(name, tree, known):
    out = []

    def add(node, rule, severity="warning", **params):
        if len(out) < MAX:
            out.append({
                "file": name, "line": node.lineno, "byte": node.col_offset, "end_line": node.end_lineno or 0,
                "end_byte": node.end_col_offset or 0, "rule": rule, "severity": severity, "params": params,
            })

    every = nodes(tree)
    for node in every:
        if isinstance(node, ast.ExceptHandler) and node.type is None:
            add(node, "bare-except")
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            for d in node.args.defaults + [d for d in node.args.kw_defaults if d]:
                if isinstance(d, (ast.List, ast.Dict, ast.Set)) or isinstance(d, ast.Call) and isinstance(d.func, ast.Name) and d.func.id in ("list", "dict", "set") and not d.args:
                    add(d, "mutable-default")
        elif isinstance(node, ast.Compare):
            _compare(node, add)
        elif isinstance(node, ast.Assign):
            for t in node.targets:
                for n in nodes(t):
                    if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store) and n.id in SHADOWED and n.id in known:
                        add(n, "shadowed-builtin", name=n.id)
    _unused_imports(name, tree, every, add)
    out.sort(key=lambda f: (f["line"], f["byte"], f["rule"]))
    return out


def _compare(node, add):
    for op, right in zip(node.ops, node.comparators):
        sides = (node.left, right)
        if isinstance(op, (ast.Eq, ast.NotEq)) and any(isinstance(s, ast.Constant) and s.value is None for s in sides):
            add(node, "none-comparison", operator="is" if isinstance(op, ast.Eq) else "is not")
        if isinstance(op, (ast.Is, ast.IsNot)) and any(isinstance(s, ast.Constant) and isinstance(s.value, (str, int, float, bytes)) and not isinstance(s.value, bool) for s in sides):
            add(node, "is-literal", operator="==" if isinstance(op, ast.Is) else "!=")


def _unused_imports(name, tree, every, add):
    if name.endswith("__init__.py"):
        return
    used = {n.id for n in every if isinstance(n, ast.Name)}
    exported = {c.value for n in every if isinstance(n, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__all__" for t in n.targets)
                for c in nodes(n.value) if isinstance(c, ast.Constant)}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            continue
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            for a in node.names:
                bound = a.asname or a.name.split(".")[0]
                if bound != "*" and bound not in used and bound not in exported:
                    add(node, "unused-import", "info", name=bound)
