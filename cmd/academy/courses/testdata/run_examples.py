"""Run the examples of a lesson, so that the course never shows what isn't so.

Usage: run_examples.py FILE.md|FILE.ipynb [MODULE]
Fences marked `python` are executed and must not raise; fences marked `pycon`
are sessions whose output must be exactly as shown. All share one namespace,
from top to bottom, as a reader at one prompt would see them; what MODULE
defines (an exercise's solution, beside the file) is there from the start.
Exits 1 if an example fails, 3 if there is none.
"""

import doctest
import importlib
import json
import os
import re
import sys

FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)


def blocks(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if path.endswith(".ipynb"):
        for cell in json.loads(text)["cells"]:
            if cell["cell_type"] == "code":
                yield "python", "".join(cell["source"]), 0
        return
    for match in FENCE.finditer(text):
        yield match[1], match[2], text.count("\n", 0, match.start()) + 1


def main(path, module=None):
    names = {"__name__": "lesson"}
    if module:
        sys.path.insert(0, os.path.dirname(path))
        names.update(vars(importlib.import_module(module)), __name__="lesson")
    ran = 0
    runner = doctest.DocTestRunner(verbose=False)
    for kind, code, line in blocks(path):
        if kind == "python":
            exec(compile("\n" * line + code, path, "exec"), names)
        elif kind == "pycon":
            test = doctest.DocTestParser().get_doctest(code, names, path, path, line)
            runner.run(test, clear_globs=False)
            names = test.globs
            if runner.summarize(verbose=False).failed:
                return 1
        else:
            continue
        ran += 1
    return 0 if ran else 3


sys.exit(main(*sys.argv[1:]))
