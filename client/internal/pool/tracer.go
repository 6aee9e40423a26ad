package pool

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// acquireTracer counts the acquisitions under way, and keeps ballast from the user's tracer.
//
// It is the tracer of the pool alone. Connections get the user's own (see [pgxPool.instrument]), so queries are traced
// as if it were not there.
type acquireTracer struct {
	pgx.QueryTracer // never called; pgxpool finds an acquire tracer only in a query tracer
	pool            *pgxPool
	users           pgxpool.AcquireTracer // may be nil
}

// releaseTracer is the acquireTracer of a user who traces releases as well.
type releaseTracer struct {
	acquireTracer
	users  pgxpool.ReleaseTracer
	hooked bool // AfterRelease comes later and needs the mark
}

func (p *pgxPool) installTracer(cfg *pgxpool.Config, users pgx.QueryTracer) {
	t := acquireTracer{QueryTracer: users, pool: p}
	t.users, _ = users.(pgxpool.AcquireTracer)
	if users, ok := users.(pgxpool.ReleaseTracer); ok {
		cfg.ConnConfig.Tracer = &releaseTracer{acquireTracer: t, users: users, hooked: cfg.AfterRelease != nil}
		return
	}
	cfg.ConnConfig.Tracer = &t
}

func (t *acquireTracer) TraceAcquireStart(ctx context.Context, pool *pgxpool.Pool, data pgxpool.TraceAcquireStartData) context.Context {
	if _, ok := ctx.(*ballast); ok {
		return ctx
	}
	t.pool.entering.Add(1)
	if t.users != nil {
		return t.users.TraceAcquireStart(ctx, pool, data)
	}
	return ctx
}

func (t *acquireTracer) TraceAcquireEnd(ctx context.Context, pool *pgxpool.Pool, data pgxpool.TraceAcquireEndData) {
	if _, ok := ctx.(*ballast); ok {
		if data.Err == nil {
			t.pool.ballasts.Add(1)
		}
		return
	}
	t.pool.entering.Add(-1)
	if t.users != nil {
		t.users.TraceAcquireEnd(ctx, pool, data)
	}
}

func (t *releaseTracer) TraceRelease(pool *pgxpool.Pool, data pgxpool.TraceReleaseData) {
	switch {
	case isBallast(data.Conn):
	case isAside(data.Conn):
		if !t.hooked {
			delete(data.Conn.PgConn().CustomData(), asideMark)
		}
	default:
		t.users.TraceRelease(pool, data)
	}
}
