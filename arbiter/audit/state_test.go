package audit

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/projector/status"
)

var update = flag.Bool("update", false, "rewrite the recorded texts; read the difference before committing it")

// golden compares a text with the recorded one.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		must(t, os.MkdirAll("testdata", 0o755))
		must(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	must(t, err)
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-recorded +got):\n%s", path, diff)
	}
}

func TestParseMoment(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Moment{
		"1200":                      {Sequence: 1200},
		"-10m":                      {Time: began.Add(-10 * time.Minute)},
		" -1h30m ":                  {Time: began.Add(-90 * time.Minute)},
		"2026-03-14T09:26:53Z":      {Time: time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)},
		"2026-03-14T10:26:53+01:00": {Time: time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)},
		"now":                       {},
	} {
		got, err := ParseMoment(text, began)
		if err != nil || got.Sequence != want.Sequence || !got.Time.Equal(want.Time) {
			t.Errorf("%q: %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "0", "10m", "-5", "yesterday", "99999999999999999999", "2026-03-14", "1969-01-01T00:00:00Z", "later"} {
		if m, err := ParseMoment(text, began); !errors.Is(err, ErrMoment) {
			t.Errorf("%q: %v, %v", text, m, err)
		}
	}
}

// The state at each of 100 random sequences is the one that the ledger had then.
func TestAt(t *testing.T) {
	t.Parallel()
	s := newStage(11)
	states := map[uint64]*events.Snapshot{}
	for n := 3; n < 500; n++ {
		s.wander(n, 15)
		if n == 250 {
			s.fail(20 * time.Second)
		}
		if s.ledger.Sequence() == uint64(len(s.records)) {
			states[s.ledger.Sequence()] = s.ledger.Snapshot()
		}
	}
	r := rand.New(rand.NewPCG(1, 1))
	for checked := 0; checked < 100; {
		sequence := 1 + r.Uint64N(uint64(len(s.records)))
		want := states[sequence]
		if want == nil {
			continue
		}
		checked++
		got, err := At(context.Background(), &tape{records: s.records}, Moment{Sequence: sequence})
		must(t, err)
		if diff := cmp.Diff(want, got.Ledger); diff != "" {
			t.Fatalf("the state after record %d (-ledger +audit):\n%s", sequence, diff)
		}
		if v := got.Status(); v.Sequence != sequence || v.TotalAllocated != got.Record.Charged || v.Available != got.Record.Available {
			t.Fatalf("the status after record %d: %+v", sequence, v)
		}
		for i := range want.Containers {
			c := &want.Containers[i]
			v, service := got.Status().Find(c.ID)
			if v == nil || service != c.Service || v.Connections != c.Charge || v.Granted != c.Units || v.Want != c.Want || v.Lease != c.Lease {
				t.Fatalf("after record %d: %+v, want %+v", sequence, v, c)
			}
		}
	}
}

func TestAtTime(t *testing.T) {
	t.Parallel()
	s := newStage(12)
	s.wander(300, 10)
	for i, data := range s.records {
		rec := decoded(data)
		next := int64(1 << 60)
		if i+1 < len(s.records) {
			next = decoded(s.records[i+1]).Wall
		}
		if i%20 != 0 || next == rec.Wall {
			continue
		}
		for _, at := range []time.Time{time.UnixMilli(rec.Wall), time.UnixMilli(min(next-1, rec.Wall+60_000))} {
			got, err := At(context.Background(), &tape{records: s.records}, Moment{Time: at})
			must(t, err)
			if got.Record.Sequence != rec.Sequence {
				t.Errorf("at %v: record %d, want %d", at, got.Record.Sequence, rec.Sequence)
			}
		}
	}
	end, err := At(context.Background(), &tape{records: s.records}, Moment{})
	must(t, err)
	if end.Record.Sequence != 300 {
		t.Errorf("the end is record %d", end.Record.Sequence)
	}
}

// What the history does not tell is said, with the reason.
func TestNoState(t *testing.T) {
	t.Parallel()
	s := newStage(13)
	s.wander(200, 10)
	for _, c := range []struct {
		name    string
		records [][]byte
		moment  Moment
		want    string
	}{
		{"empty", nil, Moment{}, "it is empty"},
		{"later", s.records, Moment{Sequence: 201}, "from record 1 to record 200"},
		{"earlier", s.records, Moment{Time: began.Add(-time.Second)}, "from record 1 to record 1"},
		{"without a beginning", s.records[100:], Moment{Sequence: 150}, "the state before that is not known"},
		{"wrong before", slices.Delete(slices.Clone(s.records), 90, 91), Moment{Sequence: 150}, "record 91 is missing"},
		{"wrong before the end", slices.Delete(slices.Clone(s.records), 90, 91), Moment{}, "record 91 is missing"},
	} {
		got, err := At(context.Background(), &tape{records: c.records}, c.moment)
		if !errors.Is(err, ErrNoState) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, %v; want %q", c.name, got, err, c.want)
		}
	}
}

// The state is printed as the monitor prints it.
func TestStatusPrints(t *testing.T) {
	t.Parallel()
	got, err := At(context.Background(), &tape{records: story().records}, Moment{Sequence: 14})
	must(t, err)
	var b bytes.Buffer
	must(t, got.Status().Print(&b, status.PrintOptions{Now: got.Time(), Location: time.UTC}))
	golden(t, "status.txt", b.Bytes())
}

// story is a short history in which something of everything happens.
func story() *stage {
	s := newStage(20)
	scraper := s.peer("scraper-1", "scraper", 40)
	s.pass(2 * time.Second)
	viewer := s.peer("viewer-1", "viewer", 20)
	s.pass(time.Second)
	s.say(scraper, events.Renew)
	s.say(viewer, events.Renew)
	api := s.peer("api-1", "api", 30)
	s.pass(time.Second)
	s.say(scraper, events.Renew)
	s.say(viewer, events.Renew)
	s.pass(5 * time.Second)
	api.want = 2
	s.say(api, events.Request)
	s.say(scraper, events.Renew)
	s.apply("9-9", []byte("garbage"))
	s.pass(10 * time.Second)
	s.say(scraper, events.Renew)
	s.say(api, events.Renew)
	s.pass(20 * time.Second) // the viewer is not heard any more
	s.say(scraper, events.Renew)
	s.say(api, events.Renew)
	s.epoch++
	s.own(events.Intent{Kind: events.Lead, Arbiter: "arbiter-2", Host: "host-2"})
	s.own(events.Intent{Kind: events.SetPolicy, Policy: policyOf(40)})
	s.say(scraper, events.Renew)
	s.pass(20 * time.Second)
	s.say(scraper, events.Renew)
	s.say(api, events.Release)
	viewer.dead = true
	api.joined = false
	s.fail(20 * time.Second)
	s.pass(40 * time.Second)
	s.say(scraper, events.Renew)
	return s
}
