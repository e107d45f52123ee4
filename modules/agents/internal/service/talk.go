package service

import (
	"context"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/store"
	"github.com/goals-tracker/tracker/modules/agents/internal/tutor"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
)

var _ agents.Talker = (*Service)(nil)

// maxMessages bounds a conversation as it is read.
const maxMessages = 100

// AskTx implements agents.Talker.
func (s *Service) AskTx(ctx context.Context, tx *postgres.Tx, q agents.TutorQuestion) (agents.Run, error) {
	if err := checkWords("text", q.Text, 1, 4000); err != nil {
		return agents.Run{}, err
	}
	task, err := s.tasks.LockTx(ctx, tx, q.TaskID)
	if err != nil {
		return agents.Run{}, err
	}
	if !tx.Actor().Owns(task.UserID) {
		return agents.Run{}, agents.ErrNotYourTask.New()
	}
	id, err := newID()
	if err != nil {
		return agents.Run{}, err
	}
	run, err := s.engine.Start(ctx, tx, agents.Run{
		ID: id, Graph: agents.GraphTutor, UserID: task.UserID, CourseID: task.CourseID, GoalID: task.GoalID, TaskID: task.ID,
	}, map[string]any{"question": tutor.Question{Text: q.Text, Locale: q.Locale}})
	if err != nil {
		return agents.Run{}, err
	}
	if run == nil {
		return agents.Run{}, agents.ErrStillAnswering.New()
	}
	return *run, store.InsertMessage(ctx, tx, agents.TutorMessage{
		TaskID: task.ID, UserID: task.UserID, CourseID: task.CourseID, RunID: id, From: agents.FromLearner, Text: q.Text,
		CreatedAt: s.log.Now(tx),
	})
}

// Conversation implements agents.Talker.
func (s *Service) Conversation(ctx context.Context, actor auth.Actor, taskID string) ([]agents.TutorMessage, error) {
	if _, err := s.tasks.Get(ctx, actor, taskID); err != nil {
		return nil, err
	}
	return store.Messages(ctx, s.db.As(actor), actor, taskID, maxMessages)
}
