package replay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/conncord/conncord/arbiter/audit"
	"github.com/conncord/conncord/arbiter/history"
	"github.com/conncord/conncord/events"
)

const (
	// maxLast bounds the lines that tail begins with.
	maxLast = 100_000

	// scanBack is how many of a live history's newest records are looked through for
	// lines that are wanted, at least.
	scanBack = 10_000

	// awayPause is how long tail waits when Redis does not answer.
	awayPause = time.Second
)

// kinds are the kinds of intents that are wanted; none: all.
func (o *tailOptions) kinds() ([]string, error) {
	wanted := strings.FieldsFunc(o.Kind, func(c rune) bool { return c == ',' || c == ' ' })
	for _, name := range wanted {
		if !slices.Contains(kindNames(), name) {
			return nil, fmt.Errorf("%.40q is no kind of intent: use %s", name, strings.Join(kindNames(), ", "))
		}
	}
	return wanted, nil
}

func kindNames() []string {
	var names []string
	for k := events.Register; k <= events.Observe; k++ {
		names = append(names, k.String())
	}
	return names
}

// tail prints the newest lines, and of a live history those that come.
func (r *replay) tail(ctx context.Context) error {
	p, snap, err := r.openEnd(ctx)
	if err != nil {
		return err
	}
	t := &tailing{replay: r, reader: audit.NewReader(snap)}
	if t.kinds, err = r.Tail.kinds(); err != nil {
		return err
	}
	err = t.end(ctx, p)
	if err == nil && p.live != nil && !r.Tail.NoFollow {
		err = t.follow(ctx, p)
	}
	return errors.Join(err, p.Close())
}

// openEnd opens the history where reading it has to begin for its newest lines. Of a
// live one the stored snapshot says of which services the containers are; reading
// begins a bounded number of records before it.
func (r *replay) openEnd(ctx context.Context) (*place, *events.Snapshot, error) {
	if r.From != "" {
		p, err := r.open(ctx)
		if err != nil {
			return nil, nil, err
		}
		return p, p.Snapshot(), nil
	}
	log, err := r.openLog()
	if err != nil {
		return nil, nil, err
	}
	snap, incarnation, after, err := begin(ctx, log, uint64(max(scanBack, r.Tail.Last)))
	if err = errors.Join(err, log.Close()); err != nil {
		return nil, nil, err
	}
	live, err := history.OpenLiveAfter(r.RedisURL, r.Budget, incarnation, after)
	if err != nil {
		return nil, nil, err
	}
	return &place{Source: live, live: live, budget: r.Budget, about: "budget " + r.Budget}, snap, nil
}

// begin returns the stored snapshot, nil if there is none, and the record behind which
// reading is to begin: so many before the newest, or before the oldest that there is.
func begin(ctx context.Context, log *events.Log, back uint64) (snap *events.Snapshot, incarnation, after uint64, err error) {
	var useless *events.DecodeError
	if snap, err = log.LoadSnapshot(ctx); err != nil && !errors.As(err, &useless) {
		return nil, 0, 0, err
	}
	g, err := log.Glance(ctx)
	if err != nil {
		return nil, 0, 0, err
	}
	oldest, err := log.Oldest(ctx)
	if err != nil || oldest == 0 {
		return snap, 0, 0, err
	}
	after = max(oldest, g.Sequence-min(g.Sequence, back)+1) - 1
	found, err := log.Pick(ctx, []uint64{max(after, oldest)})
	if err != nil {
		return nil, 0, 0, err
	}
	incarnation, _, _ = events.PlaceRecord(found[0]) // what is no record is not of another one
	return snap, incarnation, after, nil
}

// A tailing prints the lines of a history.
type tailing struct {
	*replay
	reader *audit.Reader
	kinds  []string
}

// end reads to the end, and prints the newest lines.
func (t *tailing) end(ctx context.Context, p *place) error {
	var newest []*audit.Line
	for {
		records, err := p.Read(ctx)
		for _, data := range records {
			line := t.line(data)
			if line == nil || t.Tail.Last == 0 {
				continue
			}
			if newest = append(newest, line); len(newest) >= 2*t.Tail.Last {
				newest = append(newest[:0], newest[len(newest)-t.Tail.Last:]...)
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil && !t.passes(err) {
			return err
		}
	}
	for _, line := range newest[max(0, len(newest)-t.Tail.Last):] {
		if err := t.show(line); err != nil {
			return err
		}
	}
	return nil
}

// follow prints what comes, until the user ends it.
func (t *tailing) follow(ctx context.Context, p *place) error {
	away := false
	for ctx.Err() == nil {
		records, err := p.Read(ctx)
		if errors.Is(err, io.EOF) {
			err = p.live.Wait(ctx, events.MaxBlock)
		}
		if err == nil {
			away = false
		} else if ctx.Err() == nil && !t.passes(err) {
			if !away {
				t.log.Warn("the history cannot be read at present; trying again", "error", err)
			}
			away = true
			pause(ctx, awayPause)
		}
		for _, data := range records {
			if line := t.line(data); line != nil {
				if err := t.show(line); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// passes reports whether reading goes on behind an error, and says it.
func (t *tailing) passes(err error) bool {
	if !history.Skippable(err) {
		return false
	}
	t.log.Warn("a part of the history is missing", "error", err)
	return true
}

// line returns the line of a record, nil when it is not wanted.
func (t *tailing) line(data []byte) *audit.Line {
	line, err := t.reader.Read(data)
	if err != nil {
		t.log.Warn("a record cannot be read", "error", err)
		return nil
	}
	concerns := func(is func(container, service string) bool) bool {
		return is(line.Container, line.Service) ||
			slices.ContainsFunc(line.Leases, func(l audit.LineLease) bool { return is(l.Container, l.Service) })
	}
	switch {
	case len(t.kinds) > 0 && !slices.Contains(t.kinds, line.Kind),
		t.Tail.Service != "" && !concerns(func(_, service string) bool { return service == t.Tail.Service }),
		t.Tail.Container != "" && !concerns(func(id, _ string) bool { return strings.Contains(id, t.Tail.Container) }):
		return nil
	}
	return line
}

func (t *tailing) show(line *audit.Line) error {
	if !t.JSON {
		_, err := fmt.Fprintln(t.stdout, line)
		return err
	}
	return json.NewEncoder(t.stdout).Encode(line)
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
