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
	if l.Fresh && l.standing.First && !l.led {
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

// noCursor is the cursor before the first inbox entry.
const noCursor = "0-0"

// later reports whether one id of a stream's entry comes after another. An
// empty one comes before all.
func later(a, b string) bool {
	ams, aseq := splitID(a)
	bms, bseq := splitID(b)
	return ams > bms || ams == bms && aseq > bseq
}

func splitID(id string) (ms, seq uint64) {
	first, second, _ := strings.Cut(id, "-")
	ms, _ = strconv.ParseUint(first, 10, 64)
	seq, _ = strconv.ParseUint(second, 10, 64)
	return ms, seq
}
