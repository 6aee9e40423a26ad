package arbiter

import (
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// trouble is what keeps the arbiter from working at present. It is logged when
// it begins, when it changes and when it is over, not with each try in between.
type trouble struct {
	kind  string // empty: none
	since time.Time
	tries int
}

// note takes the outcome of one try.
func (t *trouble) note(log *slog.Logger, now time.Time, err error) {
	kind := kindOf(err)
	t.tries++
	switch {
	case kind == t.kind:
		if err != nil {
			log.Debug("still in trouble", "error", err, "tries", t.tries)
		}
		return
	case err == nil:
		log.Info("working again", "after", now.Sub(t.since).Round(time.Millisecond), "tries", t.tries)
	case errors.Is(err, errNotDerived):
		log.Error("this arbiter will not lead: it comes to another result than the history, or cannot read it", "error", err)
	default:
		log.Warn("Redis does not answer as it should; trying until it does", "error", err)
	}
	*t = trouble{kind: kind, since: now}
}

// kindOf tells one trouble from another. Errors of the network count as one:
// their texts hold ports and differ from try to try; so does the place at which
// the history, read from a snapshot or its start, turns out not to be derived.
func kindOf(err error) string {
	var answer redis.Error
	switch {
	case err == nil:
		return ""
	case errors.Is(err, errNotDerived):
		return "underivable"
	case errors.As(err, &answer):
		code, _, _ := strings.Cut(answer.Error(), " ")
		return code
	}
	return "unreachable"
}
