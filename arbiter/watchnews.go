package arbiter

import (
	"log/slog"

	"github.com/conncord/conncord/arbiter/ledger"
	"github.com/conncord/conncord/arbiter/observer"
)

// watchNews says in the log what is new about the database, once for each change.
type watchNews struct {
	failing             bool
	toothless           bool // it may not end what it is to end
	max, usable, bound  int
	external            int
	overBooks, overKnow int
}

// tell takes what came of a look.
func (n *watchNews) tell(log *slog.Logger, limit int, s *observer.Sight) {
	if s.Ended > 0 {
		log.Warn("ended connections that expired leases had left", "connections", s.Ended)
	}
	look := &s.Look
	seen := look.Usable > 0
	switch {
	case seen && s.Err != nil && !n.toothless:
		log.Warn("connections that expired leases have left could not be ended", "error", s.Err)
	case !seen && !n.failing:
		log.Warn("the database cannot be seen; going by what it showed last", "error", s.Err)
	case seen && n.failing:
		log.Info("the database can be seen again")
	}
	n.failing = !seen
	if !seen {
		return
	}
	n.toothless = s.Err != nil
	if look.Max != n.max || look.Usable != n.usable || look.Bound != n.bound {
		args := []any{"configured", limit, "max_connections", look.Max, "for_ordinary_roles", look.Usable}
		if least := min(look.Max, look.Bound); limit > least {
			log.Warn("the configured limit is above what the database gives; no more than that is granted", append(args, "for_containers", look.Bound)...)
		} else {
			log.Info("limits of the database", args...)
		}
		n.max, n.usable, n.bound = look.Max, look.Usable, look.Bound
	}
	if look.External != n.external {
		log.Info("connections past Conncord", "connections", look.External, "before", n.external, "of", look.Others)
		n.external = look.External
	}
}

// uncounted takes what the ledger made of it.
func (n *watchNews) uncounted(log *slog.Logger, l *ledger.Ledger) {
	over, strange := l.Uncounted()
	switch {
	case over == n.overBooks && strange == n.overKnow:
		return
	case over+strange > 0:
		log.Warn("the database shows connections that nobody was granted; growth is held back", "beyond_leases", over, "of_unknown_containers", strange)
	default:
		log.Info("the database shows nothing that nobody was granted")
	}
	n.overBooks, n.overKnow = over, strange
}
