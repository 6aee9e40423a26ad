package cli

import (
	"io"
	"os"
	"strings"

	"github.com/charmbracelet/x/term"
)

// A Terminal is what a program's output goes to.
type Terminal struct {
	Is    bool // it is one, and no file or pipe
	Live  bool // it can be drawn on, and keys come from it
	Width int  // columns; 0: unknown
	Color bool
	ASCII bool // it cannot show anything else
}

// Look finds out what the output goes to. No colours are wanted with noColor, or
// with the variable NO_COLOR.
func Look(env func(string) (string, bool), stdin io.Reader, stdout io.Writer, noColor bool) Terminal {
	t := Terminal{ASCII: plainLocale(env)}
	file, ok := stdout.(*os.File)
	if !ok || !term.IsTerminal(file.Fd()) {
		return t
	}
	t.Is = true
	if width, _, err := term.GetSize(file.Fd()); err == nil {
		t.Width = width
	}
	kind, _ := env("TERM")
	smart := kind != "" && kind != "dumb"
	none, _ := env("NO_COLOR")
	t.Color = smart && none == "" && !noColor
	keys, ok := stdin.(*os.File)
	t.Live = smart && ok && term.IsTerminal(keys.Fd())
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
