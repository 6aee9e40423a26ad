package simulation

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// A hook carries the commands of the client library over the simulated network,
// so that the arbiter's real log runs above it.
type hook struct{ p *process }

// DialHook implements [redis.Hook]. Nothing is dialed.
func (hook) DialHook(next redis.DialHook) redis.DialHook {
	return func(context.Context, string, string) (net.Conn, error) { return nil, errClosed }
}

// ProcessHook implements [redis.Hook].
func (h hook) ProcessHook(redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		return h.do(ctx, []redis.Cmder{cmd})
	}
}

// ProcessPipelineHook implements [redis.Hook].
func (h hook) ProcessPipelineHook(redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return h.do
}

func (h hook) do(ctx context.Context, cmds []redis.Cmder) error {
	err := ctx.Err()
	if err == nil {
		commands := make([][]string, len(cmds))
		block := time.Duration(0)
		for i, cmd := range cmds {
			commands[i], block = words(cmd)
		}
		var replies []any
		if replies, err = h.p.exchange(commands, block); err == nil {
			for i, cmd := range cmds {
				set(cmd, replies[i])
			}
			return cmds[0].Err()
		}
	}
	for _, cmd := range cmds {
		cmd.SetErr(err)
	}
	return err
}

// words returns a command as the server gets it, and for how long it may wait
// there.
func words(cmd redis.Cmder) (out []string, block time.Duration) {
	for _, arg := range cmd.Args() {
		switch v := arg.(type) {
		case string:
			out = append(out, v)
		case []byte:
			out = append(out, string(v))
		case int64:
			out = append(out, strconv.FormatInt(v, 10))
		default:
			out = append(out, fmt.Sprint(v))
		}
	}
	if i := slices.Index(out, "block"); out[0] == "xread" && i > 0 {
		ms, _ := strconv.Atoi(out[i+1])
		block = time.Duration(ms) * time.Millisecond
		out = slices.Delete(out, i, i+2)
	}
	return out, block
}

// set gives a command its reply, in the type that the library would.
func set(cmd redis.Cmder, reply any) {
	if err, failed := reply.(error); failed {
		cmd.SetErr(err)
		return
	}
	if reply == nil {
		cmd.SetErr(redis.Nil)
		return
	}
	switch c := cmd.(type) {
	case *redis.Cmd:
		if s, ok := reply.(status); ok {
			reply = string(s)
		}
		c.SetVal(reply)
	case *redis.StatusCmd:
		c.SetVal(string(reply.(status)))
	case *redis.StringCmd:
		c.SetVal(reply.(string))
	case *redis.SliceCmd:
		c.SetVal(reply.([]any))
	case *redis.IntCmd:
		c.SetVal(reply.(int64))
	case *redis.XStreamSliceCmd:
		var streams []redis.XStream
		for _, s := range reply.([]any) {
			pair := s.([]any)
			streams = append(streams, redis.XStream{Stream: pair[0].(string), Messages: messages(pair[1].([]any))})
		}
		c.SetVal(streams)
	case *redis.XMessageSliceCmd:
		c.SetVal(messages(reply.([]any)))
	default:
		panic(fmt.Sprintf("a reply to %T", cmd))
	}
}

// messages returns entries of a stream as the library would.
func messages(entries []any) []redis.XMessage {
	found := make([]redis.XMessage, 0, len(entries))
	for _, e := range entries {
		pair := e.([]any)
		fields, values := pair[1].([]any), map[string]any{}
		for i := 0; i+1 < len(fields); i += 2 {
			values[fields[i].(string)] = fields[i+1]
		}
		found = append(found, redis.XMessage{ID: pair[0].(string), Values: values})
	}
	return found
}
