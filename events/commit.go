package events

import (
	"context"
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

//go:embed commit.lua
var commitText string

// A leadership's commit script carries the leadership's name in its text, and so
// in its digest. Redis keeps scripts in memory only: a server that does not know
// the script is not the process that the leadership began on, but one that was
// restarted or promoted since and may lack records that were acknowledged.
// Commit then returns [ErrFenced] instead of loading the script again. (Redis
// 7.0 and later; earlier ones copy scripts to replicas and the append-only
// file.)
func (l *Log) loadCommit(ctx context.Context, s Standing) (digest string, err error) {
	text := fmt.Sprintf("-- incarnation %d epoch %d arbiter %s\n%s%s", s.Incarnation, s.Epoch, s.Leader, lifeText, commitText)
	if digest, err = l.calls.ScriptLoad(ctx, text).Result(); err != nil {
		return "", fmt.Errorf("load the commit script: %w", err)
	}
	return digest, nil
}

// A Mail is one grant on its way to its mailbox.
type Mail struct {
	Container string
	Grant     []byte
	Keep      time.Duration // how long the mailbox is to be kept
}

// A Batch is what one commit does, all of it or nothing.
type Batch struct {
	// The end of the history that the batch builds on, and the one after it.
	BaseSequence, Sequence uint64
	BaseHash, Hash         Hash
	BaseCursor, Cursor     string

	Records [][]byte // Sequence − BaseSequence of them
	Mail    []Mail   // at most one for each container
	Trim    bool     // remove from the inbox what lies before the cursor
	Resign  bool     // give up the leadership as well, and trim nothing
	Anew    bool     // delete the inbox, so that its ids begin anew; Cursor is to be NoCursor

	// Ahead is how many of the intents after the cursor Commit is to read in the
	// same round trip; what there is, perhaps nothing, it leaves in Next.
	Ahead int
	Next  []Entry
}

// NoCursor is the cursor before the first inbox entry.
const NoCursor = "0-0"

// Commit appends the batch. Committing a batch again is harmless, so that it can
// be repeated when the reply was lost. It returns [ErrFenced] or [ErrDiverged]
// when the batch can never be committed; after any other error it may have been
// or not.
func (l *Log) Commit(ctx context.Context, s Standing, b *Batch) error {
	ctx, cancel := context.WithTimeout(ctx, CallTimeout)
	defer cancel()
	k := l.keys
	keys := make([]string, 4, 4+len(b.Mail))
	keys[0], keys[1], keys[2], keys[3] = k.Head, k.Grants, k.Intents, k.Leader
	args := make([]any, 0, 9+len(b.Records)+2*len(b.Mail))
	args = append(args,
		strconv.FormatUint(s.Incarnation, 10), strconv.FormatUint(s.Epoch, 10),
		strconv.FormatUint(b.BaseSequence, 10), hashText(b.BaseHash), b.BaseCursor,
		strconv.FormatUint(b.Sequence, 10), hashText(b.Hash), b.Cursor, b.also())
	for _, r := range b.Records {
		args = append(args, r)
	}
	for i := range b.Mail {
		m := &b.Mail[i]
		keys = append(keys, k.Mailbox(m.Container))
		args = append(args, m.Keep.Milliseconds(), m.Grant)
	}
	result, err := l.commitAndRead(ctx, s.digest, keys, args, b)
	switch {
	case err != nil && redis.HasErrorPrefix(err, "NOSCRIPT"):
		return fmt.Errorf("%w: Redis does not know this leadership's script, so it was restarted or replaced", ErrFenced)
	case err != nil && strings.Contains(err.Error(), "equal or smaller than the target stream top item"):
		return fmt.Errorf("%w: somebody else wrote to the history", ErrDiverged)
	case err != nil:
		return fmt.Errorf("commit: %w", err)
	}
	switch result {
	case "ok", "again":
		return nil
	case "fenced":
		return ErrFenced
	case "diverged":
		return ErrDiverged
	}
	return fmt.Errorf("commit: %w: reply %q", ErrMalformed, result)
}

func (l *Log) commitAndRead(ctx context.Context, digest string, keys []string, args []any, b *Batch) (string, error) {
	b.Next = nil
	if b.Ahead == 0 {
		return l.calls.EvalSha(ctx, digest, keys, args...).Text()
	}
	var commit *redis.Cmd
	var read *redis.XStreamSliceCmd
	_, _ = l.calls.Pipelined(ctx, func(p redis.Pipeliner) error {
		commit = p.EvalSha(ctx, digest, keys, args...)
		read = p.XRead(ctx, &redis.XReadArgs{Streams: []string{l.keys.Intents, b.Cursor}, Count: int64(b.Ahead), Block: -1})
		return nil
	})
	if streams, err := read.Result(); err == nil && len(streams) > 0 {
		b.Next = entriesOf(streams[0].Messages)
	}
	return commit.Text()
}

// also says what a commit does beside committing.
func (b *Batch) also() string {
	switch {
	case b.Resign:
		return "resign"
	case b.Anew:
		return "anew"
	case b.Trim:
		return "trim"
	}
	return ""
}

// hashText is how the head of the history spells a hash: empty before the first
// record of an incarnation.
func hashText(h Hash) string {
	if h == (Hash{}) {
		return ""
	}
	return h.String()
}
