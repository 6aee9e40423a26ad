package simulation

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSeeds runs some seeds with the race detector; TestDefaultSeeds runs many
// without it, which is ten times as fast.
func TestSeeds(t *testing.T) {
	t.Parallel()
	for seed := range uint64(25) {
		if r := Run(Generate(seed), nil); r.Failure != nil {
			t.Errorf("seed %d: %v", seed, r.Failure)
		}
	}
}

// TestSameSeedSameWorld: a failure can be looked at again.
func TestSameSeedSameWorld(t *testing.T) {
	t.Parallel()
	for seed := range uint64(5) {
		var first, second bytes.Buffer
		Run(Generate(seed), &first)
		Run(Generate(seed), &second)
		if diff := cmp.Diff(strings.Split(first.String(), "\n"), strings.Split(second.String(), "\n")); diff != "" {
			t.Fatalf("seed %d:\n%s", seed, diff)
		}
	}
}

// TestShrink: a plan that fails becomes the smallest one that fails in the same
// way.
func TestShrink(t *testing.T) {
	plan := Generate(3)
	plan.Deeds = append(plan.Deeds, Deed{Act: Rollback, At: plan.Length / 2, N: 7}, Deed{Act: Garbage, At: plan.Length / 2})
	run := func(p *Plan) (r Result) {
		has := func(a Act) bool { return slices.ContainsFunc(p.Deeds, func(d Deed) bool { return d.Act == a }) }
		switch {
		case has(Rollback) && has(Want) && len(p.Containers) > 1:
			r.Failure = &Failure{Check: "sum"}
		case has(Garbage):
			r.Failure = &Failure{Check: "history"}
		}
		return r
	}
	small, result := shrink(plan, run)
	if result.Failure == nil || result.Failure.Check != "sum" || run(small).Failure == nil {
		t.Fatalf("it fails with %v", result.Failure)
	}
	if len(small.Deeds) != 2 || len(small.Containers) != 2 || len(small.Arbiters) != 1 {
		t.Errorf("%d deeds, %d containers and %d arbiters are left", len(small.Deeds), len(small.Containers), len(small.Arbiters))
	}
}
