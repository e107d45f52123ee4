package main

import (
	"github.com/goals-tracker/tracker/modules/academy"
	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/analytics"
	"github.com/goals-tracker/tracker/modules/core/privacy"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/goals"
	"github.com/goals-tracker/tracker/modules/llm"
	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/realtime"
	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/modules/validation"
)

// personal is what all modules keep about people.
var personal = privacy.Merge(privacy.Core, events.Privacy, academy.Privacy, goals.Privacy, tasks.Privacy, validation.Privacy, rag.Privacy,
	agents.Privacy, llm.Privacy, analytics.Privacy, realtime.Privacy)
