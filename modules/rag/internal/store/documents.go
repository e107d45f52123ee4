package store

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/rag"
)

// State is what must be known of a document to tell whether it changed.
type State struct {
	ID, Path string
	Kind     rag.Kind
	Language string
	Digest   []byte
	Pipeline int
}

var documentStates = postgres.SQL("rag.documents.states", `
	SELECT d.id::text, d.path, d.kind, d.language, d.digest, d.pipeline
	FROM rag.documents d WHERE d.collection_id = @collection`)

// States reads all documents of a collection, by path.
func States(ctx context.Context, tx *postgres.Tx, collection int32) (map[string]State, error) {
	rows, err := tx.Query(ctx, documentStates, postgres.Args{"collection": collection})
	if err != nil {
		return nil, fmt.Errorf("read documents of collection %d: %w", collection, err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[State])
	if err != nil {
		return nil, fmt.Errorf("read documents of collection %d: %w", collection, err)
	}
	states := make(map[string]State, len(list))
	for _, s := range list {
		states[s.Path] = s
	}
	return states, nil
}

// Row is a document to write.
type Row struct {
	ID, Path, Title string
	Kind            rag.Kind
	Language        string
	Digest          []byte
	Content         string
	Meta            rag.Meta
	Chunks          int
	Pipeline        int
}

var putDocument = postgres.SQL("rag.documents.put", `
	INSERT INTO rag.documents (id, collection_id, path, title, kind, language, digest, content, meta, chunks, pipeline, created_at, updated_at)
	VALUES (@id, @collection, @path, @title, @kind, @language, @digest, @content, @meta, @chunks, @pipeline, @now, @now)
	ON CONFLICT (id) DO UPDATE SET title = excluded.title, kind = excluded.kind, language = excluded.language,
		digest = excluded.digest, content = excluded.content, meta = excluded.meta, chunks = excluded.chunks,
		pipeline = excluded.pipeline, updated_at = excluded.updated_at`)

// PutDocuments adds documents, or replaces those whose ids are known.
func PutDocuments(ctx context.Context, tx *postgres.Tx, collection int32, rows []Row, now time.Time) error {
	var batch pgx.Batch
	for _, r := range rows {
		values, err := putDocument.Bind(postgres.Args{
			"id": r.ID, "collection": collection, "path": r.Path, "title": r.Title, "kind": string(r.Kind),
			"language": r.Language, "digest": r.Digest, "content": r.Content, "meta": r.Meta,
			"chunks": r.Chunks, "pipeline": r.Pipeline, "now": now,
		})
		if err != nil {
			return err
		}
		batch.Queue(putDocument.Numbered(), values...)
	}
	if err := tx.SendBatch(ctx, &batch).Close(); err != nil {
		return fmt.Errorf("write %d documents: %w", len(rows), err)
	}
	return nil
}

var dropDocuments = postgres.SQL("rag.documents.drop", `DELETE FROM rag.documents WHERE id = ANY (@ids::uuid[])`)

// DropDocuments deletes documents with their chunks and exercises.
func DropDocuments(ctx context.Context, tx *postgres.Tx, ids []string) error {
	chunks, err := ChunksOf(ctx, tx, ids)
	if err != nil {
		return err
	}
	var gone []string
	for _, c := range chunks {
		gone = append(gone, c.ID)
	}
	if err := DropChunks(ctx, tx, gone); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, dropDocuments, postgres.Args{"ids": ids}); err != nil {
		return fmt.Errorf("delete %d documents: %w", len(ids), err)
	}
	return nil
}

const documentColumns = `d.id::text, c.course_id, d.path, d.title, d.kind, d.language, d.digest, d.chunks, d.meta, d.created_at, d.updated_at`

var (
	listDocuments = postgres.SQL("rag.documents.list", `
		SELECT `+documentColumns+` FROM rag.collections c JOIN rag.documents d ON d.collection_id = c.id
		WHERE c.course_id = @course AND c.user_id = '' AND d.path > @after AND `+readable+`
		ORDER BY d.path LIMIT @size`)
	getDocument = postgres.SQL("rag.documents.get", `
		SELECT `+documentColumns+`, d.content FROM rag.documents d JOIN rag.collections c ON c.id = d.collection_id
		WHERE d.id = @id AND `+readable)
)

// ListDocuments reads at most size documents of a course after a path.
func ListDocuments(ctx context.Context, q postgres.Queryer, actor auth.Actor, courseID, after string, size int) ([]rag.Document, error) {
	rows, err := q.Query(ctx, listDocuments, rights(actor, postgres.Args{"course": courseID, "after": after, "size": size}))
	if err != nil {
		return nil, fmt.Errorf("list documents of course %s: %w", courseID, err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (d rag.Document, err error) {
		err = scanDocument(row, &d)
		return d, err
	})
	if err != nil {
		return nil, fmt.Errorf("list documents of course %s: %w", courseID, err)
	}
	return list, nil
}

// GetDocument reads one document with its text. Errors: rag.ErrNotFound.
func GetDocument(ctx context.Context, q postgres.Queryer, actor auth.Actor, id string) (rag.Document, error) {
	var d rag.Document
	err := scanDocument(q.QueryRow(ctx, getDocument, rights(actor, postgres.Args{"id": id})), &d, &d.Content)
	if errors.Is(err, pgx.ErrNoRows) {
		return d, rag.ErrNotFound.New(id)
	}
	if err != nil {
		return d, fmt.Errorf("load document %s: %w", id, err)
	}
	return d, nil
}

func scanDocument(row pgx.Row, d *rag.Document, more ...any) error {
	var digest []byte
	err := row.Scan(append([]any{&d.ID, &d.CourseID, &d.Path, &d.Title, &d.Kind, &d.Language, &digest,
		&d.Chunks, &d.Meta, &d.CreatedAt, &d.UpdatedAt}, more...)...)
	d.Digest, d.CreatedAt, d.UpdatedAt = hex.EncodeToString(digest), d.CreatedAt.UTC(), d.UpdatedAt.UTC()
	return err
}
