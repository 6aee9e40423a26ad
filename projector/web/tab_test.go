package web_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// A tab is one page in the browser, and all that went wrong on it.
type tab struct {
	t   *testing.T
	ctx context.Context
	url string

	mu       sync.Mutex
	faults   []string
	seen     chan shown
	networks bool // also that the server could not be reached is a fault
}

// shown is that the page says to have shown something.
type shown struct {
	what string
	at   time.Time
}

// A look is the form of a window.
type look struct {
	width, height int64
	dark          bool
}

var (
	desk  = look{1280, 900, false}
	phone = look{390, 844, false}
)

// open opens the page.
func open(t *testing.T, browser context.Context, url string, l look) *tab {
	t.Helper()
	x := &tab{t: t, url: url, seen: make(chan shown, 4096), networks: true}
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithListener(x.hear))
	x.ctx = ctx
	t.Cleanup(func() {
		cancel()
		x.mu.Lock()
		defer x.mu.Unlock()
		if len(x.faults) > 0 {
			t.Errorf("the browser complains:\n%s", strings.Join(x.faults, "\n"))
		}
	})
	if err := chromedp.Do(ctx); err != nil { // not with a deadline: the tab would end with it
		t.Fatalf("open a tab: %v", err)
	}
	call(x, runtime.AddBinding, runtime.AddBindingParams{Name: "tellTest"})
	x.look(l)
	do(x, chromedp.Navigate(url))
	return x
}

// look gives the window another form.
func (x *tab) look(l look) {
	x.t.Helper()
	scheme := "light"
	if l.dark {
		scheme = "dark"
	}
	call(x, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: l.width, Height: l.height, DeviceScaleFactor: 1, Mobile: l.width < 600,
	})
	call(x, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}})
}

// hear notes what goes wrong on the page, and when it shows what.
func (x *tab) hear(event any) {
	now := time.Now()
	x.mu.Lock()
	defer x.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		text := e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			text += " " + e.ExceptionDetails.Exception.Description
		}
		x.faults = append(x.faults, text)
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning || e.Type == runtime.ConsoleAPICalledTypeAssert {
			var text []string
			for _, a := range e.Args {
				text = append(text, string(a.Value)+a.Description)
			}
			x.faults = append(x.faults, fmt.Sprintf("console.%s: %s", e.Type, strings.Join(text, " ")))
		}
	case *log.EventEntryAdded:
		if e.Entry.Source == log.EntrySourceNetwork && !x.networks {
			return
		}
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			x.faults = append(x.faults, fmt.Sprintf("%s: %s (%s)", e.Entry.Source, e.Entry.Text, e.Entry.URL))
		}
	case *runtime.EventBindingCalled:
		select {
		case x.seen <- shown{e.Payload, now}:
		default:
			x.faults = append(x.faults, "the test does not keep up with what the page shows")
		}
	}
}

// away is for the time in which the server is not there: then the browser itself
// says in the console that it cannot be reached.
func (x *tab) away(away bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.networks = !away
}

// do does something in the tab, within patience.
func do[T any](x *tab, action chromedp.Action[T]) T {
	x.t.Helper()
	ctx, cancel := context.WithTimeout(x.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, action)
	if err != nil {
		x.t.Fatalf("%s: %v", x.url, err)
	}
	return value
}

// call runs a command of the protocol.
func call[P, R any](x *tab, command cdp.Command[P, R], params P) R {
	x.t.Helper()
	return do(x, func(ctx context.Context, t *chromedp.Target) (R, error) { return cdp.Call(ctx, t, command, params) })
}

// ask evaluates an expression.
func ask[T any](x *tab, expression string) T {
	x.t.Helper()
	return do(x, chromedp.Evaluate[T](expression))
}

// until waits until an expression is true.
func (x *tab) until(expression string) {
	x.t.Helper()
	_, err := chromedp.Run(x.ctx, chromedp.Poll[bool](expression, chromedp.WithPollingTimeout(patience), chromedp.WithPollingInterval(10*time.Millisecond)))
	if err != nil {
		x.picture("failed")
		x.t.Fatalf("the page never came to %s: %v. It shows:\n%.2000s", expression, err, ask[string](x, "document.body.innerText"))
	}
}

// picture saves what is seen, at its whole length, among the ignored files.
func (x *tab) picture(name string) {
	x.t.Helper()
	whole := true
	image := call(x, page.CaptureScreenshot, page.CaptureScreenshotParams{CaptureBeyondViewport: &whole}).Data
	dir := filepath.Join("..", "..", "screenshots")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		x.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), image, 0o644); err != nil {
		x.t.Fatal(err)
	}
}
