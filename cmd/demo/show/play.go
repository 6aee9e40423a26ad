package show

import (
	"cmp"
	"slices"

	"github.com/conncord/conncord/events"
)

// services are those that Conncord knows by name, the most important first.
var services = func() []events.Service {
	s := events.BuiltinServices()
	slices.SortFunc(s, func(a, b events.Service) int { return cmp.Compare(b.Priority, a.Priority) })
	return s
}()

// A deed is what happens to a container.
type deed int

const (
	start deed = iota // a new one begins
	stop              // the newest one is told to end, with SIGTERM
	kill              // the newest one is ended with kill -9
	come              // somebody with psql comes, and opens what there is room for
	leave             // and goes
)

// A cue is a deed that a scene begins with.
type cue struct {
	deed    deed
	service string // not of strangers
}

// A scene is a part of the play.
type scene struct {
	at    float64 // when it begins, as a part of the whole
	title string
	wants [5]int // what each of the services wants, in percent of what is available
	cues  []cue
}

// all is the wish of a service for everything.
const all = 100

// play is what the demo shows. The sum of the wishes passes what is available
// from the second scene on.
var play = []scene{
	{at: 0, title: "ramp up: there is enough for all", wants: [5]int{20, 15, 9, 6, 4}},
	{at: 0.10, title: "the scraper has a burst, in two containers", wants: [5]int{2 * all, 15, 9, 6, 4}, cues: []cue{{start, "scraper"}}},
	{at: 0.24, title: "the api has a burst as well", wants: [5]int{2 * all, 60, 9, 6, 4}},
	{at: 0.30, title: "somebody opens psql, again and again: room is made", wants: [5]int{2 * all, 60, 9, 6, 4}, cues: []cue{{deed: come}}},
	{at: 0.44, title: "psql is gone, and the scraper pauses: what it had is lent to the others", wants: [5]int{0, 60, 45, 6, 4}, cues: []cue{{leave, ""}, {stop, "scraper"}}},
	{at: 0.54, title: "all want everything: priorities decide", wants: [5]int{all, all, all, all, all}},
	{at: 0.64, title: "the viewer is killed with kill -9", wants: [5]int{all, all, all, all, all}, cues: []cue{{kill, "viewer"}}},
	{at: 0.76, title: "the viewer starts again", wants: [5]int{all, all, all, all, all}, cues: []cue{{start, "viewer"}}},
	{at: 0.84, title: "the api is stopped gracefully", wants: [5]int{all, all, all, all, all}, cues: []cue{{stop, "api"}}},
	{at: 0.92, title: "the api starts again", wants: [5]int{all, all, all, all, all}, cues: []cue{{start, "api"}}},
}

// sceneAt returns the place of the scene that is on when a part of the whole,
// 0 to 1, has passed.
func sceneAt(part float64) int {
	on := 0
	for i, s := range play {
		if part >= s.at {
			on = i
		}
	}
	return on
}

// callersFor is how many callers each of a service's containers gets.
func callersFor(percent, available, containers int) int {
	if percent == 0 || containers == 0 {
		return 0
	}
	per := 100 * containers
	return max(1, (percent*available+per-1)/per)
}
