package simulation

import (
	"slices"
	"time"

	"github.com/conncord/conncord/events"
)

// An unseen grant stands in the history, and its container has not taken it yet. It
// may do so after Redis has lost that history.
type unseen struct {
	incarnation, sequence uint64
	ends                  time.Duration // when its lease ends by the true time at the latest
	fallback              int
}

// granted notes what a record gives a container to go by.
func (g *ghost) granted(b *box, grant *events.Grant) {
	said, known := g.said[grant.Anchor]
	if !known || !b.alive || grant.Lease == "" || grant.Gone() { // one that is gone raises nothing
		return
	}
	u := unseen{grant.Incarnation, grant.Sequence, said.at + grant.TTL, grant.Fallback}
	if b.member.Strict {
		u.fallback = 0
	}
	g.unseen = append(g.unseen, u)
}

// taken notes that the container has a grant. One that was written before it in
// another incarnation may still come, and is nothing to go by when its lease is over.
func (g *ghost) taken(b *box, grant *events.Grant) {
	g.unseen = slices.DeleteFunc(g.unseen, func(u unseen) bool {
		return u.incarnation == grant.Incarnation && u.sequence <= grant.Sequence || b.w.now >= u.ends
	})
}

// most returns until when the container may have more than its fallback, and the
// largest fallback that it may have then, by what it was granted: also by what it
// has not seen yet.
func (g *ghost) most() (ends time.Duration, fallback int) {
	ends, fallback = g.ends, g.fallback
	for _, u := range g.unseen {
		ends, fallback = max(ends, u.ends), max(fallback, u.fallback)
	}
	return ends, fallback
}
