package observer

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/conncord/conncord/events"
)

// TestCount is about what the PostgreSQL of the other tests cannot show.
func TestCount(t *testing.T) {
	ours := events.ApplicationName("default", "api", "one")
	plain := row{PID: 1, Start: 1, Role: "app", Database: "app", MayEnd: true, RoleMost: -1, DatabaseMost: -1}
	with := func(change func(*row)) row {
		r := plain
		change(&r)
		return r
	}
	observers := with(func(r *row) { r.Own = true })
	for name, c := range map[string]struct {
		settings settings
		rows     []row
		want     Look
	}{
		"reserved connections of PostgreSQL 16": {
			settings: settings{Max: 60, SuperReserved: 3, Reserved: 4},
			want:     Look{Max: 60, Usable: 53, Bound: events.MaxUnits},
		},
		"more reserved than there are": {
			settings: settings{Max: 5, SuperReserved: 4, Reserved: 4},
			want:     Look{Max: 5, Usable: 0, Bound: events.MaxUnits},
		},
		"PostgreSQL 18 shows clients that have not logged in": {
			settings: settings{Max: 60, SuperReserved: 3},
			rows: []row{observers, with(func(r *row) {
				r.Role, r.Database, r.Starting, r.MayEnd, r.RoleMost = "", "", true, false, -1
			})},
			want: Look{Max: 60, Usable: 57, Bound: events.MaxUnits, Platform: 1, Starting: 1, Others: []Other{{Role: "app", Platform: true, Count: 1}}},
		},
		"a role that was dropped while it was connected": {
			settings: settings{Max: 60},
			rows:     []row{with(func(r *row) { r.Role = "" })},
			want:     Look{Max: 60, Usable: 60, Bound: events.MaxUnits, External: 1, Others: []Other{{Count: 1}}},
		},
		"one of two is hidden": {
			settings: settings{Max: 60},
			rows: []row{
				with(func(r *row) { r.Name = ours }),
				with(func(r *row) { r.Name, r.PID, r.Start, r.Hidden, r.MayEnd = ours, 2, 0, true, false }),
			},
			want: Look{Max: 60, Usable: 60, Bound: events.MaxUnits, Hidden: 1, Backends: []Backend{
				{PID: 2, Name: ours, Service: "api", Tag: events.Tag("one")},
				{PID: 1, Start: 1, Name: ours, Service: "api", Tag: events.Tag("one")},
			}},
		},
		"a limit below what others have": {
			settings: settings{Max: 60},
			rows: []row{
				with(func(r *row) { r.Name, r.RoleMost = ours, 1 }),
				with(func(r *row) { r.PID, r.RoleMost = 2, 1 }),
				with(func(r *row) { r.PID, r.RoleMost = 3, 1 }),
			},
			want: Look{Max: 60, Usable: 60, Bound: 0, External: 2, Others: []Other{{Role: "app", Count: 2}},
				Backends: []Backend{{PID: 1, Start: 1, Name: ours, Service: "api", Tag: events.Tag("one")}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			o, err := New(Config{URL: "postgres://app@127.0.0.1/app", Budget: "default"})
			if err != nil {
				t.Fatal(err)
			}
			defer o.Close(t.Context())
			c.settings.Role, c.settings.Database = "app", "app"
			c.want.Named, c.want.MayEnd = c.want.Hidden == 0, c.want.Hidden == 0
			limits := []limit{{IsRole: true, Name: "app", Most: -1}, {Name: "app", Most: -1}}
			if diff := cmp.Diff(c.want, o.count(sight{settings: c.settings, limits: limits, rows: c.rows})); diff != "" {
				t.Error("-want +got\n" + diff)
			}
		})
	}
}

func TestOthersAreBounded(t *testing.T) {
	counts := map[Other]int{}
	for i := range 10 * MaxOthers {
		counts[Other{Role: fmt.Sprint("role", i)}] = i + 1
	}
	others := mostNumerous(counts)
	if len(others) != MaxOthers || others[0].Count != 10*MaxOthers || others[MaxOthers-1].Count != 9*MaxOthers+1 {
		t.Errorf("%d: %+v", len(others), others)
	}
}
