package audit

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/conncord/conncord/events"
)

func whatIf(t *testing.T, s *stage, rules Rules) *Outcome {
	t.Helper()
	o, err := WhatIf(context.Background(), &tape{records: s.records}, rules)
	must(t, err)
	return o
}

// Under the rules that were in force, what would have happened is what happened.
func TestWhatIfSame(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		s := newStage(seed)
		s.wander(800, 20)
		s.fail(10 * time.Second)
		s.wander(1200, 20)
		o := whatIf(t, s, Rules{})
		if diff := cmp.Diff(o.Real, o.Other); diff != "" || o.Untrue > 0 || o.Records != uint64(len(s.records)) {
			t.Fatalf("history %d (-happened +what if):\n%s", seed, diff)
		}
		for _, v := range o.Services {
			if diff := cmp.Diff(v.Real, v.Other); diff != "" {
				t.Errorf("history %d, service %s (-happened +what if):\n%s", seed, v.Service, diff)
			}
		}
		var sum Figures
		for _, v := range o.Services {
			sum.Grants, sum.Recalls, sum.Losses = sum.Grants+v.Real.Grants, sum.Recalls+v.Real.Recalls, sum.Losses+v.Real.Losses
		}
		if sum.Grants != o.Real.Grants || sum.Recalls != o.Real.Recalls || sum.Losses != o.Real.Losses || sum.Recalls == 0 {
			t.Errorf("history %d: the services' sums %+v are not the whole %+v", seed, sum, o.Real)
		}
	}
}

func TestWhatIf(t *testing.T) {
	t.Parallel()
	s := newStage(40)
	s.wander(3000, 20)
	none := 0
	for _, c := range []struct {
		name  string
		rules Rules
		holds func(o *Outcome) bool
	}{
		{"a larger plan", Rules{Plan: "pro"}, func(o *Outcome) bool {
			return o.Other.WaitingSecs < o.Real.WaitingSecs/2 && o.Other.Peak > o.Real.Peak
		}},
		{"a lower limit", Rules{Limit: 20}, func(o *Outcome) bool {
			return o.Other.WaitingSecs+o.Other.DeniedSecs > o.Real.WaitingSecs+o.Real.DeniedSecs && o.Other.Peak <= 18 && o.AboveSecs == 0
		}},
		{"no reserve", Rules{Reserve: &none}, func(o *Outcome) bool { return o.Other.GrantedSecs > o.Real.GrantedSecs }},
		{"other services", Rules{Services: []events.Service{{Name: "viewer", Priority: 100, Minimum: 5}}}, func(o *Outcome) bool {
			v := o.Services[len(o.Services)-1]
			return v.Service == "viewer" && v.Other.WaitingSecs+v.Other.DeniedSecs < v.Real.WaitingSecs+v.Real.DeniedSecs
		}},
		{"longer leases", Rules{TTL: 10 * time.Minute}, func(o *Outcome) bool { return o.Other.Losses < o.Real.Losses && o.Untrue == 0 }},
		{"leases shorter than they renewed", Rules{TTL: 2 * time.Second}, func(o *Outcome) bool { return o.Untrue > 0 }},
	} {
		if o := whatIf(t, s, c.rules); !c.holds(o) {
			t.Errorf("%s: %+v\n%+v", c.name, o.Real, o.Other)
		}
	}
	for _, c := range []struct {
		rules Rules
		want  string
	}{{Rules{Plan: "gold"}, "no plan has the name"}, {Rules{Limit: 5}, "the policy is wrong"}} {
		if _, err := WhatIf(context.Background(), &tape{records: s.records}, c.rules); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
}

// From a snapshot on, and with a database that is looked at.
func TestWhatIfObserved(t *testing.T) {
	t.Parallel()
	s := newStage(41)
	s.wander(200, 10)
	look := events.Observation{Since: s.ledger.Sequence(), Usable: 60, Bound: 60, Platform: 6, External: 10}
	s.own(events.Intent{Kind: events.Observe, Observation: look})
	snap, from := s.ledger.Snapshot(), len(s.records)
	s.own(events.Intent{Kind: events.Observe, Observation: look})
	s.wander(600, 10)
	o, err := WhatIf(context.Background(), &tape{records: s.records[from:], snapshot: snap}, Rules{Limit: 80})
	must(t, err)
	if o.Other.Peak <= o.Real.Peak || o.Other.WaitingSecs >= o.Real.WaitingSecs {
		t.Errorf("%+v\n%+v", o.Real, o.Other)
	}
}

func TestWhatIfPrints(t *testing.T) {
	t.Parallel()
	o := whatIf(t, story(), Rules{Plan: "pro"})
	var b bytes.Buffer
	must(t, o.Print(&b))
	golden(t, "whatif.txt", b.Bytes())
	data, err := json.MarshalIndent(o, "", "  ")
	must(t, err)
	golden(t, "whatif.json", append(data, '\n'))
}
