"""What tests ask for, as their text says: names of modules, and what only works
where they share a process with the code."""
import ast
import base64
import builtins
import re

from . import analysis

# What only works where tests and code share a process: by the modules that tests
# import, and by what they write.
TOGETHER = {"threading": "the tests use threads", "concurrent": "the tests use threads", "multiprocessing": "the tests start processes of their own"}
WRITTEN = re.compile(
    r"(?P<log>\bcaplog\b|\bassert(?:No)?Logs\b)|(?P<warn>\bpytest\.warns\b|\bdeprecated_call\b|\brecwarn\b|\bassertWarns|\bcatch_warnings\(.*record)"
    r"|(?P<function>\.__(?:code|defaults|kwdefaults|closure|globals|slots)__)|(?P<decimal>\b(?:local|get|set)context\()"
    r"|(?P<loop>\basyncio\.(?!run\b|iscoroutine|gather\b|sleep\(0\))\w|\bfrom asyncio import (?!run\b|sleep\b|gather\b))")
REASONS = {"log": "the tests watch what is logged", "warn": "the tests watch for warnings", "function": "the tests look into functions and classes",
           "decimal": "the tests set the context of decimal numbers", "loop": "the tests and the code share an event loop"}
# Libraries whose names no exercise has.
LIBRARIES = frozenset("""aiohttp anyio attr attrs bs4 django faker fastapi flask freezegun httpx hypothesis jsonschema lxml matplotlib more_itertools networkx
nose numpy pandas parameterized polars psycopg psycopg2 pydantic pytest_asyncio pytest_mock pytest_subtests requests responses scipy seaborn sklearn
sortedcontainers sqlalchemy starlette sympy tensorflow toolz torch tqdm trio typeguard typing_extensions yaml""".split())


def asked_of(trees):
    """The names that the tests take from each module when they import it."""
    out = {}
    for tree in trees:
        for n in tree.body:
            if isinstance(n, ast.ImportFrom) and n.module and not n.level:
                out.setdefault(n.module, []).extend(a.name for a in n.names)
    return out


def starred(trees, starter):
    """What a star may bring: not what the tests import themselves, and of the
    names of built-in functions only those that the task handed out. The second
    are the names that the tests use."""
    taken, used = set(dir(builtins)), set()
    for source in starter:
        try:
            tree = ast.parse(base64.b64decode(source or ""))
        except (SyntaxError, ValueError, RecursionError):
            continue
        taken -= {n.name for n in tree.body if hasattr(n, "name")} | {t.id for n in tree.body if isinstance(n, ast.Assign) for t in n.targets if isinstance(t, ast.Name)}
    for tree in trees:
        for n in analysis.nodes(tree):
            if isinstance(n, (ast.Import, ast.ImportFrom)):
                taken |= {a.asname or a.name.split(".")[0] for a in n.names if a.name != "*"}
            elif isinstance(n, ast.Name):
                used.add(n.id)
    return taken, used


def dotted(names):
    """Every name under which a file may be imported, seen from any folder."""
    out = set()
    for f in names:
        if not f.endswith(".py"):
            continue
        parts = f[:-3].split("/")
        if parts[-1] == "__init__":
            parts.pop()
        for i in range(len(parts)):
            for j in range(i + 1, len(parts) + 1):
                out.add(".".join(parts[i:j]))
    return out


def unconditional(tree):
    """Top-level names that a module can't be loaded without."""
    out = set()
    for n in tree.body:
        if isinstance(n, ast.Import):
            out.update(a.name.split(".")[0] for a in n.names)
        elif isinstance(n, ast.ImportFrom) and n.module and not n.level:
            out.add(n.module.split(".")[0])
    return out


def taken_of(name, trees):
    """The names that the tests use of a module."""
    out = set()
    for t in trees:
        nodes, called = analysis.nodes(t), set()
        for n in nodes:
            if isinstance(n, ast.ImportFrom) and n.module == name:
                out |= {a.name for a in n.names}
            elif isinstance(n, ast.Import):
                called |= {a.asname or a.name for a in n.names if a.name == name}
        out |= {n.attr for n in nodes if called and isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name) and n.value.id in called}
    return out - {"*"}
