package main

import (
	"regexp"
	"strings"

	"github.com/goals-tracker/tracker/sdk/validator"
)

// saying is a common message of the compiler, and what it means. {1} and {2}
// are what it names.
type saying struct {
	id     string
	says   *regexp.Regexp
	en, es string
}

func rx(s string) *regexp.Regexp { return regexp.MustCompile(s) }

// sayings are tried in order.
var sayings = []saying{
	{"missing-semicolon", rx(`expected '(;)'|expected ',' or ';'`),
		"A semicolon (;) is missing here or at the end of the line before.", "Falta un punto y coma (;) aquí o al final de la línea anterior."},
	{"missing-brace", rx(`expected '}' at end of input|expected declaration or statement at end of input`),
		"The file ends too early: a { that was opened is never closed.", "El archivo termina demasiado pronto: hay una { abierta que nunca se cierra."},
	{"missing-parenthesis", rx(`expected '(\))'`),
		"A closing parenthesis ) is missing here.", "Aquí falta un paréntesis de cierre )."},
	{"missing-open", rx(`expected '([({\[])'`),
		"{1} is missing here.", "Aquí falta {1}."},
	{"else-without-if", rx(`'else' without a previous 'if'`),
		"This else has no if before it. Is there a ; right behind the if, or a } too many?", "Este else no tiene un if antes. ¿Hay un ; justo detrás del if, o sobra una }?"},
	{"expected-expression", rx(`expected (primary-)?expression before (.*)`),
		"A value is missing before {2}.", "Falta un valor antes de {2}."},
	{"expected-identifier", rx(`expected (?:unqualified-id|identifier(?: or '\(')?|declaration specifiers.*) before (.*)`),
		"The compiler does not understand {1} here: something before it is missing or misspelled.", "El compilador no entiende {1} aquí: falta algo antes o está mal escrito."},
	{"unterminated-string", rx(`missing terminating (.) character`),
		"A text begins with {1} here and does not end with it on the same line.", "Aquí un texto empieza con {1} y no termina con él en la misma línea."},
	{"stray", rx(`stray '(.*)' in program|extended character (.*) is not valid`),
		"There is a character here that the language does not know ({1}{2}); it may come from a word processor or a web page. Delete it and type it again.",
		"Aquí hay un carácter que el lenguaje no conoce ({1}{2}); puede venir de un procesador de textos o de una página web. Bórralo y escríbelo de nuevo."},
	{"implicit-function", rx(`implicit declaration of function '(\w+)'`),
		"The function {1} is not known here. Is it spelled right, declared before it is used, and is its header included?", "Aquí no se conoce la función {1}. ¿Está bien escrita, declarada antes de usarse y su encabezado incluido?"},
	{"undeclared", rx(`'(.+?)' (?:undeclared|was not declared in this scope)`),
		"The name {1} is not known here. Is it spelled right, declared before it is used, and is its header included?", "Aquí no se conoce el nombre {1}. ¿Está bien escrito, declarado antes de usarse y su encabezado incluido?"},
	{"unknown-type", rx(`unknown type name '(.+?)'|'(.+?)' does not name a type`),
		"{1}{2} is not a type that is known here. Is its header included?", "{1}{2} no es un tipo conocido aquí. ¿Está incluido su encabezado?"},
	{"no-file", rx(`(\S+): No such file or directory`),
		"There is no file {1} to include. Is it spelled right, and part of what you submitted?", "No hay un archivo {1} que incluir. ¿Está bien escrito y forma parte de lo que enviaste?"},
	{"not-member", rx(`'(.+?)' has no member named '(.+?)'`),
		"{1} has no member {2}.", "{1} no tiene un miembro {2}."},
	{"not-in-namespace", rx(`'(.+?)' is not a member of '(.+?)'`),
		"{2} has no {1}. Is its header included?", "{2} no tiene {1}. ¿Está incluido su encabezado?"},
	{"too-few", rx(`too few arguments to function '(.+?)'`),
		"Too few values are given to {1}.", "Se dan muy pocos valores a {1}."},
	{"too-many", rx(`too many arguments to function '(.+?)'`),
		"Too many values are given to {1}.", "Se dan demasiados valores a {1}."},
	{"no-match", rx(`no matching function for call to '(.+?)'`),
		"There is no function that takes these values: {1}. Look at the number and the types of its parameters.", "No hay ninguna función que acepte estos valores: {1}. Mira el número y los tipos de sus parámetros."},
	{"no-operator", rx(`no match for '(operator.+?)'`),
		"{1} is not defined for values of these types.", "{1} no está definido para valores de estos tipos."},
	{"int-pointer", rx(`makes (pointer from integer|integer from pointer) without a cast`),
		"A number is used as a pointer, or a pointer as a number. Is a * or an & missing or too many?", "Un número se usa como puntero, o un puntero como número. ¿Falta o sobra un * o un &?"},
	{"incompatible-pointer", rx(`incompatible pointer type`),
		"This pointer points to another type than the one that is expected here.", "Este puntero apunta a un tipo distinto del que se espera aquí."},
	{"conversion", rx(`cannot convert '(.+?)' to '(.+?)'|invalid conversion from '(.+?)' to '(.+?)'`),
		"A value of type {1}{3} can't become {2}{4}.", "Un valor de tipo {1}{3} no puede convertirse en {2}{4}."},
	{"incompatible-types", rx(`incompatible types? (?:when|for)`),
		"The types on both sides don't fit together.", "Los tipos de ambos lados no encajan."},
	{"redefinition", rx(`redefinition of '(.+?)'|redeclaration of '(.+?)'|'(.+?)' redeclared`),
		"{1}{2}{3} is defined twice; leave one out or choose another name.", "{1}{2}{3} está definido dos veces; quita uno o elige otro nombre."},
	{"conflicting", rx(`conflicting types for '(.+?)'|conflicting declaration '?(.+?)'?$`),
		"{1}{2} was declared with other types before. Make declaration and definition the same, and declare it before its first use.", "{1}{2} se declaró antes con otros tipos. Haz iguales la declaración y la definición, y declárala antes de usarla."},
	{"lvalue", rx(`lvalue required as`),
		"What stands on the left of this = can't take a value; to compare two values, write ==.", "Lo que está a la izquierda de este = no puede recibir un valor; para comparar dos valores, escribe ==."},
	{"read-only", rx(`assignment of read-only|discards '?const|discards qualifiers|binding reference of type .* discards`),
		"This value is const and must not be changed here.", "Este valor es const y no se debe cambiar aquí."},
	{"no-return-value", rx(`return-statement with no value|'return' with no value`),
		"This function must return a value, but return stands alone.", "Esta función debe devolver un valor, pero return está solo."},
	{"void-value", rx(`void value not ignored|'return' with a value, in function returning void|return-statement with a value`),
		"A function that returns void has no value to use or return.", "Una función que devuelve void no tiene un valor que usar o devolver."},
	{"not-function", rx(`called object '?(.+?)'? is not a function|'(.+?)' cannot be used as a function`),
		"{1}{2} is not a function, so it can't be called. Is an operator missing before the parenthesis?", "{1}{2} no es una función, así que no se puede llamar. ¿Falta un operador antes del paréntesis?"},
	{"private", rx(`'(.+?)' is (private|protected) within this context`),
		"{1} is {2}: it can only be used inside of its class.", "{1} es {2}: solo se puede usar dentro de su clase."},
	{"incomplete", rx(`(?:incomplete type|dereferencing pointer to incomplete type) '(.+?)'|aggregate '(.+?)' has incomplete type|storage size of '(.+?)' isn't known`),
		"{1}{2}{3} is declared, but what it consists of is not known here. Is its definition included?", "{1}{2}{3} está declarado, pero aquí no se sabe de qué consta. ¿Está incluida su definición?"},
	{"subscript", rx(`subscripted value is neither array|invalid types '(.+?)' for array subscript`),
		"[ ] is used on something that is no array.", "[ ] se usa sobre algo que no es un arreglo."},
	// Warnings, by what they are switched on with.
	{"-Wreturn-type", rx(`control reaches end of non-void function|no return statement in function`),
		"This function must return a value, but can end without a return.", "Esta función debe devolver un valor, pero puede terminar sin return."},
	{"-Wunused-variable", rx(`unused variable '(.+?)'`), "The variable {1} is never used.", "La variable {1} no se usa nunca."},
	{"-Wunused-parameter", rx(`unused parameter '(.+?)'`), "The parameter {1} is never used.", "El parámetro {1} no se usa nunca."},
	{"-Wunused-but-set", rx(`variable '(.+?)' set but not used`), "The variable {1} gets a value that is never used.", "La variable {1} recibe un valor que no se usa nunca."},
	{"-Wunused-function", rx(`'(.+?)' defined but not used`), "{1} is defined and never used.", "{1} está definido y no se usa nunca."},
	{"-Wuninitialized", rx(`'(.+?)' (?:is|may be) used uninitialized`), "{1} is used before it has a value.", "{1} se usa antes de tener un valor."},
	{"-Wsign-compare", rx(`comparison of integer expressions of different signedness: '(.+?)' and '(.+?)'`),
		"A number that can be negative is compared with one that can't ({1} and {2}); a negative value would count as a huge one.", "Se compara un número que puede ser negativo con otro que no ({1} y {2}); un valor negativo contaría como uno enorme."},
	{"-Wparentheses", rx(`suggest parentheses around assignment`), "One = sets a value; to compare two values, write ==.", "Un solo = asigna un valor; para comparar dos valores, escribe ==."},
	{"-Wformat", rx(`format '(.+?)' expects (?:argument of type|a matching) '(.+?)'`), "{1} in this format needs a value of type {2}.", "{1} en este formato necesita un valor de tipo {2}."},
	{"-Wimplicit-fallthrough", rx(`this statement may fall through`), "This case goes on into the next one. Is a break missing?", "Este case continúa en el siguiente. ¿Falta un break?"},
	{"-Wmisleading-indentation", rx(`clause does not guard`), "Only the first statement belongs to this {kind}; put { } around what belongs to it.", "Solo la primera instrucción pertenece a este {kind}; rodea con { } lo que le pertenece."},
	{"-Wempty-body", rx(`suggest braces around empty body`), "A ; right behind the condition makes it do nothing.", "Un ; justo detrás de la condición hace que no haga nada."},
	{"-Warray-bounds", rx(`array subscript (.+?) is (?:above|below|outside) array bounds`), "The index {1} lies outside of the array.", "El índice {1} está fuera del arreglo."},
	{"-Wdiv-by-zero", rx(`division by zero`), "This divides by zero.", "Esto divide por cero."},
	{"-Wreturn-local-addr", rx(`returns address of local variable|reference to local variable '(.+?)' returned`), "The address of a local variable is returned; the variable is gone when the function ends.", "Se devuelve la dirección de una variable local; la variable deja de existir cuando la función termina."},
}

// phrase says a message of the compiler in the words of a beginner's course.
func phrase(message, option string) validator.Message {
	for _, s := range sayings {
		m := s.says.FindStringSubmatch(message)
		if m == nil {
			continue
		}
		params := []any{"message", message}
		for i := 1; i < 5; i++ {
			value := ""
			if i < len(m) {
				value = m[i]
			}
			params = append(params, string(rune('0'+i)), value)
		}
		if kind := rx(`this '(\w+)' clause`).FindStringSubmatch(message); kind != nil {
			params = append(params, "kind", kind[1])
		}
		return validator.Text("c."+strings.TrimPrefix(s.id, "-"), s.en, s.es, params...)
	}
	if option != "" {
		return validator.Text("c.warning", "The compiler warns: {message}.", "El compilador advierte: {message}.", "message", strings.TrimSuffix(message, "."))
	}
	return validator.Text("c.error", "The compiler does not accept this: {message}.", "El compilador no acepta esto: {message}.", "message", strings.TrimSuffix(message, "."))
}
