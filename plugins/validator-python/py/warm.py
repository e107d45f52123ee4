"""The warm-up program; lies in /warm with the rest."""
import sys

sys.path.insert(0, "/warm")

from tracker_judge import warm  # noqa: E402

del sys.path[0]
if __name__ == "__main__":
    warm.main()
