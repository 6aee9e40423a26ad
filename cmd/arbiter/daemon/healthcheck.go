package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/conncord/conncord/cmd/internal/cli"
)

// healthcheck is the command that asks a running arbiter how it is, for images
// without a shell.
const healthcheck = "healthcheck"

const healthcheckDescription = `Asks the arbiter on this machine whether it lives, and exits with 0 if it does, with 1 if not.`

// healthTimeout bounds the question.
const healthTimeout = 3 * time.Second

// maxAnswer is how much of the answer is read.
const maxAnswer = 1 << 10

type healthOptions struct {
	HTTPAddr string `name:"http-addr" from:"HTTP_ADDR" placeholder:"HOST:PORT" help:"Where the arbiter serves its page. Default: 127.0.0.1:8080."`
	Ready    bool   `help:"Ask whether it is ready: it leads, or could take over at once."`
}

// checkHealth runs the command and returns the exit status.
func checkHealth(ctx context.Context, args []string, env func(string) (string, bool), stdout, stderr io.Writer) int {
	var o healthOptions
	done, err := cli.Program{Name: program + " " + healthcheck, Description: healthcheckDescription}.Parse(&o, args, env, stdout)
	if done {
		return ExitOK
	}
	addr := cmp.Or(o.HTTPAddr, defaultHTTPAddr)
	if err == nil && addr != httpOff {
		err = checkAddr(addr)
	}
	if err != nil {
		fmt.Fprintf(stderr, "%s %s: %v\n", program, healthcheck, err)
		return ExitUsage
	}
	answer, err := ask(ctx, addr, o.Ready)
	if err != nil {
		fmt.Fprintf(stderr, "%s %s: %v\n", program, healthcheck, err)
		return ExitFailure
	}
	fmt.Fprintln(stdout, answer)
	return ExitOK
}

// ask returns the arbiter's answer.
func ask(ctx context.Context, addr string, ready bool) (string, error) {
	if addr == httpOff {
		return "", errors.New("the arbiter serves nothing (HTTP_ADDR is off): it cannot be asked")
	}
	path := "/healthz"
	if ready {
		path = "/readyz"
	}
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+hostOf(addr)+path, nil)
	if err != nil {
		return "", err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	var failed *url.Error
	if errors.As(err, &failed) {
		return "", fmt.Errorf("no answer at %s: %w", addr, failed.Err)
	}
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	text := strings.TrimSpace(string(body))
	switch {
	case err != nil:
		return "", fmt.Errorf("read the answer of %s: %w", addr, err)
	case resp.StatusCode != http.StatusOK:
		return "", fmt.Errorf("not healthy: %s (%s)", text, resp.Status)
	}
	return text, nil
}

// hostOf is where a health check reaches an address that is listened on.
func hostOf(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err == nil && (host == "" || strings.Trim(host, "0.:[]") == "") {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return addr
}
