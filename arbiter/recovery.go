package arbiter

import (
	"time"

	"github.com/conncord/conncord/events"
)

// barrier returns for how long nobody may gain in a history that begins now.
//
// Leases of a former history, if there was one, last at most its policy's TTL
// from the moment at which Redis lost it, on their holders' clocks, which end
// them earlier by the drift margin. Whoever does not re-assert by then holds no
// more than its fallback, and the ledger keeps every service's minimum free for
// one more TTL. The former policy is as gone as all else; but an arbiter that
// followed the former history remembers how long its leases were.
//
// A first start looks just like a loss. Only who knows that no container holds
// a connection can say that it is one.
func (l *leadership) barrier() time.Duration {
	if l.Fresh && l.standing.First && !l.seen {
		return 0
	}
	return max(l.Policy.TTL, l.longest)
}

// forget gives up the ledger, and remembers how long its leases were, and whether
// their holders may open connections without giving signs of life. Nobody can see
// then that they will open none.
func (a *Arbiter) forget() {
	if a.ledger != nil && a.ledger.Containers() > 0 {
		a.longest = events.Millis(a.ledger.Longest())
		a.unbound = a.ledger.Look().Window == 0
	}
	a.ledger = nil
}
