package erasure

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Count is what became of a table's rows.
type Count struct {
	// Before is how many were the person's when it began, Erased how many were
	// deleted, Replaced how many of others' had the person's name taken out, and
	// After how many the last look found.
	Before   int64 `json:"before"`
	Erased   int64 `json:"erased"`
	Replaced int64 `json:"replaced,omitempty"`
	After    int64 `json:"after"`
}

// Left is where the scan still found the id.
type Left struct {
	Column string `json:"column"`
	Rows   int64  `json:"rows"`
}

// Scan is what the last look at the database was over.
type Scan struct {
	Tables  int `json:"tables"`
	Columns int `json:"columns"`
	// Exact says that the id is too plain to be looked for within texts: only
	// values that are the id were counted.
	Exact bool   `json:"exact_values_only"`
	Left  []Left `json:"left"`
}

// Receipt says what was erased; nothing in it is personal.
type Receipt struct {
	Format      string           `json:"format"`
	ID          string           `json:"id"`
	SubjectHash string           `json:"subject_hash"`
	KeyID       string           `json:"key_id"`
	Source      string           `json:"source"`
	RequestedAt time.Time        `json:"requested_at"`
	FinishedAt  time.Time        `json:"finished_at"`
	Complete    bool             `json:"complete"`
	Tables      map[string]Count `json:"tables"`
	Elsewhere   []string         `json:"elsewhere"`
	Scan        Scan             `json:"scan"`
	Beyond      []Beyond         `json:"beyond_our_reach"`
}

// Beyond is somebody who may have copies that this system can't reach.
type Beyond struct {
	Who  string `json:"who"`
	What string `json:"what"`
}

const receiptFormat = "goals-tracker/erasure-receipt/v1"

// beyond are those to whom an operator has to turn by other ways.
var beyond = []Beyond{
	{"consumers of the RabbitMQ exchange goals.events", "Events that were published before. They are told by user.erased, which has the keyed hash; what they keep is theirs to erase."},
	{"receivers of webhooks", "Events that were delivered before. They are told by user.erased where they asked for it."},
	{"learning record stores", "Statements that were exported before."},
	{"model providers", "Prompts and answers, for as long as the provider keeps them by its own terms."},
	{"backups and dumps of the database", "Rows of before. Restored, they are erased again by the ledger; the files themselves must be left to expire or be removed."},
	{"files of the database itself", "Deleted rows stay in data files and write-ahead logs until PostgreSQL reuses and recycles them."},
	{"logs and traces of this server and of proxies", "Addresses of requests and request ids, until they are rotated away."},
	{"people", "What others have seen, copied or downloaded."},
}

// elsewhere is what is erased beside tables.
var elsewhere = []string{
	"tokens and open sockets: refused and ended on every replica",
	"memory of replicas and Redis: forgotten, and refused from then on",
	"key of the person's pseudonyms: removed, so what was exported under them can be linked to nobody",
}

// Signed is a receipt as it is handed out.
type Signed struct {
	Receipt   json.RawMessage `json:"receipt"`
	PublicKey string          `json:"public_key"`
	Signature string          `json:"signature"`
}

func (v *vault) seal(r Receipt) ([]byte, error) {
	content, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("write the receipt: %w", err)
	}
	signed, err := json.MarshalIndent(Signed{
		Receipt: content, PublicKey: public(v.sign),
		Signature: base64.StdEncoding.EncodeToString(ed25519.Sign(v.sign, content)),
	}, "", "  ")
	return append(signed, '\n'), err
}

// Errors of Verify.
var (
	ErrForged   = errors.New("the signature does not fit: the receipt was changed after it was signed")
	ErrOtherKey = errors.New("the receipt was signed with another key than this server's")
)

// Verify reads a receipt and proves that it is as the holder of the public key
// signed it; an empty key takes the receipt's own, which proves that nothing was
// changed but not by whom it was signed.
func Verify(file []byte, publicKey string) (Receipt, error) {
	var signed Signed
	if err := json.Unmarshal(file, &signed); err != nil {
		return Receipt{}, fmt.Errorf("this is no receipt: %w", err)
	}
	if publicKey != "" && publicKey != signed.PublicKey {
		return Receipt{}, ErrOtherKey
	}
	key, err := base64.StdEncoding.DecodeString(signed.PublicKey)
	if err != nil || len(key) != ed25519.PublicKeySize {
		return Receipt{}, errors.New("this is no receipt: it has no public key")
	}
	signature, err := base64.StdEncoding.DecodeString(signed.Signature)
	if err != nil {
		return Receipt{}, errors.New("this is no receipt: it has no signature")
	}
	// The spaces between are nobody's statement.
	var content bytes.Buffer
	if err := json.Compact(&content, signed.Receipt); err != nil {
		return Receipt{}, fmt.Errorf("this is no receipt: %w", err)
	}
	if !ed25519.Verify(key, content.Bytes(), signature) {
		return Receipt{}, ErrForged
	}
	var r Receipt
	if err := json.Unmarshal(content.Bytes(), &r); err != nil || r.Format != receiptFormat {
		return Receipt{}, fmt.Errorf("its format is %q, this program reads %q", r.Format, receiptFormat)
	}
	return r, nil
}
