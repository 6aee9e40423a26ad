package world

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestDiaryMakesLines(t *testing.T) {
	var seen []string
	d := NewDiary(func(l Line) { seen = append(seen, l.From+": "+l.Text) })
	a, b := d.Writer("a"), d.Writer("b")
	fmt.Fprint(a, "one\ntw")
	fmt.Fprint(b, "three\n\n")
	fmt.Fprint(a, "o\n")
	fmt.Fprint(a, strings.Repeat("x", maxLine))
	if want := "[a: one b: three a: two a: " + strings.Repeat("x", maxLine) + "]"; fmt.Sprint(seen) != want {
		t.Errorf("%q", seen)
	}
	if text := d.Since(time.Time{}); strings.Count(text, "\n") != 4 || !strings.Contains(text, "b              three") {
		t.Errorf("%q", text)
	}
	if text := d.Since(time.Now().Add(time.Second)); text != "" {
		t.Errorf("%q", text)
	}
}

func TestDiaryForgets(t *testing.T) {
	d := NewDiary(nil)
	for range 3 * maxLines {
		d.add("a", "line")
	}
	if n := len(d.lines); n < maxLines || n > 2*maxLines {
		t.Errorf("%d lines are kept", n)
	}
}
