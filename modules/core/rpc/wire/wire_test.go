package wire_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/rpc/wire"
	eventsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/events/v1"
	goalsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/goals/v1"
	ragv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/rag/v1"
	realtimev1 "github.com/goals-tracker/tracker/sdk/gen/tracker/realtime/v1"
	tasksv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/tasks/v1"
)

var noon = timestamppb.New(time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC))

func TestAMessageHasOneForm(t *testing.T) {
	course := "c1"
	for name, c := range map[string]struct {
		msg  proto.Message
		want string
	}{
		"a resource shows zero values and leaves unset optional ones out": {
			&goalsv1.Goal{Id: "g", Title: "A \"quoted\" <b>\n\u00f1", Status: goalsv1.GoalStatus_GOAL_STATUS_IN_PROGRESS, Metadata: `{"a":[1,2]}`, CreatedAt: noon, Version: 9007199254740993},
			`{"id":"g","user_id":"","title":"A \"quoted\" <b>\nñ","description":"","status":"in_progress","progress":0,"ai_generated":false,"validation_criteria":[],"metadata":{"a":[1,2]},"created_at":"2026-03-01T12:00:00.123456Z","version":9007199254740993,"blocked_reason":"","course_deleted":false}`,
		},
		"a set optional field is shown even when empty": {
			&goalsv1.GoalDetails{CourseId: &course, Priority: goalsv1.Priority_PRIORITY_HIGH},
			`{"course_id":"c1","title":"","description":"","priority":"high","validation_criteria":[]}`,
		},
		"enums in lists are short": {
			&goalsv1.ListGoalsRequest{Status: []goalsv1.GoalStatus{1, 2, 0}},
			`{"page_size":0,"page_token":"","status":["pending","in_progress","unspecified"],"course_id":"","user_id":""}`,
		},
		"an enum value that this build doesn't know is its number": {
			&tasksv1.TaskCompleted{CompletedBy: 42}, `{"task_id":"","goal_id":"","completed_by":42}`,
		},
		"a mask is a list in a string, and what is unset stays away from it": {
			&goalsv1.UpdateGoalRequest{Id: "g", UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"title", "due_at"}}},
			`{"id":"g","update_mask":"title,due_at"}`,
		},
		"maps are sorted": {
			&eventsv1.UserErased{SubjectHash: "h", Counts: map[string]int64{"b": 2, "a": 1}},
			`{"subject_hash":"h","counts":{"a":1,"b":2}}`,
		},
		"empty maps are shown": {&eventsv1.UserErased{}, `{"subject_hash":"","counts":{}}`},
		"a oneof shows the member that is set": {
			&realtimev1.WatchResponse{Push: &realtimev1.WatchResponse_Transient{Transient: &realtimev1.Transient{Type: "x", Payload: `{"a": 1}`}}},
			`{"transient":{"type":"x","payload":{"a": 1}}}`,
		},
		"bytes are base64": {&ragv1.IngestFile{Path: "p", Content: []byte{0, 255}}, `{"path":"p","content":"AP8="}`},
		"empty":            {&emptypb.Empty{}, `{}`},
		"duration":         {durationpb.New(-1500 * time.Millisecond), `"-1.5s"`},
		"wrapper":          {wrapperspb.Int64(5), `5`},
		"struct":           {&structpb.Struct{Fields: map[string]*structpb.Value{"a": structpb.NewNullValue()}}, `{"a":null}`},
		"control characters are escaped": {
			&goalsv1.GoalStarted{GoalId: "\x01\x1f\t"}, `{"goal_id":"\u0001\u001f\t"}`,
		},
	} {
		got, err := wire.Marshal(c.msg)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if c.want != "" && string(got) != c.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, c.want)
		}
	}
}

func TestWhatCouldNotBeReadBackIsNotWritten(t *testing.T) {
	for name, msg := range map[string]proto.Message{
		"NUL":            &goalsv1.Goal{Title: "a\x00b"},
		"not UTF-8":      &goalsv1.Goal{Title: "a\xffb"},
		"NaN":            &goalsv1.Goal{Progress: nan()},
		"raw not JSON":   &goalsv1.Goal{Metadata: `{"a":`},
		"raw two values": &goalsv1.Goal{Metadata: `{} {}`},
		"year 10000":     &goalsv1.Goal{CreatedAt: &timestamppb.Timestamp{Seconds: 253402300800}},
		"raw too deep":   &goalsv1.Goal{Metadata: strings.Repeat("[", 100) + strings.Repeat("]", 100)},
	} {
		if got, err := wire.Marshal(msg); err == nil {
			t.Errorf("%s: got %s", name, got)
		}
	}
}

func nan() float64 { zero := 0.0; return zero / zero }

func TestInputIsReadInEveryFormThatIsAllowed(t *testing.T) {
	for name, c := range map[string]struct {
		json string
		want proto.Message
	}{
		"short enum":        {`{"title":"t","priority":"high"}`, &goalsv1.CreateGoalRequest{Title: "t", Priority: goalsv1.Priority_PRIORITY_HIGH}},
		"full enum":         {`{"priority":"PRIORITY_HIGH"}`, &goalsv1.CreateGoalRequest{Priority: goalsv1.Priority_PRIORITY_HIGH}},
		"raw JSON compact":  {`{"metadata": { "a" : [ 1 , "\u00f1" ] } }`, &goalsv1.CreateGoalRequest{Metadata: `{"a":[1,"\u00f1"]}`}},
		"null is absent":    {`{"title":null,"priority":null,"metadata":null,"due_at":null}`, &goalsv1.CreateGoalRequest{}},
		"alias":             {`{"goal_id":"g","version":7}`, &goalsv1.StartGoalRequest{Id: "g", Version: proto.Int64(7)}},
		"64 bit in string":  {`{"version":"9007199254740993"}`, &goalsv1.StartGoalRequest{Version: proto.Int64(9007199254740993)}},
		"whole float":       {`{"page_size":1e1}`, &goalsv1.ListGoalsRequest{PageSize: 10}},
		"time with zone":    {`{"due_at":"2026-03-01T13:00:00.1234567+01:00"}`, &goalsv1.CreateGoalRequest{DueAt: timestamppb.New(time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC))}},
		"mask as a list":    {`{"update_mask":["title","due_at"]}`, &goalsv1.UpdateGoalRequest{UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"title", "due_at"}}}},
		"surrogate pair":    {`{"title":"\ud83d\ude00"}`, &goalsv1.CreateGoalRequest{Title: "😀"}},
		"base64 without =":  {`{"content":"_w"}`, &ragv1.IngestFile{Content: []byte{255}}},
		"oneof":             {`{"hello":{"seq":3}}`, &realtimev1.WatchResponse{Push: &realtimev1.WatchResponse_Hello{Hello: &realtimev1.Hello{Seq: 3}}}},
		"empty message":     {` { } `, &emptypb.Empty{}},
		"empty object kept": {`{"metadata":{}}`, &goalsv1.CreateGoalRequest{Metadata: `{}`}},
		"struct":            {`{"a":{"b":[null,1]}}`, mustStruct(map[string]any{"a": map[string]any{"b": []any{nil, 1}}})},
		"wrapper":           {`"12"`, wrapperspb.Int64(12)},
	} {
		got := c.want.ProtoReflect().New().Interface()
		if err := wire.Unmarshal([]byte(c.json), got); err != nil {
			t.Errorf("%s: %v", name, err)
		} else if !proto.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}

func mustStruct(m map[string]any) proto.Message {
	s, err := structpb.NewStruct(m)
	if err != nil {
		panic(err)
	}
	return s
}

func TestNullAndEmptyListsOfAPatchBecomeItsMask(t *testing.T) {
	for json, want := range map[string]string{
		`{"title":"t"}`:               "", // presence says it all
		`{"due_at":null}`:             "due_at",
		`{"title":"t","due_at":null}`: "title,due_at",
		`{"id":"g","version":3,"title":"t","course_id":null}`:         "title,course_id",
		`{"validation_criteria":[]}`:                                  "validation_criteria",
		`{"validation_criteria":["x"]}`:                               "",
		`{"title":"t","update_mask":"title"}`:                         "title",
		`{"title":"t","due_at":null,"update_mask":"title"}`:           "title,due_at",
		`{"due_at":null,"update_mask":"due_at"}`:                      "due_at",
		`{"version":null,"update_mask":null}`:                         "",
		`{"title":"t","update_mask":"title,description"}`:             "title,description",
		`{"goal_id":"g","metadata":null,"priority":"high"}`:           "metadata,priority",
		`{"validation_criteria":[],"update_mask":"title","title":""}`: "title",
	} {
		var got goalsv1.UpdateGoalRequest
		if err := wire.Unmarshal([]byte(json), &got); err != nil {
			t.Errorf("%s: %v", json, err)
		} else if mask := strings.Join(got.GetUpdateMask().GetPaths(), ","); mask != want {
			t.Errorf("%s: mask %q, want %q", json, mask, want)
		}
	}
}

func TestBadInputIsRefusedAndItsFieldNamed(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 70) + "1" + strings.Repeat("}", 70)
	for name, c := range map[string]struct {
		msg         proto.Message
		json, field string
		kind        *errs.Kind
	}{
		"unknown field":          {&goalsv1.CreateGoalRequest{}, `{"titel":"x"}`, "titel", errs.BadInput},
		"camel case":             {&goalsv1.CreateGoalRequest{}, `{"courseId":"x"}`, "courseId", errs.BadInput},
		"nested unknown field":   {&tasksv1.CreateTaskRequest{}, `{"validation":{"tests":[{},{"pth":"x"}]}}`, "validation.tests[1].pth", errs.BadInput},
		"twice":                  {&goalsv1.CreateGoalRequest{}, `{"title":"a","title":"b"}`, "title", errs.BadInput},
		"name and alias":         {&goalsv1.StartGoalRequest{}, `{"id":"a","goal_id":"b"}`, "goal_id", errs.BadInput},
		"two of a oneof":         {&realtimev1.WatchResponse{}, `{"hello":{},"reset":{}}`, "reset", errs.BadInput},
		"number for string":      {&goalsv1.CreateGoalRequest{}, `{"title":1}`, "title", errs.BadInput},
		"unknown enum":           {&goalsv1.CreateGoalRequest{}, `{"priority":"huge"}`, "priority", errs.BadInput},
		"enum number":            {&goalsv1.CreateGoalRequest{}, `{"priority":3}`, "priority", errs.BadInput},
		"enum case":              {&goalsv1.CreateGoalRequest{}, `{"priority":"High"}`, "priority", errs.BadInput},
		"list of enums":          {&goalsv1.ListGoalsRequest{}, `{"status":["pending","x"]}`, "status[1]", errs.BadInput},
		"null in a list":         {&goalsv1.CreateGoalRequest{}, `{"validation_criteria":[null]}`, "validation_criteria[0]", errs.BadInput},
		"fraction for int":       {&goalsv1.ListGoalsRequest{}, `{"page_size":1.5}`, "page_size", errs.BadInput},
		"int too big":            {&goalsv1.ListGoalsRequest{}, `{"page_size":2147483648}`, "page_size", errs.BadInput},
		"negative unsigned":      {&tasksv1.TaskLimits{}, `{"wall_ms":-1}`, "wall_ms", errs.BadInput},
		"string for int32":       {&goalsv1.ListGoalsRequest{}, `{"page_size":"1"}`, "page_size", errs.BadInput},
		"NaN":                    {&goalsv1.SetProgressRequest{}, `{"progress":"NaN"}`, "progress", errs.BadInput},
		"raw is no object":       {&goalsv1.CreateGoalRequest{}, `{"metadata":"{}"}`, "metadata", errs.BadInput},
		"raw is a list":          {&goalsv1.CreateGoalRequest{}, `{"metadata":[1]}`, "metadata", errs.BadInput},
		"bad time":               {&goalsv1.CreateGoalRequest{}, `{"due_at":"tomorrow"}`, "due_at", errs.BadInput},
		"time before year 1":     {&goalsv1.CreateGoalRequest{}, `{"due_at":"0000-01-01T00:00:00Z"}`, "due_at", errs.BadInput},
		"bad base64":             {&ragv1.IngestFile{}, `{"content":"%%"}`, "content", errs.BadInput},
		"bad mask":               {&goalsv1.UpdateGoalRequest{}, `{"update_mask":"ti tle"}`, "update_mask", errs.BadInput},
		"map key twice":          {&eventsv1.UserErased{}, `{"counts":{"a":1,"a":2}}`, "counts.a", errs.BadInput},
		"list for message":       {&tasksv1.CreateTaskRequest{}, `{"validation":[]}`, "validation", errs.BadInput},
		"not an object":          {&goalsv1.CreateGoalRequest{}, `[]`, "", errs.BadInput},
		"empty":                  {&goalsv1.CreateGoalRequest{}, ` `, "", wire.Malformed},
		"cut off":                {&goalsv1.CreateGoalRequest{}, `{"title":"a`, "", wire.Malformed},
		"trailing comma":         {&goalsv1.CreateGoalRequest{}, `{"title":"a",}`, "", wire.Malformed},
		"trailing text":          {&goalsv1.CreateGoalRequest{}, `{} x`, "", wire.Malformed},
		"raw NUL":                {&goalsv1.CreateGoalRequest{}, "{\"title\":\"a\x00\"}", "", wire.Malformed},
		"escaped NUL":            {&goalsv1.CreateGoalRequest{}, `{"title":"a\u0000"}`, "", wire.Malformed},
		"escaped NUL in raw":     {&goalsv1.CreateGoalRequest{}, `{"metadata":{"a":"\u0000"}}`, "", wire.Malformed},
		"escaped NUL in raw key": {&goalsv1.CreateGoalRequest{}, `{"metadata":{"\u0000":1}}`, "", wire.Malformed},
		"lone surrogate":         {&goalsv1.CreateGoalRequest{}, `{"metadata":{"a":"\ud800"}}`, "", wire.Malformed},
		"not UTF-8":              {&goalsv1.CreateGoalRequest{}, "{\"title\":\"\xff\"}", "", wire.Malformed},
		"too deep in raw":        {&goalsv1.CreateGoalRequest{}, `{"metadata":` + deep + `}`, "", wire.Malformed},
		"too deep":               {&goalsv1.CreateGoalRequest{}, strings.Repeat("[", 1<<20), "", wire.Malformed},
		"number too big in raw":  {&goalsv1.CreateGoalRequest{}, `{"metadata":{"a":1e400}}`, "", wire.Malformed},
		"leading zero":           {&goalsv1.ListGoalsRequest{}, `{"page_size":01}`, "", wire.Malformed},
		"bare word":              {&goalsv1.CreateGoalRequest{}, `{"title":nope}`, "", wire.Malformed},
		"single quotes":          {&goalsv1.CreateGoalRequest{}, `{'title':'a'}`, "", wire.Malformed},
		"bad escape":             {&goalsv1.CreateGoalRequest{}, `{"title":"\x41"}`, "", wire.Malformed},
		"line break in a string": {&goalsv1.CreateGoalRequest{}, "{\"title\":\"a\nb\"}", "", wire.Malformed},
	} {
		err := wire.Unmarshal([]byte(c.json), c.msg)
		if !c.kind.Is(err) {
			t.Errorf("%s: got %v", name, err)
			continue
		}
		var e *errs.Error
		errors.As(err, &e)
		field := ""
		if len(e.Fields) > 0 {
			field = e.Fields[0].Path
		}
		if field != c.field {
			t.Errorf("%s: field %q, want %q (%v)", name, field, c.field, err)
		}
		if e.Spanish == "" || e.Spanish == e.English || len(e.English) > 400 {
			t.Errorf("%s: texts %q and %q", name, e.English, e.Spanish)
		}
	}
}

func TestStoredPayloadsOfOtherVersionsAreRead(t *testing.T) {
	var got tasksv1.TaskCompleted
	err := wire.UnmarshalStored([]byte(`{"task_id":"t","completed_by":42,"from_the_future":{"a":[1]},"result":{"verdict":"passed","new":null}}`), &got)
	want := &tasksv1.TaskCompleted{TaskId: "t", CompletedBy: 42, Result: &tasksv1.ValidationResult{Verdict: "passed"}}
	if err != nil || !proto.Equal(&got, want) {
		t.Fatalf("got %v, %v", &got, err)
	}
}

func TestNormalizeHoldsOtherFacesToTheSameRules(t *testing.T) {
	req := &goalsv1.CreateGoalRequest{Title: "t", Metadata: ` { "a" : 1 } `}
	if err := wire.Normalize(req); err != nil || req.Metadata != `{"a":1}` {
		t.Fatalf("got %q, %v", req.Metadata, err)
	}
	for field, msg := range map[string]proto.Message{
		"title":                    &goalsv1.CreateGoalRequest{Title: "a\x00"},
		"validation_criteria[1]":   &goalsv1.CreateGoalRequest{ValidationCriteria: []string{"", "\x00"}},
		"metadata":                 &goalsv1.CreateGoalRequest{Metadata: `[1]`},
		"validation.options":       &tasksv1.CreateTaskRequest{Validation: &tasksv1.TaskValidation{Options: `{"a":"\u0000"}`}},
		"validation.tests[0].path": &tasksv1.CreateTaskRequest{Validation: &tasksv1.TaskValidation{Tests: []*tasksv1.TaskFile{{Path: "\x00"}}}},
	} {
		err := wire.Normalize(msg)
		var e *errs.Error
		if !errors.As(err, &e) || len(e.Fields) != 1 || e.Fields[0].Path != field {
			t.Errorf("%s: got %v", field, err)
		}
	}
}

func TestEnumNamesAreShortBothWays(t *testing.T) {
	desc := goalsv1.GoalStatus(0).Descriptor()
	if got := strings.Join(wire.EnumNames(desc), " "); got != "pending in_progress completed blocked cancelled" {
		t.Errorf("got %q", got)
	}
	if got := wire.EnumName(goalsv1.GoalStatus_GOAL_STATUS_IN_PROGRESS); got != "in_progress" {
		t.Errorf("got %q", got)
	}
	for _, name := range []string{"in_progress", "GOAL_STATUS_IN_PROGRESS"} {
		if n, ok := wire.ParseEnum(desc, name); !ok || n != 2 {
			t.Errorf("%s: got %d, %t", name, n, ok)
		}
	}
	if _, ok := wire.ParseEnum(desc, "IN_PROGRESS"); ok {
		t.Error("IN_PROGRESS was understood")
	}
}
