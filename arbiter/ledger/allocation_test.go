package ledger

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/conncord/conncord/events"
)

var drawClaims = rapid.Custom(func(t *rapid.T) []claim {
	most := rapid.SampledFrom([]int{3, 40, 400}).Draw(t, "most")
	top := rapid.SampledFrom([]int{1, 3, 10, events.MaxPriority}).Draw(t, "top priority") // few priorities: many ties
	return sorted(rapid.SliceOfN(rapid.Custom(func(t *rapid.T) claim {
		return claim{
			priority: rapid.IntRange(1, top).Draw(t, "priority"),
			minimum:  rapid.IntRange(0, 8).Draw(t, "minimum"),
			most:     rapid.IntRange(0, most).Draw(t, "most"),
		}
	}), 0, 8).Draw(t, "claims"))
})

func sorted(claims []claim) []claim {
	slices.SortStableFunc(claims, func(a, b claim) int { return b.priority - a.priority })
	return claims
}

// Of 1 to 31 units each is awarded on its own, from leapFrom on most at once.
var drawUnits = rapid.OneOf(rapid.IntRange(0, 40), rapid.IntRange(leapFrom-1, leapFrom+1), rapid.IntRange(0, 2000))

func TestAwardIsTheRule(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		got, units := drawClaims.Draw(t, "claims"), drawUnits.Draw(t, "units")
		want := slices.Clone(got)
		left, wantLeft := award(units, got), slowAward(units, want)
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(claim{})); diff != "" || left != wantLeft {
			t.Fatalf("%d left, want %d; -want +got\n%s", left, wantLeft, diff)
		}
	})
}

// One more unit to share out never takes one away, in one go or in two.
func TestAwardIsMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fewer, units := drawClaims.Draw(t, "claims"), drawUnits.Draw(t, "units")
		more, twice := slices.Clone(fewer), slices.Clone(fewer)
		award(units, fewer)
		award(units+1, more)
		award(units/2, twice)
		for i := range more {
			if more[i].got < fewer[i].got || more[i].got > fewer[i].got+1 {
				t.Fatalf("claim %d has %d of %d units and %d of %d", i, fewer[i].got, units, more[i].got, units+1)
			}
			if twice[i].got > fewer[i].got {
				t.Fatalf("claim %d has %d of %d units and %d of %d", i, twice[i].got, units/2, fewer[i].got, units)
			}
		}
		award(units-units/2, twice)
		if diff := cmp.Diff(fewer, twice, cmp.AllowUnexported(claim{})); diff != "" {
			t.Fatalf("in two goes: %s", diff)
		}
	})
}

func TestWithdrawReversesAward(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		claims := drawClaims.Draw(t, "claims")
		fewer, more := drawUnits.Draw(t, "fewer"), drawUnits.Draw(t, "more")
		fewer, more = min(fewer, more), max(fewer, more)
		want := slices.Clone(claims)
		left := award(more, claims)
		award(fewer, want)
		taken := max(0, more-left-fewer)
		if rest := withdraw(taken, claims, make([]int, len(claims))); rest != 0 {
			t.Fatalf("%d units could not be taken", rest)
		}
		if diff := cmp.Diff(want, claims, cmp.AllowUnexported(claim{})); diff != "" {
			t.Fatalf("-want +got\n%s", diff)
		}
	})
}

func TestWithdrawLeavesTheLeast(t *testing.T) {
	claims := []claim{{priority: 2, most: 9, got: 5}, {priority: 1, most: 9, got: 4}}
	if rest := withdraw(7, claims, []int{4, 2}); rest != 4 || claims[0].got != 4 || claims[1].got != 2 {
		t.Errorf("%d could not be taken, %+v are left", rest, claims)
	}
}

func TestAwardTable(t *testing.T) {
	builtin := func(most ...int) (claims []claim) {
		for i, priority := range []int{10, 8, 5, 3, 1} {
			claims = append(claims, claim{priority: priority, minimum: []int{5, 3, 2, 1, 1}[i], most: most[i%len(most)]})
		}
		return claims
	}
	for _, c := range []struct {
		name   string
		units  int
		claims []claim
		want   []int
	}{
		{"limit of 60 less its reserve", 54, builtin(1000), []int{20, 16, 10, 6, 2}},
		{"minimums and one more", 13, builtin(1000), []int{5, 4, 2, 1, 1}},
		{"minimums alone", 12, builtin(1000), []int{5, 3, 2, 1, 1}},
		{"minimums do not fit", 9, builtin(1000), []int{5, 3, 1, 0, 0}},
		{"nothing", 0, builtin(1000), []int{0, 0, 0, 0, 0}},
		{"some want little", 54, builtin(60, 10, 5, 3, 5), []int{33, 10, 5, 3, 3}},
		{"nobody wants", 60, builtin(0), []int{0, 0, 0, 0, 0}},
		{"ties go to the first", 4, []claim{{priority: 1, most: 9}, {priority: 1, most: 9}, {priority: 1, most: 9}}, []int{2, 1, 1}},
		{"largest numbers", events.MaxUnits, []claim{{priority: events.MaxPriority, most: events.MaxUnits}, {priority: 1, most: events.MaxUnits}},
			[]int{261_881, 262}},
	} {
		t.Run(c.name, func(t *testing.T) {
			award(c.units, c.claims)
			got := []int{}
			for i := range c.claims {
				got = append(got, c.claims[i].got)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestFill(t *testing.T) {
	scratch := make([]int, 4096)
	rapid.Check(t, func(t *rapid.T) {
		units := rapid.IntRange(0, 200).Draw(t, "units")
		wants := rapid.SliceOfN(rapid.IntRange(1, 300), 0, 30).Draw(t, "wants")
		level, more := fill(units, wants, scratch)
		for _, n := range scratch {
			if n != 0 {
				t.Fatal("scratch is not zero again")
			}
		}
		for i, want := range pour(units, wants) {
			rank := uint64(i + 1)
			got := water{level, moreRank(wants, level, more)}.target(wants[i], rank)
			if got != want {
				t.Fatalf("container %d gets %d, poured %d", i, got, want)
			}
		}
	})
}

// moreRank is the rank, counted from 1, up to which containers have one more.
func moreRank(wants []int, level, more int) (rank uint64) {
	for i, w := range wants {
		if more > 0 && w > level {
			more--
			rank = uint64(i + 1)
		}
	}
	return rank
}

// pour gives units one by one, each to the container that has fewest.
func pour(units int, wants []int) []int {
	got := make([]int, len(wants))
	for ; units > 0; units-- {
		best := -1
		for i := range wants {
			if got[i] < wants[i] && (best < 0 || got[i] < got[best]) {
				best = i
			}
		}
		if best < 0 {
			break
		}
		got[best]++
	}
	return got
}
