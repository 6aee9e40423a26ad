package daemon

import (
	"fmt"
	"sync"

	"github.com/alicebob/miniredis/v2"
)

// An embeddedRedis is a Redis within this process, for trying Conncord out.
type embeddedRedis struct {
	server *miniredis.Miniredis
	closed chan struct{}
	once   sync.Once
}

// startEmbedded starts one that listens on the address.
func startEmbedded(addr string) (*embeddedRedis, error) {
	server := miniredis.NewMiniRedis()
	// Without this, keys expire only when a test says that time has passed.
	server.ClockTTL(true)
	if err := server.StartAddr(addr); err != nil {
		return nil, fmt.Errorf("start the embedded Redis: %w: choose another --embedded-addr (CONNCORD_EMBEDDED_ADDR)", err)
	}
	return &embeddedRedis{server: server, closed: make(chan struct{})}, nil
}

func (e *embeddedRedis) url() string { return "redis://" + e.server.Addr() }

// wait returns when the server was closed.
func (e *embeddedRedis) wait() { <-e.closed }

// close stops the server. It may be called more than once.
func (e *embeddedRedis) close() {
	e.once.Do(func() {
		e.server.Close()
		close(e.closed)
	})
}
