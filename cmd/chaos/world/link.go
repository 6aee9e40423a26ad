package world

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"syscall"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

const (
	// firstPort and lastPort enclose the ports on which links listen: below the
	// ephemeral ones, or a client that dials a link that is cut could be given
	// that very port as its own, connect to itself and keep the link from coming
	// back.
	firstPort, lastPort = 10000, 19999

	// portTries is how many ports are tried for one link.
	portTries = 50

	// mendWithin bounds the removal of a disturbance from the connections that
	// have it. What does not let go by then is cut.
	mendWithin = time.Second

	// reconnect is how long the process at the near end has to connect anew
	// before something is done to its connections.
	reconnect = 100 * time.Millisecond
)

// Directions of a disturbance.
const (
	Requests = "upstream"   // from the process to Redis
	Replies  = "downstream" // from Redis to the process
)

// A Disturbance is something that is wrong with a link in one direction. Kind
// and Settings are those of a toxic of toxiproxy.
type Disturbance struct {
	Kind      string
	Direction string
	Settings  map[string]any
	Part      float32 // of the connections, 0 to 1; 0: all
	For       string  // who disturbs: one may disturb each way in each kind once
}

// A Link is the way of one process to Redis, through a proxy of its own. One
// goroutine at a time may change it.
type Link struct {
	name  string
	board *switchboard
	proxy *toxiproxy.Proxy
	cut   bool
	wrong map[string]Disturbance // by name
	worn  bool                   // a disturbance was removed from the proxy
}

// A switchboard makes links.
type switchboard struct{ server *toxiproxy.ApiServer }

func newSwitchboard() *switchboard {
	// What the proxies log is what the faults are: nothing that is not known. Some
	// of it goes past the logger that they are given.
	zerolog.SetGlobalLevel(zerolog.Disabled)
	return &switchboard{toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())}
}

// connect makes a link to an address.
func (s *switchboard) connect(name, to string) (*Link, error) {
	var err error
	for range portTries {
		listen := net.JoinHostPort("127.0.0.1", strconv.Itoa(firstPort+rand.IntN(lastPort-firstPort+1)))
		proxy := s.proxy(name, listen, to)
		if err = proxy.Start(); err == nil {
			return &Link{name: name, board: s, proxy: proxy, wrong: map[string]Disturbance{}}, nil
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			break
		}
	}
	return nil, fmt.Errorf("open a proxy for %s: %w", name, err)
}

func (s *switchboard) proxy(name, listen, to string) *toxiproxy.Proxy {
	return toxiproxy.NewProxy(s.server, name, listen, to)
}

// URL returns the URL of the Redis at the other end.
func (l *Link) URL() string { return "redis://" + l.proxy.Listen + "/0" }

// Addr returns where the link begins.
func (l *Link) Addr() string { return l.proxy.Listen }

// Cut ends all connections and refuses new ones.
func (l *Link) Cut() {
	l.cut = true
	l.proxy.Stop()
}

// Mend makes a link that was cut work again.
func (l *Link) Mend() error {
	l.cut = false
	if err := l.proxy.Start(); err != nil && !errors.Is(err, toxiproxy.ErrProxyAlreadyStarted) {
		return fmt.Errorf("mend the link of %s: %w", l.name, err)
	}
	return nil
}

// Point ends all connections and makes new ones lead to another address.
func (l *Link) Point(to string) error {
	l.proxy.Stop()
	if err := l.proxy.Update(&toxiproxy.Proxy{Listen: l.proxy.Listen, Upstream: to, Enabled: !l.cut}); err != nil {
		return fmt.Errorf("point the link of %s to %s: %w", l.name, to, err)
	}
	return nil
}

// Disturb adds a disturbance, for the connections that there are and for new
// ones.
func (l *Link) Disturb(d Disturbance) error {
	if l.worn {
		if err := l.rebuild(); err != nil {
			return err
		}
		time.Sleep(reconnect)
	}
	l.wrong[d.name()] = d
	toxics := l.proxy.Toxics
	return l.bounded(func() error { return d.add(toxics) })
}

func (d *Disturbance) add(toxics *toxiproxy.ToxicCollection) error {
	toxic, err := json.Marshal(map[string]any{
		"name": d.name(), "type": d.Kind, "stream": d.Direction, "toxicity": cmp.Or(d.Part, 1), "attributes": d.Settings,
	})
	if err != nil {
		return err
	}
	_, err = toxics.AddToxicJson(bytes.NewReader(toxic))
	return err
}

// Calm removes a disturbance, if it is still there.
func (l *Link) Calm(d Disturbance) error {
	if _, there := l.wrong[d.name()]; !there {
		return nil
	}
	delete(l.wrong, d.name())
	l.worn = true
	toxics := l.proxy.Toxics
	return l.bounded(func() error { return toxics.RemoveToxic(context.Background(), d.name()) })
}

func (d *Disturbance) name() string { return d.For + "-" + d.Kind + "-" + d.Direction }

// bounded makes a change to all connections. A connection whose other end reads
// nothing, because it is paused or gone, can hold it up, and the proxy with it:
// then another one takes its place.
func (l *Link) bounded(change func() error) error {
	done := make(chan error, 1)
	go func() { done <- change() }()
	late := time.NewTimer(mendWithin)
	defer late.Stop()
	select {
	case err := <-done:
		return err
	case <-late.C:
		return l.rebuild()
	}
}

// rebuild puts another proxy, with the present disturbances, in the place of the
// one that is there, and so ends all connections. One from which a disturbance was
// removed while a connection ended may have lost count of what that connection
// has, and panics when it is to add something.
func (l *Link) rebuild() error {
	l.proxy.Stop()
	l.proxy, l.worn = l.board.proxy(l.name, l.proxy.Listen, l.proxy.Upstream), false
	for _, d := range l.wrong {
		if err := d.add(l.proxy.Toxics); err != nil {
			return fmt.Errorf("disturb the link of %s: %w", l.name, err)
		}
	}
	if l.cut {
		return nil
	}
	return l.Mend()
}
