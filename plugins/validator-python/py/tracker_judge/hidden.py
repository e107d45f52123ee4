"""Test files of which only the names lie on disk, because the learner's code
runs in the same process: their text is handed to whoever loads them, once."""
import base64
import importlib.machinery
import os

from . import places


def source(path):
    with open(path, "rb") as f:
        return f.read()


def take(job):
    """Takes the texts out of job. What it returns lets pytest load them, and
    ends their being read by source."""
    texts = {os.path.join(places.ROOT, n): base64.b64decode(t) for n, t in job.pop("hidden", {}).items()}
    if not texts:
        return lambda pytest_too: None
    from_disk, loader = source, importlib.machinery.SourceFileLoader
    plain = loader.get_data

    def read(path):
        return texts[path] if path in texts else from_disk(path)

    def get_data(self, path):
        return texts.pop(path) if path in texts else plain(self, path)

    def close(pytest_too):
        globals()["source"] = from_disk
        if pytest_too:
            _rewrite(texts)

    globals()["source"], loader.get_data = read, get_data
    return close


def _rewrite(texts):
    import ast

    from _pytest.assertion import rewrite

    plain = rewrite._rewrite_test

    def rewrite_test(fn, config):
        name = str(fn)
        if name not in texts:
            return plain(fn, config)
        data = texts.pop(name)
        tree = ast.parse(data, filename=name)
        rewrite.rewrite_asserts(tree, data, name, config)
        return os.stat(fn), compile(tree, name, "exec", dont_inherit=True)

    rewrite._rewrite_test = rewrite_test
