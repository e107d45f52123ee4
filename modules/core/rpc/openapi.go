package rpc

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"google.golang.org/protobuf/reflect/protoreflect"
	"gopkg.in/yaml.v3"
)

// openAPI describes the REST addresses in OpenAPI 3.1. Descriptors hold no
// comments at run time; what each call does is told in the protos.
func openAPI(bindings []*Binding) ([]byte, error) {
	s := &schemas{prefix: "#/components/schemas/", made: object{}}
	paths := object{}
	for _, b := range bindings {
		item, ok := paths[b.Path].(object)
		if !ok {
			item = object{}
			paths[b.Path] = item
		}
		item[strings.ToLower(b.Method)] = operation(s, b)
	}
	s.made["Problem"] = problemSchema()
	text, err := yaml.Marshal(object{
		"openapi": "3.1.0",
		"info": object{
			"title": "Goals Tracker", "version": "v1", "license": object{"name": "Apache-2.0", "identifier": "Apache-2.0"},
			"description": "The REST face of the API; the same calls are served by Connect and gRPC.",
		},
		"servers":  []object{{"url": "/"}},
		"security": []object{{"bearer": []string{}}},
		"paths":    paths,
		"components": object{
			"schemas":         s.made,
			"securitySchemes": object{"bearer": object{"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
			"responses": object{"Problem": object{
				"description": "An error, RFC 9457; detail is English or Spanish by Accept-Language.",
				"content":     object{"application/problem+json": object{"schema": object{"$ref": "#/components/schemas/Problem"}}},
			}},
		},
	})
	if err != nil {
		return nil, fmt.Errorf("write OpenAPI: %w", err)
	}
	return text, nil
}

func operation(s *schemas, b *Binding) object {
	service, _, _ := strings.Cut(string(b.Desc.Parent().Name()), "Service")
	id := string(b.Desc.Name())
	if b.Method == http.MethodPut {
		id += "Put" // the second address of the same call
	}
	op := object{
		"operationId": id, "tags": []string{service}, "summary": sentence(string(b.Desc.Name())),
		"x-procedure": b.Procedure, "responses": responses(s, b),
	}
	parameters := []object{}
	input := b.Desc.Input()
	for i := range input.Fields().Len() {
		field := input.Fields().Get(i)
		name := string(field.Name())
		switch {
		case slices.Contains(b.Vars, name):
			parameters = append(parameters, object{"name": name, "in": "path", "required": true, "schema": s.field(field)})
		case !b.Body:
			parameters = append(parameters, object{"name": name, "in": "query", "schema": s.field(field)})
		}
	}
	if b.Method != http.MethodGet {
		parameters = append(parameters, object{
			"name": KeyHeader, "in": "header", "schema": object{"type": "string", "minLength": 1, "maxLength": maxKey},
			"description": "Makes the call safe to repeat: for 48 hours the same key gives the first answer again.",
		})
	}
	if len(parameters) > 0 {
		op["parameters"] = parameters
	}
	if b.Body {
		op["requestBody"] = object{"content": object{"application/json": object{"schema": bodySchema(s, input, b.Vars)}}}
	}
	return op
}

// bodySchema is the request without what stands in the path.
func bodySchema(s *schemas, input protoreflect.MessageDescriptor, vars []string) object {
	if len(vars) == 0 {
		return s.ref(input)
	}
	schema := s.message(input)
	properties, _ := schema["properties"].(object)
	for _, name := range vars {
		delete(properties, name)
	}
	if required, ok := schema["required"].([]string); ok {
		required = slices.DeleteFunc(required, func(name string) bool { return slices.Contains(vars, name) })
		if len(required) == 0 {
			delete(schema, "required")
		} else {
			schema["required"] = required
		}
	}
	return schema
}

func responses(s *schemas, b *Binding) object {
	out := object{"default": object{"$ref": "#/components/responses/Problem"}}
	switch {
	case b.Empty():
		out["204"] = object{"description": "Done."}
	case b.Creates():
		out["201"] = object{
			"description": "Created.", "headers": object{"Location": object{"schema": object{"type": "string"}}},
			"content": object{"application/json": object{"schema": s.ref(b.Desc.Output())}},
		}
	default:
		out["200"] = object{"description": "Done.", "content": object{"application/json": object{"schema": s.ref(b.Desc.Output())}}}
	}
	return out
}

func problemSchema() object {
	str := object{"type": "string"}
	return object{
		"type":     "object",
		"required": []string{"type", "title", "status", "detail", "code", "reason", "request_id"},
		"properties": object{
			"type": str, "title": str, "status": object{"type": "integer"}, "detail": str, "code": str, "reason": str, "request_id": str,
			"fields": object{"type": "array", "items": object{
				"type": "object", "properties": object{"field": str, "message": str}, "required": []string{"field", "message"},
			}},
			"details": object{"type": "object", "additionalProperties": str},
		},
	}
}

// sentence turns CreateGoal into "Create goal".
func sentence(camel string) string {
	var b strings.Builder
	for i, r := range camel {
		if i > 0 && r >= 'A' && r <= 'Z' {
			b.WriteByte(' ')
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}

func openAPIHandler(bindings []*Binding) http.Handler {
	text := sync.OnceValues(func() ([]byte, error) { return openAPI(bindings) })
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := text()
		if err != nil {
			writeProblem(w, r, ErrInternal.New(RequestID(r.Context())))
			return
		}
		w.Header().Set("Content-Type", "application/yaml")
		w.Header().Set("Cache-Control", "public, max-age=300")
		_, _ = w.Write(body)
	})
}
