"""Entry of everything that runs in the sandbox: `main.py check` reads files
and runs none of them; `main.py tests` runs the tests and `main.py submission`
holds the learner's modules for them; `main.py run` does both in one process,
or runs the program where there are no tests.

Started with -I, so that nothing of the learner's is on sys.path until the
framework is loaded.
"""
import importlib
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def main():
    sys.path.insert(0, HERE)
    with open(os.path.join(HERE, "job.json"), encoding="utf-8") as f:
        job = json.load(f)
    if sys.argv[1] == "check":
        from tracker_judge import check

        sys.exit(check.main(job))
    if sys.argv[1] == "submission":
        from tracker_judge import paths, split_submission

        sys.path.remove(HERE)
        split_submission.main(job)
    from tracker_judge import events, paths

    # The key comes on stdin and is gone before the learner's code is loaded.
    key = sys.stdin.buffer.readline().strip()
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    out = events.Events(os.path.join(HERE, "events"), key)
    del key
    if sys.argv[1] == "tests":
        from tracker_judge import check

        # As texts, under names that nothing imports.
        found = check.read(job, [os.path.join(HERE, "sources", str(i)) for i in range(len(job["files"]))])
        out.send("checked", checked=found)
        if found["syntax"] or found["broken_tests"]:
            os._exit(0)
    name = "script" if not job["tests"] else framework(job)
    try:
        runner = importlib.import_module("tracker_judge.run_" + name)
    except ImportError as e:
        out.send("no_framework", name=name, error=str(e))
        os._exit(3)
    root = os.path.dirname(HERE)
    os.chdir(root)
    if sys.argv[1] == "tests":
        from tracker_judge import split_world

        sys.path.remove(HERE)
        split_world.start(job, out)
    else:
        sys.path.remove(HERE)
        paths.prepare(root, job)
    runner.run(root, job, out)
    out.send("finished")
    # Threads and exit handlers of the learner's have no say any more.
    os._exit(0)


def framework(job):
    if job["framework"] != "auto":
        return job["framework"]
    from tracker_judge import analysis

    styles = {analysis.expected(analysis.parse(t), t)[1] for t in job["tests"]}
    return "unittest" if styles <= {"unittest", None} and "unittest" in styles and not job["conftest"] else "pytest"


main()
