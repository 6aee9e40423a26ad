package history

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/conncord/conncord/arbiter/ledger"
	"github.com/conncord/conncord/events"
)

// An anonymous is a source that derives another one's history anew, from intents in
// which all names are replaced.
type anonymous struct {
	src      Source
	names    *names
	ledger   *ledger.Ledger // nil before the first record
	snapshot *events.Snapshot
}

var _ Source = (*anonymous)(nil)

// Anonymize returns the history of the source with all names replaced: of containers,
// hosts, services, arbiters, and of a plan that is none of those that everybody knows.
// One name is replaced by the same wherever it stands, and by another one in the next
// export. Numbers, times, leases and the order of services stay as they are; what could
// not be read as an intent is replaced by as many other bytes.
//
// The result is a history like any other: its records are derived by the ledger, and
// each decides the same as the one that it replaces, or Read returns an error. That
// takes a beginning: the source must begin with an incarnation, or with a snapshot.
// It closes the source when it is closed.
func Anonymize(src Source) (Source, error) {
	key := make([]byte, sha256.Size)
	_, _ = rand.Read(key) // it never fails
	a := &anonymous{src: src, names: newNames(key)}
	if snap := src.Snapshot(); snap != nil {
		var err error
		if a.snapshot, err = a.names.snapshot(snap); err != nil {
			return nil, fmt.Errorf("anonymize the snapshot: %w", err)
		}
		if a.ledger, err = ledger.Restore(a.snapshot); err != nil {
			return nil, fmt.Errorf("anonymize the snapshot: %w", err)
		}
	}
	return a, nil
}

// Snapshot implements [Source].
func (a *anonymous) Snapshot() *events.Snapshot { return a.snapshot }

// Read implements [Source].
func (a *anonymous) Read(ctx context.Context) ([][]byte, error) {
	records, err := a.src.Read(ctx)
	if err != nil {
		return nil, err
	}
	for i, data := range records {
		if records[i], err = a.derive(data); err != nil {
			return nil, fmt.Errorf("anonymize: %w", err)
		}
	}
	return records, nil
}

// derive returns the record that takes this one's place.
func (a *anonymous) derive(data []byte) ([]byte, error) {
	old, err := events.DecodeRecord(data)
	if err != nil {
		return nil, fmt.Errorf("what stands in the history cannot be read, and may hold names: verify the history first: %w", err)
	}
	if a.ledger == nil || old.Incarnation != a.ledger.Incarnation() {
		if !begins(data) {
			return nil, fmt.Errorf("record %d is not the beginning of its incarnation, and there is no snapshot: begin the export at one of them", old.Sequence)
		}
		a.ledger = ledger.New(old.Incarnation, old.Sequence-1)
	}
	if old.Sequence != a.ledger.Sequence()+1 {
		return nil, fmt.Errorf("record %d follows record %d: verify the history first", old.Sequence, a.ledger.Sequence())
	}
	intent, err := a.names.intent(old)
	if err != nil {
		return nil, fmt.Errorf("record %d: %w", old.Sequence, err)
	}
	in := ledger.Input{Epoch: old.Epoch, Now: old.Ledger, Wall: old.Wall, Entry: old.Entry, Intent: intent}
	if old.Size > len(old.Intent) {
		in.Size = old.Size
	}
	step := a.ledger.Apply(in)
	if !a.names.sameDecisions(old, &step.Record) {
		return nil, fmt.Errorf("record %d does not follow from what stands before it: verify the history first", old.Sequence)
	}
	return step.Encoded, nil
}

// Close implements [Source].
func (a *anonymous) Close() error { return a.src.Close() }

// names replaces names. The substitute of a container, a host or an arbiter depends on
// the name and the key alone, so that nothing has to be remembered, however many there
// are. That of a container depends on its tag, because the database may show a
// container's tag before its name is known.
type names struct {
	key      []byte
	services *labels
}

func newNames(key []byte) *names { return &names{key: key, services: newLabels("service-")} }

// maskBytes is how much of a name's keyed hash stands for it: two of a budget's names
// come to the same once in a million exports.
const maskBytes = 6

func (n *names) mask(kind, name string) string {
	h := hmac.New(sha256.New, n.key)
	h.Write([]byte(kind))
	h.Write([]byte(name))
	return kind + "-" + hex.EncodeToString(h.Sum(nil)[:maskBytes])
}

func (n *names) container(id string) string { return n.byTag(events.Tag(id)) }

func (n *names) byTag(tag string) string { return n.mask("container", tag) }

func (n *names) tag(tag string) string { return events.Tag(n.byTag(tag)) }

func (n *names) host(host string) string {
	if host == "" {
		return ""
	}
	return n.mask("host", host)
}

func (n *names) plan(plan string) string {
	if _, known := events.FindPlan(plan); known || plan == "" {
		return strings.ToLower(plan)
	}
	return "plan"
}

// policy replaces the names in a policy. Services keep their order, because of equal
// ones the earlier name comes first.
func (n *names) policy(p *events.Policy) error {
	p.Plan = n.plan(p.Plan)
	p.Services = slices.Clone(p.Services)
	// All at once, so that they get the plainest names.
	all := make([]string, len(p.Services))
	for i := range p.Services {
		all[i] = p.Services[i].Name
	}
	if err := n.services.reserve(all); err != nil {
		return err
	}
	for i := range p.Services {
		var err error
		if p.Services[i].Name, err = n.services.label(p.Services[i].Name); err != nil {
			return err
		}
	}
	return nil
}

func (n *names) observation(o *events.Observation) {
	o.Held = slices.Clone(o.Held)
	for i := range o.Held {
		o.Held[i].Tag = n.tag(o.Held[i].Tag)
	}
	slices.SortFunc(o.Held, func(a, b events.Held) int { return strings.Compare(a.Tag, b.Tag) })
}

func (n *names) snapshot(old *events.Snapshot) (*events.Snapshot, error) {
	s := *old
	h := hmac.New(sha256.New, n.key)
	h.Write(old.Hash[:])
	s.Hash = events.Hash(h.Sum(nil)[:len(s.Hash)]) // by the old one, guessed names could be tried
	if s.Policy.Rule != 0 {
		if err := n.policy(&s.Policy); err != nil {
			return nil, err
		}
	}
	n.observation(&s.Look)
	s.Containers = slices.Clone(s.Containers)
	for i := range s.Containers {
		c := &s.Containers[i]
		var err error
		if c.Service, err = n.services.label(c.Service); err != nil {
			return nil, err
		}
		c.ID, c.Host = n.container(c.ID), n.host(c.Host)
	}
	return &s, nil
}

// intent returns the intent of the record with its names replaced.
func (n *names) intent(old *events.Record) (_ []byte, err error) {
	in, err := events.DecodeIntent(old.Intent)
	if err != nil || old.Refused == events.Oversize {
		return filler(old, err), nil
	}
	if in.Container != "" {
		in.Container = n.container(in.Container)
	}
	in.Host = n.host(in.Host)
	if in.Arbiter != "" {
		in.Arbiter = n.mask("arbiter", in.Arbiter)
	}
	switch in.Kind {
	case events.Register:
		in.Service, err = n.services.label(in.Service)
	case events.SetPolicy:
		err = n.policy(&in.Policy)
	case events.Silence:
		for i := range in.Tags {
			in.Tags[i] = n.tag(in.Tags[i])
		}
	case events.Observe:
		n.observation(&in.Observation)
	}
	return events.EncodeIntent(in), err
}

// The fillers are refused for the same reason as what they stand for: a byte that
// begins no value; a version that will not be known for long; more tags than an intent
// can have.
const (
	unreadableFiller = "\xc1"
	versionFiller    = "\x95\x01\x7f"
	oversizeFiller   = "\x95\x0b\x01\xa0\x00\x91\xdc\xff\xff"
)

// filler returns what takes the place of bytes that are no intent, as many of them.
func filler(old *events.Record, err error) []byte {
	start := unreadableFiller
	switch {
	case errors.Is(err, events.ErrVersion):
		start = versionFiller
	case errors.Is(err, events.ErrOversize):
		start = oversizeFiller
	}
	b := bytes.Repeat([]byte(unreadableFiller), len(old.Intent))
	copy(b, start)
	return b
}

// sameDecisions reports whether two records decide the same. What an observation
// changes stands in the order of tags, which is another one.
func (n *names) sameDecisions(old, now *events.Record) bool {
	if old.Refused != now.Refused || old.Available != now.Available || old.Charged != now.Charged ||
		old.Ledger != now.Ledger || old.Size != now.Size && old.Refused != events.NoReason && len(old.Intent) == len(now.Intent) {
		return false
	}
	want := slices.Clone(old.Decisions)
	for i := range want {
		want[i].Container = n.container(want[i].Container)
	}
	got := slices.Clone(now.Decisions)
	order := func(a, b events.Decision) int { return strings.Compare(a.Container, b.Container) }
	slices.SortStableFunc(want, order)
	slices.SortStableFunc(got, order)
	return slices.Equal(want, got)
}
