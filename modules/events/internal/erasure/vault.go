package erasure

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/goals-tracker/tracker/modules/core/keyfile"
)

// vault is what erasure keeps outside the database and its dumps: the key of
// the hashes, the key that signs receipts, and the ledger.
type vault struct {
	dir  string
	key  []byte
	sign ed25519.PrivateKey

	mu     sync.Mutex
	listed map[string]bool
}

func openVault(dir string) (*vault, error) {
	key, err := keyfile.Load("events.erasure.dir", filepath.Join(dir, "erasure.key"))
	if err != nil {
		return nil, err
	}
	sign, err := signingKey(dir)
	if err != nil {
		return nil, err
	}
	v := &vault{dir: dir, key: key, sign: sign, listed: map[string]bool{}}
	// Made now, by the server, and not by the command that first has something to
	// write.
	if err := errors.Join(keyfile.Folder(filepath.Join(dir, "receipts")), appendSynced(v.ledger(), nil)); err != nil {
		return nil, fmt.Errorf("prepare the folder of erasures %s, which must be this account's: %w", dir, err)
	}
	lines, err := readLedger(v.ledger())
	if err != nil {
		return nil, err
	}
	for _, line := range lines {
		v.listed[line.Hash] = true
	}
	return v, nil
}

func signingKey(dir string) (ed25519.PrivateKey, error) {
	seed, err := keyfile.Load("events.erasure.dir", filepath.Join(dir, "receipt.key"))
	if err != nil {
		return nil, err
	}
	return ed25519.NewKeyFromSeed(seed[:ed25519.SeedSize]), nil
}

func (v *vault) ledger() string { return filepath.Join(v.dir, "ledger.jsonl") }

// hash is who it is, to those who have the key.
func (v *vault) hash(subjectID string) []byte {
	mac := hmac.New(sha256.New, v.key)
	mac.Write([]byte("subject\x00" + subjectID))
	return mac.Sum(nil)
}

// keyID tells keys apart.
func (v *vault) keyID() string {
	sum := sha256.Sum256(append([]byte("id\x00"), v.key...))
	return hex.EncodeToString(sum[:8])
}

func public(key ed25519.PrivateKey) string {
	return base64.StdEncoding.EncodeToString(key.Public().(ed25519.PublicKey)) //nolint:forcetypeassert // it is one, by its contract
}

// ledgerLine is one erasure.
type ledgerLine struct {
	Hash string    `json:"subject_hash"`
	Key  string    `json:"key_id"`
	At   time.Time `json:"at"`
}

// note writes an erasure into the ledger before it happens, and waits for the
// disk. Twice is once.
func (v *vault) note(hash []byte, at time.Time) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	name := hex.EncodeToString(hash)
	if v.listed[name] {
		return nil
	}
	line, err := json.Marshal(ledgerLine{name, v.keyID(), at.UTC()})
	if err != nil {
		return err
	}
	// The line feed before it ends a line that a crash tore.
	if err := appendSynced(v.ledger(), append(append([]byte("\n"), line...), '\n')); err != nil {
		return fmt.Errorf("write the ledger of erasures: %w", err)
	}
	v.listed[name] = true
	return nil
}

func (v *vault) hashes() [][]byte {
	v.mu.Lock()
	defer v.mu.Unlock()
	all := make([][]byte, 0, len(v.listed))
	for name := range v.listed {
		if hash, err := hex.DecodeString(name); err == nil {
			all = append(all, hash)
		}
	}
	return all
}

func readLedger(path string) ([]ledgerLine, error) {
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the ledger of erasures: %w", err)
	}
	var lines []ledgerLine
	scanner := bufio.NewScanner(bytes.NewReader(content))
	for scanner.Scan() {
		var line ledgerLine
		if json.Unmarshal(scanner.Bytes(), &line) == nil && line.Hash != "" {
			lines = append(lines, line)
		}
	}
	return lines, scanner.Err()
}

func appendSynced(path string, content []byte) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Sync(), f.Close(), keyfile.Hand(path))
}

// writeWhole puts a file in its place at once or not at all.
func writeWhole(path string, content []byte) error {
	if err := keyfile.Folder(filepath.Dir(path)); err != nil {
		return err
	}
	part, err := os.CreateTemp(filepath.Dir(path), ".part-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(part.Name()) }()
	_, err = part.Write(content)
	if err := errors.Join(err, part.Sync(), part.Close(), keyfile.Hand(part.Name())); err != nil {
		return err
	}
	return os.Rename(part.Name(), path)
}
