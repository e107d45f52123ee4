package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// rehearse does what the fork-server does before it serves, in another folder
// than the sandbox's, and keeps what the scenes' tests report.
const rehearse = `import os, shutil, sys
sys.path.insert(0, sys.argv[1])
from tracker_judge import places
places.ROOT = sys.argv[2]
places.JUDGE = places.ROOT + "/.judge"
places.EVENTS = places.JUDGE + "/events"
from tracker_judge import forkserver, rehearsal, warm
warm.load()
remove = shutil.rmtree
def keep(path):
    if path == places.JUDGE:
        with open(places.EVENTS) as f:
            print(f.read())
    remove(path)
shutil.rmtree = keep
os.set_inheritable(os.dup2(0, 3), False)  # the server's socket has this number
spans = forkserver._rehearse(rehearsal.scenes())
print("pages", sum(n for _, n in spans) // 4096, "left", os.listdir(places.ROOT))
`

func TestTheForkServersRehearsalIsAWholeRunAndShowsWhatJobsWriteTo(t *testing.T) {
	dir, err := filepath.Abs("py")
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), python, "-I", "-B", "-X", "utf8", "-c", rehearse, dir, t.TempDir()).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	text := string(out)
	scenes := strings.Count(text, `"kind": "hello"`)
	if scenes == 0 || strings.Count(text, `"kind": "finished"`) != scenes || strings.Count(text, `"status": "pass"`) < 4*scenes || strings.Count(text, `"status": "fail"`) != scenes {
		t.Errorf("%d scenes:\n%s", scenes, text)
	}
	var pages int
	_, found, _ := strings.Cut(text, "\npages ")
	if _, err := fmt.Sscanf(found, "%d left []", &pages); err != nil || pages < 200 {
		t.Errorf("%d pages (%v): %s", pages, err, found)
	}
}
