package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/conncord/conncord/arbiter/history"
	"github.com/conncord/conncord/arbiter/ledger"
	"github.com/conncord/conncord/events"
)

// maxEpisodes is how many episodes the story of a container has. The first
// maxOpening of them tell how it began; what is left out lies behind those.
const (
	maxEpisodes = 200
	maxOpening  = 20
)

// ErrNoContainer is returned when a history does not know a container.
var ErrNoContainer = errors.New("no such container in the history: list them with a status, and give the whole id")

// A Story is what happened to one container.
type Story struct {
	Container string    `json:"container"`
	Service   string    `json:"service"`
	Host      string    `json:"host"`
	Episodes  []Episode `json:"episodes"`           // oldest first
	LeftOut   int       `json:"left_out,omitempty"` // episodes, between the first ones and the last ones
	Now       string    `json:"now"`                // why it has what it has at the end; empty: it is not registered any more, or the end is not known
	Notice    string    `json:"notice,omitempty"`   // that a part of the history is not in it, and why
}

// An Episode is one thing that happened to a container; or several times nothing
// new.
type Episode struct {
	Sequence uint64    `json:"sequence"`
	At       time.Time `json:"at"`
	Lease    *Lease    `json:"lease,omitempty"` // afterwards; nil: it has none
	Text     string    `json:"text"`            // sentences
	Again    int       `json:"again,omitempty"` // how often it renewed afterwards and nothing changed
}

// ExplainContainer tells what happened to a container, and why.
func ExplainContainer(ctx context.Context, src history.Source, id string) (*Story, error) {
	var (
		story  = &Story{Container: id, Episodes: []Episode{}}
		view   = newView(src.Snapshot())
		was    *Lease
		failed error
	)
	report, err := walk(ctx, src, func(_ *events.Head, l *ledger.Ledger) bool {
		was = leaseIn(l.Container(id))
		return true
	}, func(p *Point) bool {
		if failed = view.follow(p); failed != nil {
			return false
		}
		story.take(p, was)
		return true
	})
	if err = errors.Join(err, failed); err != nil {
		return nil, err
	}
	if len(story.Episodes) == 0 {
		if report.Rederived < report.Records {
			return nil, noState(Moment{}, &report)
		}
		return nil, fmt.Errorf("%q: %w", id, ErrNoContainer)
	}
	if story.Notice = report.Notice(); story.Notice == "" {
		story.Now = view.fold.Status().Explain(id)
	}
	return story, nil
}

// take adds what a record says of the container.
func (s *Story) take(p *Point, was *Lease) {
	rec := p.Record
	i := slices.IndexFunc(rec.Decisions, func(d events.Decision) bool { return d.Container == s.Container })
	spoke := bytes.Contains(rec.Intent, []byte(s.Container))
	n := len(s.Episodes)
	if n > 0 && s.Episodes[n-1].Lease != nil && rec.Entry == "" {
		if in := intentOf(rec); in != nil && in.Kind == events.Begin {
			s.add(Episode{Sequence: rec.Sequence, At: time.UnixMilli(rec.Wall).UTC(),
				Text: sentence(said(rec)) + " What " + s.Container + " had does not count in it before it has registered."})
			return
		}
	}
	if i < 0 && !spoke {
		return
	}
	var own bool
	if in := intentOf(rec); spoke && in != nil && rec.Entry != "" {
		own = in.Container == s.Container
	}
	if i < 0 && !own {
		return
	}
	after, ok := p.Ledger.Container(s.Container)
	e := Episode{Sequence: rec.Sequence, At: time.UnixMilli(rec.Wall).UTC(), Lease: leaseIn(after, ok)}
	if ok {
		s.Service, s.Host = after.Service, after.Host
	}
	switch {
	case i < 0:
		e.Text = sentence(said(rec))
	case own:
		d := &rec.Decisions[i]
		if n > 0 && d.Verb == events.Renewed && rec.Refused == events.NoReason && was != nil && *was == (Lease{d.Units, d.Charge}) {
			s.Episodes[n-1].Again++
			return
		}
		e.Text = sentence(said(rec)) + " It " + decided(d, was, after.Want) + "."
	default:
		e.Text = sentence(said(rec)) + " " + sentence(s.Container+" "+decided(&rec.Decisions[i], was, after.Want))
	}
	s.add(e)
}

func (s *Story) add(e Episode) {
	s.Episodes = append(s.Episodes, e)
	if len(s.Episodes) > maxEpisodes {
		s.Episodes = slices.Delete(s.Episodes, maxOpening, maxOpening+1)
		s.LeftOut++
	}
}

// sentence makes a sentence of a text that begins with no name.
func sentence(text string) string {
	for _, beginning := range []string{"the ", "a new ", "an entry ", "somebody ", "time "} {
		if strings.HasPrefix(text, beginning) {
			return strings.ToUpper(text[:1]) + text[1:] + "."
		}
	}
	return text + "."
}

// Print writes the story for people to read.
func (s *Story) Print(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s", clean(s.Container))
	if s.Service != "" {
		fmt.Fprintf(&b, ", of service %s", s.Service)
	}
	if s.Host != "" {
		fmt.Fprintf(&b, ", on %s", clean(s.Host))
	}
	b.WriteString("\n\n")
	for i := range s.Episodes {
		e := &s.Episodes[i]
		if i == maxOpening && s.LeftOut > 0 {
			fmt.Fprintf(&b, "  … %s left out …\n", plural(s.LeftOut, "episode is", "episodes are"))
		}
		fmt.Fprintf(&b, "%s  record %-6d %s\n", e.At.Format(timeLayout), e.Sequence, clean(e.Text))
		if e.Again > 0 {
			fmt.Fprintf(&b, "%25sIt renewed %s, and nothing changed.\n", "", plural(e.Again, "time more", "times more"))
		}
	}
	switch {
	case s.Notice != "":
		fmt.Fprintf(&b, "\n%s\n", s.Notice)
	case s.Now != "":
		fmt.Fprintf(&b, "\nAt the end: %s\n", clean(s.Now))
	default:
		b.WriteString("\nAt the end it is not registered.\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}
