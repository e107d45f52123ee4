"""Reads the submission and the tests; runs nothing of them."""
import ast
import builtins
import os
import warnings

from . import analysis, places, rules


def from_disk(name):
    with open(os.path.join(places.ROOT, name), "rb") as f:
        return f.read()


def read(job, sources):
    """What can be said of job's files, whose contents are sources, and of its
    tests."""
    out = {"syntax": [], "findings": [], "expected": {}, "styles": {}, "broken_tests": []}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, source in zip(job["files"], sources):
            if name.endswith(".py"):
                _file(name, source, out)
        for name in job["tests"]:
            try:
                out["expected"][name], out["styles"][name] = analysis.expected(analysis.parse(name), name)
            except (SyntaxError, ValueError, RecursionError) as e:
                out["broken_tests"].append(f"{name}: {e}")
    return out


def _file(name, source, out):
    try:
        tree = compile(source, name, "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
        compile(source, name, "exec", dont_inherit=True)
        out["findings"].extend(rules.check(name, tree, vars(builtins)))
    except SyntaxError as e:
        out["syntax"].append(syntax(name, e))
    except (ValueError, RecursionError, MemoryError, OverflowError) as e:
        out["syntax"].append({"file": name, "line": 0, "column": 0, "message": str(e) or type(e).__name__, "type": type(e).__name__})


def syntax(name, e):
    text = e.text if isinstance(e.text, str) else ""
    return {
        "file": name, "line": e.lineno or 0, "column": e.offset or 0, "end_line": e.end_lineno or 0,
        "end_column": e.end_offset or 0, "message": e.msg or "", "type": type(e).__name__, "text": text[:400],
    }
