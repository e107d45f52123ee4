package main

import (
	"slices"
	"strings"

	"github.com/goals-tracker/tracker/sdk/validator"
)

// sentence says what something means to a beginner.
type sentence struct{ id, en, es string }

// compilerSaid pairs the beginnings of the compiler's keys, behind
// "compiler.err.", with sentences; the first that fits counts, and the
// compiler's own words follow.
var compilerSaid = []struct {
	key    string
	en, es string
}{
	{"cant.resolve.location.args", "There is no method of this name that takes these arguments. Is it spelled right, and written in that class?", "No hay ningún método con este nombre que reciba estos argumentos. ¿Está bien escrito y existe en esa clase?"},
	{"cant.resolve", "This name is not known here. Is it spelled right, declared before, or imported?", "Este nombre no se conoce aquí. ¿Está bien escrito, declarado antes o importado?"},
	{"cant.apply.symbol", "The method or constructor is called with other arguments than it takes.", "Se llama al método o constructor con argumentos distintos de los que recibe."},
	{"cant.apply.diamond", "The types of this call with <> do not fit together.", "Los tipos de esta llamada con <> no encajan."},
	{"prob.found.req", "A value of one type stands where another is needed.", "Hay un valor de un tipo donde se necesita otro."},
	{"incompatible", "A value of one type stands where another is needed.", "Hay un valor de un tipo donde se necesita otro."},
	{"expected", "Something is missing here, often a semicolon or a bracket on this line or the one before.", "Aquí falta algo, a menudo un punto y coma o un paréntesis en esta línea o en la anterior."},
	{"premature.eof", "The file ends too early: a { that was opened is never closed.", "El archivo termina demasiado pronto: hay una { abierta que nunca se cierra."},
	{"illegal.start.of.expr", "Something else than a value begins here. Is a bracket or a ; missing before it?", "Aquí no empieza un valor. ¿Falta un paréntesis, una llave o un ; antes?"},
	{"illegal.start", "This can't stand here. Is there a bracket too many or too few before it?", "Esto no puede estar aquí. ¿Sobra o falta una llave o un paréntesis antes?"},
	{"not.stmt", "This is a value that is not used for anything. Is an = or a call with ( ) missing?", "Esto es un valor que no se usa para nada. ¿Falta un = o una llamada con ( )?"},
	{"class.public.should.be.in.file", "A public class must be in a file of its own name.", "Una clase pública debe estar en un archivo con su mismo nombre."},
	{"missing.ret.stmt", "Not every way through the method returns a value.", "No todos los caminos del método devuelven un valor."},
	{"already.defined", "This name is declared twice; leave out the type the second time, or choose another name.", "Este nombre se declara dos veces; quita el tipo la segunda vez, o elige otro nombre."},
	{"duplicate.class", "There are two classes of this name.", "Hay dos clases con este nombre."},
	{"var.might.not.have.been.initialized", "The variable may be used before it has a value.", "La variable puede usarse antes de tener un valor."},
	{"var.might.already.be.assigned", "A final variable may get a value twice.", "Una variable final puede recibir un valor dos veces."},
	{"cant.assign.val", "A final variable can't get another value.", "Una variable final no puede recibir otro valor."},
	{"local.variables.referenced", "A local variable that a lambda or inner class uses must not change.", "Una variable local que usa una lambda o una clase interna no puede cambiar."},
	{"cant.ref.non.effectively.final.var", "A local variable that a lambda or inner class uses must not change.", "Una variable local que usa una lambda o una clase interna no puede cambiar."},
	{"unreported.exception", "This may throw an exception that must be caught with try, or declared with throws.", "Esto puede lanzar una excepción que hay que capturar con try o declarar con throws."},
	{"non-static.cant.be.ref", "Something that belongs to an object is used without one. Make an object with new, or make it static.", "Se usa sin objeto algo que pertenece a un objeto. Crea un objeto con new, o hazlo static."},
	{"report.access", "This is private or not visible from here.", "Esto es privado o no se ve desde aquí."},
	{"not.def.public", "This is not public, so it can't be used from another package.", "Esto no es public, así que no se puede usar desde otro paquete."},
	{"does.not.override.abstract", "The class lacks a method that its interface or parent demands.", "A la clase le falta un método que exige su interfaz o su clase padre."},
	{"method.does.not.override.superclass", "There is @Override, but the parent has no such method. Is its name or a parameter different?", "Hay @Override, pero el padre no tiene ese método. ¿Cambia el nombre o algún parámetro?"},
	{"override", "The method does not fit the one of the parent that it replaces.", "El método no encaja con el del padre al que reemplaza."},
	{"abstract.cant.be.instantiated", "An abstract class or interface can't be made with new.", "Una clase abstracta o interfaz no se puede crear con new."},
	{"doesnt.exist", "There is no such package. Is the import right?", "No existe ese paquete. ¿La importación es correcta?"},
	{"operator.cant.be.applied", "This operator does not work with values of these types.", "Este operador no funciona con valores de estos tipos."},
	{"incomparable.types", "Values of these two types can't be compared.", "Los valores de estos dos tipos no se pueden comparar."},
	{"unreachable.stmt", "This is never reached: the line before it always leaves.", "Aquí no se llega nunca: la línea anterior siempre sale."},
	{"initializer.must.be.able", "This block can never be left in the ordinary way.", "De este bloque nunca se sale de forma normal."},
	{"unclosed.str.lit", "A text begins with a quote and does not end with one on the same line.", "Un texto empieza con comillas y no termina con ellas en la misma línea."},
	{"unclosed.char.lit", "Single quotes hold one character; use double quotes for a text.", "Las comillas simples encierran un solo carácter; usa comillas dobles para un texto."},
	{"empty.char.lit", "There is no character between the single quotes.", "No hay ningún carácter entre las comillas simples."},
	{"illegal.char", "There is a character here that Java does not know; delete it and type it again.", "Aquí hay un carácter que Java no conoce; bórralo y escríbelo de nuevo."},
	{"illegal.esc.char", "\\ begins an escape in a text; write \\\\ for the character itself.", "\\ empieza un escape en un texto; escribe \\\\ para el propio carácter."},
	{"else.without.if", "This else has no if before it. Is there a ; or } too many?", "Este else no tiene un if antes. ¿Sobra un ; o una }?"},
	{"orphaned", "This belongs into a switch.", "Esto va dentro de un switch."},
	{"break.outside", "break only has a meaning inside of a loop or switch.", "break solo tiene sentido dentro de un bucle o un switch."},
	{"int.number.too.large", "The number is too large for an int; write L behind it.", "El número es demasiado grande para un int; escribe L detrás."},
	{"type.found.req", "A primitive type stands where a class is needed, such as Integer instead of int.", "Hay un tipo primitivo donde se necesita una clase, como Integer en lugar de int."},
	{"void", "The method returns nothing, so there is no value to use.", "El método no devuelve nada, así que no hay valor que usar."},
	{"array.req.but.found", "Square brackets need an array.", "Los corchetes necesitan un arreglo."},
	{"not.exhaustive", "The switch does not cover all cases; add the missing ones or default.", "El switch no cubre todos los casos; añade los que faltan o default."},
	{"invalid.meth.decl.ret.type.req", "A method needs a return type before its name, such as void.", "Un método necesita un tipo de retorno antes de su nombre, como void."},
	{"cyclic", "A class can't be its own parent.", "Una clase no puede ser su propio padre."},
	{"except.never.thrown.in.try", "The try never throws the exception that is caught.", "El try nunca lanza la excepción que se captura."},
	{"ref.ambiguous", "More than one thing of this name fits.", "Más de una cosa con este nombre encaja."},
}

// warned are the warnings that tell a learner something.
var warned = map[string][2]string{
	"prob.found.req":                     {"A conversion can't be checked: the types may not fit when the program runs.", "Una conversión no se puede comprobar: los tipos podrían no encajar al ejecutar."},
	"unchecked":                          {"The types of this call can't be checked. Are the types in < > missing?", "Los tipos de esta llamada no se pueden comprobar. ¿Faltan los tipos entre < >?"},
	"raw.class.use":                      {"This type takes others in < >, as in List<String>.", "Este tipo lleva otros entre < >, como en List<String>."},
	"possible.fall-through.into.case":    {"The case before goes on into this one. Is a break missing?", "El case anterior continúa en este. ¿Falta un break?"},
	"div.zero":                           {"This divides by zero.", "Esto divide entre cero."},
	"empty.if":                           {"The if ends at this semicolon and does nothing.", "El if termina en este punto y coma y no hace nada."},
	"redundant.cast":                     {"This conversion is not needed.", "Esta conversión no es necesaria."},
	"has.been.deprecated":                {"This is outdated; there is something newer for it.", "Esto está obsoleto; hay algo más nuevo."},
	"finally.cannot.complete":            {"The finally block always leaves, which swallows results and exceptions.", "El bloque finally siempre sale, lo que se traga resultados y excepciones."},
	"static.not.qualified.by.type":       {"A static member is used through an object; use the class's name.", "Se usa un miembro static a través de un objeto; usa el nombre de la clase."},
	"override.equals.but.not.hashcode":   {"The class has equals but no hashCode; sets and maps need both.", "La clase tiene equals pero no hashCode; los conjuntos y mapas necesitan ambos."},
	"try.resource.not.referenced":        {"The resource of this try is never used.", "El recurso de este try nunca se usa."},
	"possible.loss.of.precision":         {"This assignment may lose part of the number.", "Esta asignación puede perder parte del número."},
	"attempt.to.synchronize.on.instance": {"Values of this class are no locks.", "Los valores de esta clase no sirven como bloqueos."},
	"var.not.initialized":                {"The variable gets no value.", "La variable no recibe ningún valor."},
	"method.redundant.typeargs":          {"These types in < > are not needed.", "Estos tipos entre < > no son necesarios."},
}

func mattersToLearners(code string) bool { return warning(code) != nil }

func warning(code string) *[2]string {
	key, ok := strings.CutPrefix(code, "compiler.warn.")
	if !ok {
		return nil
	}
	for _, part := range slices.Sorted(warningKeys) {
		if strings.HasPrefix(key, part) {
			w := warned[part]
			return &w
		}
	}
	return nil
}

func warningKeys(yield func(string) bool) {
	for k := range warned {
		if !yield(k) {
			return
		}
	}
}

// said returns the sentence for a diagnostic, or two empty texts.
func said(code string) (en, es string) {
	if w := warning(code); w != nil {
		return w[0], w[1]
	}
	key := strings.TrimPrefix(code, "compiler.err.")
	for _, s := range compilerSaid {
		if strings.HasPrefix(key, s.key) {
			return s.en, s.es
		}
	}
	return "", ""
}

func finding(d *diagnostic) validator.Finding {
	f := validator.Finding{
		File: d.File, Line: d.Line, Column: d.Column, EndLine: d.EndLine, EndColumn: d.EndColumn, Rule: d.Code, Severity: validator.SeverityWarning,
		Message: worded("java."+d.Code, d), Excerpt: excerpt(d.Text, d.Column),
	}
	if d.Error {
		f.Severity = validator.SeverityError
	}
	return f
}

func worded(id string, d *diagnostic) validator.Message {
	en, es := said(d.Code)
	if en == "" {
		return validator.Verbatim(id, d.Message)
	}
	return validator.Message{ID: id, Text: map[string]string{"en": en + "\n" + d.Message, "es": es + "\n" + d.Message}}
}

// misfit is a finding about what tests use and the submission lacks. The test's
// line is not shown: it may hold what is expected.
func misfit(d *diagnostic) validator.Finding {
	return validator.Finding{
		Rule: d.Code, Severity: validator.SeverityError,
		Message: validator.Text("java.misfit", "The tests use your code in a way that it does not allow ({file}, line {line}): {message}",
			"Las pruebas usan tu código de una manera que no permite ({file}, línea {line}): {message}", "file", d.File, "line", d.Line, "message", d.Message),
	}
}

// excerpt is a line and a caret below the place.
func excerpt(line string, column int) string {
	if line == "" || column < 1 {
		return line
	}
	runes := []rune(line)
	if len(runes) > 300 || column > len(runes)+1 {
		return string(runes[:min(len(runes), 300)])
	}
	pad := make([]rune, 0, column)
	for _, r := range runes[:column-1] {
		if r != '\t' {
			r = ' '
		}
		pad = append(pad, r)
	}
	return line + "\n" + string(pad) + "^"
}
