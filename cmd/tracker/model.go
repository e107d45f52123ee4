package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/goals-tracker/tracker/cmd/tracker/internal/models"
	"github.com/goals-tracker/tracker/sdk/llm/localmodel"
)

type modelCmd struct {
	Pull modelPullCmd `cmd:"" help:"Fetch models and the library that runs them; those that are there are checked."`
	List modelListCmd `cmd:"" help:"List the models that are known and those that are here."`
}

// systemModels is where root has models, for every user of the machine.
const systemModels = "/var/lib/tracker/models"

// modelDir is where models are put.
func (c *Config) modelDir() string {
	if c.Models.Dir != "" {
		return c.Models.Dir
	}
	return c.dataPath("models")
}

// modelDirs is where models are looked for.
func (c *Config) modelDirs() []string {
	return slices.Compact([]string{c.modelDir(), systemModels})
}

type modelPullCmd struct {
	Names []string `arg:"" optional:"" name:"name" help:"Which ones. Defaults to those that search uses."`
	From  string   `help:"A folder, or the address of one, that holds the archives. Defaults to models.mirror, else to the registries."`
}

// Run pulls models.
func (c *modelPullCmd) Run(ctx context.Context, flags *ConfigFlags) error {
	cfg, err := flags.Load()
	if err != nil {
		return err
	}
	known, err := models.Known()
	if err != nil {
		return err
	}
	entries, err := models.Pick(known, c.Names)
	if err != nil {
		return err
	}
	p := &models.Puller{Dir: cfg.modelDir(), Also: cfg.modelDirs()[1:], Mirror: c.From, Out: os.Stdout}
	if p.Mirror == "" {
		p.Mirror = cfg.Models.Mirror
	}
	if err := p.Pull(ctx, entries); err != nil {
		return fmt.Errorf("%w\nwithout models search is by words alone (BM25); what was fetched is kept, so run this again when the network is back", err)
	}
	return nil
}

type modelListCmd struct {
	Archives bool `help:"List the archives of each, with their sums: what a mirror must hold."`
}

// Run lists models: those of the manifest, and others that lie in the folders.
func (c *modelListCmd) Run(flags *ConfigFlags) error {
	cfg, err := flags.Load()
	if err != nil {
		return err
	}
	known, err := models.Known()
	if err != nil {
		return err
	}
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	if c.Archives {
		fmt.Fprintln(out, "MODEL\tARCHIVE\tFROM\tMB\tSHA256")
		for _, e := range known {
			for _, a := range e.Archives {
				fmt.Fprintf(out, "%s\t%s\t%s\t%d\t%s\n", e.Name, a.Name, a.Maven+a.PyPI, a.Bytes>>20, a.SHA256)
			}
		}
		return out.Flush()
	}
	here, broken := localmodel.List(cfg.modelDirs()...)
	fmt.Fprintln(out, "NAME\tKIND\tLANGUAGES\tDIMENSIONS\tTOKENS\tLICENCE\tWHERE")
	line := func(d localmodel.Description, where string) {
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", d.Name, d.Kind, strings.Join(d.Languages, ","),
			number(d.Dimensions), number(d.MaxTokens), d.License, where)
	}
	for _, e := range known {
		where := fmt.Sprintf("not here (%d MB)", e.Bytes()>>20)
		if i := slices.IndexFunc(here, func(m *localmodel.Model) bool { return m.Name == e.Name }); i >= 0 {
			where = here[i].Dir
			here = slices.Delete(here, i, i+1)
		}
		line(e.Description, where)
	}
	for _, m := range here {
		line(m.Description, m.Dir)
	}
	if err := errors.Join(out.Flush(), broken); err != nil {
		return fmt.Errorf("list models: %w", err)
	}
	return nil
}

func number(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

// localPlugin embeds on this machine; embedders can do it elsewhere.
const localPlugin = "llm-local"

var embedders = []string{"llm-ollama", "llm-openai"}

// searchFinding says for the doctor whether search goes by meaning too.
func searchFinding(cfg Config) finding {
	f := finding{"search", "ok", ""}
	dir, err := pluginsDir(cfg)
	if err == nil {
		_, err = os.Stat(filepath.Join(dir, localPlugin))
	}
	here, broken := localmodel.List(cfg.modelDirs()...)
	has := func(kind localmodel.Kind) bool {
		return slices.ContainsFunc(here, func(m *localmodel.Model) bool { return m.Kind == kind })
	}
	lock, _ := readPluginLock(cfg.pluginLockPath())
	why := whyDisabled(localPlugin, cfg, lock)
	switch {
	case err == nil && why == "" && has(localmodel.KindRuntime) && has(localmodel.KindEmbed):
		f.why = "by words, and by meaning with models in " + filepath.Dir(here[0].Dir)
	case slices.ContainsFunc(embedders, func(name string) bool { return whyDisabled(name, cfg, lock) == "" }):
		f.why = "by words, and by meaning where " + strings.Join(embedders, " or ") + " embeds; nothing is embedded on this machine"
	case err != nil:
		f.state, f.why = "none", "by words alone (BM25): the plugin "+localPlugin+" is not built, which takes a C compiler (gcc)"
	case why != "":
		f.state, f.why = "none", "by words alone (BM25): "+localPlugin+" is "+why
	default:
		f.state, f.why = "none", "by words alone (BM25): `tracker model pull` fetches the models that embed"
	}
	if broken != nil {
		f.why += "; " + broken.Error()
	}
	return f
}
