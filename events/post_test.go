package events_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/conncord/conncord/events"
)

func openPost(t *testing.T, srv server, container string) *events.Post {
	t.Helper()
	post, err := events.OpenPost(srv.url, "b", container)
	must(t, err)
	t.Cleanup(func() { post.Close() })
	return post
}

func TestSend(t *testing.T) {
	onEach(t, func(t *testing.T, srv server) {
		post, log := openPost(t, srv, "c"), srv.open(t)
		intent := events.EncodeIntent(&events.Intent{Kind: events.Renew, Container: "c", Counter: 1})
		must(t, post.Send(t.Context(), intent))
		entries, err := log.ReadIntents(t.Context(), events.NoCursor, 10, 0)
		must(t, err)
		if len(entries) != 1 || string(entries[0].Body) != string(intent) {
			t.Errorf("entries %v", entries)
		}
	})
}

func TestMailbox(t *testing.T) {
	onEach(t, func(t *testing.T, srv server) {
		post, log := openPost(t, srv, "c"), srv.open(t)
		look := func() events.Look {
			t.Helper()
			look, err := post.Look(t.Context())
			must(t, err)
			return look
		}
		if diff := cmp.Diff(events.Look{}, look()); diff != "" {
			t.Errorf("on an empty server (-want +got):\n%s", diff)
		}
		rung := make(chan *events.Grant, 10)
		bell, err := post.Listen(t.Context(), func(g *events.Grant) { rung <- g })
		must(t, err)
		defer bell.Close()
		if err := bell.Wait(t.Context(), time.Millisecond); len(rung) > 0 || err != nil {
			t.Errorf("nobody rang: %d grants, %v", len(rung), err)
		}

		s := win(t, log, "a")
		grant := &events.Grant{Verb: events.Granted, Container: "c", Incarnation: 7, Epoch: 1, Sequence: 1, Lease: "l", Units: 3, Charge: 3, TTL: time.Second}
		b := batch(s, 1)
		b.Mail = []events.Mail{{Container: "c", Grant: events.EncodeGrant(grant), Keep: time.Minute}}
		must(t, log.Commit(t.Context(), s, b))

		select {
		case got := <-rung:
			if diff := cmp.Diff(grant, got); diff != "" {
				t.Errorf("rung (-want +got):\n%s", diff)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("the bell did not ring")
		}
		if diff := cmp.Diff(events.Look{Grant: grant, Incarnation: 7, Led: true}, look()); diff != "" {
			t.Errorf("look (-want +got):\n%s", diff)
		}
		if left := srv.rdb.PTTL(t.Context(), srv.keys.Mailbox("c")).Val(); left <= 0 || left > time.Minute {
			t.Errorf("the mailbox is kept for %v", left)
		}
		must(t, bell.Ping(t.Context())) // the answer is no grant
		if err := bell.Wait(t.Context(), 20*time.Millisecond); len(rung) > 0 || err != nil {
			t.Errorf("after a ping: %d grants, %v", len(rung), err)
		}

		srv.tell("SET", srv.keys.Mailbox("c"), "garbage")
		if _, err := post.Look(t.Context()); err == nil {
			t.Error("a garbage grant was read")
		}
		srv.tell("PUBLISH", srv.keys.Mailbox("c"), "garbage")
		if err := bell.Wait(t.Context(), 10*time.Second); err == nil {
			t.Error("a garbage ring was read")
		}
	})
}

func TestOpenPostRefusesBadNames(t *testing.T) {
	for _, id := range []string{"", "a b", "a\x00", strings.Repeat("x", events.MaxContainerBytes+1)} {
		if _, err := events.OpenPost("redis://127.0.0.1:1", "b", id); err == nil {
			t.Errorf("container %q was accepted", id)
		}
	}
}
