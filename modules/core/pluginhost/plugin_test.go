package pluginhost

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc"

	"github.com/goals-tracker/tracker/sdk/judging"
	"github.com/goals-tracker/tracker/sdk/pluginproto"
	"github.com/goals-tracker/tracker/sdk/pluginproto/validatorrpc"
	"github.com/goals-tracker/tracker/sdk/validator"
)

// playPlugin is the plugin that the tests start: honest, or bad in the way
// that mode names.
func playPlugin(mode string) {
	spec := &validator.Spec{
		Name: "played", Version: "1.2.3",
		Languages: []validator.Language{{Name: "text", Extensions: []string{".txt"}, DefaultFile: "a.txt"}},
		Judge: func(_ context.Context, req *validator.Request) (*validator.Report, error) {
			switch string(req.Submission.Files[0].Content) {
			case "panic":
				panic("no such thing")
			case "slow":
				time.Sleep(time.Second)
			case "hang":
				select {}
			}
			return &validator.Report{Verdict: validator.Passed, Score: 1}, nil
		},
	}
	if v := os.Getenv("TEST_VERSION"); v != "" {
		spec.Version = v
	}
	if versions, ok := strings.CutPrefix(mode, "speaks-"); ok {
		speak(strings.Split(versions, "-"))
	}
	out := os.Getenv("PLUGIN_UNIX_SOCKET_DIR")
	switch mode {
	case "stdout-junk":
		fmt.Print("hello!\n1|x|y\n", strings.Repeat("junk ", 10000), "\n")
	case "stderr-json":
		fmt.Fprintln(os.Stderr, `{"@message":1}`)
		fmt.Fprintln(os.Stderr, `{"@level":5,"@timestamp":[],"@message":{}}`)
	case "stderr-flood":
		_, _ = os.Stderr.Write(bytes.Repeat([]byte("x"), 100<<20))
	case "stderr-binary":
		_, _ = os.Stderr.Write([]byte("\x00\xff\xfe\x1b[31m\n\r\n\x9f"))
	case "printing":
		judge := spec.Judge
		spec.Judge = func(ctx context.Context, req *validator.Request) (*validator.Report, error) {
			fmt.Println(strings.Repeat("out", 1<<20))
			fmt.Fprintln(os.Stderr, strings.Repeat("err", 1<<20)+"\n"+`{"@message":1}`)
			return judge(ctx, req)
		}
	case "crashing":
		spec.Judge = func(context.Context, *validator.Request) (*validator.Report, error) {
			println("I am broken")
			os.Exit(7)
			return nil, nil
		}
	case "hang-start":
		select {}
	case "huge":
		spec.Judge = func(context.Context, *validator.Request) (*validator.Report, error) {
			return &validator.Report{Verdict: validator.Failed, Output: strings.Repeat("x", 40<<20)}, nil
		}
	case "other-name":
		spec.Name = "someone-else"
	case "other-kind":
		pluginproto.Serve(pluginproto.Service{Kind: pluginproto.KindLLM, Name: "played", Version: "1.0.0"})
	case "environment":
		spec.Judge = func(context.Context, *validator.Request) (*validator.Report, error) {
			groups, _ := os.Getgroups()
			return nil, fmt.Errorf("uid=%d groups=%v %v", os.Geteuid(), groups, os.Environ())
		}
	case "daemon":
		for range 3 {
			child := exec.Command("/proc/self/exe")
			child.Env = []string{"TEST_PLUGIN=hang-start"}
			_ = child.Start()
		}
	case "tcp":
		handshake("tcp", "127.0.0.1:1")
	case "foreign-socket":
		handshake("unix", "/var/run/docker.sock")
	case "link-socket":
		_ = os.Symlink("/var/run/docker.sock", filepath.Join(out, "s"))
		handshake("unix", filepath.Join(out, "s"))
	case "endless-line":
		for range 2 << 10 {
			fmt.Print(strings.Repeat("x", 1<<10))
		}
		os.Exit(1)
	case "hang-describe", "bad-description", "version-99", "version-0":
		serveRaw(mode)
	}
	validator.Main(spec)
}

func handshake(network, address string) {
	fmt.Printf("1|1|%s|%s|grpc|\n", network, address)
	select {}
}

// serveRaw serves what the SDK does not let an author serve.
func serveRaw(mode string) {
	version := 1
	_, _ = fmt.Sscanf(mode, "version-%d", &version)
	pluginproto.Serve(pluginproto.Service{
		Kind: pluginproto.KindValidator, Name: "played", Version: "1.0.0",
		Versions: map[int]func(*grpc.Server){version: func(s *grpc.Server) { validatorrpc.Register(s, rawJudge{mode: mode}) }},
	})
}

// speak serves a protocol of which a version before 3 told scores in percent.
func speak(versions []string) {
	served := map[int]func(*grpc.Server){}
	for _, text := range versions {
		v, _ := strconv.Atoi(text)
		score := 0.5
		if v < 3 {
			score = 50
		}
		served[v] = func(s *grpc.Server) { validatorrpc.Register(s, scorer{version: v, score: score}) }
	}
	pluginproto.Serve(pluginproto.Service{Kind: pluginproto.KindValidator, Name: "played", Version: "1.0.0", Versions: served})
}

type scorer struct {
	anyJudge
	version int
	score   float64
}

func (s scorer) Describe(context.Context) (*judging.Description, error) {
	return &judging.Description{Name: "played", Version: fmt.Sprintf("%d.0.0", s.version), Languages: []judging.Language{{Name: "text"}}}, nil
}

func (s scorer) Judge(context.Context, *judging.JudgeRequest) (*judging.Decision, error) {
	return &judging.Decision{Report: &judging.Report{Verdict: judging.VerdictFailed, Score: s.score}}, nil
}

type anyJudge = judging.Judge

type rawJudge struct {
	anyJudge
	mode string
}

func (r rawJudge) Describe(context.Context) (*judging.Description, error) {
	if r.mode == "hang-describe" {
		select {}
	}
	return &judging.Description{Name: "played", Version: "1.0.0"}, nil
}

// playHost starts a plugin, says its pid and waits to be killed.
func playHost() {
	exe, _ := os.Executable()
	sum, _ := Sum(exe)
	h, err := New(Config{Plugins: []Plugin{{Name: "played", Path: exe, SHA256: sum, Enabled: true, Env: map[string]string{"TEST_PLUGIN": "honest"}}}})
	if err != nil {
		panic(err)
	}
	fmt.Println(h.Catalog(context.Background())[0].PID, h.dir.path)
	select {}
}
