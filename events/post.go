package events

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// A Post is one container's side of a budget in Redis: it appends intents and
// reads the container's own mailbox. Its methods may be called concurrently;
// each has a deadline.
type Post struct {
	keys      Keys
	rdb       *redis.Client
	container string
}

// OpenPost returns the post of the container in the budget at the Redis URL.
func OpenPost(url, budget, container string) (*Post, error) {
	if err := errors.Join(CheckBudget(budget), CheckContainer(container)); err != nil {
		return nil, err
	}
	rdb, err := OpenRedis(url, 2)
	if err != nil {
		return nil, err
	}
	return &Post{keys: NewKeys(budget), rdb: rdb, container: container}, nil
}

// Close closes the post's connections.
func (p *Post) Close() error { return p.rdb.Close() }

// Send appends an intent to the inbox. After an error it may have been appended
// or not; to send it again, or a newer one, is harmless.
func (p *Post) Send(ctx context.Context, intent []byte) error {
	ctx, cancel := context.WithTimeout(ctx, CallTimeout)
	defer cancel()
	if err := p.rdb.XAdd(ctx, &redis.XAddArgs{Stream: p.keys.Intents, Values: []any{intentField, intent}}).Err(); err != nil {
		return fmt.Errorf("send an intent: %w", err)
	}
	return nil
}

// A Look is what a container finds when it looks by itself.
type Look struct {
	Grant       *Grant // nil: the mailbox is empty
	Incarnation uint64 // in force; 0: none yet
	Led         bool   // somebody leads
}

// Look reads the mailbox, and whether there is a leader.
func (p *Post) Look(ctx context.Context) (Look, error) {
	ctx, cancel := context.WithTimeout(ctx, CallTimeout)
	defer cancel()
	var mail, incarnation *redis.StringCmd
	var led *redis.IntCmd
	_, err := p.rdb.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		mail = pipe.Get(ctx, p.keys.Mailbox(p.container))
		incarnation = pipe.HGet(ctx, p.keys.Head, "incarnation")
		led = pipe.Exists(ctx, p.keys.Leader)
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		return Look{}, fmt.Errorf("look into the mailbox: %w", err)
	}
	var look Look
	look.Led = led.Val() > 0
	if text := incarnation.Val(); text != "" {
		if look.Incarnation, err = strconv.ParseUint(text, 10, 64); err != nil {
			return Look{}, fmt.Errorf("look into the mailbox: incarnation in force: %w", err)
		}
	}
	if data, err := mail.Bytes(); err == nil {
		if look.Grant, err = DecodeGrant(data); err != nil {
			return Look{}, err
		}
	}
	return look, nil
}

// A Bell rings when the container's mailbox changes.
type Bell struct {
	sub *redis.PubSub
}

// Listen subscribes to the mailbox. The bell may be dead for a moment and miss a
// ring, so after each error of Wait, and now and then, look into the mailbox.
func (p *Post) Listen(ctx context.Context) (*Bell, error) {
	ctx, cancel := context.WithTimeout(ctx, CallTimeout)
	defer cancel()
	sub := p.rdb.Subscribe(ctx, p.keys.Mailbox(p.container))
	if _, err := sub.Receive(ctx); err != nil {
		sub.Close()
		return nil, fmt.Errorf("listen for grants: %w", err)
	}
	return &Bell{sub: sub}, nil
}

// Wait returns the next grant that arrives, nil if none does within the
// patience. Only one goroutine may wait at a time.
func (b *Bell) Wait(ctx context.Context, patience time.Duration) (*Grant, error) {
	for end := time.Now().Add(patience); ; {
		left := time.Until(end)
		if left <= 0 {
			return nil, nil
		}
		got, err := b.sub.ReceiveTimeout(ctx, left)
		var timeout interface{ Timeout() bool }
		switch {
		case errors.As(err, &timeout) && timeout.Timeout():
			return nil, nil
		case err != nil:
			return nil, fmt.Errorf("wait for a grant: %w", err)
		}
		if m, ok := got.(*redis.Message); ok {
			return DecodeGrant([]byte(m.Payload))
		}
	}
}

// Ping asks the server for a sign of life, which Wait takes in.
func (b *Bell) Ping(ctx context.Context) error { return b.sub.Ping(ctx) }

// Close ends the subscription; a Wait under way returns with an error.
func (b *Bell) Close() error { return b.sub.Close() }
