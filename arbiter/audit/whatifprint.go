package audit

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// Print writes the outcome for people to read.
func (o *Outcome) Print(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %v of ledger time. Each pair: what happened → what would have happened.\n\n",
		plural(int(o.Records), "record", "records"), time.Duration(o.LedSecs)*time.Second)
	if o.Notice != "" {
		fmt.Fprintf(&b, "%s\n\n", o.Notice)
	}
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "SERVICE\tWAITING unit·s\tDENIED unit·s\tGRANTED unit·s\tPEAK\tGRANTS\tRECALLS\tLOST")
	for i := range o.Services {
		s := &o.Services[i]
		row(t, s.Service, &s.Real, &s.Other)
	}
	row(t, "all", &o.Real, &o.Other)
	_ = t.Flush() // into memory
	fmt.Fprintf(&b, "\nUtilization: %.1f %% → %.1f %%.\n", o.Real.Utilization, o.Other.Utilization)
	if o.AboveSecs > 0 {
		fmt.Fprintf(&b, "For %d s the charges would have stood above what is available, because leases had to be given up first.\n", o.AboveSecs)
	}
	if o.Untrue > 0 {
		fmt.Fprintf(&b, "Not to be believed: %s ended only because these containers renewed for a longer lease. Under the other one they would have renewed in time.\n",
			plural(o.Untrue, "lease", "leases"))
	}
	b.WriteString("The containers are taken to have wanted the same. Under other rules they would have asked otherwise.\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func row(w io.Writer, name string, real, other *Figures) {
	fmt.Fprintf(w, "%s\t%d → %d\t%d → %d\t%d → %d\t%d → %d\t%d → %d\t%d → %d\t%d → %d\n", name,
		real.WaitingSecs, other.WaitingSecs, real.DeniedSecs, other.DeniedSecs, real.GrantedSecs, other.GrantedSecs,
		real.Peak, other.Peak, real.Grants, other.Grants, real.Recalls, other.Recalls, real.Losses, other.Losses)
}
