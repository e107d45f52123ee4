"""Where things lie in the sandbox."""

ROOT = "/work"
JUDGE = ROOT + "/.judge"
EVENTS = JUDGE + "/events"
