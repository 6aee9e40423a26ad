package arbiter

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/conncord/conncord/events"
)

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

func samePolicy(a, b events.Policy) bool {
	services := slices.Equal(a.Services, b.Services)
	a.Services, b.Services = nil, nil
	return services && a.Rule == b.Rule && a.Plan == b.Plan && a.Limit == b.Limit && a.Reserve == b.Reserve &&
		a.TTL == b.TTL && a.Margin == b.Margin && a.Unlisted == b.Unlisted
}

// maxInboxID is the greatest id, of a million years from now, after which the
// inbox goes on. Clients can choose ids, and after the greatest possible one
// Redis lets nobody append any more. So one beyond this has the inbox deleted;
// whoever said what is lost will say it again.
const maxInboxID = 1 << 55

// exhausted reports whether there may soon be no ids left after this one.
func exhausted(id string) bool {
	first, _, _ := strings.Cut(id, "-")
	millis, err := strconv.ParseUint(first, 10, 64)
	return err != nil || millis > maxInboxID
}
