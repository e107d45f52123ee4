"""Does what a process of ours was started for. Its mode is its argument:
`check` reads files and runs none of them; `tests` runs the tests and
`submission` holds the learner's modules for them; `run` does both in one
process, or runs the program where there are no tests.

What it must know comes on standard input: one line with the task, and before
it one with the key that results are signed with, where there are any.
"""
import base64
import importlib
import json
import os
import sys

from . import places


def main(mode, unload=lambda what, job: None):
    """Never returns. Nothing of the learner's is on sys.path before the
    framework is loaded; unload takes away what is loaded already and must not
    be."""
    stdin = sys.stdin.buffer
    # The key is gone before the learner's code is loaded.
    key = stdin.readline().strip() if mode in ("tests", "run") else None
    job = json.loads(stdin.readline())
    sys.argv[:] = [""]
    if mode == "submission":
        from . import split_submission

        unload(mode, job)
        split_submission.main(job)
    if mode == "check":
        from . import check

        unload(mode, job)
        found = check.read(job, [check.from_disk(n) for n in job["files"]])
        json.dump(found, sys.stdout)
        sys.stdout.flush()
        os._exit(1 if found["syntax"] or found["broken_tests"] else 0)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    from . import analysis, events, hidden

    out = events.Events(places.EVENTS, key)
    del key
    close = hidden.take(job)
    styles = None
    if mode == "tests":
        from . import check

        # As texts: the files are not here. An empty one is null.
        found = check.read(job, [base64.b64decode(s or "") for s in job.pop("sources")])
        out.send("checked", checked=found)
        styles = found["styles"]
        if found["syntax"] or found["broken_tests"]:
            os._exit(0)
    name = "script" if not job["tests"] else framework(job, styles)
    try:
        runner = importlib.import_module("tracker_judge.run_" + name)
    except ImportError as e:
        out.send("no_framework", name=name, error=str(e))
        os._exit(3)
    unload(name, job)
    os.chdir(places.ROOT)
    if mode == "tests":
        from . import split_world

        carrier = split_world.start(job, out)
    else:
        from . import paths

        paths.prepare(places.ROOT, job)
    analysis.forget()
    close(name == "pytest")
    runner.run(places.ROOT, job, out)
    out.send("finished")
    if mode == "tests":
        # Both processes come to their ends at the same time.
        os.close(carrier.fd)
    # Threads and exit handlers of the learner's have no say any more.
    os._exit(0)


def framework(job, styles):
    """What runs the tests; styles are those of the files where they are known."""
    if job["framework"] != "auto":
        return job["framework"]
    from . import analysis

    styles = {analysis.expected(analysis.parse(t), t)[1] for t in job["tests"]} if styles is None else set(styles.values())
    return "unittest" if styles <= {"unittest", None} and "unittest" in styles and not job["conftest"] else "pytest"
