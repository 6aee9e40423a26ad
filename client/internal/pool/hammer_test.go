package pool

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// bound is the limit that was confirmed, for a watcher that looks at the database all the time. A look takes a while and
// the limit changes during it; what counts is the highest limit that was in force during the look.
type bound struct {
	mu      sync.Mutex
	now     int
	highest int
}

func (b *bound) set(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = n
	b.highest = max(b.highest, n)
}

func (b *bound) beginLook() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.highest = b.now
}

func (b *bound) endLook() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.highest
}

// watch polls the database until the test ends, and fails it when more connections are seen than were allowed.
func (b *bound) watch(t *testing.T, d *database) (peak func() int) {
	stop := make(chan struct{})
	stopOnce := sync.OnceFunc(func() { close(stop) })
	var highest, looks int
	var wg sync.WaitGroup
	t.Cleanup(func() { stopOnce(); wg.Wait() })
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			b.beginLook()
			n := d.count()
			if allowed := b.endLook(); n > allowed {
				t.Errorf("the database has %d connections, %d are allowed", n, allowed)
			}
			highest = max(highest, n)
			looks++
		}
	})
	return func() int {
		stopOnce()
		wg.Wait()
		t.Logf("%d looks, peak %d", looks, highest)
		return highest
	}
}

// failingDials makes about one dial in five fail, before or after the socket exists.
func failingDials(cfg *pgx.ConnConfig) {
	dial := cfg.DialFunc
	cfg.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
		switch rand.IntN(10) {
		case 0:
			return nil, errors.New("no route to nowhere")
		case 1:
			conn, err := dial(ctx, network, addr)
			if err == nil {
				conn.SetDeadline(time.Unix(1, 0)) // it breaks in the start-up
			}
			return conn, err
		}
		return dial(ctx, network, addr)
	}
}

// hammer uses a pool as badly as applications do, until ctx ends. It returns how many queries succeeded.
func hammer(ctx context.Context, tg *target, workers int) (wait func() int64) {
	var done atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for ctx.Err() == nil {
				query := "select pg_sleep(random() * 0.005)"
				patient, cancel := ctx, context.CancelFunc(func() {})
				if rand.IntN(5) == 0 {
					patient, cancel = context.WithTimeout(ctx, time.Duration(rand.IntN(4000))*time.Microsecond)
				}
				if tg.exec(patient, query) == nil {
					done.Add(1)
				}
				cancel()
			}
		})
	}
	return func() int64 {
		wg.Wait()
		return done.Load()
	}
}

// randomAdmission is one that has ended, ends soon, or bounds little.
func randomAdmission(most int) Admission {
	return Admission{
		Until: time.Now().Add(time.Duration(rand.IntN(60)-30) * time.Millisecond),
		Grace: time.Duration(rand.IntN(20)) * time.Millisecond,
		Floor: rand.IntN(most),
		Alone: rand.IntN(2) == 0,
	}
}

const hammerTime = 2 * time.Second

// TestHammer moves limits and shares at random under load, and believes only the database: from the moment a lower limit
// is confirmed by Open, it shows no more.
func TestHammer(t *testing.T) {
	for _, kinds := range [][]string{{"sql"}, {"pgxpool"}, {"sql", "pgxpool"}} {
		t.Run(strings.Join(kinds, "+"), func(t *testing.T) {
			d := newDatabase(t)
			g := newGate(t, GateOptions{})
			const most = 12
			var pools []*target
			for _, kind := range kinds {
				pools = append(pools, openTarget(t, kind, d, g, most, failingDials))
			}
			ctx, cancel := context.WithTimeout(t.Context(), hammerTime)
			defer cancel()

			var allowed bound
			peak := allowed.watch(t, d)
			var succeeded []func() int64
			for _, tg := range pools {
				succeeded = append(succeeded, hammer(ctx, tg, 20))
			}
			var churn sync.WaitGroup
			churn.Go(func() {
				tick := time.NewTicker(10 * time.Millisecond)
				defer tick.Stop()
				for ctx.Err() == nil {
					<-tick.C
					switch rand.IntN(20) {
					case 0, 1, 2:
						d.terminateOne()
					case 3:
						if pools[0].pgx != nil {
							pools[0].pgx.Reset()
						}
					case 4:
						g.SetAdmission(randomAdmission(most))
					case 5, 6, 7, 8, 9:
						g.SetAdmission(Admission{})
					}
					for _, tg := range pools {
						if u := tg.Usage(); u.InUse < 0 || u.InUse > most || u.Waiting < 0 {
							t.Errorf("impossible usage %+v", u)
						}
					}
				}
			})

			var recalls []time.Duration
			limit := 0
			for ctx.Err() == nil {
				next := rand.IntN(most + 1)
				if next > limit {
					allowed.set(next)
					g.SetLimit(next)
				}
				for _, tg := range pools { // the sum may be too large: the gate holds
					tg.SetMax(rand.IntN(next + 1))
				}
				if next < limit {
					g.SetLimit(next)
					if rand.IntN(4) == 0 {
						g.Kill(next)
					}
					begun := time.Now()
					eventually(t, "the recall is confirmed", func() bool { return g.Open() <= next })
					recalls = append(recalls, time.Since(begun))
					allowed.set(next)
				}
				limit = next
				select {
				case <-time.After(time.Duration(rand.IntN(50)) * time.Millisecond):
				case <-ctx.Done():
				}
			}
			cancel()
			var total int64
			for _, s := range succeeded {
				total += s()
			}
			churn.Wait()
			g.SetAdmission(Admission{})
			slices.Sort(recalls)
			t.Logf("%d queries succeeded; %d recalls under load, median %v, slowest %v", total, len(recalls),
				recalls[len(recalls)/2], recalls[len(recalls)-1])
			if peak() == 0 || total == 0 {
				t.Error("the test did not do its work")
			}

			// Nothing was lost on the way: the pools can have everything.
			allowed.set(most)
			g.SetLimit(most)
			for _, tg := range pools {
				for _, other := range pools {
					other.SetMax(0)
				}
				eventually(t, "the pools are empty", func() bool { return g.Open() == 0 })
				tg.SetMax(most)
				var free []func()
				for len(free) < most {
					ctx, cancel := context.WithTimeout(t.Context(), patience)
					release, err := tg.try(ctx)
					late := ctx.Err() != nil
					cancel()
					if err == nil {
						release = sync.OnceFunc(release)
						defer release()
						free = append(free, release)
					} else if late {
						t.Fatalf("only %d of %d places are left; usage %+v, open %d", len(free), most, tg.Usage(), g.Open())
					}
				}
				for _, f := range free {
					f()
				}
			}
		})
	}
}
