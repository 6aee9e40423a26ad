package audit

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/conncord/conncord/arbiter/history"
	"github.com/conncord/conncord/arbiter/ledger"
	"github.com/conncord/conncord/events"
)

// began is when the histories of the tests begin.
var began = time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)

// A stage writes a history: a real ledger, and containers that say what a test,
// or chance, wants them to.
type stage struct {
	*rand.Rand
	ledger  *ledger.Ledger
	now     int64 // ledger time, and wall time since began
	epoch   uint64
	entries int
	peers   []*peer
	records [][]byte
}

// A peer is a container of a stage.
type peer struct {
	id, service string
	counter     uint64
	want, holds int
	joined      bool
	dead        bool
}

func newStage(seed uint64) *stage {
	s := &stage{Rand: rand.New(rand.NewPCG(seed, 7)), epoch: 1, ledger: ledger.New(0xabcd<<48|seed, 0)}
	s.own(events.Intent{Kind: events.Begin})
	s.own(events.Intent{Kind: events.Lead, Arbiter: "arbiter-1", Host: "host-1"})
	s.own(events.Intent{Kind: events.SetPolicy, Policy: policyOf(60)})
	return s
}

func policyOf(limit int) events.Policy {
	return events.Policy{
		Rule: 1, Plan: "free", Limit: limit, Reserve: limit / 10, TTL: 30 * time.Second, Margin: time.Second,
		Unlisted: events.UnlistedService(), Services: events.BuiltinServices(),
	}
}

// own applies one of the arbiter's own intents.
func (s *stage) own(in events.Intent) { s.apply("", events.EncodeIntent(&in)) }

func (s *stage) apply(entry string, intent []byte) *events.Record {
	step := s.ledger.Apply(ledger.Input{
		Epoch: s.epoch, Now: s.now, Wall: began.UnixMilli() + s.now, Entry: entry, Intent: intent,
	})
	s.records = append(s.records, step.Encoded)
	return &step.Record
}

// pass lets time pass, with the ticks that are due.
func (s *stage) pass(d time.Duration) {
	until := s.now + d.Milliseconds()
	for {
		due, ok := s.ledger.Next()
		if !ok || due > until {
			break
		}
		s.now = max(s.now, due)
		s.own(events.Intent{Kind: events.Tick})
	}
	s.now = until
}

// say lets a container say something.
func (s *stage) say(p *peer, kind events.Kind) *events.Record {
	s.entries++
	p.counter++
	in := events.Intent{Kind: kind, Container: p.id, Counter: p.counter, Demand: events.Demand{Want: p.want}}
	if c, ok := s.ledger.Container(p.id); ok {
		p.holds = min(c.Units, p.want)
		in.Ceiling, in.Held, in.InUse = p.holds, p.holds, p.holds
		in.Incarnation, in.Seen = s.ledger.Incarnation(), c.Written
	}
	if kind == events.Register {
		in.Service, in.Host = p.service, "host-of-"+p.id
		in.Ceiling = p.holds
	}
	if kind == events.Release {
		in.Demand = events.Demand{}
	}
	return s.apply(fmt.Sprintf("%d-0", began.UnixMilli()+int64(s.entries)), events.EncodeIntent(&in))
}

// peer adds a container and lets it register.
func (s *stage) peer(id, service string, want int) *peer {
	p := &peer{id: id, service: service, want: want, joined: true}
	s.peers = append(s.peers, p)
	s.say(p, events.Register)
	return p
}

// fail begins a new incarnation, behind a barrier.
func (s *stage) fail(barrier time.Duration) {
	old := s.ledger
	s.ledger = ledger.New(old.Incarnation()+1, old.Sequence())
	s.epoch = 1
	s.own(events.Intent{Kind: events.Begin, Barrier: barrier})
	s.own(events.Intent{Kind: events.Lead, Arbiter: "arbiter-2", Host: "host-2"})
	s.own(events.Intent{Kind: events.SetPolicy, Policy: old.Policy()})
	for _, p := range s.peers {
		if p.joined && !p.dead {
			s.say(p, events.Register)
		}
	}
}

// wander writes about n records of a lively fleet.
func (s *stage) wander(n, fleet int) {
	services := events.BuiltinServices()
	for len(s.records) < n {
		s.pass(time.Duration(s.IntN(200)) * time.Millisecond)
		if len(s.peers) < fleet {
			s.peer(fmt.Sprintf("c%04d-1f2e3d4c", len(s.peers)), services[s.IntN(len(services))].Name, s.IntN(20))
			continue
		}
		p := s.peers[s.IntN(len(s.peers))]
		switch dice := s.IntN(200); {
		case p.dead:
			p.dead = dice > 10
		case !p.joined:
			p.joined, p.holds = true, 0
			s.say(p, events.Register)
		case dice == 0:
			s.say(p, events.Release)
			p.joined = false
		case dice == 1:
			p.dead = true
		case dice == 2:
			p.want = s.IntN(25)
			s.say(p, events.Request)
		case dice == 3 && s.IntN(20) == 0:
			s.epoch++
			s.own(events.Intent{Kind: events.Lead, Arbiter: fmt.Sprintf("arbiter-%d", s.IntN(3)), Host: "host"})
		case dice == 4 && s.IntN(20) == 0:
			s.own(events.Intent{Kind: events.SetPolicy, Policy: policyOf(40 + 10*s.IntN(5))})
		case dice == 5:
			s.apply("9-9", []byte("garbage"))
		default:
			if rec := s.say(p, events.Renew); rec.Refused == events.UnknownSender {
				p.holds = 0
				s.say(p, events.Register)
			}
		}
	}
}

// A tape is a source in memory.
type tape struct {
	snapshot *events.Snapshot
	records  [][]byte
	at       int
	fail     map[int]error // before the record of this index
}

func (t *tape) Snapshot() *events.Snapshot { return t.snapshot }
func (t *tape) Close() error               { return nil }

func (t *tape) Read(ctx context.Context) ([][]byte, error) {
	if err := t.fail[t.at]; err != nil {
		delete(t.fail, t.at)
		return nil, err
	}
	if t.at == len(t.records) {
		return nil, io.EOF
	}
	end := min(len(t.records), t.at+history.MaxRead)
	for i := t.at + 1; i < end; i++ {
		if t.fail[i] != nil {
			end = i
		}
	}
	batch := t.records[t.at:end]
	t.at = end
	return batch, nil
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
