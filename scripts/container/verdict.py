"""Has a learner's code judged: verdict.py URL, with the learner's TOKEN."""

import json
import os
import sys
import time
import urllib.request

opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def call(path, body=None):
    request = urllib.request.Request(
        sys.argv[1] + "/api/v1" + path,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": "Bearer " + os.environ["TOKEN"].strip(), "Content-Type": "application/json"},
    )
    with opener.open(request, timeout=60) as answer:
        return json.load(answer)


test = "from double import double\n\ndef test_double():\n    assert double(21) == 42\n"
goal = call("/goals", {"title": "Judge in a container"})["id"]
task = call(
    "/tasks",
    {
        "goal_id": goal,
        "title": "Double",
        "type": "code",
        "language": "python",
        "validation": {"tests": [{"path": "test_double.py", "content": test}]},
    },
)["id"]
for code, want in (("return n", "failed"), ("return n + n", "passed")):
    files = [{"path": "double.py", "content": "def double(n):\n    " + code + "\n"}]
    snapshot = call("/tasks/" + task + "/snapshots", {"files": files})
    deadline = time.monotonic() + 120
    while not snapshot.get("verdict"):
        assert time.monotonic() < deadline, snapshot
        time.sleep(0.2)
        snapshot = call("/snapshots/" + snapshot["id"])
    print("==> %r is judged: %s" % (code, snapshot["verdict"]))
    assert snapshot["verdict"] == want, snapshot
