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

// watch looks at the inbox while the leader has taken everything in it. Nothing
// is done about entries that are lost: whoever said what they said gets no
// answer, and says it again.
func (l *leadership) watch(inbox events.Inbox) {
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

// exhausted reports whether there may soon be no ids left after this one.
func exhausted(id string) bool {
	first, _, _ := strings.Cut(id, "-")
	millis, err := strconv.ParseUint(first, 10, 64)
	return err != nil || millis > maxInboxID
}
