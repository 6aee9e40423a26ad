package simulation

import (
	"fmt"
	"iter"
	"runtime/debug"
)

// A coroutine runs code that waits, such as an arbiter's loop, in turn with the
// world: it runs only within resume, until it parks.
type coroutine struct {
	next  func() (struct{}, bool)
	stop  func()
	yield func(struct{}) bool
	ended bool
}

// killed ends a coroutine from inside, at the place where it was parked.
type killed struct{}

func newCoroutine(run func()) *coroutine {
	c := &coroutine{}
	c.next, c.stop = iter.Pull(func(yield func(struct{}) bool) {
		c.yield = yield
		defer func() {
			if r := recover(); r != nil && r != (killed{}) {
				panic(fmt.Sprintf("%v\n%s", r, debug.Stack())) // iter would lose the stack
			}
		}()
		run()
	})
	return c
}

// resume goes on where the coroutine was parked. The world calls it.
func (c *coroutine) resume() {
	if _, running := c.next(); !running {
		c.ended = true
	}
}

// park waits for resume. The coroutine calls it.
func (c *coroutine) park() {
	if !c.yield(struct{}{}) {
		panic(killed{})
	}
}

// kill ends the coroutine where it is; nothing that it would have done is done.
func (c *coroutine) kill() {
	c.stop()
	c.ended = true
}
