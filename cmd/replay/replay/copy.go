package replay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/conncord/conncord/arbiter/history"
)

// anonymousBudget is the budget's name in an export without names.
const anonymousBudget = "anonymous"

// A copied says what was written.
type copied struct {
	Records    uint64 `json:"records"`
	To         string `json:"to"`
	Anonymized bool   `json:"anonymized"`
	Passed     int    `json:"passed_over"` // parts that could not be read
}

// print says it in a sentence.
func (c *copied) print(w io.Writer) error {
	text := fmt.Sprintf("%d records written to %s", c.Records, c.To)
	if c.Anonymized {
		text += ", with all names replaced"
	}
	switch c.Passed {
	case 0:
	case 1:
		text += "; 1 part could not be read and is missing"
	default:
		text += fmt.Sprintf("; %d parts could not be read and are missing", c.Passed)
	}
	_, err := fmt.Fprintln(w, text)
	return err
}

// export writes the history to one file.
func (r *replay) export(ctx context.Context) error {
	if _, err := os.Lstat(r.Export.File); err == nil {
		return fmt.Errorf("%w: %s exists: give the name of a new file", errUsage, r.Export.File)
	}
	return r.read(ctx, func(p *place) error {
		done := copied{To: r.Export.File, Anonymized: p.anonymized || r.Export.Anonymize}
		var src history.Source = p
		budget := p.budget
		if r.Export.Anonymize {
			anonymous, err := history.Anonymize(p)
			if err != nil {
				return err
			}
			src, budget = anonymous, anonymousBudget
		}
		w, err := history.Create(r.Export.File, history.Header{
			Budget: budget, Exported: time.Now(), Anonymized: done.Anonymized, Snapshot: src.Snapshot(),
		})
		if err != nil {
			return err
		}
		for {
			n, err := history.Export(ctx, w, src)
			done.Records += n
			if err == nil {
				break
			}
			if !history.Skippable(err) {
				return errors.Join(err, w.Abandon())
			}
			done.Passed++
			r.log.Warn("a part of the history cannot be read and is left out", "error", err)
		}
		if err := w.Close(); err != nil {
			return err
		}
		return r.print(&done, done.print)
	})
}

// bring adds an exported file to an archive.
func (r *replay) bring(ctx context.Context) error {
	if r.From != "" {
		return fmt.Errorf("%w: import reads the file that it is given: leave --from away", errUsage)
	}
	n, err := history.Import(ctx, r.Import.Dir, r.Import.File, r.log)
	if err != nil {
		return err
	}
	done := copied{Records: n, To: r.Import.Dir}
	return r.print(&done, done.print)
}
