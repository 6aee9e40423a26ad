package replay

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/conncord/conncord/arbiter/audit"
)

// errDiverged ends the program with ExitDivergence when everything was said.
var errDiverged = errors.New("the history is not what was published")

// verify proves the history.
func (r *replay) verify(ctx context.Context) error {
	return r.read(ctx, func(p *place) error {
		snap := p.Snapshot()
		report, err := audit.Verify(ctx, p)
		if err != nil {
			return err
		}
		if err := r.print(&report, func(w io.Writer) error { return printReport(w, p, &report) }); err != nil {
			return err
		}
		switch {
		case !report.Clean():
			return errDiverged
		case report.Records == 0 && snap != nil:
			return fmt.Errorf("nothing to prove in %s: no record stands behind its snapshot, which is of record %d", p.about, snap.Sequence)
		case report.Records == 0:
			return fmt.Errorf("there is no history in %s: are budget and place the right ones?", p.about)
		case !report.Proved():
			return fmt.Errorf("not proved: of %d records only the chain could be followed, because the state before them is not known", report.Linked)
		}
		return nil
	})
}

func printReport(w io.Writer, p *place, report *audit.Report) error {
	if _, err := fmt.Fprintf(w, "%s: %s\n", p.about, report); err != nil {
		return err
	}
	for _, d := range report.Divergences {
		if _, err := fmt.Fprintf(w, "\n%s\n", d); err != nil {
			return err
		}
		if d.Diff != "" {
			if _, err := fmt.Fprintf(w, "expected (-) and published (+):\n%s", d.Diff); err != nil {
				return err
			}
		}
	}
	if n := report.MoreDivergences; n > 0 {
		fmt.Fprintf(w, "\nand %d more places\n", n)
	}
	for _, text := range report.Damages {
		if _, err := fmt.Fprintf(w, "\ndamaged: %s\n", text); err != nil {
			return err
		}
	}
	if n := report.MoreDamages; n > 0 {
		fmt.Fprintf(w, "\nand %d more damaged parts\n", n)
	}
	return nil
}
