package main

import (
	"regexp"
	"slices"
	"strings"

	"github.com/goals-tracker/tracker/sdk/validator"
)

// sayings are the compiler's commonest errors in the words of a beginner's
// course. {a} and {b} are what the message names between backticks, {label} what
// it writes at the place, {help} its advice.
var sayings = map[string][2]string{
	"E0308": {"A value of another type is expected here: {label}.", "Aquí se espera un valor de otro tipo: {label}."},
	"E0382": {"{a} was moved before, so it can't be used here any more. Borrow it with & where it was moved, or clone it.", "{a} se movió antes, así que ya no se puede usar aquí. Préstalo con & donde se movió, o clónalo."},
	"E0499": {"{a} is borrowed as mutable twice at the same time; only one &mut may exist at a time.", "{a} se presta como mutable dos veces a la vez; solo puede existir un &mut a la vez."},
	"E0502": {"{a} is borrowed once as mutable and once as immutable at the same time. End one borrow before the other begins.", "{a} se presta a la vez como mutable y como inmutable. Termina un préstamo antes de que empiece el otro."},
	"E0503": {"{a} is used while it is borrowed as mutable.", "{a} se usa mientras está prestado como mutable."},
	"E0505": {"{a} is moved while it is still borrowed.", "{a} se mueve mientras sigue prestado."},
	"E0506": {"{a} is changed while it is still borrowed.", "{a} se modifica mientras sigue prestado."},
	"E0507": {"{a} can't be moved out of a borrow. Borrow it too (&), or clone it.", "{a} no se puede mover desde un préstamo. Préstalo también (&), o clónalo."},
	"E0515": {"A reference to {a} is returned, but it lives only as long as the function. Return the value itself.", "Se devuelve una referencia a {a}, que solo vive mientras dura la función. Devuelve el valor mismo."},
	"E0597": {"{a} does not live long enough: a reference to it is used after it is gone.", "{a} no vive lo suficiente: se usa una referencia a él cuando ya no existe."},
	"E0716": {"A temporary value is gone at the end of the line, while a reference to it is still used. Give it a name with let.", "Un valor temporal deja de existir al final de la línea, mientras aún se usa una referencia a él. Dale un nombre con let."},
	"E0373": {"A closure may outlive {a}, which it borrows. Write move in front of it.", "Una clausura puede vivir más que {a}, que toma prestado. Escribe move delante."},
	"E0384": {"{a} is set a second time, but is not mutable. Write let mut.", "{a} recibe un segundo valor, pero no es mutable. Escribe let mut."},
	"E0596": {"{a} can't be borrowed as mutable, as it is not declared mut.", "{a} no se puede prestar como mutable, porque no está declarado como mut."},
	"E0594": {"{a} can't be changed: it is not mutable.", "{a} no se puede modificar: no es mutable."},
	"E0381": {"{a} is used before it has a value.", "{a} se usa antes de tener un valor."},
	"E0425": {"The name {a} is not known here. Is it spelled right, and in scope?", "Aquí no se conoce el nombre {a}. ¿Está bien escrito y a la vista?"},
	"E0412": {"The type {a} is not known here. Is it spelled right, and is a use missing?", "Aquí no se conoce el tipo {a}. ¿Está bien escrito, o falta un use?"},
	"E0422": {"The struct {a} is not known here. Is a use missing?", "Aquí no se conoce la estructura {a}. ¿Falta un use?"},
	"E0405": {"The trait {a} is not known here. Is a use missing?", "Aquí no se conoce el trait {a}. ¿Falta un use?"},
	"E0432": {"There is nothing of that name to import: {a}. Is it spelled right, and pub?", "No hay nada con ese nombre que importar: {a}. ¿Está bien escrito y es pub?"},
	"E0433": {"{a} is not known here. Is a use missing, or does the code need a crate that is not there?", "Aquí no se conoce {a}. ¿Falta un use, o el código necesita un crate que no está?"},
	"E0463": {"The crate {a} is not there: only the standard library can be used.", "El crate {a} no está: solo se puede usar la biblioteca estándar."},
	"E0603": {"{a} is private. Write pub in front of it.", "{a} es privado. Escribe pub delante."},
	"E0616": {"The field {a} is private.", "El campo {a} es privado."},
	"E0423": {"{a} is not a value. Are the braces of a struct missing?", "{a} no es un valor. ¿Faltan las llaves de una estructura?"},
	"E0560": {"There is no such field: {message}.", "No existe ese campo: {message}."},
	"E0609": {"There is no field {a} here.", "Aquí no hay un campo {a}."},
	"E0599": {"{b} has no method or item named {a}. Is it spelled right, and is a trait to be imported?", "{b} no tiene un método o elemento llamado {a}. ¿Está bien escrito, o falta importar un trait?"},
	"E0061": {"The number of values given to this function is wrong: {message}.", "El número de valores dados a esta función no es correcto: {message}."},
	"E0053": {"This method's types are not those that its trait demands.", "Los tipos de este método no son los que exige su trait."},
	"E0046": {"The trait demands more: {message}.", "El trait exige más: {message}."},
	"E0277": {"{message}. Something here needs a trait that the type does not have.", "{message}. Algo aquí necesita un trait que el tipo no tiene."},
	"E0369": {"This operator is not defined for these types: {message}. Does the type need #[derive(PartialEq)] or an impl?", "Este operador no está definido para estos tipos: {message}. ¿El tipo necesita #[derive(PartialEq)] o un impl?"},
	"E0106": {"A lifetime is missing here: say with 'a which of the parameters the reference comes from.", "Falta un tiempo de vida aquí: indica con 'a de cuál de los parámetros viene la referencia."},
	"E0621": {"The lifetime of this parameter must be named, as a reference to it is returned or kept.", "Hay que nombrar el tiempo de vida de este parámetro, porque se devuelve o guarda una referencia a él."},
	"E0004": {"match does not cover all cases: {message}.", "match no cubre todos los casos: {message}."},
	"E0023": {"This pattern has the wrong number of parts: {message}.", "Este patrón tiene un número incorrecto de partes: {message}."},
	"E0282": {"The compiler can't tell the type. Write it: let name: Type = …", "El compilador no puede deducir el tipo. Escríbelo: let nombre: Tipo = …"},
	"E0283": {"The compiler can't tell the type. Write it: let name: Type = …", "El compilador no puede deducir el tipo. Escríbelo: let nombre: Tipo = …"},
	"E0317": {"An if that gives a value needs an else.", "Un if que da un valor necesita un else."},
	"E0428": {"{a} is defined twice.", "{a} está definido dos veces."},
	"E0583": {"There is no file for the module {a}.", "No hay un archivo para el módulo {a}."},
	"E0601": {"There is no main function.", "No hay una función main."},
	"E0604": {"Only a u8 can become a char with as.", "Solo un u8 puede convertirse en char con as."},
	"E0605": {"as can't convert these types: {message}.", "as no puede convertir estos tipos: {message}."},
	"E0614": {"This is not a reference, so * has nothing to follow.", "Esto no es una referencia, así que * no tiene nada que seguir."},
	"E0618": {"{a} is not a function.", "{a} no es una función."},
	"E0658": {"This is not stable in the compiler's version: {message}.", "Esto no es estable en la versión del compilador: {message}."},
	"E0659": {"{a} is ambiguous: it could mean two things.", "{a} es ambiguo: puede significar dos cosas."},
	"E0728": {"await only has a meaning in async code.", "await solo tiene sentido en código async."},

	"unused_variables":        {"{a} is never used. If that is meant, begin its name with _.", "{a} no se usa nunca. Si es a propósito, empieza su nombre con _."},
	"unused_mut":              {"This need not be mut: it is never changed.", "Esto no necesita mut: nunca cambia."},
	"unused_imports":          {"This import is never used: {a}.", "Este import no se usa nunca: {a}."},
	"dead_code":               {"This is never used: {message}.", "Esto no se usa nunca: {message}."},
	"unused_must_use":         {"This result should not be ignored: {message}.", "Este resultado no debería ignorarse: {message}."},
	"unreachable_code":        {"This can never be reached.", "Nunca se llega hasta aquí."},
	"unused_assignments":      {"The value given to {a} is never read.", "El valor dado a {a} no se lee nunca."},
	"non_snake_case":          {"Names of functions and variables are written in snake_case: {message}.", "Los nombres de funciones y variables se escriben en snake_case: {message}."},
	"unconditional_recursion": {"This function calls itself without end.", "Esta función se llama a sí misma sin fin."},
	"arithmetic_overflow":     {"This calculation does not fit its type: {label}.", "Este cálculo no cabe en su tipo: {label}."},
	"unconditional_panic":     {"This will panic: {label}.", "Esto provocará un pánico: {label}."},
}

// syntax are errors without a code, by their words.
var syntax = []struct {
	id     string
	says   *regexp.Regexp
	en, es string
}{
	{"missing-semicolon", regexp.MustCompile("expected `;`|expected one of .*`;`"), "A semicolon (;) or an operator is missing here.", "Falta aquí un punto y coma (;) o un operador."},
	{"unclosed", regexp.MustCompile("unclosed delimiter"), "A bracket that was opened is never closed.", "Hay un paréntesis, corchete o llave que se abre y nunca se cierra."},
	{"unmatched", regexp.MustCompile("mismatched closing delimiter|unexpected closing delimiter"), "This closing bracket does not fit the one that was opened.", "Este cierre no encaja con lo que se abrió."},
	{"unterminated-text", regexp.MustCompile("unterminated (double quote|character|byte)"), "A text begins with a quote and does not end with one.", "Un texto empieza con comillas y no termina con ellas."},
	{"unknown-macro", regexp.MustCompile("cannot find macro `(.*?)`"), "There is no macro of that name: {a}.", "No hay una macro con ese nombre: {a}."},
	{"unknown-token", regexp.MustCompile("unknown start of token"), "There is a character here that Rust does not know; delete it and type it again.", "Aquí hay un carácter que Rust no conoce; bórralo y escríbelo de nuevo."},
	{"expected", regexp.MustCompile("^expected "), "Rust does not expect this here: {message}.", "Rust no espera esto aquí: {message}."},
	{"lifetime", regexp.MustCompile("lifetime may not live long enough"), "The reference that is returned or kept may outlive what it points to.", "La referencia que se devuelve o guarda puede vivir más que aquello a lo que apunta."},
	{"linking", regexp.MustCompile("linking with"), "The program could not be linked: something is declared, but not defined.", "El programa no se pudo enlazar: algo está declarado, pero no definido."},
}

var ticked = regexp.MustCompile("`([^`]+)`")

// phrase says a diagnostic in a sentence.
func (d *diagnostic) phrase(l *layout) validator.Message {
	params := make([]any, 0, 8)
	params = append(params, "message", strings.TrimSuffix(d.Message, "."))
	for i, key := range []string{"a", "b"} {
		value := "…"
		if all := ticked.FindAllStringSubmatch(d.Message, -1); i < len(all) {
			value = all[i][1]
		}
		params = append(params, key, value)
	}
	label := d.Message
	for _, s := range d.Spans {
		if s.Primary && s.Label != "" {
			label = s.Label
		}
	}
	params = append(params, "label", label)
	code := ""
	if d.Code != nil {
		code = d.Code.Code
	}
	if code == "E0432" || code == "E0433" || code == "E0463" {
		for _, m := range ticked.FindAllStringSubmatch(d.Message, -1) {
			name, _, _ := strings.Cut(m[1], "::")
			if slices.Contains(l.manifest.crates, name) || slices.Contains(l.manifest.crates, strings.ReplaceAll(name, "_", "-")) {
				return validator.Text("rust.no-crate", "The crate {name} is not there: only the standard library can be used.", "El crate {name} no está: solo se puede usar la biblioteca estándar.", "name", name)
			}
		}
	}
	if t, ok := sayings[code]; ok {
		return validator.Text("rust."+code, t[0], t[1], params...)
	}
	for _, s := range syntax {
		if code == "" && s.says.MatchString(d.Message) {
			return validator.Text("rust."+s.id, s.en, s.es, params...)
		}
	}
	if d.Level == "warning" {
		return validator.Text("rust.warning", "The compiler warns: {message}.", "El compilador advierte: {message}.", params...)
	}
	return validator.Text("rust.error", "The compiler does not accept this: {message}.", "El compilador no acepta esto: {message}.", params...)
}
