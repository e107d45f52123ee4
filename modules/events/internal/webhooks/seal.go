package webhooks

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events/internal/store"
)

// sealer keeps secrets as nobody reads them who has the database, or a dump of
// it, but not the key.
type sealer struct {
	aead cipher.AEAD
	// name is what sealed secrets begin with: the form, and which key it was.
	name []byte
}

// sealForm is the first byte of a sealed secret.
const sealForm = 1

func newSealer(key []byte) (*sealer, error) {
	derived, err := hkdf.Key(sha256.New, key, nil, "tracker webhook secrets 1", 32+4)
	if err != nil {
		return nil, fmt.Errorf("derive the key of webhook secrets: %w", err)
	}
	block, err := aes.NewCipher(derived[:32])
	if err != nil {
		return nil, fmt.Errorf("use the key of webhook secrets: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("use the key of webhook secrets: %w", err)
	}
	return &sealer{aead: aead, name: append([]byte{sealForm}, derived[32:]...)}, nil
}

// seal is for one webhook: in another's row it can't be opened.
func (s *sealer) seal(id uuid.UUID, secret []byte) ([]byte, error) {
	if len(secret) != secretBytes {
		return nil, fmt.Errorf("a secret of %d bytes", len(secret))
	}
	nonce := make([]byte, s.aead.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return nil, fmt.Errorf("seal a secret: %w", err)
	}
	return s.aead.Seal(append(bytes.Clone(s.name), nonce...), nonce, secret, id[:]), nil
}

// errOtherKey is for operators.
var errOtherKey = errors.New("its secret was sealed with another key: put back the file of events.webhooks.key_file, the same for all replicas, or run `tracker webhooks rotate`")

// open gives the secret; one that was never sealed as it is.
func (s *sealer) open(id uuid.UUID, sealed []byte) ([]byte, error) {
	if len(sealed) == 0 || len(sealed) == secretBytes {
		return sealed, nil
	}
	rest, ours := bytes.CutPrefix(sealed, s.name)
	if !ours || len(rest) < s.aead.NonceSize() {
		return nil, errOtherKey
	}
	secret, err := s.aead.Open(nil, rest[:s.aead.NonceSize()], rest[s.aead.NonceSize():], id[:])
	if err != nil {
		return nil, errOtherKey
	}
	return secret, nil
}

// sealAll seals what an older version has left open, and forgets replaced
// secrets that no longer sign.
func (s *Service) sealAll(ctx context.Context) error {
	return s.db.InTx(ctx, postgres.As(system), func(ctx context.Context, tx *postgres.Tx) error {
		if err := store.ForgetSecrets(ctx, tx); err != nil {
			return err
		}
		plain, err := store.PlainSecrets(ctx, tx, secretBytes)
		if err != nil {
			return err
		}
		for _, p := range plain {
			for _, secret := range []*[]byte{&p.Secret, &p.Previous} {
				if len(*secret) != secretBytes {
					continue
				}
				if *secret, err = s.seals.seal(p.ID, *secret); err != nil {
					return err
				}
			}
			if err := store.WriteSecrets(ctx, tx, p); err != nil {
				return err
			}
		}
		return nil
	})
}
