package show

import (
	"strconv"
	"time"

	"github.com/conncord/conncord/cmd/demo/service"
	"github.com/conncord/conncord/cmd/internal/crew"
)

// A container is one process of a service. It belongs to the stage.
type container struct {
	*crew.Process
	report service.Report // the newest
}

// A happening is what comes from a container: a report, or its end.
type happening struct {
	from   *container
	report service.Report
	ended  bool
	err    error // how it ended
}

// startContainer starts one. What happens to it goes to the channel until it has
// ended; somebody has to receive.
func startContainer(name string, env []string, happenings chan<- happening) (*container, error) {
	c := &container{}
	var err error
	c.Process, err = crew.Start(name, env, nil, crew.Events{
		Reported: func(r service.Report) { happenings <- happening{from: c, report: r} },
		Ended:    func(err error) { happenings <- happening{from: c, ended: true, err: err} },
	})
	return c, err
}

// environment is what a container of the service is started with.
func environment(name, redisURL, databaseURL, budget string, ttl time.Duration, maxConns int) []string {
	return []string{
		"SERVICE_NAME=" + name, "REDIS_URL=" + redisURL, "DATABASE_URL=" + databaseURL,
		"CONNCORD_BUDGET=" + budget, "CONNECTION_RESERVE_TTL=" + ttl.String(), "CONNCORD_FALLBACK=minimum",
		service.MaxConnsVariable + "=" + strconv.Itoa(maxConns),
	}
}
