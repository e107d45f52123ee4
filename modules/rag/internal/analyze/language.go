package analyze

import "strings"

// Words that carry no meaning of their own, folded. What is also a keyword of a
// programming language, or tells programs apart (for, if, from, all, each), is
// no stop word: people look for it, and where it is frequent BM25 makes it light
// by itself.
var stop = map[Language]map[string]bool{
	English: set(`a about am an and are as at be because been being but by can cannot could did does doing dont during
		had has have having he her here hers herself him himself his how i im into is isnt it its itself just me my myself
		of on our ours ourselves s she should so some such t than that the their theirs them themselves then there these
		they this those through to too very was we were what when where which who whom why will would you your yours
		yourself`),
	Spanish: set(`a al algo algun alguna algunas alguno algunos ante antes asi aun aunque cada como con contra cual
		cuales cuando cuanto de del desde donde dos e el ella ellas ello ellos en entre era eran es esa esas ese eso esos
		esta estaba estaban estado estan estar estas este esto estos fue fueron ha habia han has hasta hay la las le les lo
		los mas me mi mis mucho muchos muy ni nos nosotros nuestra nuestro o os otra otras otro otros para pero poco por
		porque puede pueden pues que quien se sea sean ser si sido sin sobre solo son su sus tal tambien tan tanto te tiene
		tienen toda todas todo todos tu tus un una unas uno unos usar vosotros y ya yo`),
}

func set(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}

func isStop(word string, lang Language) bool {
	if lang == Unknown {
		lang = English
	}
	return stop[lang][Fold(word)]
}

// Words that tell the two languages apart: frequent in one, rare in the other
// and in programs.
var tells = map[string]Language{}

func init() {
	for lang, words := range map[Language]string{
		English: `the of and to is that it are was with this be have you your what how which when where why does do can
			from an by or we they there would should about into its then than`,
		Spanish: `el la los las de del que y en un una es por para con se su sus al como cual cuando donde lo le mas esta
			este esto son hay puede tiene muy sobre entre cada ejemplo funcion lista cadena bucle archivo usar
			hacer crear leer escribir ordenar`,
	} {
		for w := range set(words) {
			tells[w] = lang
		}
	}
}

// detectBytes is how much of a text is looked at.
const detectBytes = 20_000

// Detect tells the language of a text by its small words; Unknown when there
// are fewer than least, or not more than twice as many as of the other. Two do
// for prose; programs, with their short names, take more.
func Detect(text string, least int) Language {
	if len(text) > detectBytes {
		text = text[:detectBytes]
	}
	votes := map[Language]int{}
	seen := map[string]bool{} // a variable called es is one vote, however often it stands there
	scan(text, func(t token) {
		if len(t.parts) == 1 && len(t.parts[0]) == 1 {
			word := Fold(strings.ToLower(t.parts[0][0]))
			if lang, ok := tells[word]; ok && !seen[word] {
				seen[word] = true
				votes[lang]++
			}
		}
	})
	for _, sign := range []string{"¿", "ñ", "ción"} {
		if strings.Contains(text, sign) {
			votes[Spanish] += 2
		}
	}
	switch en, es := votes[English], votes[Spanish]; {
	case es >= least && es > 2*en:
		return Spanish
	case en >= least && en > 2*es:
		return English
	}
	return Unknown
}
