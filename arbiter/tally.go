package arbiter

import "github.com/conncord/conncord/events"

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
