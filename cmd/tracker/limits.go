package main

import (
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/goals-tracker/tracker/modules/core/cache"
	"github.com/goals-tracker/tracker/modules/core/limits"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/sdk/gen/tracker/agents/v1/agentsv1connect"
	"github.com/goals-tracker/tracker/sdk/gen/tracker/rag/v1/ragv1connect"
	"github.com/goals-tracker/tracker/sdk/gen/tracker/validation/v1/validationv1connect"
)

// dear are the procedures that cost more than a request, each with its limit:
// they fill queues, ask models, or compute over a course's material.
var dear = map[string]string{
	validationv1connect.ValidationServiceSubmitSnapshotProcedure: limits.Submissions,
	validationv1connect.ValidationServiceRejudgeTaskProcedure:    limits.Submissions,
	validationv1connect.ValidationServiceRejudgeCourseProcedure:  limits.Submissions,

	ragv1connect.RagServiceSearchProcedure: limits.Searches,

	agentsv1connect.AgentsServicePlanGoalProcedure:        limits.Agents,
	agentsv1connect.AgentsServiceAnswerPlanProcedure:      limits.Agents,
	agentsv1connect.AgentsServiceRejectPlanProcedure:      limits.Agents,
	agentsv1connect.AgentsServiceForkAgentRunProcedure:    limits.Agents,
	agentsv1connect.AgentsServiceRequestHintProcedure:     limits.Agents,
	agentsv1connect.AgentsServiceDisputeFeedbackProcedure: limits.Agents,
	agentsv1connect.DisputeServiceDisputeOutputProcedure:  limits.Agents,
	agentsv1connect.TutorServiceAskTutorProcedure:         limits.Agents,
}

// newLimiter counts what people do for all replicas: in Redis where one is
// configured, else in the database.
func newLimiter(cfg Config, db *postgres.DB, c *cache.Cache, metrics *prometheus.Registry, logger *slog.Logger) *limits.Limiter {
	return limits.New(limits.Sharing{Cache: c, DB: db, Timeout: cfg.Limits.Timeout, Metrics: metrics, Logger: logger})
}
