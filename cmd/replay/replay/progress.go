package replay

import (
	"context"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/conncord/conncord/arbiter/history"
)

const (
	// progressAfter is how long something takes before its progress is shown.
	progressAfter = 500 * time.Millisecond

	// progressEvery is how often it is drawn.
	progressEvery = 100 * time.Millisecond
)

// A measured source knows how much of it has been read.
type measured interface {
	// Progress returns how many bytes were read, and how many there are.
	Progress() (read, size int64)
}

// A progress is a source that shows how far it was read.
type progress struct {
	history.Source
	from  measured // nil: nobody knows how much there is
	bar   *progressbar.ProgressBar
	begun time.Time
	count int
}

func newProgress(w io.Writer, p *place) *progress {
	options := []progressbar.Option{
		progressbar.OptionSetWriter(w), progressbar.OptionThrottle(progressEvery), progressbar.OptionClearOnFinish(),
		progressbar.OptionSetDescription("reading"), progressbar.OptionSetPredictTime(true), progressbar.OptionFullWidth(),
	}
	s := &progress{Source: p.Source, begun: time.Now()}
	total := int64(-1)
	if m, ok := p.Source.(measured); ok {
		s.from = m
		_, total = m.Progress()
		options = append(options, progressbar.OptionShowBytes(true))
	} else {
		// The spinner must not turn by itself: that takes a goroutine.
		options = append(options, progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetSpinnerChangeInterval(0), progressbar.OptionSetItsString("records"))
	}
	s.bar = progressbar.NewOptions64(total, options...)
	return s
}

// Read implements [history.Source].
func (s *progress) Read(ctx context.Context) ([][]byte, error) {
	records, err := s.Source.Read(ctx)
	s.count += len(records)
	if time.Since(s.begun) > progressAfter {
		at := int64(s.count)
		if s.from != nil {
			at, _ = s.from.Progress()
		}
		_ = s.bar.Set64(at) // a bar that cannot be drawn stops nothing
	}
	return records, err
}

// Close implements [history.Source].
func (s *progress) Close() error {
	if time.Since(s.begun) > progressAfter {
		_ = s.bar.Clear()
	}
	return s.Source.Close()
}
