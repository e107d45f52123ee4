package standin

import (
	"net/http"
	"strconv"
	"strings"
)

// texts are the words of the pages in one language.
type texts struct {
	Code, Name                                           string
	Title, StandIn, Lead, Email, Password, SignIn        string
	SamplePeople, SampleHint, SignInAs, ReturnsTo        string
	WrongPassword, InactiveAccount, FormStale            string
	BadRequest, Person, Role, Courses, NoCourse, LogInAt string
	HomeLead, Endpoints, InactiveNote                    string
	Roles                                                map[string]string
}

var english = texts{
	Code: "en", Name: "English",
	Title:           "Pixel Verse Academy",
	StandIn:         "Stand-in for development: sample people, no real accounts.",
	Lead:            "Sign in to go on.",
	Email:           "Email",
	Password:        "Password",
	SignIn:          "Sign in",
	SamplePeople:    "Sample people",
	SampleHint:      "Their passwords are public. Choose one to sign in at once.",
	SignInAs:        "Sign in as",
	ReturnsTo:       "Afterwards you go back to",
	WrongPassword:   "The email or the password is wrong. Check both and try again.",
	InactiveAccount: "This account is not active. Ask your academy to activate it.",
	FormStale:       "This form is no longer valid. Fill it in again.",
	BadRequest:      "This sign-in link can't be used:",
	Person:          "Person",
	Role:            "Role",
	Courses:         "Courses",
	NoCourse:        "none",
	LogInAt:         "Applications send people to",
	HomeLead:        "It answers where the real academy would: logins, users and courses.",
	Endpoints:       "Endpoints",
	InactiveNote:    "inactive",
	Roles:           map[string]string{RoleStudent: "student", RoleTeacher: "teacher", RoleAdmin: "admin"},
}

var spanish = texts{ //nolint:gosec // words for a password, not one
	Code: "es", Name: "Español",
	Title:           "Academia Pixel Verse",
	StandIn:         "Academia de pruebas para desarrollo: personas de ejemplo, sin cuentas reales.",
	Lead:            "Inicia sesión para continuar.",
	Email:           "Correo electrónico",
	Password:        "Contraseña",
	SignIn:          "Iniciar sesión",
	SamplePeople:    "Personas de ejemplo",
	SampleHint:      "Sus contraseñas son públicas. Elige una persona para entrar directamente.",
	SignInAs:        "Entrar como",
	ReturnsTo:       "Después volverás a",
	WrongPassword:   "El correo o la contraseña no son correctos. Revísalos e inténtalo de nuevo.",
	InactiveAccount: "Esta cuenta no está activa. Pide a tu academia que la active.",
	FormStale:       "Este formulario ya no es válido. Rellénalo otra vez.",
	BadRequest:      "Este enlace de inicio de sesión no se puede usar:",
	Person:          "Persona",
	Role:            "Rol",
	Courses:         "Cursos",
	NoCourse:        "ninguno",
	LogInAt:         "Las aplicaciones envían a las personas a",
	HomeLead:        "Responde en lugar de la academia real: inicios de sesión, personas y cursos.",
	Endpoints:       "Puntos de acceso",
	InactiveNote:    "cuenta inactiva",
	Roles:           map[string]string{RoleStudent: "estudiante", RoleTeacher: "docente", RoleAdmin: "administración"},
}

// newView starts a page in the reader's language: ?lang= first, then
// Accept-Language, then English.
func (s *Server) newView(r *http.Request) view {
	v := view{T: english}
	switch lang := r.URL.Query().Get("lang"); {
	case lang == "es":
		v.T = spanish
	case lang != "en" && prefersSpanish(r.Header.Get("Accept-Language")):
		v.T = spanish
	}
	for _, t := range []texts{english, spanish} {
		q := r.URL.Query()
		q.Set("lang", t.Code)
		v.Languages = append(v.Languages, languageLink{
			Code: t.Code, Name: t.Name, URL: r.URL.Path + "?" + q.Encode(), Current: t.Code == v.T.Code,
		})
	}
	return v
}

// prefersSpanish weighs the two languages the pages have by their q values;
// a tie goes to the one named first.
func prefersSpanish(accept string) bool {
	var best float64
	spanish := false
	for part := range strings.SplitSeq(accept, ",") {
		tag, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		base, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(tag)), "-")
		if base != "es" && base != "en" {
			continue
		}
		weight := 1.0
		if value, ok := strings.CutPrefix(strings.ReplaceAll(params, " ", ""), "q="); ok {
			if q, err := strconv.ParseFloat(value, 64); err == nil {
				weight = q
			}
		}
		if weight > best {
			best, spanish = weight, base == "es"
		}
	}
	return spanish
}
