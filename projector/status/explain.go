package status

import (
	"fmt"
	"strings"
)

// maxHolders is how many services are named when it is explained who holds the
// connections, the most important first.
const maxHolders = 8

// Explain says in sentences why the container has what it has, and what would
// change it. It is empty when there is no such container.
func (s *Status) Explain(id string) string {
	c, service := s.Find(id)
	if c == nil {
		return ""
	}
	return s.Why(c, service)
}

// Why explains a container that was found already, of the service with the name.
func (s *Status) Why(c *Container, name string) string {
	service := s.Services[name]
	var b strings.Builder
	fmt.Fprintf(&b, "%s has %d of the %d connections that it wants", name, c.Granted, c.Want)
	if c.Granted >= c.Want {
		fmt.Fprintf(&b, ": all of them.")
	} else {
		s.shortage(&b, c, name)
	}
	if back := c.Connections - c.Granted; back > 0 && c.State != Silent && c.State != Lost {
		fmt.Fprintf(&b, " It is giving %d back, which count until it says that they are closed.", back)
	}
	switch c.State {
	case Lost:
		fmt.Fprintf(&b, " Its lease has expired: it was not heard in time. It may go on with %d connections without an arbiter, and these count until it is heard, is cleaned up, or one more lease duration has passed.", c.Connections)
	case Silent:
		fmt.Fprintf(&b, " Its heartbeats have stopped: it opens no connection before it has been heard, and %d count for it.", c.Connections)
	}
	if n := len(service.Containers); n > 1 {
		fmt.Fprintf(&b, " It is one of %d containers that share what %s gets (%d).", n, name, service.TotalConnections)
	}
	return b.String()
}

// shortage says who has the connections and what must happen for one more.
func (s *Status) shortage(b *strings.Builder, c *Container, name string) {
	service := s.Services[name]
	switch {
	case s.Barrier > 0:
		fmt.Fprintf(b, ". The history was lost, and nobody gains until the recovery barrier opens in %.1f s.", float64(s.Barrier)/1000)
		return
	case service.Maximum > 0 && service.Granted >= service.Maximum:
		fmt.Fprintf(b, ": its service's maximum of %d is reached. It grows when another container of %s gives some up, or the policy allows more.", service.Maximum, name)
		return
	case s.Leader == "":
		b.WriteString(". Nobody leads: nothing is granted until an arbiter does.")
		return
	}
	held, more := 0, 0
	var holders []string
	for _, other := range s.Names() {
		o := s.Services[other]
		if other == name || o.TotalConnections == 0 {
			continue
		}
		held += o.TotalConnections
		if len(holders) == maxHolders {
			more++
			continue
		}
		holders = append(holders, fmt.Sprintf("%s (priority %d)", other, o.Priority))
	}
	if more > 0 {
		holders = append(holders, plural(more, "other", "others"))
	}
	switch len(holders) {
	case 0:
		fmt.Fprintf(b, ": of %d available, %s itself holds %d.", s.Available, name, service.TotalConnections)
	case 1:
		fmt.Fprintf(b, ": %s holds %d.", holders[0], held)
	default:
		fmt.Fprintf(b, ": %s and %s hold %d.", strings.Join(holders[:len(holders)-1], ", "), holders[len(holders)-1], held)
	}
	s.next(b, c, name)
}

// next says when the container gets one more.
func (s *Status) next(b *strings.Builder, c *Container, name string) {
	switch {
	case s.Remaining > 0:
		fmt.Fprintf(b, " %d are free; the next is granted with the arbiter's next decision.", s.Remaining)
	case c.Position == 1:
		b.WriteString(" It is the first in the queue: it gets the next unit that comes free.")
	case c.Position > 1:
		fmt.Fprintf(b, " %s, place %d in the queue, gets its next unit when one comes free that is not due to those before it.", name, c.Position)
	default:
		b.WriteString(" It gets its next unit when one comes free.")
	}
}
