package replay

import (
	"context"
	"fmt"
	"io"
	"strconv"

	"github.com/conncord/conncord/arbiter/audit"
	"github.com/conncord/conncord/projector/status"
)

// moment reads what was given for a flag or argument.
func (r *replay) moment(name, text string) (audit.Moment, error) {
	m, err := audit.ParseMoment(text, r.now)
	if err != nil {
		return m, fmt.Errorf("%s: %w", name, err)
	}
	return m, nil
}

// status shows how everything stood at a moment.
func (r *replay) status(ctx context.Context) error {
	m, err := r.moment("--at", r.Status.At)
	if err != nil {
		return err
	}
	return r.read(ctx, func(p *place) error {
		state, err := audit.At(ctx, p, m)
		if err != nil {
			return err
		}
		s := state.Status()
		s.Budget = p.budget
		return r.print(s, func(w io.Writer) error {
			return s.Print(w, status.PrintOptions{
				Width: r.terminal.Width, Color: r.terminal.Color, ASCII: r.terminal.ASCII, Now: state.Time(),
				MaxContainers: r.Status.Containers, Service: r.Status.Service,
			})
		})
	})
}

// explain says why a container or a record got what it got.
func (r *replay) explain(ctx context.Context) error {
	return r.read(ctx, func(p *place) error {
		if sequence, err := strconv.ParseUint(r.Explain.What, 10, 64); err == nil {
			account, err := audit.ExplainRecord(ctx, p, sequence)
			if err != nil {
				return err
			}
			return r.print(account, account.Print)
		}
		story, err := audit.ExplainContainer(ctx, p, r.Explain.What)
		if err != nil {
			return fmt.Errorf("%q: %w", r.Explain.What, err)
		}
		return complete(story.Notice, r.print(story, story.Print))
	})
}

// diff shows what changed between two moments.
func (r *replay) diff(ctx context.Context) error {
	a, err := r.moment("A", r.Diff.A)
	if err != nil {
		return err
	}
	b, err := r.moment("B", r.Diff.B)
	if err != nil {
		return err
	}
	return r.read(ctx, func(p *place) error {
		from, to, err := audit.Between(ctx, p, a, b)
		if err != nil {
			return err
		}
		changes := audit.Diff(from, to)
		return r.print(changes, changes.Print)
	})
}
