package show

import (
	"context"
	"fmt"

	"github.com/alicebob/miniredis/v2"

	"github.com/conncord/conncord/events"
)

// startRedis starts a Redis in this process, in memory.
func startRedis() (url string, stop func(), err error) {
	server := miniredis.NewMiniRedis()
	server.ClockTTL(true) // or keys would expire only when told to
	if err := server.StartAddr("127.0.0.1:0"); err != nil {
		return "", nil, fmt.Errorf("start a Redis in memory: %w", err)
	}
	return "redis://" + server.Addr(), server.Close, nil
}

// deleteBudget removes all that the demo's budget has left in Redis.
func deleteBudget(ctx context.Context, url, budget string, containers []string) error {
	rdb, err := events.OpenRedis(url, 1)
	if err != nil {
		return err
	}
	defer rdb.Close()
	k := events.NewKeys(budget)
	names := []string{k.Intents, k.Grants, k.Head, k.Leader, k.Snap, k.Status, k.Office}
	for _, id := range containers {
		names = append(names, k.Mailbox(id), k.Beat(id))
	}
	ctx, cancel := context.WithTimeout(ctx, events.CallTimeout)
	defer cancel()
	if err := rdb.Del(ctx, names...).Err(); err != nil {
		return fmt.Errorf("remove the demo's keys, which begin with conncord:{%s}: %w", budget, err)
	}
	return nil
}

// checkRedis finds out early whether a Redis of the user's is there.
func checkRedis(ctx context.Context, url string) error {
	rdb, err := events.OpenRedis(url, 1)
	if err != nil {
		return err
	}
	defer rdb.Close()
	if err := rdb.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("the Redis at REDIS_URL does not answer: %w", err)
	}
	return nil
}
