package status

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// maxText bounds what is printed of one text that another program has written, in
// characters. Conncord's own sentences are shorter.
const maxText = 2000

// Clean returns the text as it may be printed: on one line, and without anything
// that a terminal could take for a command or that hides the order of what is
// read. What cannot be printed becomes a question mark.
func Clean(text string) string { return clean(PrintOptions{}, text) }

func clean(o PrintOptions, text string) string {
	var b strings.Builder
	n := 0
	for _, r := range text {
		if n++; n > maxText {
			b.WriteString(ellipsis(o))
			break
		}
		switch {
		case r == '\n' || r == '\t':
			b.WriteByte(' ')
		case r >= ' ' && r <= '~':
			b.WriteRune(r)
		case o.ASCII && r == '…':
			b.WriteString(ellipsis(o))
		// Marks are left out: any number of them may stand on one column.
		case o.ASCII, !unicode.IsPrint(r), unicode.Is(unicode.M, r):
			b.WriteByte('?')
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// cut cleans the text and cuts it at a number of columns.
func cut(o PrintOptions, text string, columns int) string {
	return ansi.Truncate(clean(o, text), max(columns, 1), ellipsis(o))
}

// left puts a clean text to the left of a column of this width, cut if need be.
func left(o PrintOptions, text string, columns int) string {
	text = cut(o, text, columns)
	return text + strings.Repeat(" ", max(0, columns-ansi.StringWidth(text)))
}

// wrapped breaks a clean text into lines that begin with an indent, the first
// of them with another one, and leaves some columns to the caller. It is nothing
// when there is no text.
func wrapped(o PrintOptions, first, indent, text string, taken int) []string {
	if text == "" {
		return nil
	}
	room := max(o.Width, minLayout) - ansi.StringWidth(first) - taken
	lines := strings.Split(ansi.Wrap(text, max(room, 1), ""), "\n")
	for i, line := range lines {
		if i == 0 {
			lines[i] = first + line
		} else {
			lines[i] = indent + line
		}
	}
	return lines
}

// capital makes the first letter of a clean text a capital one.
func capital(text string) string {
	r, size := utf8.DecodeRuneInString(text)
	if size == 0 {
		return ""
	}
	return string(unicode.ToUpper(r)) + text[size:]
}

// label is a line with a name and a value, the values below one another.
func label(name, value string) string { return fmt.Sprintf("  %-22s %s", name, value) }

// number writes a number with its thousands apart.
func number(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// plural writes a number of things.
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return number(n) + " " + many
}

// percent writes a percentage as people do: without a decimal that says nothing.
func percent(p float64) string { return strconv.FormatFloat(p, 'f', -1, 64) + "%" }

// Ago writes a duration as people say it.
func Ago(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	return fmt.Sprintf("%d days", d/(24*time.Hour))
}

// Clock writes the time of day, and the date if it is another one than now's.
func Clock(t time.Time, o PrintOptions) string {
	o = o.withDefaults()
	if t.IsZero() {
		return "unknown"
	}
	t = t.In(o.Location)
	if t.Format(time.DateOnly) != o.Now.In(o.Location).Format(time.DateOnly) {
		return t.Format(time.DateTime)
	}
	return t.Format(time.TimeOnly)
}
