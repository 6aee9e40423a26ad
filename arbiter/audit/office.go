package audit

import (
	"fmt"

	"github.com/conncord/conncord/events"
)

// unknownLeader is who leads when the record that says so was not read.
const unknownLeader = "?"

// An office is the leadership of an incarnation.
type office struct {
	epoch  uint64 // of the newest record
	leader string // of that epoch; empty: nobody has said that he leads
	fresh  int    // leaderships that began with the newest record
}

// take checks that epochs never go back, that none is issued twice and that each
// begins with somebody who leads. It returns what is wrong.
func (o *office) take(head *events.Head) (Kind, string) {
	o.fresh = 0
	if head.Epoch < o.epoch {
		return Forged, fmt.Sprintf("record %d is of epoch %d, which was over: epoch %d had begun", head.Sequence, head.Epoch, o.epoch)
	}
	if head.Epoch > o.epoch {
		o.epoch, o.leader = head.Epoch, ""
	}
	begins := false
	if head.Entry == "" {
		own, err := events.DecodeIntent(head.Intent)
		if err != nil {
			return Undecodable, fmt.Sprintf("record %d is the arbiter's own and cannot be read: %v", head.Sequence, err)
		}
		switch own.Kind {
		case events.Lead:
			was := o.leader
			if o.leader = own.Arbiter; was != own.Arbiter {
				o.fresh = 1
			}
			if was != "" && was != unknownLeader && was != own.Arbiter {
				return Forged, fmt.Sprintf("record %d: epoch %d was issued twice, to %s and to %s", head.Sequence, head.Epoch, was, own.Arbiter)
			}
		case events.Begin:
			begins = true
		}
	}
	if o.leader == "" && !begins {
		return Forged, fmt.Sprintf("record %d is of epoch %d, of which nobody said that he leads", head.Sequence, head.Epoch)
	}
	return "", ""
}
