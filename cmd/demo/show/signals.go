package show

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// notice returns a context that ends with a signal, and what it was.
func notice(parent context.Context) (ctx context.Context, interrupted func() os.Signal, stop func()) {
	ctx, cancel := context.WithCancel(parent)
	signals := make(chan os.Signal, 1)
	// Who asks for SIGPIPE gets an error from writing instead, and can clean up.
	broken := make(chan os.Signal, 1)
	signal.Notify(broken, syscall.SIGPIPE)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	var mu sync.Mutex
	var got os.Signal
	done := make(chan struct{})
	go func() {
		select {
		case sig := <-signals:
			mu.Lock()
			got = sig
			mu.Unlock()
			cancel()
		case <-done:
		}
	}()
	interrupted = func() os.Signal {
		mu.Lock()
		defer mu.Unlock()
		return got
	}
	return ctx, interrupted, func() {
		signal.Stop(signals)
		signal.Stop(broken)
		close(done)
		cancel()
	}
}
