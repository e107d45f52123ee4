package judge

import (
	"context"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/goals-tracker/tracker/modules/core/pluginhost"
	"github.com/goals-tracker/tracker/sdk/judging"
	"github.com/goals-tracker/tracker/sdk/pluginproto"
)

// Catalog says which plugin judges which language.
type Catalog struct {
	host   *pluginhost.Host
	engine *Engine

	mu      sync.Mutex
	loading chan struct{} // nil when nothing is being loaded
	last    time.Time
}

const (
	// loadAgain is how long plugins that could not say what they judge are left alone.
	loadAgain = 15 * time.Second
	// loadWait is how long a call waits for them beside others that could.
	loadWait = 3 * time.Second
)

// NewCatalog makes a catalog of the host's validators.
func NewCatalog(host *pluginhost.Host, engine *Engine) *Catalog {
	return &Catalog{host: host, engine: engine}
}

// Match is a plugin for a language.
type Match struct {
	Plugin   string
	Language judging.Language
}

// Load starts the validators of which it is not known what they judge. It waits
// for loadWait at most where others are known already, so that one that hangs
// does not hold everybody up.
func (c *Catalog) Load(ctx context.Context) {
	var missing []string
	known := false
	for _, info := range c.infos() {
		if describe(info) == nil {
			missing = append(missing, info.Name)
		} else {
			known = true
		}
	}
	if len(missing) == 0 {
		return
	}
	done := c.load(context.WithoutCancel(ctx), missing)
	var enough <-chan time.Time
	if known {
		enough = time.After(loadWait)
	}
	select {
	case <-done:
	case <-enough:
	case <-ctx.Done():
	}
}

// load describes plugins, once at a time; the channel closes when that is done.
func (c *Catalog) load(ctx context.Context, names []string) <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.loading != nil || time.Since(c.last) < loadAgain {
		if c.loading == nil {
			done := make(chan struct{})
			close(done)
			return done
		}
		return c.loading
	}
	done := make(chan struct{})
	c.loading, c.last = done, time.Now()
	go func() {
		var wg sync.WaitGroup
		for _, name := range names {
			wg.Go(func() {
				if plugin, err := c.host.Validator(name); err == nil {
					_, _ = plugin.Describe(ctx) // bounded by the host, which keeps what it learns
				}
			})
		}
		wg.Wait()
		c.mu.Lock()
		c.loading = nil
		c.mu.Unlock()
		close(done)
	}()
	return done
}

// Look asks every plugin for its toolchain, so that missing ones are known.
func (c *Catalog) Look(ctx context.Context) {
	c.Load(ctx)
	if !c.engine.CanRun() {
		return
	}
	for _, name := range c.host.Names(pluginproto.KindValidator) {
		_, _, _ = c.engine.Versions(ctx, name) // what is missing is remembered
	}
}

func (c *Catalog) infos() []pluginhost.Info {
	return slices.DeleteFunc(c.host.Status(), func(i pluginhost.Info) bool { return i.Kind != pluginproto.KindValidator })
}

func describe(info pluginhost.Info) *judging.Description {
	d, _ := info.Description.Detail.(*judging.Description)
	return d
}

// usable are the descriptions of plugins whose toolchains are not known to be
// missing.
func (c *Catalog) usable() (all []*judging.Description) {
	for _, info := range c.infos() {
		if d := describe(info); d != nil {
			if _, problem := c.engine.known(info.Name); problem == nil {
				all = append(all, d)
			}
		}
	}
	return all
}

// Find returns the first plugin, by name, that judges a language, by any of its
// names.
func (c *Catalog) Find(language string) (Match, bool) {
	language = strings.ToLower(strings.TrimSpace(language))
	for _, d := range c.usable() {
		for _, l := range d.Languages {
			if l.Name == language || slices.Contains(l.Aliases, language) {
				return Match{Plugin: d.Name, Language: l}, true
			}
		}
	}
	return Match{}, false
}

// Guess finds the one language whose extensions all the files have that any
// language knows; prose beside code doesn't count. False when there is none, or
// more than one.
func (c *Catalog) Guess(paths []string) (Match, bool) {
	var found []Match
	for _, d := range c.usable() {
		for _, l := range d.Languages {
			if slices.ContainsFunc(paths, func(p string) bool { return slices.Contains(l.Extensions, path.Ext(p)) }) {
				found = append(found, Match{Plugin: d.Name, Language: l})
			}
		}
	}
	prose := func(m Match) bool { return m.Language.Name == judging.LanguageText }
	if code := slices.DeleteFunc(slices.Clone(found), prose); len(code) > 0 {
		found = code
	}
	if len(found) == 0 || slices.ContainsFunc(found, func(m Match) bool { return m.Language.Name != found[0].Language.Name }) {
		return Match{}, false
	}
	return found[0], true
}

// Languages are all that can be judged, sorted.
func (c *Catalog) Languages() []string {
	var names []string
	for _, d := range c.usable() {
		for _, l := range d.Languages {
			names = append(names, l.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Entry is what is known of one validator.
type Entry struct {
	Info      pluginhost.Info
	Languages []string
	Toolchain map[string]string
	// Problem is why its toolchain can't be used.
	Problem error
}

// Entries are all validators by name.
func (c *Catalog) Entries() []Entry {
	infos := c.infos()
	all := make([]Entry, 0, len(infos))
	for _, info := range infos {
		e := Entry{Info: info}
		if d := describe(info); d != nil {
			for _, l := range d.Languages {
				e.Languages = append(e.Languages, l.Name)
			}
		}
		e.Toolchain, e.Problem = c.engine.known(info.Name)
		all = append(all, e)
	}
	return all
}
