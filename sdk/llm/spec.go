package llm

import (
	"context"
	"errors"
	"fmt"
	"regexp"

	"github.com/goals-tracker/tracker/sdk/pluginproto"
)

// Limits of the protocol, the same on both sides.
const (
	// MaxMessageBytes bounds one call or one piece of an answer.
	MaxMessageBytes = pluginproto.MaxMessage
	// MaxTexts bounds the texts of one EmbedRequest and the passages of one
	// RerankRequest.
	MaxTexts = 2048
)

// Spec describes a plugin to [Main].
type Spec struct {
	// Name is Required: lower-case, dash-separated, unique among installed
	// plugins, by custom starting with "llm-".
	Name string
	// Version is Required: the plugin's SemVer.
	Version string
	// Remote says that texts leave the machine that the plugin runs on. Learners
	// who chose "local only" are never served by a remote plugin.
	Remote bool
	// Models lists what the plugin offers. Required unless Discover is set.
	Models []Model
	// Discover, if set, is asked for the models at each start, in 5 s at most.
	// Optional; it replaces Models.
	Discover func(ctx context.Context) ([]Model, error)
	// Generate answers a request piece by piece through emit, and closes it with
	// an Ending. When emit returns an error the caller is gone: return it.
	// Required when a model has Capabilities.Generate.
	Generate func(ctx context.Context, req *GenerateRequest, emit func(Chunk) error) (*Ending, error)
	// Embed turns texts into vectors. Required when a model has Capabilities.Embed.
	Embed func(ctx context.Context, req *EmbedRequest) (*Embeddings, error)
	// Rerank scores passages. Required when a model has Capabilities.Rerank.
	Rerank func(ctx context.Context, req *RerankRequest) (*Ranking, error)
}

// Model is one model and what it can do.
type Model struct {
	// ID is Required and unique within the plugin.
	ID           string
	Capabilities Capabilities
	// ContextTokens is what prompt and answer may have together; 0 if unknown.
	ContextTokens int
	// MaxOutputTokens bounds an answer; 0 if unknown.
	MaxOutputTokens int
	// Dimensions is the length of a vector. Embedding models only; 0 if it is
	// known only after the first call.
	Dimensions int
	// EmbeddingVersion changes whenever older vectors can no longer be compared.
	EmbeddingVersion string
}

// Capabilities says what a model can do.
type Capabilities struct {
	Generate bool
	// Stream: pieces come as they are made, not all at the end.
	Stream bool
	Tools  bool
	// JSONSchema: the provider itself holds answers to a schema.
	JSONSchema bool
	// JSONMode: the provider promises JSON, of any shape.
	JSONMode bool
	Embed    bool
	Rerank   bool
}

var (
	nameRE    = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)
	versionRE = regexp.MustCompile(`^\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]+)?$`)
)

// ValidateSpec reports everything that is wrong with a spec, joined. [Main]
// calls it; authors call it in a test.
func ValidateSpec(spec *Spec) error {
	if spec == nil {
		return errors.New("llm: the spec is nil")
	}
	var errs []error
	if !nameRE.MatchString(spec.Name) {
		errs = append(errs, fmt.Errorf("Name %q must be lower-case words joined by dashes, such as \"llm-openai\"", spec.Name))
	}
	if !versionRE.MatchString(spec.Version) {
		errs = append(errs, fmt.Errorf("Version %q must be SemVer, such as \"1.0.0\"", spec.Version))
	}
	if len(spec.Models) == 0 && spec.Discover == nil {
		errs = append(errs, errors.New("set Models or Discover: a plugin without models can't be used"))
	}
	if spec.Generate == nil && spec.Embed == nil && spec.Rerank == nil {
		errs = append(errs, errors.New("set at least one of Generate, Embed and Rerank"))
	}
	return errors.Join(append(errs, validateModels(spec, spec.Models))...)
}

// validateModels holds models, given or discovered, against the functions there are.
func validateModels(spec *Spec, models []Model) error {
	var errs []error
	seen := map[string]bool{}
	for i, m := range models {
		if m.ID == "" {
			errs = append(errs, fmt.Errorf("Models[%d] has no ID", i))
			continue
		}
		if seen[m.ID] {
			errs = append(errs, fmt.Errorf("model %q is listed twice", m.ID))
		}
		seen[m.ID] = true
		for _, need := range []struct {
			capability string
			on, has    bool
		}{
			{"Generate", m.Capabilities.Generate, spec.Generate != nil},
			{"Embed", m.Capabilities.Embed, spec.Embed != nil},
			{"Rerank", m.Capabilities.Rerank, spec.Rerank != nil},
		} {
			if need.on && !need.has {
				errs = append(errs, fmt.Errorf("model %q says it can %s, but Spec.%s is nil", m.ID, need.capability, need.capability))
			}
		}
	}
	return errors.Join(errs...)
}
