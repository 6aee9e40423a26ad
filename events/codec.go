package events

import (
	"bytes"
	"io"
	"sync"
	"time"

	"github.com/vmihailenco/msgpack/v5"
	"github.com/vmihailenco/msgpack/v5/msgpcode"
)

// A writer builds one entry. Writing to memory cannot fail, so its methods
// return nothing.
type writer struct {
	buf bytes.Buffer
	enc *msgpack.Encoder
}

// writers are those that are not in use: an entry is written in less time than a
// new writer takes to make.
var writers = sync.Pool{New: func() any {
	w := &writer{}
	w.enc = msgpack.NewEncoder(&w.buf)
	return w
}}

// maxKeptBytes bounds the memory that a writer out of use keeps.
const maxKeptBytes = 64 << 10

func newWriter() *writer { return writers.Get().(*writer) }

// done returns the entry. The writer must not be used any more.
func (w *writer) done() []byte {
	entry := bytes.Clone(w.buf.Bytes())
	if w.buf.Cap() <= maxKeptBytes {
		w.buf.Reset()
		writers.Put(w)
	}
	return entry
}

func (w *writer) array(n int)            { _ = w.enc.EncodeArrayLen(n) }
func (w *writer) uint(n uint64)          { _ = w.enc.EncodeUint(n) }
func (w *writer) int(n int)              { _ = w.enc.EncodeUint(uint64(n)) }
func (w *writer) str(s string)           { _ = w.enc.EncodeString(s) }
func (w *writer) bytes(b []byte)         { _ = w.enc.EncodeBytesLen(len(b)); w.buf.Write(b) }
func (w *writer) bool(b bool)            { _ = w.enc.EncodeBool(b) }
func (w *writer) millis(d time.Duration) { w.uint(uint64(d / time.Millisecond)) }

// A reader takes one entry apart. The first failure sticks, and what is read
// after it is zero, so that callers check once at the end.
type reader struct {
	what string
	src  bytes.Reader
	dec  *msgpack.Decoder
	err  error
}

// readers are those that are not in use.
var readers = sync.Pool{New: func() any { return &reader{dec: msgpack.NewDecoder(nil)} }}

func newReader(what string, data []byte) *reader {
	r := readers.Get().(*reader)
	r.what, r.err = what, nil
	r.src.Reset(data)
	r.dec.Reset(&r.src)
	return r
}

// finish checks that nothing is left over and returns the first failure. The
// reader must not be used any more.
func (r *reader) finish() error {
	if r.err == nil && r.src.Len() > 0 {
		r.fail("end", ErrTrailing)
	}
	err := r.err
	r.src.Reset(nil) // what was read must not be kept
	readers.Put(r)
	return err
}

func (r *reader) fail(at string, err error) {
	if r.err == nil {
		r.err = &DecodeError{What: r.what, At: at, Err: err}
	}
}

// array reads the head of an array that must have n places.
func (r *reader) array(at string, n int) {
	if got := r.head(at); r.err == nil && got != n {
		r.fail(at, ErrMalformed)
	}
}

// arrayUpTo reads the head of an array of at most limit places. Each takes a
// byte at least, so that an array never has more than there are bytes left.
func (r *reader) arrayUpTo(at string, limit int) int {
	n := r.head(at)
	switch {
	case r.err != nil:
		return 0
	case n > limit:
		r.fail(at, ErrOversize)
		return 0
	case n > r.src.Len():
		r.fail(at, ErrMalformed)
		return 0
	}
	return n
}

func (r *reader) head(at string) int {
	if r.err != nil {
		return 0
	}
	n, err := r.dec.DecodeArrayLen()
	if err != nil || n < 0 {
		r.fail(at, ErrMalformed)
		return 0
	}
	return n
}

// uint reads a whole number from 0 to limit, in any of MessagePack's widths.
func (r *reader) uint(at string, limit uint64) uint64 {
	if r.err != nil {
		return 0
	}
	c, err := r.dec.PeekCode()
	if err != nil {
		r.fail(at, ErrMalformed)
		return 0
	}
	var n uint64
	switch {
	case c <= msgpcode.PosFixedNumHigh, c >= msgpcode.Uint8 && c <= msgpcode.Uint64:
		n, err = r.dec.DecodeUint64()
	case c >= msgpcode.Int8 && c <= msgpcode.Int64, c >= msgpcode.NegFixedNumLow:
		var i int64
		if i, err = r.dec.DecodeInt64(); err == nil && i < 0 {
			r.fail(at, ErrRange)
			return 0
		}
		n = uint64(i)
	default:
		r.fail(at, ErrMalformed)
		return 0
	}
	if err != nil {
		r.fail(at, ErrMalformed)
		return 0
	}
	if n > limit {
		r.fail(at, ErrRange)
		return 0
	}
	return n
}

func (r *reader) units(at string) int { return int(r.uint(at, MaxUnits)) }

func (r *reader) millis(at string, limit time.Duration) time.Duration {
	return time.Duration(r.uint(at, uint64(limit/time.Millisecond))) * time.Millisecond
}

func (r *reader) bool(at string) bool {
	if r.err != nil {
		return false
	}
	c, err := r.dec.PeekCode()
	if err != nil || c != msgpcode.True && c != msgpcode.False {
		r.fail(at, ErrMalformed)
		return false
	}
	b, _ := r.dec.DecodeBool()
	return b
}

// bytes reads a string or binary of at most limit bytes. Its length is checked
// against what is left before anything is allocated.
func (r *reader) bytes(at string, limit int) []byte {
	if r.err != nil {
		return nil
	}
	n, err := r.dec.DecodeBytesLen()
	switch {
	case err != nil || n < 0 || n > r.src.Len():
		r.fail(at, ErrMalformed)
		return nil
	case n > limit:
		r.fail(at, ErrOversize)
		return nil
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(&r.src, b); err != nil {
		r.fail(at, ErrMalformed)
	}
	return b
}

// text reads a string of at most limit bytes that the check accepts.
func (r *reader) text(at string, limit int, check func(string) error) string {
	s := string(r.bytes(at, limit))
	if r.err == nil && check != nil {
		if err := check(s); err != nil {
			r.fail(at, err)
			return ""
		}
	}
	return s
}
