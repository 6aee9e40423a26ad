package monitor

import (
	"github.com/conncord/conncord/cmd/internal/cli"
	"github.com/conncord/conncord/projector/status"
)

// printing are the options for what is printed to the terminal.
func printing(t cli.Terminal, o *options) status.PrintOptions {
	return status.PrintOptions{
		Width: t.Width, Color: t.Color, ASCII: t.ASCII,
		MaxContainers: o.Containers, Service: o.Service, Order: o.order(),
	}
}
