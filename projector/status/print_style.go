package status

// A style is how a terminal is told to show a text. These are of the sixteen
// colours that terminals let their users choose.
type style string

const (
	bold   style = "\x1b[1m"
	faint  style = "\x1b[2m"
	red    style = "\x1b[31m"
	green  style = "\x1b[32m"
	yellow style = "\x1b[33m"
	cyan   style = "\x1b[36m"

	unstyled = "\x1b[m"
)

func paint(o PrintOptions, s style, text string) string {
	if !o.Color || text == "" {
		return text
	}
	return string(s) + text + unstyled
}

// icon is a symbol before a text.
func icon(o PrintOptions, symbol string) string {
	if o.ASCII {
		return ""
	}
	return symbol + " "
}

func bullet(o PrintOptions) string {
	if o.ASCII {
		return "*"
	}
	return "•"
}

func ellipsis(o PrintOptions) string {
	if o.ASCII {
		return "..."
	}
	return "…"
}

// style is the colour of a health.
func (h Health) style() style {
	switch h {
	case Healthy:
		return green
	case Warning:
		return yellow
	case Critical:
		return red
	}
	return faint
}

// Label is the health as the status shows it: a light and a word.
func (h Health) Label(o PrintOptions) string {
	light, word := "⚪", "UNKNOWN"
	switch h {
	case Healthy:
		light, word = "🟢", "HEALTHY"
	case Warning:
		light, word = "🟡", "WARNING"
	case Critical:
		light, word = "🔴", "CRITICAL"
	}
	return icon(o, light) + paint(o, h.style(), word)
}
