package servertest

import "context"

// TB is the part of testing.TB that this package uses. Importing testing would
// add its flags to every program that starts a server, such as the demo.
type TB interface {
	Helper()
	Cleanup(func())
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// NeedRedis starts a Redis server for one test and stops it when the test
// ends. At most one RedisOptions may be given. A machine without Redis fails
// the test; so does a server that crashed.
func NeedRedis(tb TB, opts ...RedisOptions) *Redis {
	tb.Helper()
	r, err := StartRedis(context.Background(), only(tb, opts))
	if err != nil {
		tb.Fatalf("%v", err)
	}
	tb.Cleanup(func() { report(tb, r.Stop()) })
	return r
}

// NeedPostgres starts a PostgreSQL server for one test and stops it when the
// test ends. At most one PostgresOptions may be given. A machine without
// PostgreSQL fails the test; so does a server that crashed. [SharedPostgres]
// saves the second that a start takes.
func NeedPostgres(tb TB, opts ...PostgresOptions) *Postgres {
	tb.Helper()
	p, err := StartPostgres(context.Background(), only(tb, opts))
	if err != nil {
		tb.Fatalf("%v", err)
	}
	tb.Cleanup(func() { report(tb, p.Stop()) })
	return p
}

func only[T any](tb TB, opts []T) T {
	tb.Helper()
	var none T
	if len(opts) > 1 {
		tb.Fatalf("servertest: %d options given, at most one makes sense", len(opts))
	}
	if len(opts) == 0 {
		return none
	}
	return opts[0]
}

func report(tb TB, err error) {
	if err != nil {
		tb.Errorf("%v", err)
	}
}
