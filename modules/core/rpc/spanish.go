package rpc

import "regexp"

// rules are what the checks of a request say in English, and the same in Spanish.
var rules = []struct {
	said    *regexp.Regexp
	english string
	spanish string
}{
	{regexp.MustCompile(`^must be at least 1 characters$`), "must not be empty", "no puede estar vacío"},
	{regexp.MustCompile(`^must be at least (\S+) characters$`), "", "debe tener al menos $1 caracteres"},
	{regexp.MustCompile(`^must be at most (\S+) characters$`), "", "debe tener como mucho $1 caracteres"},
	{regexp.MustCompile(`^must be at most (\S+) bytes$`), "", "debe tener como mucho $1 bytes"},
	{regexp.MustCompile(`^must be a valid UUID$`), "", "debe ser un UUID"},
	{regexp.MustCompile(`^must be greater than or equal to (\S+) and less than or equal to (\S+)$`), "must be $1 to $2", "debe estar entre $1 y $2"},
	{regexp.MustCompile(`^must be greater than or equal to (\S+)$`), "must be $1 or more", "debe ser $1 o más"},
	{regexp.MustCompile(`^must be less than or equal to (\S+)$`), "must be $1 or less", "debe ser $1 o menos"},
	{regexp.MustCompile(`^must be in list \[(.*)\]$`), "must be one of: $1", "debe ser uno de: $1"},
	{regexp.MustCompile(`^must contain at least (\S+) item\(s\)$`), "must have at least $1", "debe tener al menos $1"},
	{regexp.MustCompile(`^must contain no more than (\S+) item\(s\)$`), "must have at most $1", "debe tener como mucho $1"},
	{regexp.MustCompile(`unique`), "must not hold the same twice", "no puede contener lo mismo dos veces"},
	{regexp.MustCompile(`^value is required$`), "is missing", "falta"},
	{regexp.MustCompile(`defined enum value`), "has a value that there is not", "tiene un valor que no existe"},
	{regexp.MustCompile(`regex pattern`), "is not written as it must be", "no está escrito como debe"},
}

// rule says in both languages what a check of a request found.
func rule(message string) (english, spanish string) {
	for _, r := range rules {
		at := r.said.FindStringSubmatchIndex(message)
		if at == nil {
			continue
		}
		english = message
		if r.english != "" {
			english = string(r.said.ExpandString(nil, r.english, message, at))
		}
		return english, string(r.said.ExpandString(nil, r.spanish, message, at))
	}
	return message, "no es válido"
}
