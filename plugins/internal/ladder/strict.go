package ladder

import (
	"encoding/json"
	"slices"
)

// Strict says whether a schema is within what providers' strict modes take:
// every object closed and all its properties required, none of the words given.
func Strict(schema string, without ...string) bool {
	var v any
	return json.Unmarshal([]byte(schema), &v) == nil && strictNode(v, append([]string{
		"oneOf", "allOf", "not", "if", "then", "else", "patternProperties",
	}, without...))
}

func strictNode(v any, without []string) bool {
	switch n := v.(type) {
	case []any:
		for _, x := range n {
			if !strictNode(x, without) {
				return false
			}
		}
	case map[string]any:
		if props, ok := n["properties"].(map[string]any); ok {
			required, _ := n["required"].([]any)
			if n["additionalProperties"] != false || len(required) != len(props) {
				return false
			}
			for _, x := range props { // their names are nobody's keywords
				if !strictNode(x, without) {
					return false
				}
			}
		}
		for k, x := range n {
			if k != "properties" && (slices.Contains(without, k) || !strictNode(x, without)) {
				return false
			}
		}
	}
	return true
}
