package monitor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"

	"github.com/conncord/conncord/projector/status"
)

// readTimeout bounds what one look at the status takes. Programs that run checks
// wait for ten seconds.
const readTimeout = 5 * time.Second

// errNoStatus is returned when nothing was published yet.
var errNoStatus = errors.New("no status yet: is an arbiter running for this budget?")

// read returns the newest status, and the JSON that it was made of.
func read(ctx context.Context, src source) (*status.Status, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	data, err := src.Read(ctx)
	if err != nil {
		return nil, nil, errors.New(unavailable(err))
	}
	if data == nil {
		return nil, nil, errNoStatus
	}
	s, err := status.Decode(data)
	if err != nil {
		return nil, nil, errors.New(status.Clean(err.Error()))
	}
	return s, data, nil
}

func printOnce(ctx context.Context, src source, o *options, how status.PrintOptions, w io.Writer) error {
	s, _, err := read(ctx, src)
	if err != nil {
		return err
	}
	how.Now = time.Now()
	return newExpectation(o.expected()).add(s, how.Now).Print(w, how)
}

// printJSON prints what was published. It means the same, but has no character
// that a terminal could take for a command.
func printJSON(ctx context.Context, src source, w io.Writer) error {
	_, data, err := read(ctx, src)
	if err != nil {
		return err
	}
	var b strings.Builder
	b.Grow(len(data) + 1)
	for _, r := range string(data) {
		switch {
		case r == '\n' || r == '\r' || r == '\t' || unicode.IsPrint(r):
			b.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	_, err = io.WriteString(w, strings.TrimRight(b.String(), "\n")+"\n")
	return err
}
