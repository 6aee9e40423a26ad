package events

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// SetArchived notes up to which record an archive holds the history, so that nothing
// after it is trimmed. The sequence 0 is that it holds nothing yet. There is one such
// note for a budget: whoever sets it, sets it for all.
func (l *Log) SetArchived(ctx context.Context, incarnation, sequence uint64) error {
	ctx, cancel := context.WithTimeout(ctx, CallTimeout)
	defer cancel()
	note := strconv.FormatUint(incarnation, 10) + ":" + strconv.FormatUint(sequence, 10)
	if err := l.calls.Set(ctx, l.keys.Archive, note, 0).Err(); err != nil {
		return fmt.Errorf("note what is archived: %w", err)
	}
	return nil
}

// ForgetArchive takes the note back: there is no archive any more, and the history is
// trimmed by the retention alone.
func (l *Log) ForgetArchive(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, CallTimeout)
	defer cancel()
	if err := l.calls.Del(ctx, l.keys.Archive).Err(); err != nil {
		return fmt.Errorf("forget the archive: %w", err)
	}
	return nil
}

// Archived returns the newest record that an archive holds, and false when there is no
// archive. A note that cannot be read is [ErrMalformed].
func (l *Log) Archived(ctx context.Context) (incarnation, sequence uint64, ok bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, CallTimeout)
	defer cancel()
	incarnation, sequence, ok, err = parseArchived(l.calls.Get(ctx, l.keys.Archive))
	if err != nil {
		return 0, 0, false, fmt.Errorf("read what is archived: %w", err)
	}
	return incarnation, sequence, ok, nil
}

func parseArchived(reply *redis.StringCmd) (incarnation, sequence uint64, ok bool, err error) {
	note, err := reply.Result()
	switch {
	case errors.Is(err, redis.Nil):
		return 0, 0, false, nil
	case redis.HasErrorPrefix(err, "WRONGTYPE"):
		return 0, 0, false, fmt.Errorf("%w: the key is not a string", ErrMalformed)
	case err != nil:
		return 0, 0, false, err
	}
	of, at, _ := strings.Cut(note, ":")
	incarnation, err1 := strconv.ParseUint(of, 10, 64)
	sequence, err2 := strconv.ParseUint(at, 10, 64)
	if errors.Join(err1, err2) != nil {
		return 0, 0, false, fmt.Errorf("%w: %.80q", ErrMalformed, note)
	}
	return incarnation, sequence, true, nil
}

// A TrimPlan says what would be removed from the history in Redis if the leading
// arbiter trimmed it now. It trims when it stores a snapshot, and Redis removes whole
// nodes of its stream only, about 100 records: a few more can stay.
type TrimPlan struct {
	Oldest  uint64 // sequence of the oldest record that stays
	Why     Bound  // why no more is removed
	Records uint64 // that go; if 0, the following are zero

	From, To         uint64    // sequences of the first and the last of them
	FromTime, ToTime time.Time // and their wall times; zero for what is no record

	note string // the note of what is archived, as the plan saw it
}

//go:embed trim.lua
var trimText string
var trimScript = redis.NewScript(trimText)

// maxTrimmed is about how many records are trimmed at once. It takes Redis some
// milliseconds.
const maxTrimmed = 20_000

// Trim trims the history as [Log.PlanTrim] says, where the stored snapshot is the one
// of this sequence. It returns why no more was trimmed, which can be that this was
// enough for once, or [ErrFenced] when the leadership is over.
func (l *Log) Trim(ctx context.Context, s Standing, snapshot uint64) (Bound, error) {
	ctx, cancel := context.WithTimeout(ctx, CallTimeout)
	defer cancel()
	plan, err := l.planTrim(ctx, snapshot)
	if err != nil {
		return 0, fmt.Errorf("trim the history: %w", err)
	}
	done, err := trimScript.Run(ctx, l.calls, []string{l.keys.Head, l.keys.Grants, l.keys.Archive},
		strconv.FormatUint(s.Incarnation, 10), strconv.FormatUint(s.Epoch, 10), strconv.FormatUint(plan.Oldest, 10), plan.note, maxTrimmed).Int()
	switch {
	case err != nil:
		return 0, fmt.Errorf("trim the history: %w", err)
	case done < 0:
		return 0, ErrFenced
	case done >= maxTrimmed/2: // whole nodes go, so that it can be less
		return Unfinished, nil
	}
	return plan.Why, nil
}

// PlanTrim returns what would be trimmed now, by the log's retention: see
// [Log.Retain].
func (l *Log) PlanTrim(ctx context.Context) (TrimPlan, error) {
	snap, err := l.LoadSnapshot(ctx)
	var decode *DecodeError
	if err != nil && !errors.As(err, &decode) {
		return TrimPlan{}, fmt.Errorf("plan the trimming: %w", err)
	}
	at := uint64(0)
	if snap != nil {
		at = snap.Sequence
	}
	ctx, cancel := context.WithTimeout(ctx, CallTimeout)
	defer cancel()
	plan, err := l.planTrim(ctx, at)
	if err != nil || plan.Records == 0 {
		return plan, err
	}
	for _, end := range []struct {
		sequence uint64
		at       *time.Time
	}{{plan.From, &plan.FromTime}, {plan.To, &plan.ToTime}} {
		_, wall, err := l.wallFrom(ctx, end.sequence)
		if err != nil {
			return TrimPlan{}, fmt.Errorf("plan the trimming: %w", err)
		}
		if wall > 0 {
			*end.at = time.UnixMilli(wall).UTC()
		}
	}
	return plan, nil
}

// planTrim plans with a snapshot of this sequence stored. It takes two round trips,
// and where records are too old one for each doubling of the history more.
func (l *Log) planTrim(ctx context.Context, snapshot uint64) (TrimPlan, error) {
	r := l.retention
	var first, last *redis.XMessageSliceCmd
	var archive *redis.StringCmd
	_, err := l.calls.Pipelined(ctx, func(p redis.Pipeliner) error {
		first = p.XRangeN(ctx, l.keys.Grants, "-", "+", 1)
		last = p.XRevRangeN(ctx, l.keys.Grants, "+", "-", 1)
		archive = p.Get(ctx, l.keys.Archive)
		return nil
	})
	if err = errors.Join(first.Err(), last.Err(), ignoreNote(archive.Err()), ignoreNote(err)); err != nil {
		return TrimPlan{}, fmt.Errorf("plan the trimming: %w", err)
	}
	plan := TrimPlan{note: archive.Val()}
	if len(first.Val()) == 0 || len(last.Val()) == 0 {
		plan.Why = Retained
		return plan, nil
	}
	e := Extent{Snapshot: snapshot}
	if e.Oldest, err = parseSequence(first.Val()[0].ID); err == nil {
		e.Newest, err = parseSequence(last.Val()[0].ID)
	}
	if err == nil {
		e.Archive, e.Archived, err = l.archivedHere(ctx, archive, last.Val()[0], e.Oldest)
	}
	if err == nil && r.Age > 0 {
		e.Young, err = l.young(ctx, e, wallOf(last.Val()[0])-r.Age.Milliseconds())
	}
	if err != nil {
		return TrimPlan{}, fmt.Errorf("plan the trimming: %w", err)
	}
	plan.Oldest, plan.Why = r.TrimBefore(e)
	if plan.Oldest > e.Oldest {
		plan.Records, plan.From, plan.To = plan.Oldest-e.Oldest, e.Oldest, plan.Oldest-1
	}
	return plan, nil
}

// ignoreNote passes over what parseArchived judges.
func ignoreNote(err error) error {
	if errors.Is(err, redis.Nil) || redis.HasErrorPrefix(err, "WRONGTYPE") {
		return nil
	}
	return err
}

// archivedHere returns up to where the history in Redis is archived. An archive of
// another history, or a note that cannot be read, is an archive that holds nothing.
func (l *Log) archivedHere(ctx context.Context, note *redis.StringCmd, newest redis.XMessage, oldest uint64) (archive bool, archived uint64, err error) {
	incarnation, sequence, ok, err := parseArchived(note)
	if err != nil {
		return true, 0, nil
	}
	if !ok || sequence < oldest {
		return ok, sequence, nil
	}
	body, _ := newest.Values[recordField].(string)
	if of, end, err := PlaceRecord([]byte(body)); err == nil && of == incarnation {
		return true, min(sequence, end), nil
	}
	at, err := l.pick(ctx, []uint64{sequence})
	if err != nil {
		return true, 0, err
	}
	if of, _, err := PlaceRecord(at[0]); err != nil || of != incarnation {
		return true, 0, nil
	}
	return true, sequence, nil
}

// young returns the oldest record whose wall time is not before the given one, or an
// older one that cannot be trimmed anyway. Wall times come from the leaders'
// clocks: where they do not agree, it is wrong by as much.
func (l *Log) young(ctx context.Context, e Extent, since int64) (uint64, error) {
	low, high := e.Oldest, min(e.Newest, e.Snapshot)+1
	if e.Archive && e.Archived < high {
		high = min(high, e.Archived+2)
	}
	if _, wall, err := l.wallFrom(ctx, low); err != nil || wall == 0 || wall >= since {
		return low, err
	}
	for low+1 < high { // low is old
		middle := low + (high-low)/2
		at, wall, err := l.wallFrom(ctx, middle)
		if err != nil {
			return 0, err
		}
		if at > 0 && at < high && wall > 0 && wall < since {
			low = at
		} else {
			high = middle
		}
	}
	return max(high, low+1), nil
}

// wallFrom returns the first record at or after the sequence, and its wall time; 0 for
// what is none.
func (l *Log) wallFrom(ctx context.Context, sequence uint64) (at uint64, wall int64, err error) {
	found, err := l.calls.XRangeN(ctx, l.keys.Grants, recordID(sequence), "+", 1).Result()
	if err != nil || len(found) == 0 {
		return 0, 0, err
	}
	at, err = parseSequence(found[0].ID)
	return at, wallOf(found[0]), err
}

func wallOf(m redis.XMessage) int64 {
	body, _ := m.Values[recordField].(string)
	rec, err := DecodeRecord([]byte(body))
	if err != nil {
		return 0
	}
	return rec.Wall
}
