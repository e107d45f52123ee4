package main

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/goals-tracker/tracker/plugins/internal/files"
	"github.com/goals-tracker/tracker/sdk/validator"
)

// sanitized is what a sanitizer has reported.
type sanitized struct {
	kind    string // heap-buffer-overflow
	detail  string // the tool's own words
	finding validator.Finding
}

var (
	asanHead  = regexp.MustCompile(`(?m)^=*\n?==\d+==\s?ERROR: AddressSanitizer:? (.*)$`)
	asanFrame = regexp.MustCompile(`(?m)^\s+#\d+ 0x[0-9a-f]+ in .*? ([^\s:()]+):(\d+)(?::(\d+))?$`)
	ubsanHead = regexp.MustCompile(`(?m)^(\S+?):(\d+):(\d+): runtime error: (.*)$`)
)

// ubsanNote shows memory in digits, under the report.
var ubsanNote = regexp.MustCompile(`(?m)^0x[0-9a-f]+: note: .*\n.*\n.*\n?`)

// ubsanKinds name what the undefined behaviour sanitizer says in a sentence.
var ubsanKinds = []struct {
	kind string
	says *regexp.Regexp
}{
	{"division-by-zero", regexp.MustCompile(`division by zero`)},
	{"signed-integer-overflow", regexp.MustCompile(`signed integer overflow|cannot be represented in type|negation of`)},
	{"shift", regexp.MustCompile(`shift (exponent|of)`)},
	{"null-pointer", regexp.MustCompile(`null pointer`)},
	{"index-out-of-bounds", regexp.MustCompile(`out of bounds`)},
	{"misaligned", regexp.MustCompile(`misaligned`)},
	{"object-size", regexp.MustCompile(`insufficient space`)},
	{"no-return", regexp.MustCompile(`end of a value-returning function|without returning a value`)},
	{"unreachable", regexp.MustCompile(`unreachable`)},
	{"invalid-value", regexp.MustCompile(`not a valid value|outside the range`)},
	{"pointer-overflow", regexp.MustCompile(`pointer (index expression|overflow)|applying .*offset`)},
	{"vptr", regexp.MustCompile(`vptr|does not point to an object of type`)},
	{"variable-length-array", regexp.MustCompile(`variable length array`)},
}

// splitSanitizer parts what a process printed into its own words and the first
// report of a sanitizer in it, nil when there is none.
func splitSanitizer(output string, sub *validator.Submission) (string, *sanitized) {
	if at := asanHead.FindStringSubmatchIndex(output); at != nil {
		head, rest := output[at[2]:at[3]], output[at[0]:]
		end := strings.Index(rest, "==ABORTING")
		after := ""
		if end >= 0 {
			after = rest[end+len("==ABORTING"):]
			rest = rest[:end]
		}
		s := &sanitized{kind: asanKind(head), detail: head}
		s.locate(asanFrame.FindAllStringSubmatch(rest, -1), sub)
		return strings.TrimRight(strings.ReplaceAll(output[:at[0]], "AddressSanitizer:DEADLYSIGNAL", ""), "=\n") + strings.TrimLeft(after, "\n"), s
	}
	if at := ubsanHead.FindStringSubmatchIndex(output); at != nil {
		s := &sanitized{kind: "undefined-behaviour", detail: output[at[8]:at[9]]}
		for _, k := range ubsanKinds {
			if k.says.MatchString(s.detail) {
				s.kind = k.kind
				break
			}
		}
		s.locate([][]string{{"", output[at[2]:at[3]], output[at[4]:at[5]], output[at[6]:at[7]]}}, sub)
		return output[:at[0]] + ubsanNote.ReplaceAllString(strings.TrimLeft(output[at[1]:], "\n"), ""), s
	}
	return output, nil
}

func asanKind(head string) string {
	kind, _, _ := strings.Cut(head, " ")
	switch {
	case strings.HasPrefix(head, "attempting double-free"):
		return "double-free"
	case strings.HasPrefix(head, "attempting free on"):
		return "bad-free"
	case strings.HasPrefix(head, "requested allocation size"):
		return "allocation-size-too-big"
	case strings.HasPrefix(head, "allocator is out of memory"), strings.HasPrefix(head, "Out of memory"):
		return "out-of-memory"
	case kind == "SEGV":
		if strings.Contains(head, "address 0x000000000") {
			return "null-pointer"
		}
		return "bad-pointer"
	case kind == "FPE":
		return "division-by-zero"
	case kind == "ABRT", kind == "ILL", kind == "BUS":
		return "signal"
	}
	return strings.ToLower(strings.TrimSuffix(kind, ":"))
}

// locate finds the first place that is the submission's.
func (s *sanitized) locate(frames [][]string, sub *validator.Submission) {
	s.finding = validator.Finding{Rule: "sanitizer:" + s.kind, Severity: validator.SeverityError}
	for _, f := range frames {
		name := place(f[1])
		if sub.File(name) == nil {
			continue
		}
		s.finding.File = name
		s.finding.Line, _ = strconv.Atoi(f[2])
		s.finding.Column, _ = strconv.Atoi(f[3])
		s.finding.Excerpt = files.Excerpt(files.Line(sub, name, s.finding.Line), s.finding.Column)
		break
	}
	s.finding.Message = s.message()
}

var sanitizerTexts = map[string][2]string{
	"heap-buffer-overflow":          {"The program reaches beyond the end (or before the start) of memory that was allocated{at}. Is the size right, and the last index one less than it?", "El programa accede más allá del final (o antes del principio) de la memoria reservada{at}. ¿Es correcto el tamaño, y el último índice uno menos que él?"},
	"stack-buffer-overflow":         {"The program reaches beyond the end (or before the start) of a local array{at}. An array of n elements has the indices 0 to n-1; a text needs one more place for its final '\\0'.", "El programa accede fuera de un arreglo local{at}. Un arreglo de n elementos tiene los índices 0 a n-1; un texto necesita un lugar más para su '\\0' final."},
	"global-buffer-overflow":        {"The program reaches beyond the end (or before the start) of a global array or of a text{at}.", "El programa accede fuera de un arreglo global o de un texto{at}."},
	"heap-use-after-free":           {"The program uses memory that it has freed already{at}.", "El programa usa memoria que ya liberó{at}."},
	"stack-use-after-scope":         {"The program uses a local variable after the block that it lives in has ended{at}.", "El programa usa una variable local después del fin del bloque en el que vive{at}."},
	"stack-use-after-return":        {"The program uses a local variable of a function that has returned{at}. Don't return the address of a local variable.", "El programa usa una variable local de una función que ya terminó{at}. No devuelvas la dirección de una variable local."},
	"double-free":                   {"The program frees the same memory twice{at}.", "El programa libera la misma memoria dos veces{at}."},
	"bad-free":                      {"The program frees an address that malloc did not give{at}.", "El programa libera una dirección que malloc no entregó{at}."},
	"alloc-dealloc-mismatch":        {"Memory is given back in another way than it was taken{at}: malloc goes with free, new with delete, new[] with delete[].", "La memoria se devuelve de otra forma que como se tomó{at}: malloc va con free, new con delete, new[] con delete[]."},
	"stack-overflow":                {"A function calls itself without end{at}, or a local array is too large. Is there a case in which the recursion stops?", "Una función se llama a sí misma sin fin{at}, o un arreglo local es demasiado grande. ¿Hay un caso en el que la recursión termina?"},
	"null-pointer":                  {"The program follows a null pointer{at}. Check that it points to something before you use it.", "El programa sigue un puntero nulo{at}. Comprueba que apunte a algo antes de usarlo."},
	"bad-pointer":                   {"The program follows a pointer that leads nowhere{at}. Was it ever set?", "El programa sigue un puntero que no lleva a ningún sitio{at}. ¿Llegó a recibir un valor?"},
	"division-by-zero":              {"The program divides by zero{at}.", "El programa divide por cero{at}."},
	"signed-integer-overflow":       {"A calculation{at} has a result too large or too small for its type: {detail}.", "Un cálculo{at} da un resultado demasiado grande o demasiado pequeño para su tipo: {detail}."},
	"shift":                         {"A shift{at} goes by more bits than the type has, or is of a negative value: {detail}.", "Un desplazamiento{at} excede los bits del tipo, o es de un valor negativo: {detail}."},
	"index-out-of-bounds":           {"An index{at} lies outside of its array: {detail}.", "Un índice{at} está fuera de su arreglo: {detail}."},
	"no-return":                     {"A function that must return a value{at} came to its end without a return.", "Una función que debe devolver un valor{at} llegó a su fin sin return."},
	"misaligned":                    {"A pointer{at} was turned into one of another type, which needs another alignment: {detail}.", "Un puntero{at} se convirtió a otro tipo que necesita otra alineación: {detail}."},
	"allocation-size-too-big":       {"The program asks for far too much memory{at}. Is the size negative?", "El programa pide demasiada memoria{at}. ¿El tamaño es negativo?"},
	"out-of-memory":                 {"Memory ran out{at}.", "La memoria se agotó{at}."},
	"negative-size-param":           {"A size{at} is negative.", "Un tamaño{at} es negativo."},
	"strcpy-param-overlap":          {"strcpy copies between texts that overlap{at}.", "strcpy copia entre textos que se solapan{at}."},
	"memcpy-param-overlap":          {"memcpy copies between places that overlap{at}; use memmove.", "memcpy copia entre lugares que se solapan{at}; usa memmove."},
	"dynamic-stack-buffer-overflow": {"The program reaches beyond the end of a local array of variable length{at}.", "El programa accede fuera de un arreglo local de longitud variable{at}."},
}

func (s *sanitized) message() validator.Message {
	atEN, atES := "", ""
	if s.finding.File != "" {
		line := strconv.Itoa(s.finding.Line)
		atEN, atES = " ("+s.finding.File+", line "+line+")", " ("+s.finding.File+", línea "+line+")"
	}
	t, ok := sanitizerTexts[s.kind]
	if !ok {
		t = [2]string{"The program does something that the language leaves undefined{at}: {detail}.", "El programa hace algo que el lenguaje deja indefinido{at}: {detail}."}
	}
	detail := addresses.ReplaceAllString(s.detail, "0x…")
	return validator.Text("c.sanitizer."+s.kind, strings.ReplaceAll(t[0], "{at}", atEN), strings.ReplaceAll(t[1], "{at}", atES), "detail", detail)
}

// addresses differ from run to run.
var addresses = regexp.MustCompile(`0x[0-9a-f]+`)
