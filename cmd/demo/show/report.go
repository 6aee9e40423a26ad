package show

import (
	"cmp"
	"fmt"
	"time"

	"github.com/conncord/conncord/cmd/internal/census"
)

// regrantWithin is how long what a killed container had may take to be granted to
// others. Two seconds are usual; a busy machine takes longer.
const regrantWithin = 6 * time.Second

// view is what there is to see now.
func (s *stage) view() view {
	ledger, poll := s.history.view(), s.poller.look()
	tallies := s.tallies()
	sessions := map[string]int64{}
	for name, t := range tallies {
		sessions[name] = t.sessions
	}
	now := time.Now()
	rate := s.rates.note(now, sessions)
	v := view{
		elapsed: min(now.Sub(s.began), s.opts.duration), duration: s.opts.duration, scene: play[s.scene].title,
		charged: ledger.charged, available: ledger.available, guests: len(s.guests.conns), poll: poll, news: s.news, figures: s.figures(tallies, ledger, poll),
		total: row{name: "total"},
	}
	for _, service := range services {
		t, share := tallies[service.Name], ledger.shares[service.Name]
		r := row{
			name: service.Name, priority: service.Priority, containers: t.containers,
			granted: share.units, charged: share.charge, wanted: t.wanted,
			inUse: t.inUse, waiting: t.waiting, rate: rate[service.Name],
		}
		v.rows = append(v.rows, r)
		v.total.containers += r.containers
		v.total.granted += r.granted
		v.total.charged += r.charged
		v.total.wanted += r.wanted
		v.total.inUse += r.inUse
		v.total.waiting += r.waiting
		v.total.rate += r.rate
	}
	return v
}

func (s *stage) tallies() map[string]tally {
	sums := map[string]tally{}
	for _, c := range s.containers {
		t := sums[c.Service()]
		t.add(&c.report, c.Ended())
		sums[c.Service()] = t
	}
	return sums
}

// figures are what there is to judge by now.
func (s *stage) figures(tallies map[string]tally, ledger ledgerView, poll pollView) figures {
	f := figures{
		limit: s.db.limit, available: cmp.Or(ledger.most, s.db.available()), regrant: s.regrant,
		peakGranted: ledger.peak, peakBackends: poll.peak, served: map[string]int64{},
		faults: append([]string(nil), s.faults...),
	}
	for name, t := range tallies {
		f.refused += t.refused
		f.sessions += t.sessions
		f.served[name] = t.sessions
	}
	// The log knows of those as well that could not tell any more.
	f.refused = max(f.refused, int64(census.Refusals(s.db.log())))
	if s.regrant == 0 && !s.killed.IsZero() && time.Since(s.killed) > regrantWithin {
		f.faults = append(f.faults, fmt.Sprintf("what the killed container had was not granted to others within %v", regrantWithin))
	}
	if ledger.fault != "" {
		f.faults = append(f.faults, ledger.fault)
	}
	return f
}

// judge returns the figures at the end.
func (s *stage) judge() figures { return s.figures(s.tallies(), s.history.view(), s.poller.look()) }
