package bench

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
)

// Report is what a run found.
type Report struct {
	// Machine is where: CPUs, versions, durability.
	Machine string `json:"machine"`
	// Clients sent requests at a time; Rounds of Seconds were measured.
	Clients int     `json:"clients"`
	Rounds  int     `json:"rounds"`
	Seconds float64 `json:"seconds"`
	Rows    []Row   `json:"rows"`
	// Sent is what requests send to PostgreSQL, and pgbench with them.
	Sent []Sent `json:"sent"`
}

// Sent is how many statements a request sends, in how many round trips.
type Sent struct {
	What       string `json:"what"`
	Statements int    `json:"statements"`
	Trips      int    `json:"trips"`
}

// Row compares one way of doing something with another. Figures are medians
// over the rounds.
type Row struct {
	// What is done: "create-goal". By: "REST". Against: "pgbench".
	What    string `json:"what"`
	By      string `json:"by"`
	Against string `json:"against"`
	// Count and BaseCount are how often each was done in all.
	Count     int `json:"count"`
	BaseCount int `json:"base_count"`
	// Rate and BaseRate are per second.
	Rate     float64 `json:"rate"`
	BaseRate float64 `json:"base_rate"`
	// Ratio is Rate by BaseRate, round by round.
	Ratio Range `json:"ratio"`
	// CPU is milliseconds of CPU time each time.
	CPU     CPU `json:"cpu_ms"`
	BaseCPU CPU `json:"base_cpu_ms"`
}

// Range is a median with the smallest and largest.
type Range struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

// CPU is milliseconds by who spent them. Postgres is 0 when it runs elsewhere,
// Clients when they are no process of their own.
type CPU struct {
	Server   float64 `json:"server"`
	Postgres float64 `json:"postgres"`
	Clients  float64 `json:"clients"`
}

func newRow(what, by, against string, works, base []work) Row {
	r := Row{What: what, By: by, Against: against}
	var ratios []float64
	for i := range works {
		r.Count += works[i].count
		r.BaseCount += base[i].count
		ratios = append(ratios, works[i].rate()/base[i].rate())
	}
	r.Rate, r.BaseRate = median(each(works, work.rate)), median(each(base, work.rate))
	r.Ratio = Range{Median: median(ratios), Min: slices.Min(ratios), Max: slices.Max(ratios)}
	r.CPU, r.BaseCPU = cpuOf(works), cpuOf(base)
	return r
}

func (w work) rate() float64 { return float64(w.count) / w.seconds }

func (w work) each(seconds float64) float64 { return 1000 * seconds / float64(w.count) }

func cpuOf(works []work) CPU {
	return CPU{
		Server:   median(each(works, func(w work) float64 { return w.each(w.server) })),
		Postgres: median(each(works, func(w work) float64 { return w.each(w.sql) })),
		Clients:  median(each(works, func(w work) float64 { return w.each(w.clientsCPU) })),
	}
}

func each(works []work, of func(work) float64) []float64 {
	values := make([]float64, len(works))
	for i, w := range works {
		values[i] = of(w)
	}
	return values
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// Print writes the report as a table.
func (r *Report) Print(out io.Writer) error {
	fmt.Fprintf(out, "%s\n%d clients; %d rounds of %g s each, in turns: medians, ratios with the smallest and largest\n\n", r.Machine, r.Clients, r.Rounds, r.Seconds)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\t\t\t\t\t\tCPU ms each\t\t\tand of the other\t\t\t")
	fmt.Fprintln(w, "\t/s\tagainst\t/s\tratio\tmin–max\tserver\tPostgreSQL\tclients\tserver\tPostgreSQL\tclients\t")
	for _, row := range r.Rows {
		fmt.Fprintf(w, "%s, %s\t%.0f\t%s\t%.0f\t%.2f\t%.2f–%.2f\t%s\t%s\t%s\t%s\t%s\t%s\t\n", row.What, row.By, row.Rate, row.Against, row.BaseRate,
			row.Ratio.Median, row.Ratio.Min, row.Ratio.Max,
			ms(row.CPU.Server), ms(row.CPU.Postgres), ms(row.CPU.Clients), ms(row.BaseCPU.Server), ms(row.BaseCPU.Postgres), ms(row.BaseCPU.Clients))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(out)
	for _, s := range r.Sent {
		fmt.Fprintf(out, "%s: %d statements, round trips: %d\n", s.What, s.Statements, s.Trips)
	}
	return nil
}

func ms(v float64) string {
	if v == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", v)
}
