package arbiter

import "time"

// barrier returns for how long nobody may gain in a history that begins now.
//
// Leases of a former history, if there was one, last at most the policy's TTL
// from the moment at which Redis lost it, on their holders' clocks, which end
// them earlier by the drift margin. Whoever does not re-assert by then holds no
// more than its fallback, and the ledger keeps every service's minimum free for
// one more TTL.
//
// A first start looks just like a loss. Only who knows that no container holds
// a connection can say that it is one.
func (l *leadership) barrier() time.Duration {
	if l.Fresh && l.standing.First && !l.seen {
		return 0
	}
	return l.Policy.TTL
}
