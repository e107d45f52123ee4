package keyfile

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Subjects keeps a key for each person, in files whose names tell nobody whose
// they are. Whatever was made with a person's key can be linked to nobody once
// the key is forgotten.
type Subjects struct {
	dir  string
	name []byte
}

// NewSubjects keeps keys in a folder, which is made when it is not there.
// setting names, in errors, where the folder comes from.
func NewSubjects(setting, dir string) (*Subjects, error) {
	name, err := Load(setting, filepath.Join(dir, "names.key"))
	if err != nil {
		return nil, err
	}
	return &Subjects{dir: dir, name: name}, nil
}

// Key is a person's key; the first call makes it.
func (s *Subjects) Key(subjectID string) ([]byte, error) {
	return Load("a person", s.path(subjectID))
}

// Forget removes a person's key for good, and reports whether there was one.
func (s *Subjects) Forget(subjectID string) (bool, error) {
	err := os.Remove(s.path(subjectID))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("forget the key of a person: %w", err)
	}
	return true, nil
}

func (s *Subjects) path(subjectID string) string {
	mac := hmac.New(sha256.New, s.name)
	mac.Write([]byte(subjectID))
	return filepath.Join(s.dir, hex.EncodeToString(mac.Sum(nil)))
}
