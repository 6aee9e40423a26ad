package simulation

// steps is at how many steps of a call an arbiter can be killed.
const steps = 4

// A trap kills an arbiter at one of the steps of a call to Redis: before the
// request leaves, when it has left, when it was done and the reply is on its way,
// and when the reply is there.
type trap struct{ calls, step int }

// spring counts a call, and reports whether the trap is to close in it.
func (p *process) spring() *trap {
	t := p.trap
	if t == nil {
		return nil
	}
	if t.calls--; t.calls >= 0 {
		return nil
	}
	p.trap = nil
	return t
}

// close kills the arbiter from outside its coroutine.
func (p *process) close() {
	p.w.after(0, func() {
		if p.node.run == p {
			p.w.tellf("%s: dies in a trap", p.name)
			p.node.kill()
		}
	})
}
