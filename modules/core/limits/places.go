package limits

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"
)

const (
	// placesLife is how long a replica's places count that is not heard of, and
	// renewEvery how often it is.
	placesLife = time.Minute
	renewEvery = 20 * time.Second
	// endFor is how long a replica that stops may take to give its places back.
	endFor = 2 * time.Second
)

// placer keeps what each replica holds, until it is not heard of for placesLife.
type placer interface {
	// enter makes this replica's places of a person so many, unless all replicas
	// together would hold more than most. all is what this one holds.
	enter(ctx context.Context, r holder, person string, mine, most int) (bool, error)
	// put says what this replica holds of a person; 0 is nothing.
	put(ctx context.Context, r holder, person string, mine int) error
	// renew says that the replica lives, and all that it holds where that is not
	// known any more.
	renew(ctx context.Context, r holder) error
	// end says that it holds nothing any more.
	end(ctx context.Context, r holder) error
}

// holder is one replica's places of a kind.
type holder struct {
	replica, kind string
	life          time.Duration
	all           func() map[string]int
}

// Places bounds how many of something a person has at a time, over all replicas:
// open connections. While the store is away each replica counts its own.
type Places struct {
	limiter *Limiter
	most    int
	self    holder
	dirty   chan struct{}

	mu      sync.Mutex
	people  map[string]*held
	changed map[string]struct{}
}

// held is one person's places at this replica.
type held struct {
	// writing is held while the store is told, so that it is told in order.
	writing sync.Mutex
	n       int // under Places.mu
	// users are those who look at it.
	users int
}

// Places are places of a kind, of which each person may have most; the kind is
// the limit's name. Run it.
func (l *Limiter) Places(kind string, most int) *Places {
	p := &Places{limiter: l, most: most, dirty: make(chan struct{}, 1), people: map[string]*held{}, changed: map[string]struct{}{}}
	p.self = holder{replica: uuid.NewString(), kind: kind, life: placesLife, all: p.all}
	return p
}

// Most is how many a person may have.
func (p *Places) Most() int { return p.most }

// Enter takes a place, and says whether there was one. Leave it.
func (p *Places) Enter(ctx context.Context, person string) bool {
	h := p.look(person)
	h.writing.Lock()
	ok := p.enter(ctx, person, h)
	if !ok {
		p.limiter.metrics.refused.WithLabelValues(p.self.kind).Inc()
	}
	h.writing.Unlock()
	p.turn(person, h)
	return ok
}

// enter is called under h.writing.
func (p *Places) enter(ctx context.Context, person string, h *held) bool {
	n := p.count(h, 0)
	l := p.limiter
	if n >= p.most {
		return false
	}
	told := l.places == nil
	if !told && l.now().UnixNano() >= l.away.Load() {
		ok, err := l.places.enter(ctx, p.self, person, n+1, p.most)
		l.heard(err)
		if err == nil && !ok {
			return false
		}
		told = err == nil
	}
	p.count(h, 1)
	if !told {
		p.mark(person)
	}
	return true
}

// Leave gives a place back. It does not wait for anything.
func (p *Places) Leave(person string) {
	p.mu.Lock()
	h := p.people[person]
	if h == nil || h.n == 0 {
		p.mu.Unlock()
		return
	}
	h.n--
	p.drop(person, h)
	p.mu.Unlock()
	if p.limiter.places != nil {
		p.mark(person)
		select {
		case p.dirty <- struct{}{}:
		default:
		}
	}
}

// Run tells the others what is held here until ctx ends, then that nothing is.
func (p *Places) Run(ctx context.Context) {
	l := p.limiter
	if l.places == nil {
		return
	}
	every := time.NewTicker(renewEvery)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), endFor)
			defer cancel()
			if err := l.places.end(last, p.self); err != nil {
				l.logger.Info("places are held for a minute more", "kind", p.self.kind, "error", err)
			}
			return
		case <-every.C:
			l.heard(l.places.renew(ctx, p.self))
			p.tell(ctx)
		case <-p.dirty:
			p.tell(ctx)
		}
	}
}

// tell says what has changed. What can't be said is said with the next renewal.
func (p *Places) tell(ctx context.Context) {
	p.mu.Lock()
	changed := p.changed
	p.changed = map[string]struct{}{}
	p.mu.Unlock()
	for person := range changed {
		h := p.look(person)
		h.writing.Lock()
		err := p.limiter.places.put(ctx, p.self, person, p.count(h, 0))
		h.writing.Unlock()
		p.turn(person, h)
		if err != nil {
			for person := range changed {
				p.mark(person)
			}
			return
		}
		delete(changed, person)
	}
}

// mark notes that the store does not know what a person has here.
func (p *Places) mark(person string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.changed[person] = struct{}{}
}

// look finds a person's places, which stay until turn.
func (p *Places) look(person string) *held {
	p.mu.Lock()
	defer p.mu.Unlock()
	h := p.people[person]
	if h == nil {
		h = &held{}
		p.people[person] = h
	}
	h.users++
	return h
}

func (p *Places) turn(person string, h *held) {
	p.mu.Lock()
	defer p.mu.Unlock()
	h.users--
	p.drop(person, h)
}

// drop forgets who has no place. Called under mu.
func (p *Places) drop(person string, h *held) {
	if h.n == 0 && h.users == 0 {
		delete(p.people, person)
	}
}

func (p *Places) count(h *held, more int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	h.n += more
	return h.n
}

// all is what everybody has here.
func (p *Places) all() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := make(map[string]int, len(p.people))
	for person, h := range p.people {
		if h.n > 0 {
			all[person] = h.n
		}
	}
	return all
}
