package history

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/conncord/conncord/arbiter/ledger"
	"github.com/conncord/conncord/events"
)

// A list is a source of records in memory.
type list struct {
	snapshot *events.Snapshot
	records  [][]byte
}

func (l *list) Snapshot() *events.Snapshot { return l.snapshot }
func (l *list) Close() error               { return nil }
func (l *list) Read(context.Context) ([][]byte, error) {
	if len(l.records) == 0 {
		return nil, io.EOF
	}
	some := l.records[:min(len(l.records), MaxRead)]
	l.records = l.records[len(some):]
	return slices.Clone(some), nil
}

// The names in random histories. Each holds a part that no other name and no number
// can hold by chance.
var (
	secretServices = []string{"payroll-acme", "acme-zulu", "acme-mike", "bravo-acme", "kilo-acme", "acme-unlisted1", "acme-unlisted2"}
	secretHosts    = []string{"db1.acme.example", "node9.acme.example", ""}
	garbage        = []string{"", "\xc1", "acme-garbage", "\x95\x01\x02acme", "\x95\x01\x09\x01\x01\x01", strings.Repeat("acme", 9<<10/4),
		"\x95\x01\x01\xd9\xffacme" + strings.Repeat("x", 300)}
)

func secretContainer(i int) string { return fmt.Sprintf("acme-host%d-%04x", i%3, i*7919) }

// random makes a random history, and the state in the middle of it.
func random(t *rapid.T) (records [][]byte, middle *events.Snapshot) {
	m := &maker{l: ledger.New(7<<56, 40), epoch: 1, wall: 1_700_000_000_000}
	add := func(data []byte) { records = append(records, data) }
	add(m.own(events.Intent{Kind: events.Begin, Barrier: time.Duration(rapid.IntRange(0, 3).Draw(t, "barrier")) * time.Second}))
	add(m.own(events.Intent{Kind: events.Lead, Arbiter: "acme-arbiter-1", Host: secretHosts[0]}))
	add(m.own(randomPolicy(t)))
	pick := rapid.IntRange(0, 11)
	counters := map[int]uint64{}
	n := rapid.IntRange(15, 50).Draw(t, "records")
	for i := range n {
		if i == n/2 {
			middle = m.l.Snapshot()
		}
		who := pick.Draw(t, "who")
		switch rapid.IntRange(0, 19).Draw(t, "what") {
		case 0:
			add(m.own(randomPolicy(t)))
		case 1, 2, 3:
			add(m.own(randomLook(t, m)))
		case 4:
			add(m.own(events.Intent{Kind: events.Silence, Tags: []string{events.Tag(secretContainer(who)), events.Tag(secretContainer(who + 1))}}))
		case 5:
			add(m.apply("1-1", nil))
		case 6:
			data := []byte(rapid.SampledFrom(garbage).Draw(t, "garbage"))
			add(m.apply("1-1", data))
		case 7:
			add(m.own(events.Intent{Kind: events.Tick}))
		case 8:
			add(m.apply("1-1", events.EncodeIntent(&events.Intent{Kind: events.Resign, Arbiter: "acme-forger"})))
		default:
			counters[who]++
			kind := events.Kind(rapid.SampledFrom([]int{1, 1, 1, 2, 3, 3, 4, 5}).Draw(t, "kind"))
			units := rapid.IntRange(0, 30)
			in := events.Intent{Kind: kind, Container: secretContainer(who), Counter: counters[who], Demand: events.Demand{
				Want: units.Draw(t, "want"), Ceiling: units.Draw(t, "ceiling"), Incarnation: m.l.Incarnation(), Seen: m.l.Sequence()}}
			if kind == events.Register {
				in.Host = rapid.SampledFrom(secretHosts).Draw(t, "host")
				in.Service = rapid.SampledFrom(secretServices).Draw(t, "service")
			}
			if kind == events.Release || kind == events.Cleanup {
				in.Demand.Want = 0
			}
			add(m.apply("1-1", events.EncodeIntent(&in)))
		}
	}
	return records, middle
}

func randomPolicy(t *rapid.T) events.Intent {
	p := policy()
	p.Plan = rapid.SampledFrom([]string{"pro", "acme-plan"}).Draw(t, "plan")
	p.Limit = rapid.IntRange(20, 80).Draw(t, "limit")
	p.Services = nil
	for _, name := range secretServices[:rapid.IntRange(1, 5).Draw(t, "listed")] {
		p.Services = append(p.Services, events.Service{Name: name, Priority: rapid.IntRange(1, 2).Draw(t, "priority"), Minimum: 1})
	}
	events.SortServices(p.Services)
	return events.Intent{Kind: events.SetPolicy, Policy: p}
}

func randomLook(t *rapid.T, m *maker) events.Intent {
	o := events.Observation{Since: m.l.Sequence(), Window: time.Second, Usable: 80, Bound: 80, Named: true, External: rapid.IntRange(0, 9).Draw(t, "external")}
	for i := range 14 {
		if rapid.Bool().Draw(t, "shown") {
			o.Held = append(o.Held, events.Held{Tag: events.Tag(secretContainer(i)), Conns: rapid.IntRange(0, 9).Draw(t, "conns"), Silent: rapid.Bool().Draw(t, "silent")})
		}
	}
	slices.SortFunc(o.Held, func(a, b events.Held) int { return strings.Compare(a.Tag, b.Tag) })
	return events.Intent{Kind: events.Observe, Observation: o}
}

// The anonymized history of any run decides the same for the same containers, can be
// derived, and holds none of the names.
func TestAnonymizedHistoryDecidesTheSame(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		records, middle := random(r)
		src := &list{records: records}
		if rapid.Bool().Draw(r, "from the snapshot") {
			src.snapshot, src.records = middle, records[middle.Sequence-40:]
		}
		records = src.records
		a, err := Anonymize(src)
		if err != nil {
			r.Fatal(err)
		}
		anonymous, errs := drain(t, a)
		if len(errs) > 0 {
			r.Fatal(errs)
		}
		compareDecisions(r, src.snapshot, a.Snapshot(), records, anonymous)
		rederive(r, a.Snapshot(), anonymous)
		holdsNoName(r, a.Snapshot(), anonymous)
	})
}

// compareDecisions compares what is decided, container by container, by the names that
// the records themselves give them.
func compareDecisions(t *rapid.T, before, after *events.Snapshot, original, anonymous [][]byte) {
	if len(original) != len(anonymous) {
		t.Fatalf("%d records, of %d", len(anonymous), len(original))
	}
	known := map[string]string{} // by the name in the original
	if before != nil {
		for i := range before.Containers {
			known[before.Containers[i].ID] = after.Containers[i].ID
		}
	}
	for i := range original {
		a, b := decoded(t, original[i]), decoded(t, anonymous[i])
		in, err1 := events.DecodeIntent(a.Intent)
		now, err2 := events.DecodeIntent(b.Intent)
		if (err1 == nil) != (err2 == nil) || len(a.Decisions) != len(b.Decisions) {
			t.Fatalf("record %d: %v, %v; %d decisions, %d", a.Sequence, err1, err2, len(a.Decisions), len(b.Decisions))
		}
		if err1 == nil && in.Container != "" {
			if was := known[in.Container]; was != "" && was != now.Container {
				t.Fatalf("%s is called %s and %s", in.Container, was, now.Container)
			}
			known[in.Container] = now.Container
		}
		for j := range a.Decisions {
			name, ok := known[a.Decisions[j].Container]
			if !ok {
				t.Fatalf("record %d decides about a container that was never named", a.Sequence)
			}
			a.Decisions[j].Container = name
		}
		sort := cmpopts.SortSlices(func(x, y events.Decision) bool { return x.Container+x.Lease < y.Container+y.Lease })
		if diff := cmp.Diff(a, b, sort, cmpopts.IgnoreFields(events.Record{}, "Intent", "Size", "Hash")); diff != "" {
			t.Fatalf("record %d (-original +anonymous):\n%s", a.Sequence, diff)
		}
	}
}

func decoded(t *rapid.T, data []byte) *events.Record {
	rec, err := events.DecodeRecord(data)
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

// rederive does what a verification does.
func rederive(t *rapid.T, snap *events.Snapshot, records [][]byte) {
	first := decoded(t, records[0])
	l := ledger.New(first.Incarnation, first.Sequence-1)
	if snap != nil {
		var err error
		if l, err = ledger.Restore(snap); err != nil {
			t.Fatal(err)
		}
	}
	for _, data := range records {
		rec := decoded(t, data)
		in := ledger.Input{Epoch: rec.Epoch, Now: rec.Ledger, Wall: rec.Wall, Entry: rec.Entry, Intent: rec.Intent}
		if rec.Size > len(rec.Intent) {
			in.Size = rec.Size
		}
		if step := l.Apply(in); !bytes.Equal(step.Encoded, data) {
			t.Fatalf("record %d cannot be derived", rec.Sequence)
		}
	}
}

// holdsNoName looks into everything that a file would hold.
func holdsNoName(t *rapid.T, snap *events.Snapshot, records [][]byte) {
	all := bytes.Join(records, nil)
	if snap != nil {
		all = append(all, events.EncodeSnapshot(snap)...)
	}
	names := []string{"acme", "payroll", "zulu", "kilo", "node9", "forger"}
	for i := range 14 {
		tag := events.Tag(secretContainer(i))
		raw, _ := hex.DecodeString(tag)
		names = append(names, tag, string(raw))
	}
	for _, name := range names {
		if bytes.Contains(bytes.ToLower(all), []byte(name)) || bytes.Contains(all, []byte(name)) {
			t.Fatalf("the name %q is left", name)
		}
	}
}

func TestAnonymizeRefusesWhatDoesNotFollow(t *testing.T) {
	records := made(30)
	rec, err := events.DecodeRecord(records[20])
	must(t, err)
	rec.Charged++
	forged := slices.Clone(records)
	forged[20] = events.EncodeRecord(rec, events.Hash{})
	for name, c := range map[string]struct {
		records [][]byte
		says    string
	}{
		"forged":       {forged, "record 21 does not follow"},
		"dropped":      {slices.Delete(slices.Clone(records), 20, 21), "record 22 follows record 20"},
		"no beginning": {records[5:], "record 6 is not the beginning"},
		"garbage":      {append(records[:20:20], []byte("acme")), "cannot be read"},
	} {
		a, err := Anonymize(&list{records: c.records})
		must(t, err)
		if _, err := a.Read(t.Context()); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Labels stand in the order of the names, in whatever order these come.
func TestLabelsKeepTheOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z0-9.-]{1,6}`), 1, 120, rapid.ID[string]).Draw(t, "names")
		l := newLabels("service-")
		if n := rapid.IntRange(0, min(len(names), events.MaxServices)).Draw(t, "reserved"); n > 0 {
			_ = l.reserve(names[:n])
		}
		labelOf := map[string]string{}
		for _, name := range names {
			label, err := l.label(name)
			if err != nil {
				t.Fatal(err)
			}
			if err := events.CheckService(label); err != nil {
				t.Fatal(err)
			}
			labelOf[name] = label
		}
		slices.Sort(names)
		for i := range names {
			if i > 0 && labelOf[names[i-1]] >= labelOf[names[i]] {
				t.Fatalf("%q is %q, %q is %q", names[i-1], labelOf[names[i-1]], names[i], labelOf[names[i]])
			}
		}
	})
}

func TestLabelsHaveAnEnd(t *testing.T) {
	l := newLabels("service-")
	for i := range 1000 { // each right before the one before
		if _, err := l.label(fmt.Sprintf("%06d", 999_999-i)); err != nil {
			return
		}
	}
	t.Error("names grow without end")
}
