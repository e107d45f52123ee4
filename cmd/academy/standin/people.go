package standin

import (
	"cmp"
	"crypto/subtle"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/goals-tracker/tracker/cmd/academy/courses"
)

// The roles a token can carry, and those a person can have in a course.
const (
	RoleStudent = "student"
	RoleTeacher = "teacher"
	RoleAdmin   = "admin"
)

// User is a person the academy knows. Password is plain text on purpose: the
// login page of a stand-in shows it.
type User struct {
	ID       string // opaque, 1 to 36 characters
	Email    string // unique, compared without case
	Password string
	FullName string
	Roles    []string     // what the token says: student, teacher, admin
	Courses  []Membership // what /api/users/{id}/courses says
	Inactive bool         // can't log in, refresh or be validated
	Note     string       // shown on the login page
}

// Membership is a person's place in one course.
type Membership struct {
	CourseID string `json:"id"`
	Role     string `json:"role"` // student or teacher
}

// Course is what the academy tells about a course; its material is elsewhere.
type Course struct {
	ID          string `json:"id"`
	Title       string `json:"title"`
	Description string `json:"description"`
	Status      string `json:"status"` // published, draft or archived
}

// courseIDs are the courses a token lists: for a teacher those they teach,
// because the tracker lets a teacher act on every course in the claim.
func (u User) courseIDs() []string {
	ids := []string{}
	teaches := slices.Contains(u.Roles, RoleTeacher)
	for _, m := range u.Courses {
		if !teaches || m.Role == RoleTeacher {
			ids = append(ids, m.CourseID)
		}
	}
	return ids
}

// SampleUsers are the people of the stand-in: four learners (one in no
// course), two teachers (one of both courses, one of the Spanish one only),
// an admin, and a learner whose account is inactive. Ids have mixed shapes,
// so that nobody comes to rely on one.
func SampleUsers() []User {
	const en, es = courses.PythonBasicsEN, courses.PythonBasicsES
	student := func(ids ...string) []Membership { return memberships(RoleStudent, ids) }
	teacher := func(ids ...string) []Membership { return memberships(RoleTeacher, ids) }
	return []User{
		{ID: "9b1f5c1e-3a52-4c1f-8f5e-0a4d6f1c2b01", Email: "ana@academy.test", Password: "ana-aprende", FullName: "Ana Flores", Roles: []string{RoleStudent}, Courses: student(es, en)},
		{ID: "learner-ben", Email: "ben@academy.test", Password: "ben-learns", FullName: "Ben Carter", Roles: []string{RoleStudent}, Courses: student(en)},
		{ID: "learner-lucia", Email: "lucia@academy.test", Password: "lucia-aprende", FullName: "Lucía Ramos", Roles: []string{RoleStudent}, Courses: student(es)},
		{ID: "learner-noah", Email: "noah@academy.test", Password: "noah-learns", FullName: "Noah Weber", Roles: []string{RoleStudent}, Note: "no course"},
		{ID: "teacher-tess", Email: "tess@academy.test", Password: "tess-teaches", FullName: "Tess Okafor", Roles: []string{RoleTeacher}, Courses: teacher(en, es)},
		{ID: "teacher-tomas", Email: "tomas@academy.test", Password: "tomas-enseña", FullName: "Tomás Vidal", Roles: []string{RoleTeacher}, Courses: teacher(es)}, //nolint:gosec // everybody may know it
		{ID: "admin-ada", Email: "ada@academy.test", Password: "ada-administers", FullName: "Ada Novak", Roles: []string{RoleAdmin}},
		{ID: "learner-iris", Email: "iris@academy.test", Password: "iris-was-here", FullName: "Iris Holm", Roles: []string{RoleStudent}, Courses: student(en), Inactive: true, Note: "inactive"},
	}
}

func memberships(role string, ids []string) []Membership {
	list := make([]Membership, 0, len(ids))
	for _, id := range ids {
		list = append(list, Membership{CourseID: id, Role: role})
	}
	return list
}

// SampleCourses are the courses whose material package courses carries, all
// of them published.
func SampleCourses() ([]Course, error) {
	all, err := courses.All()
	if err != nil {
		return nil, fmt.Errorf("read the sample courses: %w", err)
	}
	list := make([]Course, 0, len(all))
	for _, c := range all {
		list = append(list, Course{ID: c.ID, Title: c.Title, Description: c.Description, Status: "published"})
	}
	return list, nil
}

// directory holds the people and courses of one academy; safe for concurrent
// use, because tests change people while requests run.
type directory struct {
	mu      sync.RWMutex
	users   map[string]User
	emails  map[string]string // lower-case email → id
	courses map[string]Course
}

func newDirectory(users []User, list []Course) (*directory, error) {
	d := &directory{users: map[string]User{}, emails: map[string]string{}, courses: map[string]Course{}}
	for _, c := range list {
		if err := checkID("course", c.ID); err != nil {
			return nil, err
		}
		d.courses[c.ID] = c
	}
	for _, u := range users {
		if err := checkID("user", u.ID); err != nil {
			return nil, err
		}
		email := strings.ToLower(u.Email)
		if other, taken := d.emails[email]; taken {
			return nil, fmt.Errorf("user %s: email %s already belongs to user %s", u.ID, u.Email, other)
		}
		if _, taken := d.users[u.ID]; taken {
			return nil, fmt.Errorf("user %s is listed twice: ids are unique", u.ID)
		}
		d.users[u.ID], d.emails[email] = u, u.ID
	}
	return d, nil
}

func checkID(kind, id string) error {
	if id == "" || len([]rune(id)) > maxID {
		return fmt.Errorf("%s id %q: must have 1 to %d characters", kind, id, maxID)
	}
	return nil
}

func (d *directory) user(id string) (User, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	u, ok := d.users[id]
	return u, ok
}

func (d *directory) course(id string) (Course, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	c, ok := d.courses[id]
	return c, ok
}

// byPassword finds who logs in; a wrong email and a wrong password look alike.
func (d *directory) byPassword(email, password string) (User, bool) {
	u, found := d.user(d.idOf(email))
	same := subtle.ConstantTimeCompare([]byte(u.Password), []byte(password)) == 1
	return u, found && same && password != ""
}

func (d *directory) idOf(email string) string {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.emails[strings.ToLower(strings.TrimSpace(email))]
}

// list returns everyone, learners first, each kind by name.
func (d *directory) list() []User {
	d.mu.RLock()
	defer d.mu.RUnlock()
	people := make([]User, 0, len(d.users))
	for _, u := range d.users {
		people = append(people, u)
	}
	slices.SortFunc(people, func(a, b User) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.FullName, b.FullName))
	})
	return people
}

func rank(u User) int {
	switch {
	case u.Inactive:
		return 3
	case slices.Contains(u.Roles, RoleAdmin):
		return 2
	case slices.Contains(u.Roles, RoleTeacher):
		return 1
	}
	return 0
}

func (d *directory) putUser(u User) error {
	if err := checkID("user", u.ID); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	email := strings.ToLower(u.Email)
	if other, taken := d.emails[email]; taken && other != u.ID {
		return fmt.Errorf("user %s: email %s already belongs to user %s", u.ID, u.Email, other)
	}
	delete(d.emails, strings.ToLower(d.users[u.ID].Email))
	d.users[u.ID], d.emails[email] = u, u.ID
	return nil
}

func (d *directory) removeUser(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.emails, strings.ToLower(d.users[id].Email))
	delete(d.users, id)
}

func (d *directory) putCourse(c Course) error {
	if err := checkID("course", c.ID); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.courses[c.ID] = c
	return nil
}

func (d *directory) removeCourse(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.courses, id)
	for key, u := range d.users {
		u.Courses = slices.DeleteFunc(slices.Clone(u.Courses), func(m Membership) bool { return m.CourseID == id })
		d.users[key] = u
	}
}

func (d *directory) listCourses() []Course {
	d.mu.RLock()
	defer d.mu.RUnlock()
	list := make([]Course, 0, len(d.courses))
	for _, c := range d.courses {
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b Course) int { return cmp.Compare(a.ID, b.ID) })
	return list
}
