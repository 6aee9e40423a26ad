package judge

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/conncord/conncord/arbiter/history"
)

// Totals are what a whole archive holds.
type Totals struct {
	Records, Incarnations, Leaderships int
}

// Verify re-derives every incarnation of an archive from its first record, and
// compares every byte. An archive is every record that was ever in the history, in
// the order in which they were seen: what Redis forgets, it does not. It is a file as
// replay exports them.
func Verify(path string) (t Totals, err error) {
	file, err := history.OpenFile(path)
	if err != nil {
		return t, err
	}
	defer file.Close()
	all, d := newRegister(), &deriver{}
	for {
		records, err := file.Read(context.Background())
		if errors.Is(err, io.EOF) {
			t.Incarnations, t.Leaderships = len(all.begun), len(all.holders)
			return t, nil
		}
		if err != nil {
			return t, fmt.Errorf("read the archive: %w", err)
		}
		for _, record := range records {
			if _, _, err := d.take(record, all); err != nil {
				return t, err
			}
			t.Records++
		}
	}
}
