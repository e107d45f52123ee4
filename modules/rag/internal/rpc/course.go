package rpc

import (
	"context"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/rpc"
	"github.com/goals-tracker/tracker/modules/rag"
	ragv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/rag/v1"
)

// IngestCourse implements RagService.
func (h *Handler) IngestCourse(ctx context.Context, req *ragv1.IngestCourseRequest, stream *connect.ServerStream[ragv1.IngestCourseResponse]) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	tell := func(p rag.Progress) {
		if err := stream.Send(&ragv1.IngestCourseResponse{FilesDone: int32(p.Done), FilesTotal: int32(p.Total)}); err != nil {
			cancel() // nobody listens; what is done stays done
		}
	}
	all := files(req.GetFiles())
	report, err := h.rag.Ingest(ctx, postgres.As(rpc.Actor(ctx)), req.GetCourseId(), all, req.GetPrune(), tell)
	if err != nil {
		return err
	}
	return stream.Send(&ragv1.IngestCourseResponse{FilesDone: int32(len(all)), FilesTotal: int32(len(all)), Result: result(report)})
}

func files(list []*ragv1.IngestFile) []rag.File {
	all := make([]rag.File, len(list))
	for i, f := range list {
		all[i] = rag.File{Path: f.GetPath(), Content: f.GetContent()}
	}
	return all
}

func result(r rag.Report) *ragv1.IngestDocumentsResponse {
	answer := &ragv1.IngestDocumentsResponse{Added: int32(r.Added), Changed: int32(r.Changed), Unchanged: int32(r.Unchanged),
		Removed: int32(r.Removed), Chunks: int32(r.Chunks), Concepts: int32(r.Concepts), Cycles: cycles(r.Cycles)}
	for _, p := range r.Problems {
		answer.Problems = append(answer.Problems, &ragv1.IngestProblem{Path: p.Path, Reason: p.Reason})
	}
	return answer
}

func cycles(list []rag.Cycle) []*ragv1.ConceptCycle {
	all := make([]*ragv1.ConceptCycle, len(list))
	for i, c := range list {
		all[i] = &ragv1.ConceptCycle{Concepts: c.Concepts, Path: c.Path}
	}
	return all
}

var relations = map[rag.EdgeKind]ragv1.ConceptRelation{
	rag.EdgePrerequisite: ragv1.ConceptRelation_CONCEPT_RELATION_PREREQUISITE,
	rag.EdgeTeaches:      ragv1.ConceptRelation_CONCEPT_RELATION_TEACHES,
	rag.EdgePractises:    ragv1.ConceptRelation_CONCEPT_RELATION_PRACTISES,
	rag.EdgeRequires:     ragv1.ConceptRelation_CONCEPT_RELATION_REQUIRES,
}

// GetConceptGraph implements RagService.
func (h *Handler) GetConceptGraph(ctx context.Context, req *ragv1.GetConceptGraphRequest) (*ragv1.ConceptGraph, error) {
	g, err := h.rag.Concepts(ctx, rpc.Actor(ctx), req.GetCourseId())
	if err != nil {
		return nil, err
	}
	answer := &ragv1.ConceptGraph{CourseId: g.CourseID, Cycles: cycles(g.Cycles)}
	for _, c := range g.Concepts {
		answer.Concepts = append(answer.Concepts, &ragv1.Concept{Key: c.Key, Name: c.Name, Position: int32(c.Position), Unit: int32(c.Unit), Taught: c.Taught})
	}
	for _, e := range g.Edges {
		answer.Edges = append(answer.Edges, &ragv1.ConceptEdge{Relation: relations[e.Kind], Concept: e.Concept, Needs: e.Needs,
			DocumentId: e.DocumentID, Heading: e.Heading, Broken: e.Broken})
	}
	for _, d := range g.Documents {
		answer.Documents = append(answer.Documents, &ragv1.ConceptDocument{Id: d.ID, Path: d.Path, Title: d.Title, Unit: int32(d.Unit), Exercise: d.Exercise})
	}
	return answer, nil
}

// GetMaterialPolicy implements RagService.
func (h *Handler) GetMaterialPolicy(ctx context.Context, req *ragv1.GetMaterialPolicyRequest) (*ragv1.MaterialPolicy, error) {
	p, err := h.rag.Policy(ctx, rpc.Actor(ctx), req.GetCourseId())
	if err != nil {
		return nil, err
	}
	return policy(p), nil
}

// UpdateMaterialPolicy implements RagService.
func (h *Handler) UpdateMaterialPolicy(ctx context.Context, req *ragv1.UpdateMaterialPolicyRequest) (*ragv1.MaterialPolicy, error) {
	change := rag.PolicyPatch{PeerSnapshots: req.PeerSnapshots}
	if req.DefaultScope != nil {
		scope := scopes[req.GetDefaultScope()]
		change.DefaultScope = &scope
	}
	return rpc.Mutate(ctx, h.db, req, func(ctx context.Context, tx *postgres.Tx) (*ragv1.MaterialPolicy, error) {
		p, err := h.rag.UpdatePolicyTx(ctx, tx, req.GetCourseId(), change)
		if err != nil {
			return nil, err
		}
		return policy(p), nil
	})
}

func policy(p rag.Policy) *ragv1.MaterialPolicy {
	answer := &ragv1.MaterialPolicy{CourseId: p.CourseID, PeerSnapshots: p.PeerSnapshots, DefaultScope: ragv1.Scope_SCOPE_COURSE}
	if p.DefaultScope == rag.ScopeGlobal {
		answer.DefaultScope = ragv1.Scope_SCOPE_GLOBAL
	}
	if !p.UpdatedAt.IsZero() {
		answer.UpdatedAt = timestamppb.New(p.UpdatedAt)
	}
	return answer
}
