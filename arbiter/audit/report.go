package audit

import (
	"fmt"

	"github.com/google/go-cmp/cmp"
)

// maxDivergences and maxDamages are how many a report holds. In a history that is
// wrong from somewhere on, every record can be.
const (
	maxDivergences = 100
	maxDamages     = 100
)

// A Report says how far a history was proved.
type Report struct {
	Records   uint64 `json:"records"`   // that were read
	Rederived uint64 `json:"rederived"` // of these, came out of the ledger byte by byte
	Linked    uint64 `json:"linked"`    // of these, only continue the chain: the state before them is not known

	First        uint64 `json:"first"` // sequence of the first record, and of the last
	Last         uint64 `json:"last"`
	Incarnations int    `json:"incarnations"` // that were seen
	Leaderships  int    `json:"leaderships"`  // that began

	Divergences     []*Divergence `json:"divergences"`                // in the order in which they were found
	MoreDivergences int           `json:"more_divergences,omitempty"` // that are left out
	Damages         []string      `json:"damages"`                    // what the source could not read
	MoreDamages     int           `json:"more_damages,omitempty"`
}

// Clean reports whether nothing is wrong with what was read.
func (r *Report) Clean() bool { return len(r.Divergences) == 0 && len(r.Damages) == 0 }

// Proved reports whether the history is clean and every record was re-derived.
func (r *Report) Proved() bool { return r.Clean() && r.Rederived == r.Records }

// Notice says in a sentence that not all that was read is proved, and so is in no
// result; it is empty when all is.
func (r *Report) Notice() string {
	if r.Proved() {
		return ""
	}
	return "Not all of the history is in this: " + r.String() + "."
}

// Err returns the first divergence, nil if there is none.
func (r *Report) Err() error {
	if len(r.Divergences) == 0 {
		return nil
	}
	return r.Divergences[0]
}

// String says in a sentence what came out.
func (r *Report) String() string {
	switch wrong := len(r.Divergences) + r.MoreDivergences; {
	case wrong > 0:
		return fmt.Sprintf("%s in %s: %s", plural(wrong, "divergence", "divergences"), plural(int(r.Records), "record", "records"), r.Divergences[0].Text)
	case len(r.Damages) > 0:
		return fmt.Sprintf("a part of the history cannot be read: %s", r.Damages[0])
	case r.Records == 0:
		return "the history is empty"
	case r.Rederived == r.Records:
		return fmt.Sprintf("%s, %d to %d, follow from each other", plural(int(r.Records), "record", "records"), r.First, r.Last)
	}
	return fmt.Sprintf("%s, %d to %d, continue the chain; %d of them could not be re-derived, because the state before them is not known",
		plural(int(r.Records), "record", "records"), r.First, r.Last, r.Records-r.Rederived)
}

func (r *Report) diverged(d *Divergence) {
	if len(r.Divergences) == maxDivergences {
		r.MoreDivergences++
		return
	}
	if d.Expected != nil && d.Published != nil {
		d.Diff = cmp.Diff(d.Expected, d.Published)
	}
	r.Divergences = append(r.Divergences, d)
}

func (r *Report) damaged(err error) {
	if len(r.Damages) == maxDamages {
		r.MoreDamages++
		return
	}
	r.Damages = append(r.Damages, err.Error())
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
