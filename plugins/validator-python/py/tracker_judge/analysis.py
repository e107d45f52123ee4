"""What can be known of test files by reading them."""
import ast
import os

from . import hidden, places

_trees = {}


def parse(name):
    """The tree of a file below the root, not to be changed."""
    if name not in _trees:
        _trees[name] = ast.parse(hidden.source(os.path.join(places.ROOT, name)), name)
    return _trees[name]


def forget():
    """Lets go of all trees: nothing of the tests is kept but what pytest or
    unittest keep."""
    _trees.clear()


def nodes(tree):
    """What ast.walk gives but for contexts and operators, several times faster."""
    out = [tree]
    for node in out:
        for name in node._fields:
            value = getattr(node, name, None)
            if type(value) is list:
                out += [v for v in value if isinstance(v, ast.AST)]
            elif isinstance(value, ast.AST) and value._fields:
                out.append(value)
    return out


def imports(tree):
    """Top-level names that a module imports, wherever it does."""
    out = set()
    for node in nodes(tree):
        if isinstance(node, ast.Import):
            out.update(a.name.split(".")[0] for a in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            out.add(node.module.split(".")[0])
    return out


def _base_names(cls):
    for b in cls.bases:
        if isinstance(b, ast.Attribute):
            yield b.attr
        elif isinstance(b, ast.Name):
            yield b.id


def _methods(cls):
    return [n.name for n in cls.body
            if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef)) and n.name.startswith("test")]


def _sets(cls, name):
    for n in cls.body:
        if isinstance(n, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in n.targets):
            return n.value
    return None


def expected(tree, name):
    """Ids, without parameters, that must report when the module is run, and the
    framework that its style asks for: "pytest", "unittest" or None."""
    ids, style = [], None
    deleted = {t.id for n in tree.body if isinstance(n, ast.Delete) for t in n.targets if isinstance(t, ast.Name)}
    cases = set()
    if "pytest" in imports(tree) and not _only_names_tasks(tree):
        style = "pytest"
    for n in tree.body:
        if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef)) and n.name.startswith("test"):
            style = "pytest"
            if n.name not in deleted and not _is_fixture(n):
                ids.append(f"{name}::{n.name}")
        if not isinstance(n, ast.ClassDef):
            continue
        if any(b.endswith("TestCase") or b in cases for b in _base_names(n)):
            cases.add(n.name)
            style = style or "unittest"
            off = _sets(n, "__test__")
            if n.name not in deleted and not (isinstance(off, ast.Constant) and off.value is False):
                ids.extend(f"{name}::{n.name}::{m}" for m in _methods(n))
        elif n.name.startswith("Test") and n.name not in deleted and not n.bases:
            style = "pytest"
            off = _sets(n, "__test__")
            made = any(isinstance(m, ast.FunctionDef) and m.name in ("__init__", "__new__") for m in n.body)
            if not made and not (isinstance(off, ast.Constant) and off.value is False):
                ids.extend(f"{name}::{n.name}::{m}" for m in _methods(n))
    return list(dict.fromkeys(ids)), style


def _only_names_tasks(tree):
    """Whether pytest is there for @pytest.mark.task alone, which unittest's
    runner reads too (and it runs subtests, which pytest does not)."""
    for n in nodes(tree):
        if isinstance(n, ast.ImportFrom) and n.module and n.module.split(".")[0] == "pytest":
            return False
        if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name) and n.value.id == "pytest" and n.attr != "mark":
            return False
        if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Attribute) and n.value.attr == "mark" and n.attr != "task":
            return False
    return True


def _is_fixture(fn):
    for d in fn.decorator_list:
        d = d.func if isinstance(d, ast.Call) else d
        if isinstance(d, ast.Attribute) and d.attr == "fixture" or isinstance(d, ast.Name) and d.id == "fixture":
            return True
    return False
