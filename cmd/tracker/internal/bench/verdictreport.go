package bench

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// VerdictReport is what Verdicts found.
type VerdictReport struct {
	CPUs   int          `json:"cpus"`
	Rounds int          `json:"rounds"`
	Rows   []VerdictRow `json:"rows"`
	// Left are exercises that were left out, and why.
	Left []string `json:"left,omitempty"`
}

// VerdictRow compares verdicts on an exercise with the raw command. Figures are
// medians over the rounds.
type VerdictRow struct {
	What string `json:"what"`
	// Way is how the rooms came about: cold, prepared, warm, forked.
	Way   string  `json:"way"`
	MS    float64 `json:"ms"`
	RawMS float64 `json:"raw_ms"`
	// Ratio is MS by RawMS, round by round.
	Ratio Range `json:"ratio"`
	// Bar is what it should stay below, in words; Met says whether it does.
	Bar string `json:"bar,omitempty"`
	Met bool   `json:"met,omitempty"`
	// PerCore and RawPerCore are verdicts and raw runs per second and core with
	// all cores busy; 0 where that was not measured.
	PerCore    float64 `json:"per_core,omitempty"`
	RawPerCore float64 `json:"raw_per_core,omitempty"`
}

// bar is what a way of judging should stay below: a share of the raw time, or
// milliseconds more than it. The zero bar is none.
type bar struct{ ratio, adds float64 }

func (r *VerdictRow) judge(b bar) {
	switch {
	case b.ratio > 0:
		r.Bar, r.Met = fmt.Sprintf("≤ %.2f×", b.ratio), r.Ratio.Median <= b.ratio
	case b.adds > 0:
		r.Bar, r.Met = fmt.Sprintf("≤ +%.0f ms", b.adds), r.MS-r.RawMS <= b.adds
	}
}

// Print writes the report as a table.
func (r *VerdictReport) Print(out io.Writer) error {
	fmt.Fprintf(out, "From submission to report, %d CPUs, %d rounds in turns with the raw command: medians, ratios with the smallest and largest\n\n", r.CPUs, r.Rounds)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\t\tms\traw ms\tratio\tmin–max\tbar\t\tverdicts/s per core\traw/s per core\t")
	for _, row := range r.Rows {
		met, per, raw := "", "", ""
		if row.Bar != "" {
			met = map[bool]string{true: "ok", false: "missed"}[row.Met]
		}
		if row.PerCore > 0 {
			per, raw = fmt.Sprintf("%.1f", row.PerCore), fmt.Sprintf("%.1f", row.RawPerCore)
		}
		fmt.Fprintf(w, "%s\t%s\t%.1f\t%.1f\t%.2f\t%.2f–%.2f\t%s\t%s\t%s\t%s\t\n", row.What, row.Way, row.MS, row.RawMS,
			row.Ratio.Median, row.Ratio.Min, row.Ratio.Max, row.Bar, met, per, raw)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, left := range r.Left {
		fmt.Fprintf(out, "\nleft out: %s", left)
	}
	_, err := fmt.Fprintln(out)
	return err
}
