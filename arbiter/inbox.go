package arbiter

import (
	"strconv"
	"strings"

	"github.com/conncord/conncord/events"
)

// A tally compares the entries that were ever appended to the inbox with those
// that were taken, to notice when somebody else removes entries that nobody has
// read: any client that may append can trim as well.
type tally struct {
	taken  int64 // since the tally began
	before int64 // entries appended before it began
	begun  bool
}

// count looks at the inbox while the leader has taken everything in it. Nothing
// is done about entries that are lost: whoever said what they said gets no
// answer, and says it again.
func (l *leadership) count(inbox events.Inbox) {
	if inbox.Newest != events.NoCursor && earlier(inbox.Newest, l.cursor) {
		l.anew = true // somebody removed the inbox, and it goes on below the cursor
	}
	if inbox.Added < 0 || inbox.Newest != l.cursor {
		return
	}
	before := inbox.Added - l.tally.taken
	if l.tally.begun && before != l.tally.before {
		l.lost("entries", before-l.tally.before)
	}
	l.tally.before, l.tally.begun = before, true
}

func (l *leadership) lost(key string, value any) {
	l.Logger.Warn("somebody else removed entries from the inbox: intents may be lost", key, value)
}

// maxInboxID is the greatest id, of a million years from now, after which the
// inbox goes on. Clients can choose ids, and after the greatest possible one
// Redis lets nobody append any more. So one beyond this has the inbox deleted;
// whoever said what is lost will say it again.
const maxInboxID = 1 << 55

// beginAnew has the inbox deleted with the next commit, so that its ids begin
// anew. Whoever said what is lost will say it again.
func (l *leadership) beginAnew(b *events.Batch) {
	l.Logger.Warn("the inbox cannot be read on from here: somebody chose an id himself, removed the inbox or wrote a cursor; it begins anew", "cursor", l.cursor)
	if len(b.Records) == 0 {
		l.own(b, events.Intent{Kind: events.Tick})
	}
	l.cursor, l.anew = events.NoCursor, false
	l.tally = tally{}
	b.Anew, b.Ahead = true, 0
}

// exhausted reports whether there may soon be no ids left after this one, or
// whether it is none.
func exhausted(id string) bool {
	first, _, err := parts(id)
	return err != nil || first > maxInboxID
}

// earlier reports whether one id comes before another.
func earlier(a, b string) bool {
	a1, a2, aErr := parts(a)
	b1, b2, bErr := parts(b)
	return aErr == nil && bErr == nil && (a1 < b1 || a1 == b1 && a2 < b2)
}

// parts returns the two numbers of an id.
func parts(id string) (first, second uint64, err error) {
	head, tail, _ := strings.Cut(id, "-")
	if first, err = strconv.ParseUint(head, 10, 64); err == nil {
		second, err = strconv.ParseUint(tail, 10, 64)
	}
	return first, second, err
}
