package arbiter_test

import (
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/conncord/conncord/arbiter"
)

// What a container may notice of a change of leaders at default settings: from
// the end of the one to the first decision of the other in its mailbox.
const (
	mostTakeover = 1500 * time.Millisecond
	mostHandover = 100 * time.Millisecond
)

// kill -9 of the leading process. On a loaded machine one of so few may be late.
func TestKilledProcess(t *testing.T) {
	took := newRelay(t).pass(syscall.SIGKILL, 4)
	report(t, "kill -9 to the next decision", took)
	if worst := slices.Max(took); worst > mostTakeover+time.Second {
		t.Errorf("for %v nobody decided", worst)
	}
}

// SIGTERM hands over at once: the standby does not wait for the lease.
func TestTerminatedProcess(t *testing.T) {
	took := newRelay(t).pass(syscall.SIGTERM, 10)
	report(t, "SIGTERM to the next decision", took)
	wantQuick(t, took)
}

// BenchmarkTakeover measures, on real processes with the default lease, for how
// long nobody decides. Beside each stands a yardstick: for a killed leader its
// lease, which has to run out; for one that hands over, how long Redis takes to
// wake one connection with what another appends, measured just before each.
func BenchmarkTakeover(b *testing.B) {
	const leaders = 100 // p99 is then not just the worst
	b.Run("killed", func(b *testing.B) {
		for b.Loop() {
			took := newRelay(b).pass(syscall.SIGKILL, leaders)
			figures(b, took, mostTakeover, "lease", slices.Repeat([]time.Duration{arbiter.DefaultLease}, leaders))
		}
	})
	b.Run("handover", func(b *testing.B) {
		for b.Loop() {
			r := newRelay(b)
			took := r.pass(syscall.SIGTERM, leaders)
			figures(b, took, mostHandover, "wakeup", r.woken)
		}
	})
}

// figures prints them, and fails if the container had to wait for longer than
// promised.
func figures(b *testing.B, took []time.Duration, most time.Duration, yardstick string, beside []time.Duration) {
	b.ReportMetric(0, "ns/op") // of a whole relay, it says nothing
	text := ""                 // of a benchmark that fails, the testing package prints no metric
	for _, q := range []struct {
		name       string
		hundredths int
	}{{"p50", 50}, {"p99", 99}, {"max", 100}} {
		figure, other := quantile(took, q.hundredths), quantile(beside, q.hundredths)
		b.ReportMetric(figure.Seconds()*1e3, "ms-"+q.name)
		b.ReportMetric(figure.Seconds()/other.Seconds(), q.name+"/"+yardstick)
		text += fmt.Sprintf("\n%s %v, %s %v", q.name, figure, yardstick, other)
	}
	if p99 := quantile(took, 99); p99 > most {
		b.Errorf("p99 is %v of %d, at most %v is promised%s", p99, len(took), most, text)
	}
}

// quantile is the smallest of the durations below which so many of a hundred lie.
func quantile(d []time.Duration, hundredths int) time.Duration {
	d = slices.Sorted(slices.Values(d))
	return d[(len(d)*hundredths+99)/100-1]
}
