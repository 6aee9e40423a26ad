package servertest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
)

// maxReply bounds a reply to our own questions; INFO's are a few kilobytes.
const maxReply = 1 << 20

// redisError is an error reply, without the leading minus.
type redisError string

func (e redisError) Error() string { return "redis: " + string(e) }

// ask sends one command to the Redis server on a unix socket and returns its
// reply, which must be text or a number. A client library would bring its pool, retries
// and log messages to a question that is expected to fail a few times.
func ask(ctx context.Context, socket string, command ...string) (string, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "unix", socket)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return "", err
		}
	}
	if _, err := io.WriteString(conn, strings.Join(command, " ")+"\r\n"); err != nil {
		return "", err
	}
	replies := bufio.NewReader(io.LimitReader(conn, maxReply))
	line, err := replies.ReadString('\n')
	if err != nil {
		return "", err
	}
	line = strings.TrimRight(line, "\r\n")
	switch {
	case strings.HasPrefix(line, "+"), strings.HasPrefix(line, ":"):
		return line[1:], nil
	case strings.HasPrefix(line, "-"):
		return "", redisError(line[1:])
	case strings.HasPrefix(line, "$"):
		n, err := strconv.Atoi(line[1:])
		if err != nil || n < 0 || n > maxReply {
			return "", fmt.Errorf("redis: unexpected reply %q", line)
		}
		body := make([]byte, n)
		_, err = io.ReadFull(replies, body)
		return string(body), err
	default:
		return "", fmt.Errorf("redis: unexpected reply %q", line)
	}
}
