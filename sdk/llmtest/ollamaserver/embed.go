package ollamaserver

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/goals-tracker/tracker/sdk/llmtest/internal/serve"
	"github.com/goals-tracker/tracker/sdk/llmtest/script"
)

func (s *Server) embed(w http.ResponseWriter, r *http.Request) {
	raw, err := serve.Body(w, r)
	var b struct {
		Model string          `json:"model"`
		Input json.RawMessage `json:"input"`
	}
	if err != nil || json.Unmarshal(raw, &b) != nil {
		writeError(w, http.StatusBadRequest, "missing request body")
		return
	}
	var texts []string
	if json.Unmarshal(b.Input, &texts) != nil {
		texts = []string{""}
		if json.Unmarshal(b.Input, &texts[0]) != nil {
			writeError(w, http.StatusBadRequest, "invalid input type")
			return
		}
	}
	m := s.model(b.Model)
	if m == nil {
		writeError(w, http.StatusNotFound, fmt.Sprintf("model '%s' not found", b.Model))
		return
	}
	req := script.Request{Model: b.Model, Texts: texts, Key: bearer(r), Header: r.Header, Body: raw}
	s.log.Add(req)
	if s.cfg.EmbedAnswer != nil {
		turn := s.cfg.EmbedAnswer(&req)
		if !serve.Pause(r, turn.FirstTokenDelay) {
			return
		}
		if turn.Status != 0 {
			serve.RetryAfter(w, turn.RetryAfter)
			writeError(w, turn.Status, turn.Message)
			return
		}
		if turn.Cut {
			w.Header().Set("Content-Type", "application/json; charset=utf-8")
			_, _ = fmt.Fprintf(w, `{"model":%q,"embeddings":[[0.1,`, b.Model)
			serve.Flush(w)
			serve.Cut()
		}
	}
	vectors, tokens := make([][]float32, 0, len(texts)), 0
	for _, text := range texts {
		vectors = append(vectors, script.Vector(text, s.cfg.Dimensions))
		tokens += len(strings.Fields(text))
	}
	serve.JSON(w, http.StatusOK, object{"model": b.Model, "embeddings": vectors, "total_duration": 1, "prompt_eval_count": tokens})
}
