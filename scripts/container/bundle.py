"""Writes the OCI configuration of a container as compose.yaml and the chart ask for
it: bundle.py CONFIG ROOT IMAGE DATA ROLE NAME=VALUE... -- ARGUMENT..."""

import json
import sys

path, root, image, data, role, *rest = sys.argv[1:]
cut = rest.index("--")
env, arguments = rest[:cut], rest[cut + 1 :]
with open(path) as f:
    config = json.load(f)
with open(image) as f:
    image = json.load(f)["OCIv1"]["config"]
with open("configs/deploy/compose.yaml") as f:
    compose = f.read()

user, group = image["User"].split(":")
assert int(user) > 0 and int(group) > 0, "the image runs as root"
config["root"] = {"path": root, "readonly": True}
config["process"].update(
    terminal=False,
    args=image["Entrypoint"] + arguments,
    cwd=image["WorkingDir"],
    env=image["Env"] + env,
    user={"uid": int(user), "gid": int(group)},
    capabilities={kind: [] for kind in ("bounding", "effective", "permitted", "inheritable", "ambient")},
    noNewPrivileges=True,
    rlimits=[],
)
owned = ["nosuid", "nodev", f"uid={user}", f"gid={group}"]
# Cgroups are the engine's, which is not here.
config["mounts"] = [m for m in config["mounts"] if m["type"] != "cgroup"] + [
    {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": owned},
    {"destination": "/var/lib/tracker", "type": "bind", "source": data, "options": ["bind", "nosuid", "nodev"]},
]
linux = config["linux"]
linux.pop("resources", None)
# The database is on this machine's loopback.
linux["namespaces"] = [n for n in linux["namespaces"] if n["type"] != "network"]
if role != "api":
    assert "systempaths=unconfined" in compose and "seccomp=./seccomp.json" in compose
    linux["maskedPaths"], linux["readonlyPaths"] = [], []
    with open("configs/deploy/seccomp.json") as f:
        linux["seccomp"] = {k: v for k, v in json.load(f).items() if k != "comment"}
with open(path, "w") as f:
    json.dump(config, f)
