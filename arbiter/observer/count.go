package observer

import (
	"cmp"
	"slices"

	"github.com/conncord/conncord/events"
)

// count sorts out what the database answered, and remembers by which roles and databases containers connect.
func (o *Observer) count(s sight) Look {
	look := Look{
		Began:  s.settings.Began,
		Max:    units(s.settings.Max),
		Usable: units(s.settings.Max - s.settings.SuperReserved - s.settings.Reserved),
		Named:  true, MayEnd: true,
	}
	bounds := newBounds(s.limits)
	others := make(map[Other]int)
	for i := range s.rows {
		r := &s.rows[i]
		service, tag, ours := events.ParseApplicationName(o.budget, r.Name)
		if r.Hidden {
			look.Hidden++
		}
		bounds.row(r, ours)
		if ours {
			look.Backends = append(look.Backends, Backend{PID: r.PID, Start: r.Start, Name: r.Name, Service: service, Tag: tag})
			look.Named = look.Named && !r.Hidden
			look.MayEnd = look.MayEnd && r.MayEnd
			o.uses.add(r.Role, r.Database)
			continue
		}
		if r.Starting {
			look.Starting++
			continue
		}
		platform := r.Own || o.platform[r.Role] || r.Name == events.ObserverName(o.budget)
		if platform {
			look.Platform++
		} else {
			look.External++
		}
		others[Other{Role: r.Role, Address: r.Address, Platform: platform}]++
	}
	look.Bound = o.bound(bounds, s.settings)
	slices.SortFunc(look.Backends, func(a, b Backend) int {
		return cmp.Or(cmp.Compare(a.Tag, b.Tag), cmp.Compare(a.Start, b.Start), cmp.Compare(a.PID, b.PID))
	})
	look.Others = mostNumerous(others)
	return look
}

func (o *Observer) bound(b *bounds, s settings) int {
	o.uses.forget(b)
	if o.uses.seen() {
		return b.most(o.uses)
	}
	own := newUses()
	own.add(s.Role, s.Database)
	return max(1, b.most(own))
}

// mostNumerous returns the first MaxOthers of them.
func mostNumerous(counts map[Other]int) []Other {
	var others []Other
	for other, n := range counts {
		other.Count = n
		others = append(others, other)
	}
	slices.SortFunc(others, func(a, b Other) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Role, b.Role), cmp.Compare(a.Address, b.Address),
			compareBool(a.Platform, b.Platform))
	})
	return others[:min(len(others), MaxOthers)]
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	default:
		return 1
	}
}

// units keeps a number of connections within what Conncord can count.
func units(n int) int { return min(max(n, 0), events.MaxUnits) }
