package observer

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/events/servertest"
)

// BenchmarkLook compares a look with the cheapest question on the same connection, and with the least that PostgreSQL
// needs to read its table of backends.
func BenchmarkLook(b *testing.B) {
	for _, n := range []int{60, 1000} {
		b.Run(fmt.Sprint(n, " backends"), func(b *testing.B) {
			s := newStageOn(b, servertest.NeedPostgres(b, servertest.PostgresOptions{MaxConnections: n + 10}))
			conns := make([]*pgconn.PgConn, n)
			next := make(chan int)
			var wg sync.WaitGroup
			for range 8 { // a few at a time: the server forks for each
				wg.Go(func() {
					for i := range next {
						url := s.url("app") + "&application_name=" + events.ApplicationName("default", "api", fmt.Sprint(i%40))
						conn, err := pgconn.Connect(context.Background(), url)
						if err != nil {
							b.Error(err)
							continue
						}
						conns[i] = conn
					}
				})
			}
			for i := range n {
				next <- i
			}
			close(next)
			wg.Wait()
			defer func() {
				for _, conn := range conns {
					if conn != nil {
						conn.Close(context.Background())
					}
				}
			}()
			s.exec("grant pg_monitor to app")
			o := s.observer("app")
			if got := len(s.look(o).Backends); got != n {
				b.Fatalf("%d backends are seen", got)
			}
			b.Run("look", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := o.Look(b.Context()); err != nil {
						b.Fatal(err)
					}
				}
			})
			for name, query := range map[string]string{"select 1": "select 1", "count(*)": "select count(*)::int from pg_stat_activity"} {
				b.Run(name, func(b *testing.B) {
					b.ReportAllocs()
					for b.Loop() {
						var n int
						if err := o.line.conn.QueryRow(b.Context(), query).Scan(&n); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
		})
	}
}
