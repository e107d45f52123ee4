package rpc

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"buf.build/go/protovalidate"
	"google.golang.org/protobuf/proto"

	"github.com/goals-tracker/tracker/modules/core/errs"
	agentsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/agents/v1"
	goalsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/goals/v1"
	llmv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/llm/v1"
)

func TestWhatARequestLacksIsSaidInBothLanguages(t *testing.T) {
	for want, request := range map[string]proto.Message{
		"title must not be empty|title no puede estar vacío":                              &goalsv1.CreateGoalRequest{},
		"title must be at most 500 characters|title debe tener como mucho 500 caracteres": &goalsv1.CreateGoalRequest{Title: strings.Repeat("x", 501)},
		"id must be a valid UUID|id debe ser un UUID":                                     &goalsv1.GetGoalRequest{Id: "nope"},
		"page_size must be 0 to 100|page_size debe estar entre 0 y 100":                   &goalsv1.ListGoalsRequest{PageSize: -1},
		"validation_criteria must have at most|validation_criteria debe tener como mucho": &goalsv1.CreateGoalRequest{Title: "x", ValidationCriteria: make([]string, 1000)},
		"priority has a value that there is not|priority tiene un valor que no existe":    &goalsv1.CreateGoalRequest{Title: "x", Priority: 77},
	} {
		var got *errs.Error
		if !errors.As(invalid(protovalidate.Validate(request)), &got) {
			t.Errorf("%s: %v is taken", want, request)
			continue
		}
		english, spanish, _ := strings.Cut(want, "|")
		if !strings.Contains(got.English, english) || !strings.Contains(got.Spanish, spanish) || strings.Contains(got.Spanish, "must") {
			t.Errorf("%s: got %q and %q", want, got.English, got.Spanish)
		}
	}
}

func TestTheDescriptionOfARequestSaysWhatItsChecksAskFor(t *testing.T) {
	of := func(m proto.Message) object {
		return (&schemas{made: object{}}).message(m.ProtoReflect().Descriptor())
	}
	settle := of(&agentsv1.SettleDisputeRequest{})
	if required, _ := settle["required"].([]string); !slices.Contains(required, "outcome") || slices.Contains(required, "why") {
		t.Errorf("required are %v: the outcome has no empty value, and why has", required)
	}
	properties, _ := of(&llmv1.UpdateCourseModelSettingsRequest{})["properties"].(object)
	if daily, _ := properties["daily_micros"].(object); daily["minimum"] != int64(-1) {
		t.Errorf("daily_micros is described as %v", daily)
	}
}
