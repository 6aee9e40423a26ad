package events

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/redis/go-redis/v9"
)

// A Post is one container's side of a budget in Redis: it appends intents and
// reads the container's own mailbox. Its methods may be called concurrently;
// each has a deadline. The posts of one process to the same Redis share their
// connections.
type Post struct {
	keys      Keys
	line      *line
	container string
}

// OpenPost returns the post of the container in the budget at the Redis URL.
func OpenPost(url, budget, container string) (*Post, error) {
	if err := errors.Join(CheckBudget(budget), CheckContainer(container)); err != nil {
		return nil, err
	}
	l, err := openLine(url)
	if err != nil {
		return nil, err
	}
	return &Post{keys: NewKeys(budget), line: l, container: container}, nil
}

// Close gives the post's connections up. It must be called once.
func (p *Post) Close() error { return p.line.close() }

// Send appends an intent to the inbox. After an error it may have been appended
// or not; to send it again, or a newer one, is harmless.
func (p *Post) Send(ctx context.Context, intent []byte) error {
	if err := p.line.append(ctx, p.keys.Intents, intent); err != nil {
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
func (p *Post) Look(ctx context.Context) (Look, error) { return p.look(ctx, nil) }

// look leaves a heartbeat, if there is one, and then looks.
func (p *Post) look(ctx context.Context, beat *Beat) (Look, error) {
	ctx, cancel := context.WithTimeout(ctx, CallTimeout)
	defer cancel()
	var mail, incarnation *redis.StringCmd
	var led *redis.IntCmd
	_, err := p.line.rdb.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		if beat != nil {
			pipe.Set(ctx, p.keys.Beat(p.container), beat.String(), beatLife)
		}
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

// Listen subscribes to the mailbox and calls deliver with each grant that
// arrives, one at a time, until the bell is closed or fails. All containers of
// the process wait while it runs, so it must be quick. One call may come after
// Close has returned. The bell may be dead for a moment and miss a ring: after
// an error of Wait, and now and then, look into the mailbox.
func (p *Post) Listen(ctx context.Context, deliver func(*Grant)) (*Bell, error) {
	b, err := p.line.subscribe(ctx, p.keys.Mailbox(p.container), deliver)
	if err != nil {
		return nil, fmt.Errorf("listen for grants: %w", err)
	}
	return b, nil
}
