package monitor

import "charm.land/bubbles/v2/key"

// keys are what the live view understands.
type keys struct {
	Up, Down, PageUp, PageDown, Top, Bottom, Open, Back key.Binding
	Sort, Filter, Pause, Help, Suspend, Quit            key.Binding
}

func bind(shown, does string, pressed ...string) key.Binding {
	return key.NewBinding(key.WithKeys(pressed...), key.WithHelp(shown, does))
}

func newKeys(ascii bool) keys {
	up, down := "↑/k", "↓/j"
	if ascii {
		up, down = "up/k", "down/j"
	}
	return keys{
		Up:       bind(up, "choose the container above", "up", "k"),
		Down:     bind(down, "choose the container below", "down", "j"),
		PageUp:   bind("pgup/b", "one screen up", "pgup", "b"),
		PageDown: bind("pgdn/space", "one screen down", "pgdown", "space"),
		Top:      bind("home/g", "to the top", "home", "g"),
		Bottom:   bind("end/G", "to the end", "end", "G"),
		Open:     bind("enter", "why the container has what it has", "enter"),
		Back:     bind("esc", "back; show all services", "esc"),
		Sort:     bind("s", "sort: priority, connections, waiting, name, reserved", "s"),
		Filter:   bind("/ or f", "show only services whose name contains a text", "/", "f"),
		Pause:    bind("p", "pause, and go on", "p"),
		Help:     bind("?", "these keys", "?"),
		Suspend:  bind("ctrl+z", "to the shell; fg comes back", "ctrl+z"),
		Quit:     bind("q", "quit, like ctrl+c", "q", "ctrl+c"),
	}
}

// all are the keys in the order in which the help lists them.
func (k keys) all() []key.Binding {
	return []key.Binding{k.Up, k.Down, k.PageUp, k.PageDown, k.Top, k.Bottom, k.Open, k.Back, k.Sort, k.Filter, k.Pause, k.Help, k.Suspend, k.Quit}
}
