package trial

import (
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/conncord/conncord/cmd/chaos/world"
	"github.com/conncord/conncord/events"
)

const (
	defaultDuration = 5 * time.Minute
	minDuration     = 5 * time.Second
	maxDuration     = 7 * 24 * time.Hour

	// briefUpTo is how long a run may be in which faults last as short as they
	// can, so that many of them fit.
	briefUpTo = 3 * time.Minute

	// The lease's duration grows with the run's: the barriers after each loss of
	// history, of which there are many, last two of them.
	minTTL, maxTTL = 3 * time.Second, 10 * time.Second
	ttlPart        = 60
)

// options are what a run can be told.
type options struct {
	duration time.Duration
	seed     uint64
	ttl      time.Duration
	kinds    []*kind // to choose from
	eyes     world.Eyes
	keep     string // file for the history; empty: it is removed
	verbose  bool
}

// brief reports whether faults are to be short.
func (o *options) brief() bool { return o.duration <= briefUpTo }

// readOptions reads the flags, whose defaults come from the environment, as make
// passes them on.
func readOptions(args []string, getenv func(string) string, stderr io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("chaos", flag.ContinueOnError)
	flags.SetOutput(stderr)
	env := func(name, otherwise string) string {
		if text := getenv(name); text != "" {
			return text
		}
		return otherwise
	}
	duration := flags.String("duration", env("DURATION", defaultDuration.String()), "how long to go on: a duration such as 30m, or seconds ($DURATION)")
	seed := flags.String("seed", env("SEED", ""), "a number that the faults follow from; default: a random one ($SEED)")
	ttl := flags.String("ttl", env("TTL", ""), "how long leases last; default: a 60th of the duration, 3s to 10s ($TTL)")
	only := flags.String("kinds", env("KINDS", ""), "kinds of faults, separated by commas; default: all ($KINDS)")
	eyes := flags.String("eyes", env("EYES", ""), "what arbiters see and do of the database: books, looking or fencing; default: the seed's choice ($EYES)")
	flags.StringVar(&o.keep, "keep", env("KEEP", ""), "file that the history is to be kept in ($KEEP)")
	flags.BoolVar(&o.verbose, "v", env("VERBOSE", "") != "", "say what the programs log ($VERBOSE)")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.duration, err = parseDuration(*duration); err != nil || o.duration < minDuration || o.duration > maxDuration {
		return o, fmt.Errorf("the duration is %q: set one from %v to %v, such as 30m, or seconds", *duration, minDuration, maxDuration)
	}
	o.ttl = min(max(o.duration/ttlPart, minTTL), maxTTL).Truncate(time.Millisecond)
	if *ttl != "" {
		if o.ttl, err = parseDuration(*ttl); err != nil || o.ttl < events.MinTTL || o.ttl > events.MaxTTL {
			return o, fmt.Errorf("the TTL is %q: set a duration from %v to %v", *ttl, events.MinTTL, events.MaxTTL)
		}
	}
	o.seed = rand.Uint64()
	if *seed != "" {
		if o.seed, err = strconv.ParseUint(*seed, 10, 64); err != nil {
			return o, fmt.Errorf("the seed is %q: set a whole number", *seed)
		}
	}
	if o.kinds, err = chosen(*only); err != nil {
		return o, err
	}
	o.eyes, err = o.eyesOf(*eyes)
	return o, err
}

// eyesBySeed are what a seed chooses from.
var eyesBySeed = []world.Eyes{world.Books, world.Looking, world.Looking, world.Fencing, world.Fencing}

// eyesOf returns the eyes with a name; of none, those that the seed chooses, which
// are good enough for the kinds that were chosen.
func (o *options) eyesOf(name string) (world.Eyes, error) {
	switch name {
	case "books":
		return world.Books, nil
	case "looking":
		return world.Looking, nil
	case "fencing":
		return world.Fencing, nil
	case "":
	default:
		return 0, fmt.Errorf("the arbiters' eyes are %q: choose among books, looking and fencing", name)
	}
	eyes := eyesBySeed[rand.New(rand.NewPCG(o.seed, 0)).IntN(len(eyesBySeed))]
	if !slices.ContainsFunc(o.kinds, func(k *kind) bool { return k.eyes <= eyes }) {
		eyes = o.kinds[0].eyes
	}
	return eyes, nil
}

// parseDuration reads a duration, or seconds.
func parseDuration(text string) (time.Duration, error) {
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second, nil
	}
	return time.ParseDuration(text)
}

// chosen returns the kinds with these names, separated by commas; of none, all.
func chosen(names string) ([]*kind, error) {
	if names == "" {
		return kinds(), nil
	}
	byName := map[string]*kind{}
	var known []string
	for _, k := range kinds() {
		byName[k.name] = k
		known = append(known, k.name)
	}
	var some []*kind
	for _, name := range strings.Split(names, ",") {
		k := byName[strings.TrimSpace(name)]
		if k == nil {
			return nil, fmt.Errorf("there is no kind of fault %q: choose among %s", name, strings.Join(known, ", "))
		}
		some = append(some, k)
	}
	return some, nil
}
