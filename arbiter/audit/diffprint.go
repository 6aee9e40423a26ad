package audit

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Print writes the changes for people to read.
func (c *Changes) Print(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "From record %d (%s) to record %d (%s)\n\n", c.From.Sequence, c.From.At.Format(timeLayout), c.To.Sequence, c.To.At.Format(timeLayout))
	if len(c.Budget)+len(c.Services)+len(c.Containers) == 0 {
		b.WriteString("Nothing changed.\n")
	}
	for _, v := range c.Budget {
		fmt.Fprintf(&b, "%s: %s\n", v.Name, v.arrow())
	}
	for i := range c.Services {
		s := &c.Services[i]
		line(&b, "\nservice "+s.Service, s.State, s.Values)
		for j := range c.Containers {
			if k := &c.Containers[j]; k.Service == s.Service {
				line(&b, "  "+clean(k.Container), k.State, k.Values)
			}
		}
	}
	for j := range c.Containers {
		k := &c.Containers[j]
		if !slices.ContainsFunc(c.Services, func(s ServiceChange) bool { return s.Service == k.Service }) {
			line(&b, "\n"+clean(k.Container)+" of "+k.Service, k.State, k.Values)
		}
	}
	if c.More > 0 {
		fmt.Fprintf(&b, "\nand %s more\n", plural(c.More, "container", "containers"))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func line(b *strings.Builder, name, state string, values []Change) {
	fmt.Fprintf(b, "%s %s", name, state)
	for i, v := range values {
		fmt.Fprintf(b, "%s %s %s", [...]string{":", ","}[min(i, 1)], v.Name, v.arrow())
	}
	b.WriteString("\n")
}

func (c *Change) arrow() string {
	switch {
	case c.From == "":
		return clean(c.To)
	case c.To == "":
		return "was " + clean(c.From)
	}
	return clean(c.From) + " → " + clean(c.To)
}
