package trial

import (
	"math/rand/v2"

	"github.com/conncord/conncord/cmd/chaos/world"
	"github.com/conncord/conncord/cmd/demo/service"
)

// pace slows the callers down, so that a machine with two processors has time
// left for the faults.
const pace = 3

// usual is how many callers a container of each service has, more or less: for
// all together more than there are connections.
var usual = map[string]int{"scraper": 10, "api": 8, "viewer": 6, "monitoring": 4, "external": 3}

// load changes how many callers some of the containers have.
func (r *run) load(rng *rand.Rand) {
	for _, c := range r.world.Containers {
		n := usual[c.Service]
		r.mu.Lock()
		_, known := r.loads[c]
		if !known || rng.IntN(3) == 0 {
			r.loads[c] = 1 + n/2 + rng.IntN(n)
		}
		r.mu.Unlock()
		c.Order(r.orderOf(c))
	}
}

func (r *run) orderOf(c *world.Container) service.Order {
	r.mu.Lock()
	defer r.mu.Unlock()
	return service.Order{Callers: r.loads[c]}
}
