package replay

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/conncord/conncord/arbiter/audit"
	"github.com/conncord/conncord/arbiter/history"
	"github.com/conncord/conncord/cmd/internal/cli"
)

// archive keeps a directory up with the history.
func (r *replay) archive(ctx context.Context) error {
	if r.From != "" {
		return fmt.Errorf("%w: an archive is made of the history in Redis: leave --from away, or see replay import", errUsage)
	}
	switch {
	case r.Archive.DryRun:
		return r.planArchive(ctx)
	case r.Archive.Forget:
		return r.forgetArchive(ctx)
	}
	a, err := history.OpenArchiver(ctx, r.Archive.Dir, r.RedisURL, r.Budget, history.ArchiverOptions{Logger: r.log})
	if err != nil {
		return err
	}
	incarnation, sequence := a.Place()
	r.log.Info("archiving", "dir", r.Archive.Dir, "budget", r.Budget, "incarnation", audit.ID(incarnation), "after", sequence)
	run := a.Run
	if r.Archive.Once {
		run = a.CatchUp
	}
	err = run(ctx)
	incarnation, sequence = a.Place()
	if err = errors.Join(err, a.Close()); err == nil {
		r.log.Info("archived", "dir", r.Archive.Dir, "incarnation", audit.ID(incarnation), "up_to", sequence)
	}
	return err
}

// forgetArchive lets Redis be trimmed as if there were no archive.
func (r *replay) forgetArchive(ctx context.Context) error {
	log, err := r.openLog()
	if err != nil {
		return err
	}
	if err := errors.Join(log.ForgetArchive(ctx), log.Close()); err != nil {
		return err
	}
	_, err = fmt.Fprintf(r.stdout, "budget %s has no archive any more; %s is as it was\n", r.Budget, r.Archive.Dir)
	return err
}

// A trimming says what an archive has and what would be trimmed.
type trimming struct {
	Archive *standing `json:"archive"` // nil: there is none yet
	Noted   *standing `json:"noted"`   // what Redis knows to be archived; nil: nothing
	Newest  standing  `json:"newest"`  // record of the history in Redis
	Trim    uint64    `json:"trim"`    // records that the leader would remove now
	From    uint64    `json:"from,omitempty"`
	To      uint64    `json:"to,omitempty"`
	Oldest  uint64    `json:"oldest"` // that would stay
	Why     string    `json:"why"`    // no more are removed
}

// A standing names a record.
type standing struct {
	Incarnation audit.ID `json:"incarnation"`
	Sequence    uint64   `json:"sequence"`
}

// planArchive says what would be done, and does nothing.
func (r *replay) planArchive(ctx context.Context) error {
	log, err := r.openLog()
	if err != nil {
		return err
	}
	defer log.Close()
	retention, err := cli.Retention(r.Archive.Retention, r.Archive.RetentionRecords)
	if err != nil {
		return err
	}
	log.Retain(retention)
	var t trimming
	incarnation, sequence, found, err := history.Archived(r.Archive.Dir)
	if err != nil {
		return err
	}
	if found {
		t.Archive = &standing{audit.ID(incarnation), sequence}
	}
	if incarnation, sequence, found, err = log.Archived(ctx); err != nil {
		return err
	} else if found {
		t.Noted = &standing{audit.ID(incarnation), sequence}
	}
	g, err := log.Glance(ctx)
	if err != nil {
		return err
	}
	t.Newest = standing{audit.ID(g.Incarnation), g.Sequence}
	plan, err := log.PlanTrim(ctx)
	if err != nil {
		return err
	}
	t.Trim, t.From, t.To, t.Oldest, t.Why = plan.Records, plan.From, plan.To, plan.Oldest, plan.Why.String()
	return r.print(&t, func(w io.Writer) error { return t.print(w, r.Archive.Dir) })
}

func (t *trimming) print(w io.Writer, dir string) error {
	say := func(s *standing, none string) string {
		if s == nil {
			return none
		}
		return fmt.Sprintf("up to record %d of incarnation %s", s.Sequence, s.Incarnation)
	}
	trim := "nothing"
	if t.Trim > 0 {
		trim = fmt.Sprintf("%d records, %d to %d", t.Trim, t.From, t.To)
	}
	_, err := fmt.Fprintf(w, "archive %s: %s\nnoted in Redis: %s\nhistory in Redis: %s\nthe leader would trim: %s; record %d and what follows stays, because %s\nnothing was written\n",
		dir, say(t.Archive, "empty"), say(t.Noted, "no archive"), say(&t.Newest, ""), trim, t.Oldest, t.Why)
	return err
}
