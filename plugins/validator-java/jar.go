package main

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/goals-tracker/tracker/sdk/judging"
	"github.com/goals-tracker/tracker/sdk/validator"
)

// runtime holds judge.jar when it was there at build time.
//
//go:embed all:runtime
var runtime embed.FS

const (
	judgeDir   = ".judge"
	eventsFile = judgeDir + "/events"
	jarFile    = "judge.jar"
	// laidOut is where toolchain/install, as root, puts the jar of that stamp
	// and an archive of its loaded classes.
	laidOut = "/usr/local/lib/goals-tracker/validator-java-"
	// heapMiB is the heap of a process whose task sets no memory limit.
	heapMiB       = 288
	defaultMemory = 512 << 20
)

var errNoJudge = errors.New("this build of validator-java carries no judge.jar: run plugins/validator-java/toolchain/install (make setup does; it needs a JDK and Maven), then build the plugin again")

// judgeJar returns the embedded jar and the stamp of what it was made from.
func judgeJar() (jar []byte, stamp string, err error) {
	jar, err = runtime.ReadFile("runtime/" + jarFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", errNoJudge
	}
	if err != nil {
		return nil, "", fmt.Errorf("read the plugin's own files: %w", err)
	}
	raw, err := runtime.ReadFile("runtime/.stamp")
	if err != nil {
		return nil, "", fmt.Errorf("read the plugin's own files: %w", err)
	}
	return jar, strings.TrimSpace(string(raw)), nil
}

// laid returns the folder with the same jar on this machine, or "".
func laid(stamp string) string {
	dir := laidOut + stamp
	if _, err := os.Stat(path.Join(dir, jarFile)); err != nil {
		return ""
	}
	return dir
}

// java is the command line; dir holds the jar.
func java(dir string, heap int, args ...string) []string {
	argv := []string{
		"java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto", "-XX:-UsePerfData", "-XX:+DisableAttachMechanism", "-Xlog:disable",
		fmt.Sprintf("-Xmx%dm", heap), fmt.Sprintf("-Xms%dm", heap), "-XX:ReservedCodeCacheSize=48m", "-XX:CompressedClassSpaceSize=64m",
		"-Djava.security.manager=allow", "-Dfile.encoding=UTF-8", "-Dsun.stdout.encoding=UTF-8", "-Dsun.stderr.encoding=UTF-8", "-Djava.awt.headless=true",
	}
	if archive := path.Join(dir, "judge.jsa"); strings.HasPrefix(dir, laidOut) {
		argv = append(argv, "-XX:SharedArchiveFile="+archive)
	}
	return append(append(argv, "-cp", path.Join(dir, jarFile), "tracker.judge.Main"), args...)
}

// warmUp is a JVM that has compiled and tested something already. It waits in
// WorkDir, as a JVM can't change its folder.
func warmUp() *validator.WarmUp {
	jar, stamp, err := judgeJar()
	if err != nil {
		return nil
	}
	w := &validator.WarmUp{Protocol: judging.WarmOnce}
	dir := laid(stamp)
	if dir == "" {
		dir = judging.WarmDir
		w.Files = []validator.File{{Path: jarFile, Content: jar}}
	}
	w.Argv = append([]string{"/usr/bin/env", "-C", judging.WorkDir}, java(dir, heapMiB, "warm")...)
	return w
}

// process is a JVM that does a job.
func process(memory uint64, stdin []byte, files []validator.File) (validator.Process, error) {
	jar, stamp, err := judgeJar()
	if err != nil {
		return validator.Process{}, err
	}
	dir, heap := laid(stamp), heapOf(memory)
	if dir == "" && heap == heapMiB {
		dir = judging.WarmDir // with the files of the warm-up
	}
	if dir == "" {
		dir = judging.WorkDir + "/" + judgeDir
		files = append(files, validator.File{Path: judgeDir + "/" + jarFile, Content: jar})
	} else {
		files = append(files, validator.File{Path: judgeDir + "/README", Content: []byte("The judge's own folder.\n")})
	}
	return validator.Process{
		Role: "main", Argv: java(dir, heap), Files: files, Stdin: stdin, Collect: []string{eventsFile},
		Warm: heap == heapMiB,
	}, nil
}

// heapOf leaves the JVM room for its own part of the memory, in MiB.
func heapOf(memory uint64) int {
	mib := int(memory >> 20)
	switch {
	case mib == 0 || mib >= defaultMemory>>20:
		return heapMiB
	case mib >= 352:
		return mib - 224
	default:
		return max(mib*3/8, 24)
	}
}
