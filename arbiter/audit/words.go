package audit

import (
	"fmt"

	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/projector/status"
)

// intentOf is what a record says of the intent that it took, nil when that is
// none that can be read.
func intentOf(rec *events.Record) *events.Intent {
	in, err := events.DecodeIntent(rec.Intent)
	if err != nil {
		return nil
	}
	return in
}

// said says what the record's intent was, without a full stop.
func said(rec *events.Record) string {
	in := intentOf(rec)
	switch {
	case in == nil:
		return fmt.Sprintf("an entry of %s came that is no intent", plural(rec.Size, "byte", "bytes"))
	case rec.Entry == "":
		return saidByArbiter(in, rec)
	case in.Kind.Own():
		return fmt.Sprintf("somebody sent an intent of the kind %q, which only the arbiter may say", in.Kind)
	}
	text := saidByContainer(in)
	if rec.Refused != events.NoReason {
		text += fmt.Sprintf("; this was refused: %v", rec.Refused)
	}
	return text
}

func saidByContainer(in *events.Intent) string {
	switch in.Kind {
	case events.Register:
		text := fmt.Sprintf("%s registered for %s: it wants %d and may hold %d", in.Container, in.Service, in.Want, in.Ceiling)
		if in.Strict {
			text += ", and nothing without a lease"
		}
		return text
	case events.Request:
		return fmt.Sprintf("%s asked for %d: it will hold no more than %d until it hears", in.Container, in.Want, in.Ceiling)
	case events.Release:
		if in.Ceiling > 0 {
			return fmt.Sprintf("%s is leaving, with up to %d still open", in.Container, in.Ceiling)
		}
		return fmt.Sprintf("%s left", in.Container)
	case events.Cleanup:
		return fmt.Sprintf("%s had the expired leases cleaned up", in.Container)
	}
	return fmt.Sprintf("%s was heard: it wants %d and will hold no more than %d until it hears", in.Container, in.Want, in.Ceiling)
}

func saidByArbiter(in *events.Intent, rec *events.Record) string {
	switch in.Kind {
	case events.SetPolicy:
		p := &in.Policy
		return fmt.Sprintf("the policy became: %d connections, %d reserved, leases of %v, %s, rule %d",
			p.Limit, p.Reserve, p.TTL, plural(len(p.Services), "service", "services"), p.Rule)
	case events.Begin:
		if in.Barrier > 0 {
			return fmt.Sprintf("a new incarnation began, because the history was lost: for %v nobody gains", in.Barrier)
		}
		return "a new incarnation began"
	case events.Lead:
		return fmt.Sprintf("%s began to lead, as epoch %d", in.Arbiter, rec.Epoch)
	case events.Resign:
		return fmt.Sprintf("%s gave the leadership up", in.Arbiter)
	case events.Silence:
		return fmt.Sprintf("the heartbeats of %s had stopped", plural(len(in.Tags), "container", "containers"))
	case events.Observe:
		o := &in.Observation
		return fmt.Sprintf("the database was looked at: it gives %d connections, %d of them to others than containers", o.Usable, o.External)
	}
	return "time passed, and something was due"
}

// A Lease is what a container may hold, and what it is charged for.
type Lease struct {
	Units  int `json:"units"`
	Charge int `json:"charge"`
}

// decided says what a decision did to a lease, as the end of a sentence that the
// container begins. was is nil when it had none, want what it wants afterwards.
func decided(d *events.Decision, was *Lease, want int) string {
	text := did(d, was, want)
	if why := d.Reason.String(); why != "" {
		text += " (" + why + ")"
	}
	return text
}

func did(d *events.Decision, was *Lease, want int) string {
	before := Lease{}
	if was != nil {
		before = *was
	}
	switch d.Verb {
	case events.Granted:
		return fmt.Sprintf("got a lease on %d of the %d that it wants", d.Units, want)
	case events.Grown:
		return fmt.Sprintf("grew from %d to %d of the %d that it wants", before.Units, d.Units, want)
	case events.Recalling:
		return fmt.Sprintf("is to go down from %d to %d, and stays charged for %d until it says that it has", before.Units, d.Units, d.Charge)
	case events.Lowered, events.Confirmed:
		if d.Charge < before.Charge {
			return fmt.Sprintf("gave back %d: it may hold %d and is charged for %d", before.Charge-d.Charge, d.Units, d.Charge)
		}
		return fmt.Sprintf("may hold %d and is charged for %d", d.Units, d.Charge)
	case events.Lost:
		return fmt.Sprintf("lost its lease, and stays charged for %d", d.Charge)
	case events.Ended:
		return fmt.Sprintf("has no lease any more, and %s free", came(before.Charge))
	case events.Noted:
		return fmt.Sprintf("was told that it may hold %d and is charged for %d", d.Units, d.Charge)
	}
	return fmt.Sprintf("goes on with %d of the %d that it wants, charged for %d", d.Units, want, d.Charge)
}

func came(n int) string {
	if n == 1 {
		return "1 came"
	}
	return fmt.Sprintf("%d came", n)
}

// leaseIn is the container's lease in a state.
func leaseIn(c events.ContainerState, ok bool) *Lease {
	if !ok {
		return nil
	}
	return &Lease{Units: c.Units, Charge: c.Charge}
}

// clean is what may be printed of a text that a container chose.
func clean(text string) string { return status.Clean(text) }
