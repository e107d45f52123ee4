package ladder

import "testing"

func TestStrictSchemasAreClosedAllTheWayDown(t *testing.T) {
	closed := `"additionalProperties":false`
	for schema, want := range map[string]bool{
		`{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],` + closed + `}`: true,
		`{"type":"object","properties":{"a":{"type":"string"}},` + closed + `}`:                  false,
		`{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}`:                false,
		`{"type":"array","items":{"type":"object","properties":{"a":{}},"required":["a"]}}`:      false,
		`{"oneOf":[{"type":"string"}]}`: false,
		`{"type":"string"}`:             true,
		`{"type":"object","properties":{"not":{"type":"string"}},"required":["not"],` + closed + `}`: true, // a name, no keyword
		`{"type":"integer","minimum":1}`: true,
		`{`:                              false,
	} {
		if got := Strict(schema); got != want {
			t.Errorf("%s: %t", schema, got)
		}
	}
	if Strict(`{"type":"integer","minimum":1}`, "minimum") {
		t.Error("a word that the provider refuses was let through")
	}
}
