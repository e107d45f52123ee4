package main

import (
	"regexp"

	"github.com/goals-tracker/tracker/sdk/validator"
)

// explanation says in a beginner's words what a message of the compiler means.
// Named groups of the pattern are the texts' {parameters}.
type explanation struct {
	rule    string
	pattern *regexp.Regexp
	en, es  string
}

func when(rule, pattern, en, es string) explanation {
	return explanation{rule, regexp.MustCompile(`(?s)^` + pattern), en, es}
}

// explanations are tried in order.
var explanations = []explanation{
	when("unused-import", `"(?P<name>[^"]+)" imported(?: as \S+)? and not used`,
		"{name} is imported but never used. Go demands that you remove the import, or use it.",
		"{name} se importa pero nunca se usa. Go exige que quites la importación, o que la uses."),
	when("unused-variable", `declared and not used: (?P<name>\S+)`,
		"{name} gets a value that nothing reads. Use it, remove it, or write _ in its place.",
		"{name} recibe un valor que nadie lee. Úsala, quítala, o escribe _ en su lugar."),
	when("unused-label", `label (?P<name>\S+) defined and not used`,
		"The label {name} is never used. Remove it.", "La etiqueta {name} nunca se usa. Quítala."),
	when("undefined", `undefined: (?P<name>\S+) \(but have (?P<have>[^)]+)\)`,
		"There is no {name}, but there is {have}. Capital letters count in Go.",
		"No existe {name}, pero existe {have}. En Go importan las mayúsculas."),
	when("not-exported", `(?:undefined: )?(?P<name>\S+) (?:not exported by package|undefined \(cannot refer to unexported) ?(?P<package>[^)\s]*)`,
		"{name} begins with a small letter, so only its own package may use it. Is there one with a capital letter?",
		"{name} empieza con minúscula, así que solo su propio paquete puede usarlo. ¿Hay uno con mayúscula?"),
	when("undefined", `undefined: (?P<name>\S+)`,
		"{name} is not defined. Is it spelled right, declared before, and its package imported?",
		"{name} no está definido. ¿Está bien escrito, declarado antes, e importado su paquete?"),
	when("no-field-or-method", `(?P<expr>\S+) undefined \((?:type )?(?P<type>.+?) has no field or method (?P<name>\w+), but does have (?P<have>[^)]+)\)`,
		"{type} has no {name}, but it has {have}. Capital letters count in Go.",
		"{type} no tiene {name}, pero tiene {have}. En Go importan las mayúsculas."),
	when("no-field-or-method", `(?P<expr>\S+) undefined \((?:type )?(?P<type>.+?) has no field or method (?P<name>\w+)\)`,
		"{type} has neither a field nor a method {name}.", "{type} no tiene ningún campo ni método {name}."),
	when("unknown-field", `unknown field (?P<name>\S+) in struct literal(?: of type (?P<type>\S+))?`,
		"The struct {type} has no field {name}.", "La estructura {type} no tiene ningún campo {name}."),
	when("struct-values", `too (?P<how>few|many) values in struct literal(?: of type (?P<type>\S+))?`,
		"The struct {type} has another number of fields. Write their names: Name: value.",
		"La estructura {type} tiene otra cantidad de campos. Escribe sus nombres: Nombre: valor."),
	when("mismatched-types", `invalid operation: (?P<expr>.+) \(mismatched types (?P<left>.+) and (?P<right>.+)\)`,
		"{expr} mixes {left} and {right}. Go converts nothing by itself: convert one of them, as in int(x).",
		"{expr} mezcla {left} y {right}. Go no convierte nada por sí solo: convierte uno de ellos, como en int(x)."),
	when("operator", `invalid operation: operator (?P<operator>\S+) not defined on (?P<expr>.+)`,
		"The operator {operator} does not work with {expr}.", "El operador {operator} no funciona con {expr}."),
	when("not-a-function", `invalid operation: cannot call (?:non-function )?(?P<name>\S+)`,
		"{name} is not a function, so it can't be called with ( ).", "{name} no es una función, así que no se puede llamar con ( )."),
	when("not-indexable", `invalid operation: cannot (?:index|slice) (?P<name>.+)`,
		"{name} has no elements to take with [ ].", "{name} no tiene elementos que se puedan tomar con [ ]."),
	when("not-a-pointer", `invalid operation: cannot indirect (?P<name>.+)`,
		"{name} is not a pointer, so * can't be written before it.", "{name} no es un puntero, así que no se puede escribir * delante."),
	when("not-comparable", `invalid operation: (?P<expr>.+) \((?P<type>.+) can(?:not| only) be compared.*`,
		"{expr} can't be compared so: {type}. Slices, maps and functions only compare with nil; use slices.Equal or a loop.",
		"{expr} no se puede comparar así: {type}. Los slices, mapas y funciones solo se comparan con nil; usa slices.Equal o un bucle."),
	when("division-by-zero", `invalid operation: division by zero`, "This divides by 0.", "Esto divide entre 0."),
	when("index-out-of-range", `invalid argument: index (?P<index>.+) out of bounds.*`,
		"The index {index} is outside of the array.", "El índice {index} está fuera del arreglo."),
	when("missing-return", `missing return`,
		"The function promises a result, but can reach its end without a return.",
		"La función promete un resultado, pero puede llegar a su final sin un return."),
	when("return-count", `not enough return values\n\s*have (?P<have>.+)\n\s*want (?P<want>.+)`,
		"The return gives {have}, but the function promises {want}.", "El return entrega {have}, pero la función promete {want}."),
	when("return-count", `too many return values\n\s*have (?P<have>.+)\n\s*want (?P<want>.+)`,
		"The return gives {have}, but the function promises {want}.", "El return entrega {have}, pero la función promete {want}."),
	when("argument-count", `(?:not enough|too many) arguments in call to (?P<name>\S+)\n\s*have (?P<have>.+)\n\s*want (?P<want>.+)`,
		"{name} is called with {have}, but takes {want}.", "{name} se llama con {have}, pero recibe {want}."),
	when("assignment-mismatch", `assignment mismatch: (?P<left>\d+) variables? but (?P<right>.+)`,
		"On the left there are {left} variables, on the right it is another number: {right}. Write as many variables as there are values; _ takes what you don't need.",
		"A la izquierda hay {left} variables y a la derecha otra cantidad: {right}. Escribe tantas variables como valores; _ recibe lo que no necesitas."),
	when("no-new-variable", `no new variables on left side of :=`,
		"All these variables exist already: write = in place of :=.", "Todas estas variables ya existen: escribe = en lugar de :=."),
	when("constant-overflow", `cannot use (?P<value>.+?) \(.*\) as (?P<type>.+?) value in .+ \((?:overflows|truncated)\)`,
		"{value} does not fit into {type}.", "{value} no cabe en {type}."),
	when("does-not-implement", `cannot use (?P<value>.+?) as (?P<type>.+?) value in (?P<where>.+?): (?P<what>.+)`,
		"{value} does not fit where {type} is needed: {what}.", "{value} no sirve donde se necesita {type}: {what}."),
	when("wrong-type", `cannot use (?P<value>.+?) as (?P<type>.+?) value in (?P<where>[^()\n]+?)(?: \((?P<why>.+)\))?$`,
		"A value of type {type} is needed here, but this is {value}.", "Aquí se necesita un valor de tipo {type}, pero esto es {value}."),
	when("constant-overflow", `(?P<value>.+?) \(.*(?:overflows|truncated).*`,
		"{value} does not fit into this type.", "{value} no cabe en este tipo."),
	when("cannot-convert", `cannot convert (?P<value>.+) to type (?P<type>.+)`,
		"{value} can't be converted to {type}.", "{value} no se puede convertir a {type}."),
	when("cannot-assign", `cannot assign to (?P<name>.+?)(?: \(neither.*)?$`,
		"{name} can't be changed: constants, letters of a string and fields of structs in a map keep their value.",
		"{name} no se puede cambiar: las constantes, las letras de una cadena y los campos de estructuras en un mapa conservan su valor."),
	when("not-a-condition", `non-boolean condition in (?P<statement>\w+) statement`,
		"The condition must be true or false, such as x != 0.", "La condición debe ser verdadera o falsa, como x != 0."),
	when("unused-value", `(?P<expr>.+) \(.+\) is not used|(?P<expr2>.+) is not used`,
		"The result of this is not used. Assign it, return it, or remove the line.", "El resultado de esto no se usa. Asígnalo, devuélvelo, o quita la línea."),
	when("no-value", `(?P<call>.+) \(no value\) used as value`,
		"{call} gives no result, so it can't be used as a value.", "{call} no devuelve ningún resultado, así que no se puede usar como valor."),
	when("redeclared", `(?P<name>\S+) (?:already declared|redeclared)(?: in this block)?`,
		"{name} is declared twice. Remove one, or give it another name.", "{name} está declarado dos veces. Quita uno, o dale otro nombre."),
	when("duplicate", `(?:duplicate (?:case|key|field name|method|index)) ?(?P<name>[^\n]*)`,
		"This appears twice: {name}.", "Esto aparece dos veces: {name}."),
	when("outside-loop", `(?P<word>break|continue) is not in a loop.*`,
		"{word} only works within a loop.", "{word} solo funciona dentro de un bucle."),
	when("nil-type", `use of untyped nil in (?P<where>.+)`,
		"nil alone has no type: say which one, as in var x *T.", "nil por sí solo no tiene tipo: di cuál, como en var x *T."),
	when("cannot-infer", `in call to (?P<name>\S+?),? .*cannot infer (?P<type>\S+).*`,
		"Go can't tell the type {type} of {name}: write it, as in {name}[int](…).", "Go no puede deducir el tipo {type} de {name}: escríbelo, como en {name}[int](…)."),
	when("constraint", `(?P<type>\S+) does not (?:satisfy|implement) (?P<what>.+)`,
		"{type} does not fit here: it does not satisfy {what}.", "{type} no sirve aquí: no satisface {what}."),
	when("missing-package", `could not import (?P<name>\S+) \(.*`,
		"There is no package {name}. Is its name spelled right?", "No existe el paquete {name}. ¿Está bien escrito su nombre?"),
	when("missing-body", `missing function body`,
		"The function has no body: put { on the same line as func.", "La función no tiene cuerpo: pon { en la misma línea que func."),
	when("invalid-receiver", `(?:invalid receiver type|cannot define new methods on non-local type) ?(?P<type>.*)`,
		"Methods can only be added to types of your own package.", "Solo se pueden añadir métodos a tipos de tu propio paquete."),
	when("language-version", `(?P<what>.+) requires go1\.(?P<minor>\d+) or later.*`,
		"{what} needs Go 1.{minor}, but go.mod asks for an older version.", "{what} necesita Go 1.{minor}, pero go.mod pide una versión más antigua."),
	when("main-function", `function main is undeclared in the main package`,
		"A program needs func main().", "Un programa necesita func main()."),
	when("short-declaration-outside", `syntax error: non-declaration statement outside function body`,
		"Outside of functions there can only be declarations: write var x = … in place of x := …, or move the line into a function.",
		"Fuera de las funciones solo puede haber declaraciones: escribe var x = … en lugar de x := …, o mueve la línea a una función."),
	when("imports-first", `syntax error: imports must appear before other declarations`,
		"Imports belong above everything else, right below package.", "Las importaciones van antes que todo lo demás, justo debajo de package."),
	when("package-first", `syntax error: package statement must be first`,
		"The file must begin with package and a name.", "El archivo debe empezar con package y un nombre."),
	when("brace", `syntax error: (?:unexpected newline, expected \{ after (?P<clause>.+)|unexpected semicolon or newline before \{)`,
		"The { must be on the same line as what it belongs to.", "La { debe estar en la misma línea que aquello a lo que pertenece."),
	when("else", `syntax error: (?:else must be|unexpected (?:keyword )?else).*`,
		"else must be on the same line as the } before it.", "else debe estar en la misma línea que la } anterior."),
	when("unfinished", `syntax error: unexpected EOF, expect(?:ed|ing) (?P<want>.+)`,
		"The file ends too early: {want} is missing. Is each { closed?", "El archivo termina antes de tiempo: falta {want}. ¿Está cerrada cada {?"),
	when("comma", `syntax error: unexpected newline in (?P<where>.+); possibly missing comma or (?P<close>\S+)`,
		"A comma is missing at the end of this line, or the closing {close}.", "Falta una coma al final de esta línea, o el {close} que cierra."),
	when("syntax", `syntax error: unexpected (?P<what>.+?), expect(?:ed|ing) (?P<want>.+)`,
		"Go did not expect {what} here, but {want}.", "Go no esperaba {what} aquí, sino {want}."),
	when("syntax", `syntax error: (?P<message>.+)`, "Go can't read this line: {message}.", "Go no puede leer esta línea: {message}."),
	when("rune", `more than one character in rune literal`,
		"Single quotes hold one character only; write text in double quotes.", "Las comillas simples contienen un solo carácter; escribe el texto entre comillas dobles."),
	when("string-not-closed", `(?:newline in string|string(?: literal)? not terminated|string not terminated)`,
		"The text is not closed: its last quote is missing.", "El texto no está cerrado: falta la última comilla."),
	when("invalid-character", `invalid character (?P<what>.+)`,
		"This character does not belong into Go code: {what}.", "Este carácter no pertenece al código de Go: {what}."),
}

// explain makes a message of what the compiler said.
func explain(said string) (rule string, m validator.Message) {
	for _, e := range explanations {
		match := e.pattern.FindStringSubmatch(said)
		if match == nil {
			continue
		}
		var params []any
		for i, name := range e.pattern.SubexpNames() {
			if name != "" {
				params = append(params, name, short(match[i]))
			}
		}
		return e.rule, validator.Text("go."+e.rule, e.en, e.es, params...)
	}
	return "compiler", validator.Text("go.compiler", "The compiler says: {message}", "El compilador dice: {message}", "message", short(said))
}

// short is a text that fits into a sentence.
func short(s string) string {
	if runes := []rune(s); len(runes) > 300 {
		return string(runes[:300]) + " …"
	}
	return s
}
