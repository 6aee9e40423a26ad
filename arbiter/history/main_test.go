package history

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/conncord/conncord/arbiter/ledger"
	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/events/servertest"
	"github.com/conncord/conncord/events/servertest/leakcheck"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(archiveDir); dir != "" {
		archiveUntilKilled(dir)
	}
	servertest.Main(leakcheck.Wrap(m))
}

// A maker makes a history as the ledger does, without a Redis.
type maker struct {
	l     *ledger.Ledger
	epoch uint64
	wall  int64
	n     int // entries of the inbox
}

// newMaker begins an incarnation whose first record has the sequence after the given
// one.
func newMaker(incarnation, after uint64) (*maker, [][]byte) {
	m := &maker{l: ledger.New(incarnation, after), epoch: 1, wall: 1_700_000_000_000}
	return m, [][]byte{
		m.own(events.Intent{Kind: events.Begin, Barrier: 0}),
		m.own(events.Intent{Kind: events.Lead, Arbiter: "arbiter-of-acme", Host: "node7.acme.example"}),
		m.own(events.Intent{Kind: events.SetPolicy, Policy: policy()}),
	}
}

func policy() events.Policy {
	return events.Policy{
		Rule: 1, Plan: "pro", Limit: 60, Reserve: 6, TTL: 30 * time.Second, Margin: time.Second,
		Unlisted: events.UnlistedService(), Services: events.BuiltinServices(),
	}
}

func (m *maker) own(in events.Intent) []byte { return m.apply("", events.EncodeIntent(&in)) }

func (m *maker) apply(entry string, intent []byte) []byte {
	m.wall += 10
	return m.l.Apply(ledger.Input{Epoch: m.epoch, Now: m.l.Now() + 10, Wall: m.wall, Entry: entry, Intent: intent}).Encoded
}

// say has one of 20 containers register and then renew.
func (m *maker) say() []byte {
	m.n++
	kind, who := events.Renew, m.n%20
	if m.n <= 20 {
		kind = events.Register
	}
	services := events.BuiltinServices()
	in := events.Intent{
		Kind: kind, Container: fmt.Sprintf("acme-host%d-x%d", who%4, who), Counter: uint64(m.n), Host: fmt.Sprintf("acme-host%d", who%4),
		Demand:    events.Demand{Want: 1 + m.n%7, Incarnation: m.l.Incarnation(), Seen: m.l.Sequence()},
		Introduce: events.Introduce{Service: services[who%len(services)].Name},
	}
	return m.apply(fmt.Sprintf("%d-0", m.n), events.EncodeIntent(&in))
}

func (m *maker) says(n int) (records [][]byte) {
	for range n {
		records = append(records, m.say())
	}
	return records
}

// made is a history of n records.
func made(n int) [][]byte {
	m, records := newMaker(7<<56, 0)
	return append(records, m.says(n-len(records))...)
}

// header is that of the files of tests.
func header() Header {
	return Header{Budget: "b", Exported: time.UnixMilli(1_700_000_000_000).UTC()}
}

// export writes the records to a file, in blocks of the given size.
func export(t testing.TB, records [][]byte, block int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "history")
	w, err := Create(path, header())
	must(t, err)
	for i, r := range records {
		must(t, w.Write([][]byte{r}))
		if (i+1)%block == 0 {
			must(t, w.to.flush())
		}
	}
	must(t, w.Close())
	return path
}

// drain reads a source to its end. Errors after which reading can go on are
// returned apart.
func drain(t testing.TB, src Source) (records [][]byte, errs []error) {
	t.Helper()
	for range 1_000_000 {
		some, err := src.Read(context.Background())
		var damage *DamageError
		var gap *GapError
		switch {
		case errors.Is(err, io.EOF):
			return records, errs
		case errors.As(err, &damage), errors.As(err, &gap):
			errs = append(errs, err)
		case err != nil:
			t.Fatal(err)
		case len(some) == 0 || len(some) > MaxRead:
			t.Fatalf("%d records at once", len(some))
		}
		records = append(records, some...)
	}
	t.Fatal("reading comes to no end")
	return nil, nil
}

func readFile(t testing.TB, path string) (records [][]byte, errs []error) {
	t.Helper()
	f, err := OpenFile(path)
	if errors.Is(err, ErrNoHistory) {
		return nil, []error{err}
	}
	must(t, err)
	defer f.Close()
	return drain(t, f)
}

func writeBytes(t testing.TB, path string, data []byte) {
	t.Helper()
	must(t, os.WriteFile(path, data, 0o600))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// same compares records.
func same(t testing.TB, want, got [][]byte) {
	t.Helper()
	for i := range min(len(want), len(got)) {
		if !bytes.Equal(want[i], got[i]) {
			t.Fatalf("record %d of %d is another one than was expected", i+1, len(want))
		}
	}
	if len(want) != len(got) {
		t.Fatalf("%d records, expected %d", len(got), len(want))
	}
}
