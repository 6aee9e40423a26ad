package monitor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/oklog/run"

	"github.com/conncord/conncord/cmd/internal/cli"
)

// terminalVariables are what the kind of a terminal is told by.
var terminalVariables = []string{
	"TERM", "COLORTERM", "TERM_PROGRAM", "TERM_PROGRAM_VERSION", "TERM_FEATURES", "TMUX", "STY", "SSH_TTY", "WT_SESSION",
	"LC_ALL", "LC_CTYPE", "LANG",
}

// live shows the status until the user has seen enough or the context ends. Then
// the terminal is as it was before.
func live(ctx context.Context, src source, o *options, t cli.Terminal, env func(string) (string, bool), stdin io.Reader, stdout io.Writer) error {
	var environ []string
	for _, name := range terminalVariables {
		if value, ok := env(name); ok {
			environ = append(environ, name+"="+value)
		}
	}
	setup := []tea.ProgramOption{
		tea.WithInput(stdin), tea.WithOutput(stdout), tea.WithEnvironment(environ), tea.WithoutSignalHandler(),
	}
	if !t.Color {
		setup = append(setup, tea.WithColorProfile(colorprofile.Ascii))
	}
	screen := tea.NewProgram(newModel(o, t, time.Now), setup...)

	var group run.Group
	{
		// The end, which signals bring. First, because it holds nothing.
		ctx, cancel := context.WithCancel(ctx)
		group.Add(func() error {
			<-ctx.Done()
			return ctx.Err()
		}, func(error) { cancel() })
	}
	{
		// The screen. Before what is shown on it: it takes nothing more, so that
		// nobody waits for it.
		group.Add(func() error {
			_, err := screen.Run()
			return err
		}, func(error) { screen.Quit() })
	}
	{
		// The updates.
		ctx, cancel := context.WithCancel(ctx)
		group.Add(func() error {
			updates, err := src.Subscribe(ctx)
			if err != nil {
				return err
			}
			pace(ctx, updates, time.Duration(o.Interval), func(u update) { screen.Send(u) })
			<-ctx.Done()
			return ctx.Err()
		}, func(error) { cancel() })
	}
	err := group.Run()
	if err == nil || errors.Is(err, context.Canceled) {
		return nil
	}
	return fmt.Errorf("show the status: %w", err)
}
