package monitor

import (
	"io"
	"os"
	"strings"

	"github.com/charmbracelet/x/term"

	"github.com/conncord/conncord/projector/status"
)

// A terminal is what the output goes to.
type terminal struct {
	live  bool // it can be drawn on, and keys come from it
	width int  // 0: unknown
	color bool
	ascii bool // it cannot show anything else
}

// look finds out what the output goes to.
func look(o *options, env func(string) (string, bool), stdin io.Reader, stdout io.Writer) terminal {
	t := terminal{ascii: plainLocale(env)}
	kind, _ := env("TERM")
	file, ok := stdout.(*os.File)
	if !ok || !term.IsTerminal(file.Fd()) {
		return t
	}
	if width, _, err := term.GetSize(file.Fd()); err == nil {
		t.width = width
	}
	smart := kind != "" && kind != "dumb"
	none, _ := env("NO_COLOR")
	t.color = smart && none == "" && !o.NoColor
	keys, ok := stdin.(*os.File)
	t.live = smart && ok && term.IsTerminal(keys.Fd())
	return t
}

// plainLocale reports whether the user said that the terminal does not read
// UTF-8. In most containers nobody says anything, and the terminal outside does.
func plainLocale(env func(string) (string, bool)) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if value, _ := env(name); value != "" {
			value = strings.ToLower(value)
			return !strings.Contains(value, "utf-8") && !strings.Contains(value, "utf8")
		}
	}
	return false
}

// printing are the options for what is printed to the terminal.
func (t terminal) printing(o *options) status.PrintOptions {
	return status.PrintOptions{
		Width: t.width, Color: t.color, ASCII: t.ascii,
		MaxContainers: o.Containers, Service: o.Service, Order: o.order(),
	}
}
