package monitor

import "sort"

// scroll moves the screen over the document.
func (m *model) scroll(lines int) {
	m.top = max(0, min(m.top+lines, m.document.len()-m.bodyHeight()))
}

// seen reports whether a line is on the screen.
func (m *model) seen(line int) bool { return line >= m.top && line < m.top+m.bodyHeight() }

// step chooses the next container in a direction. First it moves the screen to
// the chosen one, if that lies the same way; where there is no next one, it moves
// the screen alone, so that the whole document can be read with two keys.
func (m *model) step(by int) {
	spots := m.document.spots
	if len(spots) == 0 {
		m.scroll(by)
		return
	}
	to, line := m.chosen+by, spots[m.chosen]
	switch {
	case !m.seen(line) && (line > m.top) == (by > 0):
		m.reveal()
	case !m.seen(line), to < 0, to >= len(spots):
		m.scroll(by)
		m.chooseSeen()
	default:
		m.choose(to)
		m.reveal()
	}
}

// reveal moves the screen to the chosen container, no further than needed.
func (m *model) reveal() {
	if m.document == nil || len(m.document.spots) == 0 {
		return
	}
	line := m.document.spots[m.chosen]
	if line < m.top {
		m.scroll(line - m.top)
	} else if last := m.top + m.bodyHeight() - 1; line > last {
		m.scroll(line - last)
	}
}

// chooseSeen chooses a container that is on the screen, if the chosen one is not:
// the nearest.
func (m *model) chooseSeen() {
	spots := m.document.spots
	if len(spots) == 0 || m.seen(spots[m.chosen]) {
		return
	}
	first := sort.SearchInts(spots, m.top)
	if spots[m.chosen] > m.top { // it lies below the screen: the last one above its end
		first = sort.SearchInts(spots, m.top+m.bodyHeight()) - 1
	}
	if first >= 0 && first < len(spots) && m.seen(spots[first]) {
		m.choose(first)
	}
}
