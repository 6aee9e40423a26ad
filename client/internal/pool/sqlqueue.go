package pool

import (
	"database/sql"
	"reflect"
	"sync"
)

// sqlQueue reads from a sql.DB how many callers wait, which its Stats do not tell and nothing public lets one derive: the
// library counts waits that begin, but not those that end. It looks at the DB's private fields under the DB's own
// mutex, as Stats does. It writes nothing, and where a version of Go keeps these fields otherwise there is none, and
// [waiterGuess] takes its place.
type sqlQueue struct {
	mu                                *sync.Mutex
	open, most, free, requests, waits reflect.Value
}

// newSQLQueue returns nil if this version of Go keeps the queue otherwise.
func newSQLQueue(db *sql.DB) *sqlQueue {
	fields := reflect.ValueOf(db).Elem()
	field := func(name string, kind reflect.Kind) (v reflect.Value) {
		if v = fields.FieldByName(name); v.IsValid() && v.Kind() == kind {
			return v
		}
		return reflect.Value{}
	}
	q := &sqlQueue{
		open:  field("numOpen", reflect.Int),
		most:  field("maxOpen", reflect.Int),
		free:  field("freeConn", reflect.Slice),
		waits: field("waitCount", reflect.Int64),
	}
	mu, set := field("mu", reflect.Struct), field("connRequests", reflect.Struct)
	if !mu.IsValid() || mu.Type() != reflect.TypeFor[sync.Mutex]() || !set.IsValid() {
		return nil
	}
	q.requests = set.FieldByName("s")
	if !q.requests.IsValid() || q.requests.Kind() != reflect.Slice {
		return nil
	}
	for _, v := range []reflect.Value{q.open, q.most, q.free, q.waits} {
		if !v.IsValid() {
			return nil
		}
	}
	q.mu = (*sync.Mutex)(mu.Addr().UnsafePointer())
	return q
}

// look returns the DB's statistics, as far as this package uses them, and how many callers wait at the same moment.
func (q *sqlQueue) look() (stats sql.DBStats, waiting int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	stats.OpenConnections, stats.MaxOpenConnections = int(q.open.Int()), int(q.most.Int())
	stats.Idle = q.free.Len()
	stats.InUse = stats.OpenConnections - stats.Idle
	stats.WaitCount = q.waits.Int()
	return stats, q.requests.Len()
}
