package observer

import (
	"maps"
	"slices"

	"github.com/conncord/conncord/events"
)

// maxUses bounds how many roles and databases of containers are remembered. One or two are usual.
const maxUses = 64

// uses are the roles and databases by which containers connect: all that any look has shown, because a container
// that has no connection now can come back, as long as they exist.
type uses struct {
	roles, databases map[string]bool
}

func newUses() uses { return uses{map[string]bool{}, map[string]bool{}} }

func (u uses) seen() bool { return len(u.roles) > 0 }

func (u uses) names() (roles, databases []string) {
	return slices.AppendSeq([]string{}, maps.Keys(u.roles)), slices.AppendSeq([]string{}, maps.Keys(u.databases))
}

func (u uses) add(role, database string) {
	if len(u.roles) < maxUses {
		u.roles[role] = true
	}
	if len(u.databases) < maxUses {
		u.databases[database] = true
	}
}

// forget drops the roles and databases that are not there any more.
func (u uses) forget(b *bounds) {
	gone := func(limits map[string]int) func(string, bool) bool {
		return func(name string, _ bool) bool { _, there := limits[name]; return !there }
	}
	maps.DeleteFunc(u.roles, gone(b.roles))
	maps.DeleteFunc(u.databases, gone(b.databases))
}

// bounds are the limits of one look, −1 for none, and what others use up of them.
type bounds struct {
	roles, databases               map[string]int
	othersOfRole, othersInDatabase map[string]int
}

func newBounds(limits []limit) *bounds {
	b := &bounds{map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}}
	for _, l := range limits {
		if l.IsRole {
			b.roles[l.Name] = l.Most
		} else {
			b.databases[l.Name] = l.Most
		}
	}
	return b
}

func (b *bounds) row(r *row, ours bool) {
	b.roles[r.Role], b.databases[r.Database] = r.RoleMost, r.DatabaseMost
	if !ours {
		b.othersOfRole[r.Role]++
		b.othersInDatabase[r.Database]++
	}
}

// most returns the most that connections by these roles, to these databases, can be.
func (b *bounds) most(u uses) int {
	return min(sum(u.roles, b.roles, b.othersOfRole), sum(u.databases, b.databases, b.othersInDatabase))
}

func sum(names map[string]bool, limits, others map[string]int) int {
	total := 0
	for name := range names {
		if limits[name] < 0 {
			return events.MaxUnits
		}
		total += max(0, limits[name]-others[name])
	}
	return units(total)
}
