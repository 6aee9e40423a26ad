package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/conncord/conncord/events"
)

// oldestRedis is the oldest major version that works. Earlier ones copy scripts
// to replicas and to the append-only file, so that a server that was replaced
// under a leader would go unnoticed: see events/commit.go.
const oldestRedis = 7

// probeChannel is where nobody listens.
const probeChannel = "conncord:probe"

// retryRedis is the pause between two questions to a Redis that is away.
const retryRedis = 250 * time.Millisecond

// errOldRedis is returned when the server is older than oldestRedis.
type errOldRedis string

func (e errOldRedis) Error() string {
	return fmt.Sprintf("the Redis server has version %s, which forgets nothing when it is replaced: use version %d.0 or later", string(e), oldestRedis)
}

// awaitRedis waits until Redis answers, however long that takes, and checks that
// it is fit for the task. It returns an error only if the server is too old or
// the context ends.
func awaitRedis(ctx context.Context, url string, log *slog.Logger) error {
	client, err := events.OpenRedis(url, 1)
	if err != nil {
		return err
	}
	defer client.Close()
	for told := false; ; {
		info, err := client.Info(ctx, "server").Result()
		if err == nil || answered(err) {
			if told {
				log.Info("Redis answers")
			}
			return fit(ctx, client, info, log)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !told {
			log.Warn("Redis does not answer; trying until it does", "error", err)
			told = true
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(retryRedis):
		}
	}
}

// answered reports whether an error is Redis's own answer, and one that waiting
// does not change: INFO may be forbidden, or, in an imitation of Redis, unknown.
func answered(err error) bool {
	for _, later := range []string{"LOADING", "BUSY", "NOAUTH", "WRONGPASS", "MASTERDOWN", "CLUSTERDOWN", "max number of clients"} {
		if strings.Contains(err.Error(), later) {
			return false
		}
	}
	_, ok := err.(redis.Error)
	return ok
}

// fit checks the server's version and what it does with its data. What it does
// not tell is taken to be right.
func fit(ctx context.Context, client *redis.Client, info string, log *slog.Logger) error {
	if version := infoValue(info, "redis_version"); version != "" {
		major, _, _ := strings.Cut(version, ".")
		if n, err := strconv.Atoi(major); err == nil && n < oldestRedis {
			return errOldRedis(version)
		}
	}
	for name, check := range map[string]struct{ want, why string }{
		"appendonly":       {"yes", "a crash of Redis loses the leases, and nobody gains for one lease duration"},
		"maxmemory-policy": {"noeviction", "Redis may throw the leases away when its memory is full"},
	} {
		got, err := client.ConfigGet(ctx, name).Result()
		if err != nil {
			log.Debug("Redis does not tell its settings", "setting", name, "error", err)
			continue
		}
		if value := got[name]; value != "" && value != check.want {
			log.Warn("a setting of Redis is risky: "+check.why, "setting", name, "value", value, "set", check.want)
		}
	}
	if err := client.Publish(ctx, probeChannel, "").Err(); err != nil && redis.HasErrorPrefix(err, "NOPERM") {
		log.Warn("the Redis user may not publish: containers will notice grants seconds late", "grant", "+publish and the channels &conncord:*", "error", err)
	}
	return nil
}

// infoValue finds one value in the reply to INFO.
func infoValue(info, name string) string {
	for line := range strings.Lines(info) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
