// Package rpc puts course material and search on every face.
package rpc

import (
	"context"
	"net/http"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/rpc"
	"github.com/goals-tracker/tracker/modules/rag"
	ragv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/rag/v1"
	"github.com/goals-tracker/tracker/sdk/gen/tracker/rag/v1/ragv1connect"
)

// Handler implements RagService.
type Handler struct {
	db  *postgres.DB
	rag rag.Service
}

// New makes the handler.
func New(db *postgres.DB, service rag.Service) *Handler { return &Handler{db: db, rag: service} }

// Service is the handler as the server mounts it.
func (h *Handler) Service() rpc.Service {
	return rpc.Service{New: func(opts ...connect.HandlerOption) (string, http.Handler) {
		return ragv1connect.NewRagServiceHandler(h, opts...)
	}}
}

var scopes = map[ragv1.Scope]rag.Scope{
	ragv1.Scope_SCOPE_USER: rag.ScopeUser, ragv1.Scope_SCOPE_COURSE: rag.ScopeCourse, ragv1.Scope_SCOPE_GLOBAL: rag.ScopeGlobal,
}

// Search implements RagService.
func (h *Handler) Search(ctx context.Context, req *ragv1.SearchRequest) (*ragv1.SearchResponse, error) {
	found, err := h.rag.Search(ctx, rpc.Actor(ctx), rag.Query{Text: req.GetQuery(), CourseID: req.GetCourseId(),
		Scope: scopes[req.GetScope()], Limit: int(req.GetLimit()), MaxTokens: int(req.GetMaxTokens()), Diversity: req.Diversity,
		Peers: true})
	if err != nil {
		return nil, err
	}
	answer := &ragv1.SearchResponse{Method: found.Method, Fallback: string(found.Fallback), Reranked: found.Reranked,
		Passages: make([]*ragv1.Passage, len(found.Passages))}
	for i, p := range found.Passages {
		answer.Passages[i] = &ragv1.Passage{
			ChunkId: p.ChunkID, DocumentId: p.DocumentID, CourseId: p.CourseID, Path: p.Path, Title: p.Title,
			Heading: p.Heading, Kind: p.Kind, Text: p.Text, Score: p.Score, Language: p.Language,
			StartLine: int32(p.StartLine), EndLine: int32(p.EndLine), StartByte: int32(p.StartByte), EndByte: int32(p.EndByte),
		}
	}
	return answer, nil
}

// GetIndex implements RagService.
func (h *Handler) GetIndex(ctx context.Context, _ *ragv1.GetIndexRequest) (*ragv1.Index, error) {
	index, err := h.rag.Index(ctx, rpc.Actor(ctx))
	if err != nil {
		return nil, err
	}
	answer := &ragv1.Index{Passages: index.Passages, Fallback: string(index.Fallback)}
	for _, s := range index.Spaces {
		answer.Spaces = append(answer.Spaces, &ragv1.EmbeddingSpace{
			Id: int32(s.ID), Provider: s.Provider, Model: s.Model, Dimensions: int32(s.Dimensions), Version: s.Version,
			State: string(s.State), Weight: s.Weight, Embedded: s.Embedded, Refused: s.Refused, Missing: s.Missing, Problem: s.Problem,
		})
	}
	return answer, nil
}

// IngestDocuments implements RagService.
func (h *Handler) IngestDocuments(ctx context.Context, req *ragv1.IngestDocumentsRequest) (*ragv1.IngestDocumentsResponse, error) {
	return rpc.Mutate(ctx, h.db, req, func(ctx context.Context, tx *postgres.Tx) (*ragv1.IngestDocumentsResponse, error) {
		report, err := h.rag.IngestTx(ctx, tx, req.GetCourseId(), files(req.GetFiles()), req.GetPrune())
		if err != nil {
			return nil, err
		}
		return result(report), nil
	})
}

// ListDocuments implements RagService.
func (h *Handler) ListDocuments(ctx context.Context, req *ragv1.ListDocumentsRequest) (*ragv1.ListDocumentsResponse, error) {
	list, next, err := h.rag.Documents(ctx, rpc.Actor(ctx), req.GetCourseId(), int(req.GetPageSize()), req.GetPageToken())
	if err != nil {
		return nil, err
	}
	answer := &ragv1.ListDocumentsResponse{NextPageToken: next, Documents: make([]*ragv1.Document, len(list))}
	for i, d := range list {
		answer.Documents[i] = document(d)
	}
	return answer, nil
}

// GetDocument implements RagService.
func (h *Handler) GetDocument(ctx context.Context, req *ragv1.GetDocumentRequest) (*ragv1.Document, error) {
	d, err := h.rag.Document(ctx, rpc.Actor(ctx), req.GetId())
	if err != nil {
		return nil, err
	}
	return document(d), nil
}

// DeleteDocument implements RagService.
func (h *Handler) DeleteDocument(ctx context.Context, req *ragv1.DeleteDocumentRequest) (*emptypb.Empty, error) {
	return rpc.Mutate(ctx, h.db, req, func(ctx context.Context, tx *postgres.Tx) (*emptypb.Empty, error) {
		return &emptypb.Empty{}, h.rag.DeleteDocument(ctx, tx, req.GetId())
	})
}

var kinds = map[rag.Kind]ragv1.DocumentKind{
	rag.Markdown: ragv1.DocumentKind_DOCUMENT_KIND_MARKDOWN, rag.Code: ragv1.DocumentKind_DOCUMENT_KIND_CODE,
	rag.Notebook: ragv1.DocumentKind_DOCUMENT_KIND_NOTEBOOK, rag.Text: ragv1.DocumentKind_DOCUMENT_KIND_TEXT,
	rag.HTML: ragv1.DocumentKind_DOCUMENT_KIND_HTML, rag.PDF: ragv1.DocumentKind_DOCUMENT_KIND_PDF,
}

func document(d rag.Document) *ragv1.Document {
	return &ragv1.Document{
		Id: d.ID, CourseId: d.CourseID, Path: d.Path, Title: d.Title, Kind: kinds[d.Kind], Language: d.Language,
		Digest: d.Digest, Chunks: int32(d.Chunks), Content: d.Content,
		CreatedAt: timestamppb.New(d.CreatedAt), UpdatedAt: timestamppb.New(d.UpdatedAt),
	}
}
