package client

import (
	"testing"
	"time"
)

func TestDemand(t *testing.T) {
	var d demand
	at := time.Duration(0)
	note := func(use, want int) {
		t.Helper()
		if got := d.note(at, use); got != want {
			t.Fatalf("at %v with %d in use: %d, want %d", at, use, got, want)
		}
	}
	note(3, 3)
	note(10, 10) // grows at once
	at += 54 * time.Second
	note(2, 10) // and remembers
	at += 6 * time.Second
	note(2, 2) // for a minute
	at += 30 * time.Second
	note(5, 5)
	at += 50 * time.Second
	note(0, 5)
	at += 10 * time.Hour // nobody looked
	note(1, 1)
}

func TestOutage(t *testing.T) {
	var o outage
	base := time.Now()
	note := func(began, ended int, err error, changed, off bool) {
		t.Helper()
		got := o.note(base.Add(time.Duration(began)*time.Second), base.Add(time.Duration(ended)*time.Second), err)
		if got != changed || o.off != off {
			t.Fatalf("from %d to %d: changed %v, off %v", began, ended, got, o.off)
		}
	}
	bad := ErrExhausted
	note(1, 2, nil, false, false)
	note(1, 4, bad, false, false) // began before the other was answered
	note(3, 6, bad, true, true)
	note(5, 7, nil, false, true) // began before the other failed
	note(5, 7, bad, false, true)
	note(8, 9, nil, true, false)
	note(8, 10, bad, false, false)
	note(9, 10, bad, false, false) // too soon to be believed
	note(11, 12, bad, true, true)
}
