package monitor

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/conncord/conncord/cmd/internal/cli"
	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/projector/alert"
	"github.com/conncord/conncord/projector/status"
)

const program = "monitor"

const description = `Shows how the connections of a budget are shared among its containers.

In a terminal it shows that live; press ? for the keys. Elsewhere it prints it once.
Every setting is a flag or an environment variable; a flag wins.`

// The bounds of the interval: the status does not change more often, and a
// screen that is older than an hour shows nothing.
const (
	minInterval = 100 * time.Millisecond
	maxInterval = time.Hour
)

// options are the settings as they are written.
type options struct {
	Once  bool `group:"What to do" xor:"mode" help:"Print the status and exit."`
	JSON  bool `name:"json" group:"What to do" xor:"mode" help:"Print the status as JSON, as it was published, and exit."`
	Check bool `group:"What to do" xor:"mode" help:"Print one line as Nagios plugins do, and exit: 0 healthy, 1 warning, 2 critical, 3 unknown."`

	RedisURL string `group:"Coordination" from:"REDIS_URL" default:"redis://127.0.0.1:6379" placeholder:"URL" help:"Redis that containers and arbiters share: redis://[user:password@]host:port[/db], rediss://… with TLS, or unix:///path. Default: redis://127.0.0.1:6379."`
	Budget   string `group:"Coordination" from:"CONNCORD_BUDGET" default:"default" placeholder:"NAME" help:"Name of the database and all that share it. Default: default."`

	Expect     string       `group:"What to see" from:"CONNCORD_EXPECT" placeholder:"NAMES" help:"Services, separated by commas, that must have a container: that one has none is a warning."`
	Service    string       `group:"What to see" from:"CONNCORD_SERVICE" placeholder:"TEXT" help:"Show only services whose name contains this."`
	Sort       string       `group:"What to see" from:"CONNCORD_SORT" enum:"priority,connections,waiting,name,reserved" default:"priority" placeholder:"ORDER" help:"What services and containers are sorted by: priority, connections, waiting, name or reserved. Default: priority."`
	Containers int          `group:"What to see" from:"CONNCORD_CONTAINERS" default:"10" placeholder:"N" help:"How many containers of each service --once prints. Default: 10."`
	Interval   cli.Duration `group:"What to see" from:"CONNCORD_INTERVAL" default:"1s" placeholder:"SECONDS" help:"How often the screen is drawn anew at most: seconds, or a duration such as 250ms. Default: 1s."`
	NoColor    bool         `group:"What to see" help:"Use no colours, as with $NO_COLOR."`

	Version kong.VersionFlag `help:"Print the version and exit."`
}

// parse reads the options. It returns done when there is nothing left to do.
func parse(args []string, env func(string) (string, bool), stdout io.Writer) (o options, done bool, err error) {
	done, err = cli.Program{Name: program, Description: description}.Parse(&o, args, env, stdout)
	if done || err != nil {
		return o, done, err
	}
	return o, false, o.validate()
}

func (o *options) validate() error {
	if err := events.CheckBudget(o.Budget); err != nil {
		return fmt.Errorf("--budget (CONNCORD_BUDGET): %w", err)
	}
	if d := time.Duration(o.Interval); d < minInterval || d > maxInterval {
		return fmt.Errorf("--interval (CONNCORD_INTERVAL): %v is not between %v and %v", d, minInterval, maxInterval)
	}
	if o.Containers < 1 {
		return errors.New("--containers (CONNCORD_CONTAINERS): at least 1 is needed")
	}
	if err := alert.CheckExpected(o.expected()); err != nil {
		return fmt.Errorf("--expect (CONNCORD_EXPECT): %w", err)
	}
	return nil
}

// expected are the names of the services that must be present.
func (o *options) expected() []string {
	return strings.FieldsFunc(o.Expect, func(r rune) bool { return r == ',' || r == ' ' })
}

func (o *options) order() status.Order {
	if o.Sort == "priority" {
		return status.ByPriority
	}
	return status.Order(o.Sort)
}
