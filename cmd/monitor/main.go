// Command monitor shows how the connections of a budget are shared: live in a
// terminal, once on paper, or as one line for those who watch many systems.
//
// "monitor --help" lists the settings; package monitor is the program.
package main

import (
	"context"
	"os"

	"github.com/redis/go-redis/v9"

	"github.com/conncord/conncord/cmd/monitor/monitor"
)

// silence takes the Redis library's own log lines, which would stand in the
// middle of the screen. The monitor says itself when Redis is away.
type silence struct{}

func (silence) Printf(context.Context, string, ...any) {}

func main() {
	redis.SetLogger(silence{})
	os.Exit(monitor.Run(context.Background(), os.Args[1:], os.LookupEnv, os.Stdin, os.Stdout, os.Stderr))
}
