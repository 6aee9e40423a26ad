package replay

import (
	"context"
	"io"
	"time"

	"github.com/conncord/conncord/arbiter/audit"
)

// timeline shows who had what over time.
func (r *replay) timeline(ctx context.Context) error {
	var span audit.Span
	for _, end := range []struct {
		name, text string
		into       *time.Time
	}{{"--since", r.Timeline.Since, &span.From}, {"--until", r.Timeline.Until, &span.To}} {
		if end.text == "" {
			continue
		}
		m, err := r.moment(end.name, end.text)
		if err != nil {
			return err
		}
		if *end.into, err = r.timeOf(ctx, m); err != nil {
			return err
		}
	}
	return r.read(ctx, func(p *place) error {
		t, err := audit.Trace(ctx, p, span)
		if err != nil {
			return err
		}
		switch {
		case r.Timeline.CSV:
			err = t.WriteCSV(r.stdout)
		case r.Timeline.SVG:
			err = t.WriteSVG(r.stdout)
		case r.Timeline.HTML:
			err = t.WriteHTML(r.stdout)
		default:
			err = r.print(t, func(w io.Writer) error { return t.Print(w, r.Timeline.Containers) })
		}
		return complete(t.Notice, err)
	})
}

// timeOf returns when a moment was: a sequence has to be looked up.
func (r *replay) timeOf(ctx context.Context, m audit.Moment) (at time.Time, err error) {
	if m.Sequence == 0 {
		return m.Time, nil
	}
	err = r.read(ctx, func(p *place) error {
		state, err := audit.At(ctx, p, m)
		if err == nil {
			at = state.Time()
		}
		return err
	})
	return at, err
}
