package events

import (
	"context"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

var (
	// ErrFenced is returned when another epoch or incarnation has begun: whoever
	// asked leads no longer. Nothing was written.
	ErrFenced = errors.New("fenced: another leadership has begun")
	// ErrDiverged is returned when the history does not end where the batch
	// builds on. Nothing was written.
	ErrDiverged = errors.New("the history is not what the batch builds on")
)

// A Log is the arbiter's side of one budget in Redis. Its methods may be called
// concurrently; each is one round trip and has a deadline.
type Log struct {
	keys      Keys
	calls     *redis.Client
	blocking  *redis.Client // apart, so that blocked reads cannot use up the connections for calls
	retention Retention
}

// OpenLog returns the log of the budget at the Redis URL.
func OpenLog(url, budget string) (*Log, error) {
	if err := CheckBudget(budget); err != nil {
		return nil, err
	}
	calls, err := OpenRedis(url, 2)
	if err != nil {
		return nil, err
	}
	blocking, err := OpenRedis(url, 1)
	if err != nil {
		calls.Close()
		return nil, err
	}
	return NewLog(budget, calls, blocking), nil
}

// NewLog returns the log of the budget over two clients that behave like those
// of [OpenRedis]. It owns them.
func NewLog(budget string, calls, blocking *redis.Client) *Log {
	return &Log{keys: NewKeys(budget), calls: calls, blocking: blocking, retention: DefaultRetention()}
}

// Retain has the history trimmed by another retention than the default. It is to be
// called before anything else.
func (l *Log) Retain(r Retention) { l.retention = r }

// Interrupt makes a blocking read that is under way, and every later one, return
// with an error. The log is then only good for calls.
func (l *Log) Interrupt() { _ = l.blocking.Close() }

// Close closes the log's connections.
func (l *Log) Close() error {
	_ = l.blocking.Close() // closed already if the log was interrupted
	return l.calls.Close()
}

// A Standing is what a campaign found.
type Standing struct {
	Won    bool
	Leader string        // who leads now
	Left   time.Duration // of the leader's lease, when somebody else leads

	Incarnation uint64
	Sequence    uint64 // of the newest record

	// When won:
	Epoch  uint64
	Hash   Hash   // of the newest record of this incarnation
	Cursor string // id of the newest inbox entry in the history
	Begun  bool   // the incarnation is new: history was lost, or never was
	First  bool   // there is no history at all
	Now    int64  // ledger time when the last leader extended its lease, milliseconds
	Gap    bool   // somebody removed entries from the inbox, perhaps unread ones

	digest string // of the script that commits for this leadership
}

//go:embed life.lua
var lifeText string

//go:embed campaign.lua
var campaignText string
var campaignScript = redis.NewScript(lifeText + campaignText)

// Campaign makes the arbiter the leader for the duration of the lease if nobody
// leads. The incarnation is used when a new one has to begin; with onlyNew the
// arbiter wins only then.
func (l *Log) Campaign(ctx context.Context, arbiter string, lease time.Duration, incarnation uint64, onlyNew bool) (Standing, error) {
	ctx, cancel := context.WithTimeout(ctx, CallTimeout)
	defer cancel()
	reply, err := campaignScript.Run(ctx, l.calls, []string{l.keys.Leader, l.keys.Head, l.keys.Grants, l.keys.Intents},
		arbiter, lease.Milliseconds(), strconv.FormatUint(incarnation, 10), flag(onlyNew)).Slice()
	if err != nil {
		return Standing{}, fmt.Errorf("campaign: %w", err)
	}
	s, err := parseStanding(reply)
	if err != nil {
		return Standing{}, fmt.Errorf("campaign: head of the history: %w", err)
	}
	if s.Won {
		s.digest, err = l.loadCommit(ctx, s)
	}
	return s, err
}

// flag is how scripts are told yes or no.
func flag(yes bool) string {
	if yes {
		return "1"
	}
	return "0"
}

func parseStanding(reply []any) (s Standing, err error) {
	if len(reply) != 5 && len(reply) != 12 {
		return s, fmt.Errorf("%w: a reply of %d places", ErrMalformed, len(reply))
	}
	text := func(i int) string { return fmt.Sprint(reply[i]) }
	left, _ := reply[2].(int64)
	s = Standing{Won: reply[0] == int64(1), Leader: text(1), Left: time.Duration(left) * time.Millisecond}
	number := func(i int) (n uint64) {
		if err == nil {
			n, err = strconv.ParseUint(text(i), 10, 64)
		}
		return n
	}
	s.Incarnation = number(3)
	if len(reply) == 5 { // not won
		s.Sequence = number(4)
		return s, err
	}
	s.Epoch, s.Sequence, s.Now = number(4), number(5), int64(number(10))
	s.Cursor, s.Begun, s.First = text(6), reply[8] == int64(1), reply[9] == int64(1)
	s.Gap = reply[11] == int64(1)
	if h := text(7); h != "" && err == nil {
		s.Hash, err = parseHash(h)
	}
	return s, err
}

func parseHash(s string) (h Hash, err error) {
	if hex.DecodedLen(len(s)) != len(h) {
		return h, ErrMalformed
	}
	_, err = hex.Decode(h[:], []byte(s))
	return h, err
}

//go:embed extend.lua
var extendText string
var extendScript = redis.NewScript(lifeText + extendText)

// An Inbox is how the inbox stands at a moment.
type Inbox struct {
	Added  int64  // entries that were ever appended; -1: the server does not say
	Newest string // id of the newest, whether it is still there or not
}

// Extend extends the leader's lease and notes the ledger time, so that the next
// leader goes on from there even if nothing was said since. It returns
// [ErrFenced] when the leadership is over.
func (l *Log) Extend(ctx context.Context, s Standing, lease time.Duration, now int64) (Inbox, error) {
	ctx, cancel := context.WithTimeout(ctx, CallTimeout)
	defer cancel()
	reply, err := extendScript.Run(ctx, l.calls, []string{l.keys.Leader, l.keys.Head, l.keys.Intents},
		s.Leader, lease.Milliseconds(), strconv.FormatUint(s.Incarnation, 10), strconv.FormatUint(s.Epoch, 10), now).Slice()
	switch {
	case err != nil:
		return Inbox{}, fmt.Errorf("extend the leader's lease: %w", err)
	case len(reply) != 3:
		return Inbox{}, ErrFenced
	}
	added, ok := reply[1].(int64)
	if !ok {
		return Inbox{}, fmt.Errorf("extend the leader's lease: %w: entries added to the inbox: %v", ErrMalformed, reply[1])
	}
	return Inbox{Added: added, Newest: fmt.Sprint(reply[2])}, nil
}

// An Entry is one entry of the inbox.
type Entry struct {
	ID   string
	Body []byte // at most MaxEntryBytes; of a larger one the first MaxParkedBytes
	Size int    // how many bytes there were
}

// intentField is the one field of an inbox entry.
const intentField = "i"

// ReadIntents returns up to count entries after the cursor, in order. If there
// is none it waits up to block, at most MaxBlock, for one to come.
func (l *Log) ReadIntents(ctx context.Context, cursor string, count int, block time.Duration) ([]Entry, error) {
	messages, err := l.read(ctx, l.keys.Intents, cursor, count, block)
	if err != nil {
		return nil, fmt.Errorf("read intents: %w", err)
	}
	return entriesOf(messages), nil
}

func entriesOf(messages []redis.XMessage) []Entry {
	entries := make([]Entry, len(messages))
	for i, m := range messages {
		body, ok := m.Values[intentField].(string)
		if !ok || len(m.Values) != 1 {
			body = parkFields(m.Values)
		}
		entries[i] = Entry{ID: m.ID, Body: []byte(body), Size: len(body)}
		if len(body) > MaxEntryBytes {
			entries[i].Body = entries[i].Body[:MaxParkedBytes]
		}
	}
	return entries
}

// parkFields makes one readable text, which is never an intent, of an entry
// that does not have the one field that it should have.
func parkFields(values map[string]any) string {
	fields := make([]string, 0, len(values))
	for k, v := range values {
		fields = append(fields, fmt.Sprintf("%s=%v", k, v))
	}
	sort.Strings(fields)
	text := "fields: " + strings.Join(fields, ", ")
	return text[:min(len(text), MaxParkedBytes)]
}

// recordField is the one field of an entry of the history.
const recordField = "r"

// recordID is the id that the record of this sequence has in the history.
func recordID(sequence uint64) string { return strconv.FormatUint(sequence, 10) + "-0" }

// ReadRecords returns up to count encoded records after the sequence, in order.
// If there is none it waits up to block, at most MaxBlock, for one to come.
func (l *Log) ReadRecords(ctx context.Context, after uint64, count int, block time.Duration) ([][]byte, error) {
	messages, err := l.read(ctx, l.keys.Grants, recordID(after), count, block)
	if err != nil {
		return nil, fmt.Errorf("read records: %w", err)
	}
	records := make([][]byte, len(messages))
	for i, m := range messages {
		body, _ := m.Values[recordField].(string)
		records[i] = []byte(body)
	}
	return records, nil
}

// ReadHistory is ReadRecords for who wants to know what is missing: it also returns
// the sequence by which each record stands in the history, whatever the record
// itself says.
func (l *Log) ReadHistory(ctx context.Context, after uint64, count int, block time.Duration) (records [][]byte, sequences []uint64, err error) {
	// Ids of the history end with 0. Whatever has another end is foreign and would
	// otherwise be read again and again.
	messages, err := l.read(ctx, l.keys.Grants, strconv.FormatUint(after, 10)+"-"+lastPart, count, block)
	if err != nil {
		return nil, nil, fmt.Errorf("read the history: %w", err)
	}
	records, sequences = make([][]byte, len(messages)), make([]uint64, len(messages))
	for i, m := range messages {
		body, _ := m.Values[recordField].(string)
		records[i] = []byte(body)
		if sequences[i], err = parseSequence(m.ID); err != nil {
			return nil, nil, fmt.Errorf("read the history: %w", err)
		}
	}
	return records, sequences, nil
}

// lastPart is the greatest second part that an id in a stream can have.
const lastPart = "18446744073709551615"

// parseSequence returns the sequence of the record with this id.
func parseSequence(id string) (uint64, error) {
	first, _, _ := strings.Cut(id, "-")
	sequence, err := strconv.ParseUint(first, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%w: id %q", ErrMalformed, id)
	}
	return sequence, nil
}

func (l *Log) read(ctx context.Context, stream, after string, count int, block time.Duration) ([]redis.XMessage, error) {
	client := l.blocking
	args := &redis.XReadArgs{Streams: []string{stream, after}, Count: int64(count), Block: -1}
	if ms := min(block, MaxBlock).Truncate(time.Millisecond); ms > 0 {
		args.Block = ms
	} else {
		client = l.calls
	}
	ctx, cancel := context.WithTimeout(ctx, max(args.Block, 0)+CallTimeout)
	defer cancel()
	streams, err := client.XRead(ctx, args).Result()
	if errors.Is(err, redis.Nil) || err == nil && len(streams) == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return streams[0].Messages, nil
}

//go:embed snapshot.lua
var snapshotText string
var snapshotScript = redis.NewScript(snapshotText)

// SaveSnapshot stores the snapshot for those who start later. It returns [ErrFenced]
// when the leadership is over.
func (l *Log) SaveSnapshot(ctx context.Context, s Standing, snap *Snapshot) error {
	ctx, cancel := context.WithTimeout(ctx, CallTimeout)
	defer cancel()
	done, err := snapshotScript.Run(ctx, l.calls, []string{l.keys.Head, l.keys.Snap},
		strconv.FormatUint(s.Incarnation, 10), strconv.FormatUint(s.Epoch, 10), EncodeSnapshot(snap)).Int()
	switch {
	case err != nil:
		return fmt.Errorf("save snapshot: %w", err)
	case done == 0:
		return ErrFenced
	}
	return nil
}

// LoadSnapshot returns the stored snapshot, nil if there is none.
func (l *Log) LoadSnapshot(ctx context.Context) (*Snapshot, error) {
	ctx, cancel := context.WithTimeout(ctx, CallTimeout)
	defer cancel()
	data, err := l.calls.Get(ctx, l.keys.Snap).Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	if redis.HasErrorPrefix(err, "WRONGTYPE") {
		return nil, &DecodeError{What: "snapshot", At: "key", Err: ErrMalformed}
	}
	if err != nil {
		return nil, fmt.Errorf("load snapshot: %w", err)
	}
	return DecodeSnapshot(data)
}
