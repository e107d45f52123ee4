"""Where things lie in the sandbox."""

ROOT = "/room"
JUDGE = ROOT + "/.judge"
EVENTS = JUDGE + "/events"
