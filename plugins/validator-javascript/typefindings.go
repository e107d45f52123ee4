package main

import (
	"fmt"
	"slices"

	"github.com/goals-tracker/tracker/sdk/validator"
)

// mild are diagnostics about things left unused, which break nothing.
var mild = []int{6133, 6138, 6192, 6196, 6198, 6199, 6205, 7027, 7028}

// sentence says what a diagnostic means to a beginner; the compiler's own words follow.
type sentence struct{ en, es string }

var sentences = map[int]sentence{
	2304:  {"This name is not known here. Is it spelled right, declared or imported?", "Este nombre no se conoce aquí. ¿Está bien escrito, declarado o importado?"},
	2552:  {"This name is not known here; there is one that looks alike.", "Este nombre no se conoce aquí; hay uno parecido."},
	2307:  {"There is no such module. Is the path right?", "Ese módulo no existe. ¿La ruta es correcta?"},
	2305:  {"The module does not export this name.", "El módulo no exporta ese nombre."},
	2322:  {"A value of one type is put where another is declared.", "Se pone un valor de un tipo donde se declaró otro."},
	2345:  {"An argument has another type than the parameter.", "Un argumento tiene un tipo distinto del parámetro."},
	2339:  {"A value of this type has no such member.", "Un valor de este tipo no tiene ese miembro."},
	2551:  {"A value of this type has no such member; there is one that looks alike.", "Un valor de este tipo no tiene ese miembro; hay uno parecido."},
	2554:  {"The function is called with another number of arguments than it takes.", "Se llama a la función con un número de argumentos distinto del que recibe."},
	2555:  {"The function is called with too few arguments.", "Se llama a la función con muy pocos argumentos."},
	2355:  {"The function declares a result but has no return.", "La función declara un resultado pero no tiene return."},
	2366:  {"Not every way through the function returns a value.", "No todos los caminos de la función devuelven un valor."},
	7030:  {"Not every way through the function returns a value.", "No todos los caminos de la función devuelven un valor."},
	2531:  {"The value may be null here; check that first.", "Aquí el valor puede ser null; compruébalo antes."},
	2532:  {"The value may be undefined here; check that first.", "Aquí el valor puede ser undefined; compruébalo antes."},
	18047: {"The value may be null here; check that first.", "Aquí el valor puede ser null; compruébalo antes."},
	18048: {"The value may be undefined here; check that first.", "Aquí el valor puede ser undefined; compruébalo antes."},
	18046: {"The value's type is not known here; check what it is first.", "Aquí no se conoce el tipo del valor; comprueba antes qué es."},
	7006:  {"The parameter has no type; write one behind its name, as in name: string.", "El parámetro no tiene tipo; escríbelo tras su nombre, como en name: string."},
	7031:  {"The parameter has no type; write one.", "El parámetro no tiene tipo; escríbelo."},
	7053:  {"This key may not exist in the object's type.", "Es posible que esta clave no exista en el tipo del objeto."},
	2564:  {"The property gets no value in the constructor.", "La propiedad no recibe ningún valor en el constructor."},
	2588:  {"A const can't get another value; use let.", "Una const no puede recibir otro valor; usa let."},
	2451:  {"This name is declared twice.", "Este nombre se declara dos veces."},
	2300:  {"This name is declared twice.", "Este nombre se declara dos veces."},
	2454:  {"The variable is used before it has a value.", "La variable se usa antes de tener un valor."},
	2741:  {"A property that the type demands is missing.", "Falta una propiedad que el tipo exige."},
	2739:  {"Properties that the type demands are missing.", "Faltan propiedades que el tipo exige."},
	2353:  {"The object has a property that its type does not have.", "El objeto tiene una propiedad que su tipo no tiene."},
	2420:  {"The class lacks something that its interface demands.", "A la clase le falta algo que su interfaz exige."},
	2362:  {"Arithmetic needs numbers on both sides.", "La aritmética necesita números a ambos lados."},
	2363:  {"Arithmetic needs numbers on both sides.", "La aritmética necesita números a ambos lados."},
	2365:  {"These two types can't be combined this way.", "Estos dos tipos no se pueden combinar así."},
	2367:  {"These two types have nothing in common, so the comparison is always false.", "Estos dos tipos no tienen nada en común, así que la comparación siempre es falsa."},
	1005:  {"Something is missing here.", "Aquí falta algo."},
	1002:  {"A text begins with a quote and does not end with one.", "Un texto empieza con comillas y no termina con ellas."},
	1109:  {"A value is missing here.", "Aquí falta un valor."},
	1128:  {"This does not belong here. Is there a bracket too many?", "Esto no va aquí. ¿Sobra un paréntesis o una llave?"},
}

func typeFinding(d *diagnostic) validator.Finding {
	severity := validator.SeverityError
	if slices.Contains(mild, d.Code) {
		severity = validator.SeverityWarning
	}
	en, es := d.En, d.Es
	if s, ok := sentences[d.Code]; ok {
		en, es = s.en+"\n"+en, s.es+"\n"+es
	}
	id := fmt.Sprintf("ts%d", d.Code)
	return validator.Finding{
		File: d.File, Line: d.Line, Column: d.Column, EndLine: d.EndLine, EndColumn: d.EndColumn, Rule: id, Severity: severity,
		Message: validator.Message{ID: "ts." + id, Text: map[string]string{"en": en, "es": es}}, Excerpt: excerpt(d.Text, d.Column),
	}
}

// telling are diagnostics of test files that say something about the submission.
var telling = []int{2305, 2339, 2551, 2345, 2322, 2554, 2555, 2724, 2614, 2459, 2741, 2739, 2353, 2578}

// testTypes are warnings: the tests decide by running, whatever their types say.
func testTypes(list []diagnostic) []validator.Finding {
	var out []validator.Finding
	for i := range list {
		d := &list[i]
		if len(out) == 5 || !slices.Contains(telling, d.Code) {
			continue
		}
		out = append(out, validator.Finding{
			Rule: fmt.Sprintf("ts%d", d.Code), Severity: validator.SeverityWarning,
			Message: validator.Text("ts.tests", "The tests use your code in a way that its types do not allow ({file}, line {line}): {en}",
				"Las pruebas usan tu código de una manera que sus tipos no permiten ({file}, línea {line}): {es}", "file", d.File, "line", d.Line, "en", d.En, "es", d.Es),
		})
	}
	return out
}
