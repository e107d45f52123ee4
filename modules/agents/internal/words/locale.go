package words

import "strings"

var spanishMarks, englishMarks = set(`el la los las una unos del que con para por como cuando donde pero sin sobre entre está son cada si y o
	escribe devuelve función lista número`), set(`the of and to in is that with for as when where but without about between are each if or
	write returns function list number`)

// Locale says whether a text is Spanish, "es", or else "en".
func Locale(text string) string {
	es, en := 0, 0
	for _, w := range strings.Fields(strings.ToLower(text)) {
		w = strings.Trim(w, ".,;:!?()«»\"'`")
		if spanishMarks[w] || strings.ContainsAny(w, "áéíóúñ¿¡") {
			es++
		}
		if englishMarks[w] {
			en++
		}
	}
	if es > en {
		return "es"
	}
	return "en"
}
