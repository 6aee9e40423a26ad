package audit

import (
	"context"
	"errors"
	"io"

	"github.com/conncord/conncord/arbiter/history"
	"github.com/conncord/conncord/arbiter/ledger"
	"github.com/conncord/conncord/events"
)

// Verify re-derives a whole history. The error is one of reading; what is wrong
// with the history stands in the report.
func Verify(ctx context.Context, src history.Source) (Report, error) {
	return Walk(ctx, src, nil)
}

// Walk re-derives a history and calls visit, unless it is nil, with each record
// that could be, until visit returns false or the source ends. What the source
// cannot read is passed over, if it can be, and stands in the report.
func Walk(ctx context.Context, src history.Source, visit func(*Point) bool) (Report, error) {
	return walk(ctx, src, nil, visit)
}

// walk is [Walk] with a call before each record that will be re-derived, while the
// ledger is still where it was.
func walk(ctx context.Context, src history.Source, ahead func(*events.Head, *ledger.Ledger) bool, visit func(*Point) bool) (Report, error) {
	v, err := NewVerifier(src.Snapshot())
	if err != nil {
		return Report{}, err
	}
	stopped := false
	if ahead != nil {
		v.ahead = func(head *events.Head) { stopped = stopped || !ahead(head, v.ledger) }
	}
	if visit != nil {
		v.visit = func(p *Point) { stopped = stopped || !visit(p) }
	}
	for !stopped {
		records, err := src.Read(ctx)
		for _, data := range records {
			_ = v.Add(data) // it stands in the report
			if stopped {
				break
			}
		}
		if err == nil {
			continue
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if !history.Skippable(err) {
			return v.Report(), err
		}
		v.Skip(err)
		if snap := src.Snapshot(); snap != nil && (snap.Sequence > v.sequence || snap.Incarnation != v.incarnation) {
			if err := v.Resume(snap); err != nil {
				return v.Report(), err
			}
		}
	}
	if !stopped {
		_ = v.Finish()
	}
	return v.Report(), nil
}
