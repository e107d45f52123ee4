package pluginhost

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/goals-tracker/tracker/sdk/judging"
	"github.com/goals-tracker/tracker/sdk/pluginproto"
	"github.com/goals-tracker/tracker/sdk/pluginproto/validatorrpc"
)

// percent is the adapter that a host keeps for plugins of the version before.
type percent struct{ anyJudge }

func (p percent) Judge(ctx context.Context, req *judging.JudgeRequest) (*judging.Decision, error) {
	d, err := p.anyJudge.Judge(ctx, req)
	if err == nil && d.Report != nil {
		d.Report.Score /= 100
	}
	return d, err
}

// third is the validators' kind in a tracker whose newest version is 3.
func third() Kind[judging.Judge] {
	k := Validator
	direct := func(c grpc.ClientConnInterface, v string) judging.Judge { return validatorrpc.NewClient(c, v) }
	k.Versions = map[int]func(grpc.ClientConnInterface, string) judging.Judge{
		2: func(c grpc.ClientConnInterface, v string) judging.Judge { return percent{direct(c, v)} },
		3: direct,
	}
	return k
}

func TestHostAndPluginSpeakTheHighestVersionThatBothKnow(t *testing.T) {
	for mode, want := range map[string]int{"speaks-3": 3, "speaks-2": 2, "speaks-2-3": 3, "speaks-1-2": 2, "speaks-3-4": 3, "speaks-1-2-3-4": 3} {
		t.Run(mode, func(t *testing.T) {
			kind := third()
			h, err := New(Config{Plugins: []Plugin{entry(t, mode)}, StartTimeout: 5 * time.Second}, kind)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = h.Close() }()
			handle, err := Get(h, kind, "played")
			if err != nil {
				t.Fatal(err)
			}
			err = handle.Do(t.Context(), "Judge", 5*time.Second, func(ctx context.Context, c judging.Judge) error {
				d, err := c.Judge(ctx, &judging.JudgeRequest{Round: 1})
				if err == nil && d.Report.Score != 0.5 {
					t.Errorf("the score is %v: the adapter of version %d was not used rightly", d.Report.Score, want)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			if s := h.Status()[0]; s.Protocol != want || s.Description.Version[0] != byte('0'+want) {
				t.Errorf("%+v", s)
			}
		})
	}
}

func TestAVersionThatTheHostDoesNotSpeakIsRefusedWithAdviceThatNamesBoth(t *testing.T) {
	for mode, want := range map[string]string{
		"speaks-4":   "it speaks version 4 of the validator protocol, this tracker speaks 2 and 3: update the tracker",
		"speaks-4-5": "version 4 of the validator protocol, this tracker speaks 2 and 3: update the tracker",
		"speaks-1":   "it speaks version 1 of the validator protocol, this tracker speaks 2 and 3: update the plugin",
	} {
		t.Run(mode, func(t *testing.T) {
			h, err := New(Config{Plugins: []Plugin{entry(t, mode)}, StartTimeout: 5 * time.Second}, third())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = h.Close() }()
			_, err = verdict(t.Context(), played(t, h), "good")
			if !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), want) {
				t.Errorf("%q is missing in: %v", want, err)
			}
		})
	}
}

func TestAHostSpeaksTheNewestVersionAndTheOneBefore(t *testing.T) {
	if got := Validator.protocolVersions(); !slices.Equal(got, pluginproto.Spoken(pluginproto.ValidatorVersion)) {
		t.Errorf("validators: %v", got)
	}
	if got := LLM.protocolVersions(); !slices.Equal(got, pluginproto.Spoken(pluginproto.LLMVersion)) {
		t.Errorf("models: %v", got)
	}
}
