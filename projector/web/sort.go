package web

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/conncord/conncord/projector/status"
)

// A row is a container with its service's name.
type row struct {
	*status.Container
	service string
}

// flatten returns all containers, by service in the order of Names, and inside a service in order
// of registration.
func flatten(st *status.Status) []row {
	var rows []row
	for _, name := range st.Names() {
		containers := st.Services[name].Containers
		for i := range containers {
			rows = append(rows, row{&containers[i], name})
		}
	}
	return rows
}

// A sortKey is what containers can be sorted by.
type sortKey struct {
	name    string
	compare func(a, b row) int // nil: as flatten has them
}

// sortKeys are all of them, the default first.
var sortKeys = []sortKey{
	{"service", nil},
	{"container_id", func(a, b row) int { return strings.Compare(a.ID, b.ID) }},
	{"host", func(a, b row) int { return strings.Compare(a.Host, b.Host) }},
	{"state", func(a, b row) int { return cmp.Compare(gravity(a.State), gravity(b.State)) }},
	{"connections", by(func(r row) int { return r.Connections })},
	{"granted", by(func(r row) int { return r.Granted })},
	{"in_use", by(func(r row) int { return r.InUse })},
	{"waiting", by(func(r row) int { return r.Waiting })},
	{"want", by(func(r row) int { return r.Want })},
	{"position", by(place)},
	{"reserved_at", func(a, b row) int { return a.ReservedAt.Compare(b.ReservedAt) }},
	{"heard_at", func(a, b row) int { return a.HeardAt.Compare(b.HeardAt) }},
}

func by(number func(row) int) func(a, b row) int {
	return func(a, b row) int { return cmp.Compare(number(a), number(b)) }
}

// place puts those who do not wait behind all who do.
func place(r row) int {
	if r.Position == 0 {
		return math.MaxInt
	}
	return r.Position
}

// gravity sorts states by how much they ask for attention.
func gravity(s status.State) int {
	return slices.Index([]status.State{status.Active, status.Recalling, status.Waiting, status.Silent, status.Lost}, s)
}

// sorted returns the rows in ascending or falling order, equals as they were.
func (k sortKey) sorted(rows []row, falling bool) []row {
	switch {
	case k.compare == nil && !falling:
		return rows
	case k.compare == nil:
		rows = slices.Clone(rows)
		slices.Reverse(rows)
		return rows
	}
	rows = slices.Clone(rows)
	slices.SortStableFunc(rows, func(a, b row) int {
		if falling {
			a, b = b, a
		}
		return k.compare(a, b)
	})
	return rows
}

// sortKeyNames lists the names, for those who asked for another.
func sortKeyNames() string {
	names := make([]string, len(sortKeys))
	for i, key := range sortKeys {
		names[i] = key.name
	}
	return strings.Join(names, ", ")
}
