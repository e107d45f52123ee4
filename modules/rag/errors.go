package rag

import "github.com/goals-tracker/tracker/modules/core/errs"

// What can go wrong.
var (
	// ErrNotFound hides whether another course has the document.
	ErrNotFound = errs.Define(errs.NotFound, "document_not_found",
		"There is no document %q in the courses you belong to.",
		"No hay ningún documento %q en los cursos a los que perteneces.")
	// ErrNotYourCourse: the material is for those who joined the course.
	ErrNotYourCourse = errs.Define(errs.PermissionDenied, "not_your_course",
		"The material of course %q is for its learners and teachers. Ask its team to add you.",
		"El material del curso %q es para sus estudiantes y docentes. Pide a su equipo que te añada.")
	// ErrNotATeacher: only teachers change material.
	ErrNotATeacher = errs.Define(errs.PermissionDenied, "not_a_teacher",
		"Only teachers of course %q and admins change its material.",
		"Solo los docentes del curso %q y los administradores cambian su material.")
	// ErrForAdmins: how the index is doing is for those who run the server.
	ErrForAdmins = errs.Define(errs.PermissionDenied, "for_admins",
		"The state of the index is for admins.",
		"El estado del índice es para administradores.")
	// ErrTooMany: more documents than a course may have.
	ErrTooMany = errs.Define(errs.InvalidArgument, "too_many_documents",
		"A course holds at most %d files; this would make %d. Leave out what nobody should read, or split the course.",
		"Un curso admite como máximo %d archivos y con esto tendría %d. Quita lo que nadie deba leer o divide el curso.")
	// ErrBadPolicy: searching in a course goes through the course or more.
	ErrBadPolicy = errs.Define(errs.InvalidArgument, "bad_policy",
		"A course's default scope is course or global, not %q.",
		"El ámbito por defecto de un curso es course o global, no %q.")
	// ErrBadQuery: nothing to look for.
	ErrBadQuery = errs.Define(errs.InvalidArgument, "bad_query",
		"The query is not valid: %s",
		"La consulta no es válida: %s")
)
