package rpc

import (
	"net/http"
	"slices"
	"sort"
	"strings"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	wirev1 "github.com/goals-tracker/tracker/sdk/gen/tracker/wire/v1"
)

// Binding is one REST address of a procedure.
type Binding struct {
	// Method is the HTTP method, Path the template: "/api/v1/goals/{id}:start".
	Method, Path string
	// Procedure is "/tracker.goals.v1.GoalsService/StartGoal".
	Procedure string
	Desc      protoreflect.MethodDescriptor
	// Vars are the request's fields that stand in the path.
	Vars []string
	// Body reports whether the request's other fields come as JSON rather than
	// in the query.
	Body bool

	segments []string // a variable is ""
	verb     string
	location string // collection of what a POST creates: "/api/v1/goals/"
}

// Creates reports whether success is 201: the procedure makes a resource.
func (b *Binding) Creates() bool {
	name := string(b.Desc.Name())
	return b.Method == http.MethodPost && b.verb == "" && slices.ContainsFunc(
		[]string{"Create", "Submit", "Plan", "Request"}, func(verb string) bool { return strings.HasPrefix(name, verb) })
}

// Empty reports whether success is 204: there is nothing to answer.
func (b *Binding) Empty() bool { return b.Desc.Output().FullName() == "google.protobuf.Empty" }

// Services are the services of the public API whose generated code is linked
// in, by name; the tables below are made of them.
func Services() []protoreflect.ServiceDescriptor {
	var all []protoreflect.ServiceDescriptor
	protoregistry.GlobalFiles.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		pkg := string(file.Package())
		if strings.HasPrefix(pkg, "tracker.") && !strings.HasPrefix(pkg, "tracker.plugin.") {
			for i := range file.Services().Len() {
				all = append(all, file.Services().Get(i))
			}
		}
		return true
	})
	sort.Slice(all, func(i, j int) bool { return all[i].FullName() < all[j].FullName() })
	return all
}

// Methods are the procedures of services: "/package.Service/Method" → method.
func Methods(services ...protoreflect.ServiceDescriptor) map[string]protoreflect.MethodDescriptor {
	all := map[string]protoreflect.MethodDescriptor{}
	for _, service := range services {
		for i := range service.Methods().Len() {
			method := service.Methods().Get(i)
			all[procedureOf(method)] = method
		}
	}
	return all
}

func procedureOf(method protoreflect.MethodDescriptor) string {
	return "/" + string(method.Parent().FullName()) + "/" + string(method.Name())
}

// Commands are the WebSocket commands of services, "goal.create", each with
// the procedure that it calls.
func Commands(services ...protoreflect.ServiceDescriptor) map[string]string {
	all := map[string]string{}
	for procedure, method := range Methods(services...) {
		names, _ := proto.GetExtension(method.Options(), wirev1.E_Command).([]string)
		for _, name := range names {
			all[name] = procedure
		}
	}
	return all
}

// Bindings are the REST addresses of services, by path and method.
func Bindings(services ...protoreflect.ServiceDescriptor) []*Binding {
	var all []*Binding
	for _, method := range Methods(services...) {
		rule, _ := proto.GetExtension(method.Options(), annotations.E_Http).(*annotations.HttpRule)
		if rule == nil {
			continue
		}
		for _, r := range append([]*annotations.HttpRule{rule}, rule.GetAdditionalBindings()...) {
			all = append(all, newBinding(method, r))
		}
	}
	sort.Slice(all, func(i, j int) bool {
		if all[i].Path != all[j].Path {
			return all[i].Path < all[j].Path
		}
		return all[i].Method < all[j].Method
	})
	for _, b := range all {
		b.locate(all)
	}
	return all
}

func newBinding(method protoreflect.MethodDescriptor, rule *annotations.HttpRule) *Binding {
	b := &Binding{Procedure: procedureOf(method), Desc: method, Body: rule.GetBody() == "*"}
	switch pattern := rule.GetPattern().(type) {
	case *annotations.HttpRule_Get:
		b.Method, b.Path = http.MethodGet, pattern.Get
	case *annotations.HttpRule_Put:
		b.Method, b.Path = http.MethodPut, pattern.Put
	case *annotations.HttpRule_Post:
		b.Method, b.Path = http.MethodPost, pattern.Post
	case *annotations.HttpRule_Delete:
		b.Method, b.Path = http.MethodDelete, pattern.Delete
	case *annotations.HttpRule_Patch:
		b.Method, b.Path = http.MethodPatch, pattern.Patch
	}
	b.segments, b.verb = splitPath(b.Path)
	for i, segment := range b.segments {
		if name, ok := strings.CutPrefix(segment, "{"); ok {
			b.Vars = append(b.Vars, strings.TrimSuffix(name, "}"))
			b.segments[i] = ""
		}
	}
	return b
}

// splitPath cuts a path, or the template of one, into segments and verb.
func splitPath(path string) (segments []string, verb string) {
	segments = strings.Split(strings.TrimPrefix(path, "/"), "/")
	last := len(segments) - 1
	segments[last], verb, _ = strings.Cut(segments[last], ":")
	return segments, verb
}

// locate finds where what the binding creates can be read.
func (b *Binding) locate(all []*Binding) {
	for _, other := range all {
		if other.Method == http.MethodGet && other.verb == "" && len(other.Vars) == 1 &&
			strings.HasSuffix(other.Path, "/{id}") && other.Desc.Output() == b.Desc.Output() {
			b.location = strings.TrimSuffix(other.Path, "{id}")
		}
	}
}

// matches reports whether a path fits the template; a variable is never empty.
func (b *Binding) matches(segments []string, verb string) bool {
	if b.verb != verb || len(b.segments) != len(segments) {
		return false
	}
	for i, want := range b.segments {
		if want != segments[i] && (want != "" || segments[i] == "") {
			return false
		}
	}
	return true
}

// restTable finds the binding of a request.
type restTable map[int][]*Binding // by number of segments

func newRestTable(bindings []*Binding) restTable {
	table := restTable{}
	for _, b := range bindings {
		table[len(b.segments)] = append(table[len(b.segments)], b)
	}
	return table
}

// find gives the binding, or the methods that the path has.
func (t restTable) find(method, path string) (*Binding, []string) {
	segments, verb := splitPath(path)
	var methods []string
	for _, b := range t[len(segments)] {
		if !b.matches(segments, verb) {
			continue
		}
		if b.Method == method {
			return b, nil
		}
		methods = append(methods, b.Method)
		if b.Method == http.MethodGet {
			methods = append(methods, http.MethodHead)
		}
	}
	slices.Sort(methods)
	return nil, methods
}
