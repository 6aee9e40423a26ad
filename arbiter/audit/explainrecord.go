package audit

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/conncord/conncord/arbiter/history"
	"github.com/conncord/conncord/arbiter/ledger"
	"github.com/conncord/conncord/events"
)

// maxTurns is how many leases the account of one record tells of.
const maxTurns = 200

// An Account says what one record did, and why.
type Account struct {
	Sequence    uint64    `json:"sequence"`
	Incarnation ID        `json:"incarnation"`
	Epoch       uint64    `json:"epoch"`
	At          time.Time `json:"at"`     // when the record was made
	Ledger      int64     `json:"ledger"` // ledger time, milliseconds
	Said        string    `json:"said"`   // what the intent was
	Refused     string    `json:"refused,omitempty"`

	Available       int       `json:"available"` // afterwards, like the next
	Charged         int       `json:"charged"`
	AvailableBefore int       `json:"available_before"`
	ChargedBefore   int       `json:"charged_before"`
	Holders         []Holding `json:"holders"` // before the record, the most important first

	Leases     []Turn `json:"leases"`                // that the record changed or answered
	MoreLeases int    `json:"more_leases,omitempty"` // that are left out
}

// A Holding is what the containers of a service are charged for.
type Holding struct {
	Service  string `json:"service"`
	Priority int    `json:"priority"`
	Charge   int    `json:"charge"`
}

// A Turn is what one record did to one lease.
type Turn struct {
	Container string `json:"container"`
	Service   string `json:"service"`
	Verb      string `json:"verb"`
	Reason    string `json:"reason_code,omitempty"`
	Before    *Lease `json:"before,omitempty"` // nil: it had none
	After     Lease  `json:"after"`
	Text      string `json:"text"` // a sentence
}

// ExplainRecord says what the record with this sequence did, and why.
func ExplainRecord(ctx context.Context, src history.Source, sequence uint64) (*Account, error) {
	var (
		before *events.Snapshot
		free   int // available before
		a      *Account
	)
	report, err := walk(ctx, src, func(head *events.Head, l *ledger.Ledger) bool {
		if head.Sequence == sequence {
			before = l.Snapshot()
		}
		return true
	}, func(p *Point) bool {
		if before == nil {
			free = p.Record.Available
			return true
		}
		a = account(before, free, p)
		return false
	})
	if err != nil {
		return nil, err
	}
	if a == nil {
		return nil, noState(Moment{Sequence: sequence}, &report)
	}
	return a, nil
}

func account(before *events.Snapshot, free int, p *Point) *Account {
	rec := p.Record
	a := &Account{
		Sequence: rec.Sequence, Incarnation: ID(rec.Incarnation), Epoch: rec.Epoch, At: time.UnixMilli(rec.Wall).UTC(), Ledger: rec.Ledger,
		Said: said(rec), Refused: rec.Refused.Code(), Available: rec.Available, Charged: rec.Charged, AvailableBefore: free,
		Holders: holdings(before), Leases: []Turn{},
	}
	leases := map[string]*events.ContainerState{}
	for i := range before.Containers {
		c := &before.Containers[i]
		leases[c.ID] = c
		a.ChargedBefore += c.Charge
	}
	for i := range rec.Decisions {
		if len(a.Leases) == maxTurns {
			a.MoreLeases = len(rec.Decisions) - maxTurns
			break
		}
		d := &rec.Decisions[i]
		t := Turn{Container: d.Container, Verb: d.Verb.String(), Reason: d.Reason.Code(), After: Lease{d.Units, d.Charge}}
		if c := leases[d.Container]; c != nil {
			t.Before, t.Service = leaseIn(*c, true), c.Service
		}
		after, ok := p.Ledger.Container(d.Container)
		if ok {
			t.Service = after.Service
		}
		t.Text = fmt.Sprintf("%s %s.", d.Container, decided(d, t.Before, after.Want))
		a.Leases = append(a.Leases, t)
	}
	return a
}

// holdings sums the charges up by service.
func holdings(s *events.Snapshot) []Holding {
	sums := map[string]int{}
	for i := range s.Containers {
		sums[s.Containers[i].Service] += s.Containers[i].Charge
	}
	list := []Holding{}
	for name, charge := range sums {
		rule, _ := s.Policy.Find(name)
		list = append(list, Holding{name, max(rule.Priority, 1), charge})
	}
	slices.SortFunc(list, func(a, b Holding) int {
		if a.Priority != b.Priority {
			return b.Priority - a.Priority
		}
		return strings.Compare(a.Service, b.Service)
	})
	return list
}

// Print writes the account for people to read.
func (a *Account) Print(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Record %d, %s, epoch %d\n\n", a.Sequence, a.At.Format(timeLayout), a.Epoch)
	fmt.Fprintf(&b, "What was said: %s.\n", a.Said)
	fmt.Fprintf(&b, "Before: %d of %d were charged", a.ChargedBefore, a.AvailableBefore)
	for i, h := range a.Holders {
		fmt.Fprintf(&b, "%s %s (priority %d) %d", [...]string{":", ","}[min(i, 1)], h.Service, h.Priority, h.Charge)
	}
	b.WriteString(".\n")
	if len(a.Leases) == 0 {
		b.WriteString("No lease changed.\n")
	}
	for i := range a.Leases {
		fmt.Fprintf(&b, "  • %s\n", clean(a.Leases[i].Text))
	}
	if a.MoreLeases > 0 {
		fmt.Fprintf(&b, "  • and %s more\n", plural(a.MoreLeases, "lease", "leases"))
	}
	fmt.Fprintf(&b, "After: %d of %d are charged.\n", a.Charged, a.Available)
	_, err := io.WriteString(w, b.String())
	return err
}

// timeLayout is how the package writes a moment for people.
const timeLayout = "2006-01-02 15:04:05.000"
