package pool

import (
	"context"
	"database/sql"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
)

// BenchmarkCheckout measures a checkout and its return on a held lease, beside the plain library in the same run.
// ns/op and ours-ns are ours, plain-ns is the library's, and x-plain is their ratio.
//
// The two take turns in small batches, because the speed of a machine changes during a run, and the figures are the
// medians of the batches.
func BenchmarkCheckout(b *testing.B) {
	const share = 4
	ctx := context.Background()

	b.Run("sql", func(b *testing.B) {
		d := newDatabase(b)
		g := newGate(b, GateOptions{})
		ours := openTarget(b, "sql", d, g, share)
		g.SetLimit(share)
		ours.SetMax(share)
		cfg, err := pgx.ParseConfig(d.url)
		if err != nil {
			b.Fatal(err)
		}
		plain := stdlib.OpenDB(*cfg)
		defer plain.Close()
		plain.SetMaxOpenConns(share)
		plain.SetMaxIdleConns(share)
		checkout := func(db *sql.DB) func() {
			return func() {
				conn, err := db.Conn(ctx)
				if err != nil {
					b.Fatal(err)
				}
				conn.Close()
			}
		}
		compare(b, checkout(ours.sql), checkout(plain))
	})
	b.Run("pgxpool", func(b *testing.B) {
		d := newDatabase(b)
		g := newGate(b, GateOptions{})
		ours := openTarget(b, "pgxpool", d, g, share)
		g.SetLimit(share)
		ours.SetMax(share)
		cfg, err := pgxpool.ParseConfig(d.url)
		if err != nil {
			b.Fatal(err)
		}
		cfg.MaxConns = share
		plain, err := pgxpool.NewWithConfig(ctx, cfg)
		if err != nil {
			b.Fatal(err)
		}
		defer plain.Close()
		checkout := func(pool *pgxpool.Pool) func() {
			return func() {
				conn, err := pool.Acquire(ctx)
				if err != nil {
					b.Fatal(err)
				}
				conn.Release()
			}
		}
		compare(b, checkout(ours.pgx), checkout(plain))
	})
}

// compare runs both b.N times, in turns.
func compare(b *testing.B, ours, plain func()) {
	const batch = 500
	ours()
	plain()
	timed := func(f func()) float64 {
		begun := time.Now()
		for range batch {
			f()
		}
		return float64(time.Since(begun).Nanoseconds()) / batch
	}
	var ourTimes, plainTimes, ratios []float64
	b.ResetTimer()
	for i := 0; i < b.N; i += batch {
		var o, p float64
		if i/batch%2 == 0 {
			o, p = timed(ours), timed(plain)
		} else {
			p, o = timed(plain), timed(ours)
		}
		ourTimes, plainTimes, ratios = append(ourTimes, o), append(plainTimes, p), append(ratios, o/p)
	}
	b.StopTimer()
	b.ReportMetric(median(ourTimes), "ns/op")
	b.ReportMetric(median(ourTimes), "ours-ns")
	b.ReportMetric(median(plainTimes), "plain-ns")
	b.ReportMetric(median(ratios), "x-plain")
}

func median(of []float64) float64 {
	slices.Sort(of)
	return of[len(of)/2]
}
