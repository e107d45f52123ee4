"""Runs the program itself, for tasks without tests."""
import runpy
import sys

from . import events


def run(root, job, out):
    output = events.Output(out, job["output_limit"])
    output.install()
    sys.argv = [job["entry"]]
    error = None
    try:
        runpy.run_path(job["entry"], run_name="__main__")
    except SystemExit:
        pass
    except EOFError as e:
        # Nobody is there to type; the program ran until it asked.
        error = None if "EOF when reading a line" in str(e) else events.failure(e, e.__traceback__, ())
    except BaseException as e:  # noqa: B036
        error = events.failure(e, e.__traceback__, ())
    out.send("script", output=output.take(), error=error)
