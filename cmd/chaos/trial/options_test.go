package trial

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/conncord/conncord/cmd/chaos/world"
)

func parse(args []string, env map[string]string) (options, string, error) {
	var usage bytes.Buffer
	o, err := readOptions(args, func(name string) string { return env[name] }, &usage)
	return o, usage.String(), err
}

func TestOptions(t *testing.T) {
	o, _, err := parse(nil, nil)
	if err != nil || o.duration != 5*time.Minute || o.ttl != 5*time.Second || len(o.kinds) != len(kinds()) || o.brief() {
		t.Errorf("%+v, %v", o, err)
	}
	o, _, err = parse([]string{"-kinds", "leader-kill, redis-oom"}, map[string]string{"DURATION": "30m", "SEED": "7"})
	if err != nil || o.duration != 30*time.Minute || o.ttl != 10*time.Second || o.seed != 7 || len(o.kinds) != 2 {
		t.Errorf("%+v, %v", o, err)
	}
	o, _, err = parse([]string{"-duration", "40", "-ttl", "3s"}, map[string]string{"DURATION": "30m"})
	if err != nil || o.duration != 40*time.Second || o.ttl != 3*time.Second || !o.brief() {
		t.Errorf("%+v, %v", o, err)
	}
	for env, text := range map[string]string{"DURATION": "soon", "SEED": "x", "TTL": "1ms", "KINDS": "leader-kil", "EYES": "shut"} {
		if _, _, err := parse(nil, map[string]string{env: text}); err == nil || !strings.Contains(err.Error(), text) && env != "TTL" {
			t.Errorf("%s=%s: %v", env, text, err)
		}
	}
}

func TestTheSeedChoosesWhatArbitersSee(t *testing.T) {
	seen := map[world.Eyes]int{}
	for seed := range 100 {
		o, _, err := parse([]string{"-seed", fmt.Sprint(seed)}, nil)
		again, _, _ := parse([]string{"-seed", fmt.Sprint(seed)}, nil)
		if err != nil || o.eyes != again.eyes {
			t.Fatalf("seed %d: %v, then %v; %v", seed, o.eyes, again.eyes, err)
		}
		seen[o.eyes]++
		// What was chosen has to be possible.
		if o, _, _ := parse([]string{"-seed", fmt.Sprint(seed), "-kinds", "container-pause-fenced"}, nil); o.eyes != world.Fencing {
			t.Errorf("seed %d: %v", seed, o.eyes)
		}
	}
	for _, eyes := range []world.Eyes{world.Books, world.Looking, world.Fencing} {
		if seen[eyes] < 10 {
			t.Errorf("%v in %d of 100 seeds", eyes, seen[eyes])
		}
	}
	if o, _, err := parse(nil, map[string]string{"EYES": "fencing"}); err != nil || o.eyes != world.Fencing {
		t.Errorf("%v, %v", o.eyes, err)
	}
}

func TestKindsAreDealtEvenly(t *testing.T) {
	all := kinds()
	names := map[string]bool{}
	for _, k := range all {
		if names[k.name] || k.to == 0 || strings.ContainsAny(k.name, " ,") {
			t.Errorf("kind %q", k.name)
		}
		names[k.name] = true
	}
	deal := func(seed uint64) (dealt []string) {
		b := newBag(all, rand.New(rand.NewPCG(seed, 1)))
		count := map[string]int{}
		for range 3*len(all) + 5 {
			k := b.deal()[0]
			b.take(k)
			dealt = append(dealt, k.name)
			count[k.name]++
		}
		for name, n := range count {
			if n < 3 || n > 4 {
				t.Errorf("%s was dealt %d times", name, n)
			}
		}
		return dealt
	}
	first, again, other := deal(1), deal(1), deal(2)
	if !slices.Equal(first, again) || slices.Equal(first, other) {
		t.Errorf("seed 1: %v\nagain:  %v\nseed 2: %v", first, again, other)
	}
}
