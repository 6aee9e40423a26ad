package judge

import (
	"fmt"
	"slices"
	"time"
)

// A Member is a container that is to take part.
type Member struct {
	Name      string
	Container string // its id in the ledger
	Mode      string
	Granted   int // connections that it goes by
	Callers   int
	At        time.Time // when it reported
	Sessions  int64     // since the fault ended
}

// Whole returns nil when everything is as it should be again after a fault that
// ended at a moment, else what is missing. leader is who leads by what Redis
// says, "" if that is nobody who is alive.
func Whole(s *State, members []Member, leader string, since time.Time) error {
	switch {
	case leader == "":
		return fmt.Errorf("nobody leads")
	case s.Leader != leader:
		return fmt.Errorf("%s leads, but the history knows %q", leader, s.Leader)
	case !s.At.After(since):
		return fmt.Errorf("nothing was decided since")
	}
	for i := range members {
		if err := members[i].whole(s, since); err != nil {
			return err
		}
	}
	want, units := 0, 0
	for id, c := range s.Containers {
		if !slices.ContainsFunc(members, func(m Member) bool { return m.Container == id }) {
			return fmt.Errorf("%s is gone, and %d connections are charged for it", id, c.Charge)
		}
		want += c.Want
		units += c.Units
	}
	if due := min(want, s.Available); units != due {
		return fmt.Errorf("%d connections are granted where %d are wanted and %d available", units, want, s.Available)
	}
	if s.Charged > s.Available {
		return fmt.Errorf("%d connections are charged where %d are available", s.Charged, s.Available)
	}
	return nil
}

// whole reports what is wrong with one container.
func (m *Member) whole(s *State, since time.Time) error {
	c, known := s.Containers[m.Container]
	switch {
	case !m.At.After(since):
		return fmt.Errorf("%s did not report since", m.Name)
	case m.Mode != "leased":
		return fmt.Errorf("%s has no lease: it is %s", m.Name, m.Mode)
	case !known:
		return fmt.Errorf("%s is not known in this incarnation", m.Name)
	case c.Lost:
		return fmt.Errorf("%s was not heard in time", m.Name)
	case c.Silent != 0:
		return fmt.Errorf("%s is held for silent", m.Name)
	case c.Units != m.Granted:
		return fmt.Errorf("%s goes by %d connections, its lease is on %d", m.Name, m.Granted, c.Units)
	case m.Callers > 0 && c.Units > 0 && m.Sessions == 0:
		return fmt.Errorf("%s served nobody since", m.Name)
	}
	return nil
}
